// SPDX-License-Identifier: Apache-2.0
#include "deliver/epoch.h"

#include <map>
#include <utility>

#include "base/logging.h"

namespace weft::deliver {
namespace {

constexpr int kTries = 5;

// Tells an operator, and whoever must repair a table by hand, which records a snapshot brought.
std::map<std::string, std::string> Summary(const catalog::Positions& positions) {
  std::map<std::string, std::string> summary;
  for (const auto& [shard, position] : positions) {
    summary[fmt::format("weft.position.{}", shard)] = std::to_string(position);
  }
  return summary;
}

// Whether `end` is past `from` anywhere.
bool Moved(const catalog::Positions& from, const catalog::Positions& end) {
  for (const auto& [shard, position] : end) {
    auto before = from.find(shard);
    if (before == from.end() ? position > 0 : position > before->second) return true;
  }
  return false;
}

Result<std::vector<iceberg::DataFile>> Write(const Delivery::Dependencies& on,
                                             const LoadedTable& table, tail::TailRows& rows) {
  return on.engine.WriteParquet({.schema = *table.schema,
                                 .spec = table.version.metadata->spec(),
                                 .rows = std::move(rows.slices),
                                 .merged_files = {},
                                 .location = table.state.table.location + "/data",
                                 .name = on.random.NextUuid()});
}

// The rows become files and the files a commit. kConflict: start again.
Status Store(const Delivery::Dependencies& on, const LoadedTable& table, tail::TailRows& rows) {
  const auto files = TRY(Write(on, table, rows));
  auto next = on.tables.Append(table.version, files, Summary(rows.end));
  if (!next.ok()) {
    Discard(on, files, nullptr);
    return Fail(next.error());
  }
  const Status committed = Commit(on, table, *next, rows.end);
  // Only a conflict says for sure that nothing refers to what was written.
  if (!committed.ok() && committed.error().code() == Code::kConflict) Discard(on, files, &*next);
  return committed;
}

}  // namespace

Result<LoadedTable> LoadTable(const Delivery::Dependencies& on, int64_t table_id) {
  LoadedTable table;
  table.state = TRY(on.catalog.FindById(table_id));
  table.version = TRY(on.tables.Load(table.state.table.metadata_location));
  table.schema = {table.version.metadata, &table.version.metadata->schema()};
  return table;
}

Status Commit(const Delivery::Dependencies& on, const LoadedTable& table,
              const iceberg::TableVersion& next, const catalog::Positions& positions) {
  return on.database.Transact([&](meta::Transaction& tx) -> Status {
    return on.catalog.Advance(tx, table.state.table.id, table.state.table.metadata_location,
                              next.metadata_location, positions);
  });
}

Status DeleteObject(const Delivery::Dependencies& on, const std::string& location) {
  const auto key = TRY(objects::ParseLocation(location));
  return on.store.Delete(key);
}

void Discard(const Delivery::Dependencies& on, const std::vector<iceberg::DataFile>& files,
             const iceberg::TableVersion* version) {
  std::vector<std::string> locations;
  for (const iceberg::DataFile& file : files) locations.push_back(file.location);
  if (version != nullptr) {
    locations.push_back(version->metadata_location);
    const iceberg::Snapshot* snapshot = version->metadata->snapshot();
    if (snapshot != nullptr) locations.push_back(snapshot->manifest_list);
  }
  for (const std::string& location : locations) {
    const Status deleted = DeleteObject(on, location);
    if (!deleted.ok()) {
      Log(LogLevel::kInfo, "deliver", "an unused object is left for later",
          {{"object", location}, {"error", deleted.error().message()}});
    }
  }
}

Result<Epoch> DeliverEpoch(const Delivery::Dependencies& on, const tail::Feed& feed,
                           int64_t bytes_max) {
  for (int tried = 1;; ++tried) {
    const LoadedTable table = TRY(LoadTable(on, feed.table_id));
    auto rows = on.tail.Rows(feed, table.schema, table.state.positions, bytes_max);
    Status stored;
    if (!rows.ok()) {
      stored = Fail(rows.error());
    } else if (!Moved(table.state.positions, rows->end)) {
      return Epoch{};
    } else if (rows->rows == 0) {
      stored = on.database.Transact([&](meta::Transaction& tx) -> Status {
        return on.catalog.AdvancePositions(tx, feed.table_id, rows->end);
      });
    } else {
      stored = Store(on, table, *rows);
    }
    if (stored.ok()) {
      on.tail.Release(feed.table_id, rows->end);
      return Epoch{.moved = true, .rows = rows->rows, .bytes = rows->bytes};
    }
    if (stored.error().code() != Code::kConflict || tried == kTries) return Fail(stored.error());
  }
}

}  // namespace weft::deliver
