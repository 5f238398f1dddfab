// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/clock.h"
#include "log/record_log.h"

namespace weft::log {

// A record log that keeps everything in memory and answers an append before it returns.
std::unique_ptr<RecordLog> OpenMemoryLog(const Clock& clock = SystemClock());

}  // namespace weft::log
