// SPDX-License-Identifier: Apache-2.0
// What a table no longer needs: snapshots past their age, and objects that nothing reaches.
#include <algorithm>
#include <functional>
#include <iterator>

#include "iceberg/json_internal.h"
#include "iceberg/metadata_internal.h"
#include "iceberg/table_objects_internal.h"

namespace weft::iceberg {
namespace {

constexpr int kListPage = 1000;

using Locations = std::set<std::string>;

// An age before the beginning of time is no limit.
Timestamp Before(Timestamp now, milliseconds age) {
  const auto since = std::chrono::floor<milliseconds>(now.time_since_epoch());
  return age < since ? now - age : Timestamp::min();
}

// The snapshots that a branch keeps: young ones, and the latest few whatever their age.
void KeepBranch(const TableMetadata& metadata, int64_t head, Timestamp oldest, int64_t count_min,
                std::set<int64_t>& kept) {
  std::optional<int64_t> next = head;
  std::set<int64_t> walked;  // parents that form a ring would have no end
  while (next.has_value() && walked.insert(*next).second) {
    const Snapshot* snapshot = metadata.FindSnapshot(*next);
    if (snapshot == nullptr) return;
    if (count_min <= 0 && snapshot->time < oldest && *next != head) return;
    kept.insert(*next);
    --count_min;
    next = snapshot->parent_snapshot_id;
  }
}

// All that are on no branch at all, and young, may be somebody's work in progress.
void KeepUnreferenced(const TableMetadata& metadata, Timestamp oldest, std::set<int64_t>& kept) {
  std::set<int64_t> referenced;
  const Timestamp ever = Timestamp::min();
  for (const auto& [name, ref] : metadata.refs) {
    KeepBranch(metadata, ref.snapshot_id, ever, 0, referenced);
  }
  if (metadata.current_snapshot_id.has_value()) {
    KeepBranch(metadata, *metadata.current_snapshot_id, ever, 0, referenced);
  }
  for (const Snapshot& snapshot : metadata.snapshots) {
    if (snapshot.time >= oldest && !referenced.contains(snapshot.snapshot_id)) {
      kept.insert(snapshot.snapshot_id);
    }
  }
}

std::set<int64_t> KeptSnapshots(const TableMetadata& metadata, Timestamp now,
                                const Tables::ExpiryOptions& options) {
  std::set<int64_t> kept;
  const auto keep = [&](int64_t head, const SnapshotRef& ref) {
    const milliseconds age = ref.snapshot_age_max_ms.has_value()
                                 ? milliseconds(*ref.snapshot_age_max_ms)
                                 : options.snapshot_age_max;
    KeepBranch(metadata, head, Before(now, age),
               std::max<int64_t>(1, ref.snapshots_min.value_or(options.snapshots_min)), kept);
  };
  for (const auto& [name, ref] : metadata.refs) {
    if (name == "main") continue;
    if (ref.branch) {
      keep(ref.snapshot_id, ref);
    } else {
      kept.insert(ref.snapshot_id);
    }
  }
  if (metadata.current_snapshot_id.has_value()) {
    const auto main = metadata.refs.find("main");
    keep(*metadata.current_snapshot_id, main == metadata.refs.end() ? SnapshotRef() : main->second);
  }
  KeepUnreferenced(metadata, Before(now, options.snapshot_age_max), kept);
  return kept;
}

// The statistics files of snapshots for which `of` is true; with `take`, also removes them from the
// metadata.
Result<Locations> StatisticsOf(std::string& other_members, const std::function<bool(int64_t)>& of,
                               bool take) {
  Locations locations;
  if (other_members.empty()) return locations;
  Json json = TRY(ParseObject(other_members, "the table's other members"));
  for (const char* key : {"statistics", "partition-statistics"}) {
    const Json* list = TRY(OptionalArray(json, key));
    if (list == nullptr) continue;
    Json left = Json::array();
    for (const Json& item : *list) {
      if (of(TRY(Integer(item, "snapshot-id")))) {
        locations.insert(TRY(Text(item, "statistics-path")));
      } else {
        left.push_back(item);
      }
    }
    if (take) json[key] = std::move(left);
  }
  if (take) other_members = JsonText(json);
  return locations;
}

// What snapshots reach: manifests by location, and the objects beside manifests and files.
struct Reached {
  std::map<std::string, ManifestFile> manifests;
  Locations lists;
};

template <class Wanted>
Result<Reached> Reach(TableObjects& objects, const TableMetadata& metadata, Wanted wanted) {
  Reached reached;
  for (const Snapshot& snapshot : metadata.snapshots) {
    if (!wanted(snapshot)) continue;
    if (!snapshot.manifest_list.empty()) reached.lists.insert(snapshot.manifest_list);
    const auto manifests = TRY(objects.ManifestsOf(metadata, snapshot));
    for (const ManifestFile& manifest : *manifests) {
      reached.manifests.emplace(manifest.location, manifest);
    }
  }
  return reached;
}

Result<Locations> LiveFiles(TableObjects& objects, const TableMetadata& metadata,
                            const std::map<std::string, ManifestFile>& manifests) {
  Locations files;
  for (const auto& [location, manifest] : manifests) {
    if (!manifest.live()) continue;
    const auto entries = TRY(objects.EntriesOf(metadata, manifest));
    for (const ManifestEntry& entry : *entries) {
      if (entry.live()) files.insert(entry.file.location);
    }
  }
  return files;
}

// The objects that the dropped snapshots reach and the kept ones do not.
Status FindUnreachable(TableObjects& objects, const TableMetadata& metadata,
                       const std::set<int64_t>& kept, std::vector<std::string>& unreachable) {
  const auto is_kept = [&](const Snapshot& snapshot) {
    return kept.contains(snapshot.snapshot_id);
  };
  const Reached needed = TRY(Reach(objects, metadata, is_kept));
  Reached dropped =
      TRY(Reach(objects, metadata, [&](const Snapshot& one) { return !is_kept(one); }));
  for (const std::string& list : dropped.lists) {
    if (!needed.lists.contains(list)) unreachable.push_back(list);
  }
  std::erase_if(dropped.manifests,
                [&](const auto& item) { return needed.manifests.contains(item.first); });
  if (dropped.manifests.empty()) return {};
  for (const auto& [location, manifest] : dropped.manifests) unreachable.push_back(location);
  const Locations candidates = TRY(LiveFiles(objects, metadata, dropped.manifests));
  if (candidates.empty()) return {};
  const Locations live = TRY(LiveFiles(objects, metadata, needed.manifests));
  std::set_difference(candidates.begin(), candidates.end(), live.begin(), live.end(),
                      std::back_inserter(unreachable));
  return {};
}

// The log of current snapshots, from behind the last one that is gone.
void TrimSnapshotLog(TableMetadata& metadata) {
  auto& log = metadata.snapshot_log;
  const auto gone = std::find_if(log.rbegin(), log.rend(), [&](const auto& entry) {
    return metadata.FindSnapshot(entry.snapshot_id) == nullptr;
  });
  log.erase(log.begin(), gone.base());
}

}  // namespace

Result<Tables::Expiry> Tables::Expire(const TableVersion& base, const ExpiryOptions& options) {
  const TableMetadata& metadata = *base.metadata;
  if (metadata.format_version != 2) {
    return Fail(Code::kNotOffered,
                "expiring tables of another format than version 2 is not offered");
  }
  TableObjects& objects = state_->objects;
  const std::set<int64_t> kept = KeptSnapshots(metadata, objects.Now(), options);
  const auto files_max = static_cast<size_t>(std::max(1, options.metadata_files_max));
  Expiry expiry{base, {}};
  const bool all_kept =
      std::all_of(metadata.snapshots.begin(), metadata.snapshots.end(),
                  [&](const Snapshot& snapshot) { return kept.contains(snapshot.snapshot_id); });
  if (all_kept && metadata.metadata_log.size() <= files_max) {
    return expiry;
  }
  TRY(FindUnreachable(objects, metadata, kept, expiry.unreachable));

  TableMetadata next = metadata;
  std::erase_if(next.snapshots,
                [&](const Snapshot& one) { return !kept.contains(one.snapshot_id); });
  std::erase_if(next.refs, [&](const auto& ref) { return !kept.contains(ref.second.snapshot_id); });
  if (const auto main = metadata.refs.find("main"); main != metadata.refs.end()) {
    next.refs.insert(*main);  // its retention stays whatever it pointed to
  }
  TrimSnapshotLog(next);
  const Locations statistics = TRY(StatisticsOf(
      next.other_members, [&](int64_t id) { return !kept.contains(id); }, /*take=*/true));
  expiry.unreachable.insert(expiry.unreachable.end(), statistics.begin(), statistics.end());
  auto& log = next.metadata_log;
  while (log.size() + 1 > files_max) {  // one more: the base becomes an old file
    expiry.unreachable.push_back(log.front().location);
    log.erase(log.begin());
  }
  next.last_updated =
      std::max<Timestamp>(std::chrono::floor<milliseconds>(objects.Now()), metadata.last_updated);
  expiry.version = TRY(objects.PutMetadata(&base, std::move(next)));
  return expiry;
}

Result<std::vector<std::string>> Tables::Orphans(const TableVersion& version,
                                                 milliseconds age_min) {
  TableObjects& objects = state_->objects;
  const TableMetadata& metadata = *version.metadata;
  const Reached reached = TRY(Reach(objects, metadata, [](const Snapshot&) { return true; }));
  Locations known = TRY(LiveFiles(objects, metadata, reached.manifests));
  known.insert(reached.lists.begin(), reached.lists.end());
  for (const auto& [location, manifest] : reached.manifests) known.insert(location);
  known.insert(version.metadata_location);
  for (const auto& entry : metadata.metadata_log) known.insert(entry.location);
  std::string others = metadata.other_members;
  known.merge(TRY(StatisticsOf(
      others, [](int64_t) { return true; }, /*take=*/false)));

  const objects::ObjectKey root = TRY(objects::ParseLocation(metadata.location + "/x"));
  const std::string prefix = root.key.substr(0, root.key.size() - 1);
  const Timestamp youngest = Before(objects.Now(), age_min);
  std::vector<std::string> orphans;
  std::string after;
  while (true) {
    const auto page = TRY(objects.store().List(root.bucket, prefix, after, kListPage));
    if (page.empty()) return orphans;
    for (const objects::ObjectInfo& object : page) {
      std::string location = objects::Location(object.key);
      if (object.modified < youngest && !known.contains(location) &&
          !location.ends_with("/version-hint.text")) {
        orphans.push_back(std::move(location));
      }
    }
    after = page.back().key.key;
  }
}

}  // namespace weft::iceberg
