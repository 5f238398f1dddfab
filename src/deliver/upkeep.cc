// SPDX-License-Identifier: Apache-2.0
#include "deliver/upkeep.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/logging.h"

namespace weft::deliver {
namespace {

constexpr int kMergesPerRound = 32;

// Merges one group; returns whether there was one.
Result<bool> MergeOnce(const UpkeepSettings& settings, const Delivery::Dependencies& on,
                       const UpkeepCounters& counters, int64_t table_id) {
  const LoadedTable table = TRY(LoadTable(on, table_id));
  const auto files = TRY(on.tables.Files(table.version));
  if (files == nullptr) return false;
  const std::vector<iceberg::DataFile> chosen = ChooseMerge(*files, settings);
  if (chosen.empty()) return false;
  const auto& specs = table.version.metadata->partition_specs;
  auto spec = std::find_if(specs.begin(), specs.end(),
                           [&](const auto& s) { return s.spec_id == chosen.front().spec_id; });
  if (spec == specs.end()) return Fail(Code::kCorrupt, "a data file names no partition spec");
  const auto merged =
      TRY(on.engine.WriteParquet({.schema = *table.schema,
                                  .spec = *spec,
                                  .rows = {},
                                  .merged_files = chosen,
                                  .location = table.state.table.location + "/data",
                                  .name = on.random.NextUuid(),
                                  .file_bytes_target = settings.merge_target_bytes}));
  std::vector<std::string> removed;
  for (const iceberg::DataFile& file : chosen) removed.push_back(file.location);
  auto next = on.tables.Replace(table.version, removed, merged);
  if (!next.ok()) {
    Discard(on, merged, nullptr);
    return Fail(next.error());
  }
  const Status committed = Commit(on, table, *next, table.state.positions);
  if (!committed.ok()) {
    if (committed.error().code() == Code::kConflict) Discard(on, merged, &*next);
    return Fail(committed.error());
  }
  counters.merged_files.Add(static_cast<double>(chosen.size()));
  return true;
}

Status Merge(const UpkeepSettings& settings, const Delivery::Dependencies& on,
             const UpkeepCounters& counters, int64_t table_id) {
  for (int round = 0; round < kMergesPerRound; ++round) {
    if (!TRY(MergeOnce(settings, on, counters, table_id))) return {};
  }
  return {};
}

Status Expire(const UpkeepSettings& settings, const Delivery::Dependencies& on, int64_t table_id,
              UpkeepMemory& memory) {
  const LoadedTable table = TRY(LoadTable(on, table_id));
  auto expiry =
      TRY(on.tables.Expire(table.version, {.snapshot_age_max = settings.snapshot_age_max,
                                           .snapshots_min = settings.snapshots_min,
                                           .metadata_files_max = settings.metadata_files_max}));
  if (expiry.version.metadata_location == table.version.metadata_location) return {};
  const Status committed = Commit(on, table, expiry.version, table.state.positions);
  if (!committed.ok()) {
    // Not Discard: that would delete the manifest list of the snapshot that both versions share.
    if (committed.error().code() == Code::kConflict) {
      static_cast<void>(DeleteObject(on, expiry.version.metadata_location));
    }
    return committed;
  }
  const microseconds due = on.clock.Elapsed() + settings.delete_grace;
  for (std::string& location : expiry.unreachable)
    memory.doomed.push_back({due, std::move(location)});
  return {};
}

Status DeleteDoomed(const Delivery::Dependencies& on, const UpkeepCounters& counters,
                    UpkeepMemory& memory) {
  while (!memory.doomed.empty() && memory.doomed.front().due <= on.clock.Elapsed()) {
    TRY(DeleteObject(on, memory.doomed.front().location));
    memory.doomed.pop_front();
    counters.expired_objects.Add(1);
  }
  return {};
}

Status RemoveOrphans(const UpkeepSettings& settings, const Delivery::Dependencies& on,
                     const UpkeepCounters& counters, int64_t table_id, UpkeepMemory& memory) {
  const LoadedTable table = TRY(LoadTable(on, table_id));
  std::set<std::string> waiting;
  for (const auto& doomed : memory.doomed) waiting.insert(doomed.location);
  const auto orphans = TRY(on.tables.Orphans(table.version, settings.orphan_age_min));
  for (const std::string& location : orphans) {
    if (waiting.contains(location)) continue;
    TRY(DeleteObject(on, location));
    counters.orphans.Add(1);
    Log(LogLevel::kInfo, "deliver", "removed an object that no snapshot reaches",
        {{"table", table.state.table.name.text()}, {"object", location}});
  }
  memory.orphans_sought = on.clock.Elapsed();
  return {};
}

}  // namespace

std::vector<iceberg::DataFile> ChooseMerge(const std::vector<iceberg::DataFile>& files,
                                           const UpkeepSettings& settings) {
  std::map<std::pair<int, std::vector<iceberg::SingleValue>>, std::vector<iceberg::DataFile>>
      groups;
  for (const iceberg::DataFile& file : files) {
    if (file.file_bytes < settings.merge_target_bytes / 2) {
      groups[{file.spec_id, file.partition}].push_back(file);
    }
  }
  const auto least = static_cast<size_t>(std::max(2, settings.small_files_min));
  for (auto& [key, group] : groups) {
    if (group.size() < least) continue;
    std::sort(group.begin(), group.end(), [](const auto& a, const auto& b) {
      return std::tie(a.file_bytes, a.location) < std::tie(b.file_bytes, b.location);
    });
    size_t take = 0;
    int64_t bytes = 0;
    for (size_t i = 0; i < group.size(); ++i) {
      if (i + 1 >= least && group[i].file_bytes <= bytes) take = i + 1;
      bytes += group[i].file_bytes;
      if (bytes >= settings.merge_target_bytes && take > 0) break;
    }
    if (take == 0) continue;
    group.resize(take);
    return group;
  }
  return {};
}

Status KeepTable(const UpkeepSettings& settings, const Delivery::Dependencies& on,
                 const UpkeepCounters& counters, int64_t table_id, bool orphans_now,
                 UpkeepMemory& memory) {
  Status first;
  const auto note = [&](const Status& status) {
    if (first.ok() && !status.ok()) first = status;
  };
  note(DeleteDoomed(on, counters, memory));
  note(Merge(settings, on, counters, table_id));
  note(Expire(settings, on, table_id, memory));
  const bool seek = orphans_now || !memory.orphans_sought.has_value() ||
                    on.clock.Elapsed() - *memory.orphans_sought >= settings.orphan_interval;
  if (seek) note(RemoveOrphans(settings, on, counters, table_id, memory));
  if (settings.delete_grace.count() == 0) note(DeleteDoomed(on, counters, memory));
  return first;
}

}  // namespace weft::deliver
