// SPDX-License-Identifier: Apache-2.0
#include "app/backends.h"

#include "engine/duckdb_engine.h"
#include "log/journal.h"
#include "log/key_ring.h"
#include "meta/sqlite.h"
#include "objects/local_store.h"

namespace weft::app {

Result<std::unique_ptr<meta::Database>> OpenDatabase(const Settings& settings) {
  return meta::OpenSqlite({.path = settings.data_folder + "/meta.sqlite"});
}

Result<std::unique_ptr<objects::ObjectStore>> OpenObjects(const Settings& settings, Disk& disk,
                                                          const Clock& clock) {
  return objects::OpenLocalStore({.root = settings.data_folder + "/objects",
                                  .free_bytes_min = settings.objects_free_bytes_min},
                                 disk, clock);
}

Result<std::unique_ptr<log::RecordLog>> OpenLog(const Settings& settings, const Bytes& master_key,
                                                Disk& disk, const Clock& clock, Metrics& metrics) {
  return log::OpenJournal({.folder = settings.data_folder + "/journal",
                           .segment_bytes = settings.journal_segment_bytes,
                           .pending_bytes_max = settings.journal_pending_bytes_max,
                           .free_bytes_min = settings.journal_free_bytes_min,
                           .master_key = master_key,
                           .encrypt = settings.journal_encrypt,
                           .data_key_age_max = settings.journal_data_key_age_max},
                          disk, clock, metrics);
}

Status RewrapLogKeys(const Settings& settings, Disk& disk, const Bytes& old_key,
                     const Bytes& new_key) {
  return log::RewrapKeys(settings.data_folder + "/journal", disk, old_key, new_key);
}

Result<std::unique_ptr<engine::Engine>> OpenEngine(const Settings& settings,
                                                   objects::ObjectStore& store, const Clock& clock,
                                                   Metrics& metrics) {
  engine::DuckDbOptions options;
  options.workers = settings.query_workers;
  options.worker_threads = settings.query_threads;
  options.queue_max = settings.query_queue_max;
  options.temporary_folder = settings.data_folder + "/tmp";
  options.objects_root = settings.data_folder + "/objects";
  return engine::OpenDuckDb(options, store, clock, metrics);
}

}  // namespace weft::app
