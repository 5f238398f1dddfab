// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>

#include "iceberg/table_objects_internal.h"

namespace weft::iceberg {
namespace {

constexpr int64_t kManifestTargetBytes = 8 << 20;
constexpr int64_t kManifestsToMerge = 100;
constexpr int64_t kFormatVersion = 2;

constexpr std::array kTotals = {"total-delete-files", "total-position-deletes",
                                "total-equality-deletes"};

void SetCount(std::map<std::string, std::string>& summary, const std::string& name, int64_t count) {
  if (count != 0) summary[name] = std::to_string(count);
}

// The parent's total with the change; left out where the parent does not tell its own.
void SetTotal(const Snapshot* parent, const std::string& name, int64_t change,
              std::map<std::string, std::string>& summary) {
  if (parent == nullptr) {
    summary[name] = std::to_string(change);
    return;
  }
  const auto it = parent->summary.find(name);
  if (it == parent->summary.end()) return;
  int64_t total = 0;
  const std::string& text = it->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), total);
  if (error != std::errc() || end != text.data() + text.size()) return;
  summary[name] = std::to_string(total + change);
}

// Counts the files of a manifest whose list, made by somebody else, does not tell them.
Status FillCounts(TableObjects& objects, const TableMetadata& metadata, ManifestFile& manifest) {
  const auto entries = TRY(objects.EntriesOf(metadata, manifest));
  manifest.added_files = manifest.existing_files = manifest.deleted_files = 0;
  manifest.added_rows = manifest.existing_rows = manifest.deleted_rows = 0;
  for (const ManifestEntry& entry : *entries) {
    const bool added = entry.status == EntryStatus::kAdded;
    const bool existing = entry.status == EntryStatus::kExisting;
    ++(added ? manifest.added_files : existing ? manifest.existing_files : manifest.deleted_files);
    (added      ? manifest.added_rows
     : existing ? manifest.existing_rows
                : manifest.deleted_rows) += entry.file.record_count;
  }
  return {};
}

}  // namespace

Result<SnapshotDraft> SnapshotDraft::Begin(TableObjects& objects, const TableVersion& base) {
  const TableMetadata& metadata = *base.metadata;
  if (metadata.format_version != kFormatVersion) {
    return Fail(Code::kNotOffered, fmt::format("writing to a table of format version {} is not "
                                               "offered: Weft writes version 2",
                                               metadata.format_version));
  }
  SnapshotDraft draft(objects, base);
  Snapshot& snapshot = draft.snapshot_;
  do {
    snapshot.snapshot_id = static_cast<int64_t>(objects.random().Next() >> 1);
  } while (snapshot.snapshot_id == 0 || metadata.FindSnapshot(snapshot.snapshot_id) != nullptr);
  snapshot.parent_snapshot_id = metadata.current_snapshot_id;
  snapshot.sequence_number = metadata.last_sequence_number + 1;
  snapshot.schema_id = metadata.current_schema_id;
  snapshot.time =
      std::max<Timestamp>(std::chrono::floor<milliseconds>(objects.Now()), metadata.last_updated);
  for (const Snapshot& other : metadata.snapshots) {
    snapshot.time = std::max(snapshot.time, other.time);
  }
  return draft;
}

Result<Manifests> SnapshotDraft::LiveManifests() {
  Manifests live;
  const Snapshot* current = base().snapshot();
  if (current == nullptr) return live;
  const auto manifests = TRY(objects_.ManifestsOf(base(), *current));
  for (const ManifestFile& manifest : *manifests) {
    if (!manifest.live()) continue;
    live.push_back(manifest);
    const bool rows =
        manifest.added_rows >= 0 && manifest.existing_rows >= 0 && manifest.deleted_rows >= 0;
    if (!manifest.counted() || !rows) TRY(FillCounts(objects_, base(), live.back()));
  }
  return live;
}

void SnapshotDraft::Touch(const DataFile& file) {
  std::string partition = std::to_string(file.spec_id);
  for (const SingleValue& value : file.partition) {
    partition += value.has_value() ? fmt::format("/{}:{}", value->size(), *value) : "/null";
  }
  partitions_.insert(std::move(partition));
}

Result<Manifests> SnapshotDraft::WriteAdded(const std::vector<DataFile>& added) {
  std::map<int, Entries> by_spec;
  std::set<std::string_view> seen;
  for (const DataFile& file : added) {
    if (file.location.empty() || file.record_count < 0 || !seen.insert(file.location).second) {
      return Fail(Code::kInvalid,
                  fmt::format("a data file without a location, or named twice: {}", file.location));
    }
    ManifestEntry entry;
    entry.snapshot_id = snapshot_.snapshot_id;
    entry.file = file;
    by_spec[file.spec_id].push_back(std::move(entry));
    ++added_.files;
    added_.rows += file.record_count;
    added_.bytes += file.file_bytes;
    Touch(file);
  }
  Manifests manifests;
  for (const auto& [spec_id, entries] : by_spec) {
    manifests.push_back(TRY(objects_.PutManifest(entries, base(), spec_id, snapshot_.snapshot_id,
                                                 snapshot_.sequence_number)));
  }
  return manifests;
}

void SnapshotDraft::CountRemoved(const DataFile& file) {
  ++removed_.files;
  removed_.rows += file.record_count;
  removed_.bytes += file.file_bytes;
  Touch(file);
}

std::map<std::string, std::string> SnapshotDraft::Summary(const std::string& operation) const {
  std::map<std::string, std::string> summary;
  summary["operation"] = operation;
  SetCount(summary, "added-data-files", added_.files);
  SetCount(summary, "added-records", added_.rows);
  SetCount(summary, "added-files-size", added_.bytes);
  SetCount(summary, "deleted-data-files", removed_.files);
  SetCount(summary, "deleted-records", removed_.rows);
  SetCount(summary, "removed-files-size", removed_.bytes);
  SetCount(summary, "changed-partition-count", static_cast<int64_t>(partitions_.size()));
  const Snapshot* parent = base().snapshot();
  SetTotal(parent, "total-data-files", added_.files - removed_.files, summary);
  SetTotal(parent, "total-records", added_.rows - removed_.rows, summary);
  SetTotal(parent, "total-files-size", added_.bytes - removed_.bytes, summary);
  for (const char* name : kTotals) SetTotal(parent, name, 0, summary);
  return summary;
}

Result<TableVersion> SnapshotDraft::Commit(const std::string& operation, Manifests manifests,
                                           const std::map<std::string, std::string>& summary) {
  manifests = TRY(MergeManifests(objects_, base(), std::move(manifests), snapshot_.snapshot_id,
                                 snapshot_.sequence_number));
  snapshot_.summary = Summary(operation);
  snapshot_.summary.insert(summary.begin(), summary.end());
  snapshot_.manifest_list = fmt::format("{}/metadata/snap-{}-1-{}.avro", base().location,
                                        snapshot_.snapshot_id, objects_.random().NextUuid());
  const ListHeader header{snapshot_.snapshot_id, snapshot_.parent_snapshot_id,
                          snapshot_.sequence_number};
  const Bytes list = WriteManifestList(manifests, header, objects_.random());
  TRY(objects_.Put(snapshot_.manifest_list, list));

  TableMetadata next = base();
  next.last_sequence_number = snapshot_.sequence_number;
  next.last_updated = snapshot_.time;
  next.current_snapshot_id = snapshot_.snapshot_id;
  next.snapshot_log.push_back({snapshot_.time, snapshot_.snapshot_id});
  next.snapshots.push_back(snapshot_);
  return objects_.PutMetadata(&base_, std::move(next));
}

Result<Manifests> MergeManifests(TableObjects& objects, const TableMetadata& metadata,
                                 Manifests manifests, int64_t snapshot_id,
                                 int64_t sequence_number) {
  const int64_t target =
      NumberProperty(metadata, "commit.manifest.target-size-bytes", kManifestTargetBytes);
  const int64_t count_min =
      NumberProperty(metadata, "commit.manifest.min-count-to-merge", kManifestsToMerge);
  const auto enabled = metadata.properties.find("commit.manifest-merge.enabled");
  const auto mergeable = [&](const ManifestFile& manifest) {
    return !manifest.deletes && manifest.spec_id == metadata.default_spec_id &&
           manifest.bytes < target && !manifest.key_metadata.has_value();
  };
  const auto count = std::count_if(manifests.begin(), manifests.end(), mergeable);
  if (count < std::max<int64_t>(count_min, 2) ||
      (enabled != metadata.properties.end() && enabled->second == "false")) {
    return manifests;
  }
  Manifests merged, bin;
  int64_t bin_bytes = 0;
  const auto flush = [&]() -> Status {
    if (bin.size() < 2) {
      merged.insert(merged.end(), bin.begin(), bin.end());
    } else {
      Entries entries;
      for (const ManifestFile& manifest : bin) {
        const auto read = TRY(objects.EntriesOf(metadata, manifest));
        for (ManifestEntry entry : *read) {
          // What this very snapshot added or deleted stays so; older deletions are history.
          if (entry.snapshot_id != snapshot_id) {
            if (!entry.live()) continue;
            entry.status = EntryStatus::kExisting;
          }
          entries.push_back(std::move(entry));
        }
      }
      if (!entries.empty()) {
        merged.push_back(TRY(objects.PutManifest(entries, metadata, metadata.default_spec_id,
                                                 snapshot_id, sequence_number)));
      }
    }
    bin.clear();
    bin_bytes = 0;
    return {};
  };
  for (ManifestFile& manifest : manifests) {
    if (!mergeable(manifest)) {
      merged.push_back(std::move(manifest));
      continue;
    }
    if (bin_bytes + manifest.bytes > target) TRY(flush());
    bin_bytes += manifest.bytes;
    bin.push_back(std::move(manifest));
  }
  TRY(flush());
  return merged;
}

}  // namespace weft::iceberg
