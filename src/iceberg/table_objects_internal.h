// SPDX-License-Identifier: Apache-2.0
// The objects that a table is made of, read through caches and written under fresh names.
#pragma once

#include <set>

#include "iceberg/cache_internal.h"
#include "iceberg/manifest_internal.h"
#include "iceberg/table.h"

namespace weft::iceberg {

using Manifests = std::vector<ManifestFile>;
using Entries = std::vector<ManifestEntry>;

class TableObjects {
 public:
  TableObjects(objects::ObjectStore& store, const Clock& clock, Random& random)
      : store_(store), clock_(clock), random_(random) {}

  objects::ObjectStore& store() { return store_; }
  Random& random() { return random_; }
  Timestamp Now() const { return clock_.Now(); }

  Result<TableVersion> Load(const std::string& location);
  Result<std::shared_ptr<const Manifests>> ManifestsOf(const TableMetadata& metadata,
                                                       const Snapshot& snapshot);
  Result<std::shared_ptr<const Entries>> EntriesOf(const TableMetadata& metadata,
                                                   const ManifestFile& manifest);
  Result<std::shared_ptr<const std::vector<DataFile>>> FilesOf(const TableVersion& version);

  Status Put(const std::string& location, BytesView bytes);
  // Writes `metadata` as the version that follows `base` (nullptr: as the first).
  Result<TableVersion> PutMetadata(const TableVersion* base, TableMetadata metadata);
  // Writes a manifest of these entries (at least one) and answers its entry in a list.
  Result<ManifestFile> PutManifest(const Entries& entries, const TableMetadata& metadata,
                                   int spec_id, int64_t snapshot_id, int64_t sequence_number);

 private:
  Result<Bytes> Get(const std::string& location);

  objects::ObjectStore& store_;
  const Clock& clock_;
  Random& random_;
  ByteCache<TableMetadata> metadata_{16 << 20};
  ByteCache<Manifests> lists_{16 << 20};
  ByteCache<Entries> entries_{64 << 20};
  ByteCache<std::vector<DataFile>> files_{64 << 20};
};

// A snapshot being made: its number and time, and what it changes.
class SnapshotDraft {
 public:
  // kNotOffered where the base is of a format that Weft does not write.
  static Result<SnapshotDraft> Begin(TableObjects& objects, const TableVersion& base);

  int64_t snapshot_id() const { return snapshot_.snapshot_id; }
  int64_t sequence_number() const { return snapshot_.sequence_number; }
  const TableMetadata& base() const { return *base_.metadata; }

  // The base's manifests that still have live files, with all numbers known.
  Result<Manifests> LiveManifests();
  // Writes manifests of the files, one for each spec, and counts the files as added.
  Result<Manifests> WriteAdded(const std::vector<DataFile>& added);
  void CountRemoved(const DataFile& file);
  // Writes the list and the metadata. Small manifests are merged first when there are many.
  Result<TableVersion> Commit(const std::string& operation, Manifests manifests,
                              const std::map<std::string, std::string>& summary);

 private:
  SnapshotDraft(TableObjects& objects, const TableVersion& base) : objects_(objects), base_(base) {}
  std::map<std::string, std::string> Summary(const std::string& operation) const;
  void Touch(const DataFile& file);

  struct Counters {
    int64_t files = 0, rows = 0, bytes = 0;
  };

  TableObjects& objects_;
  TableVersion base_;
  Snapshot snapshot_;
  Counters added_, removed_;
  std::set<std::string> partitions_;
};

// The manifests with small ones joined, where there are as many as the table's properties say.
Result<Manifests> MergeManifests(TableObjects& objects, const TableMetadata& metadata,
                                 Manifests manifests, int64_t snapshot_id, int64_t sequence_number);

// A number in the table's properties; `otherwise` where it is missing or none.
int64_t NumberProperty(const TableMetadata& metadata, const std::string& name, int64_t otherwise);

struct Tables::State {
  TableObjects objects;
};

}  // namespace weft::iceberg
