// SPDX-License-Identifier: Apache-2.0
// Which back end stands behind each seam. The only file that knows.
#pragma once

#include <memory>
#include <string>

#include "app/settings.h"
#include "base/disk.h"
#include "base/metrics.h"
#include "engine/engine.h"
#include "log/record_log.h"
#include "meta/database.h"
#include "objects/object_store.h"

namespace weft::app {

Result<std::unique_ptr<meta::Database>> OpenDatabase(const Settings& settings);
Result<std::unique_ptr<objects::ObjectStore>> OpenObjects(const Settings& settings, Disk& disk,
                                                          const Clock& clock);
// `master_key` wraps the keys of the records that are kept encrypted.
Result<std::unique_ptr<log::RecordLog>> OpenLog(const Settings& settings, const Bytes& master_key,
                                                Disk& disk, const Clock& clock, Metrics& metrics);
// Wraps the log's data keys by another master key; fine when it did so before.
Status RewrapLogKeys(const Settings& settings, Disk& disk, const Bytes& old_key,
                     const Bytes& new_key);
Result<std::unique_ptr<engine::Engine>> OpenEngine(const Settings& settings,
                                                   objects::ObjectStore& store, const Clock& clock,
                                                   Metrics& metrics);

}  // namespace weft::app
