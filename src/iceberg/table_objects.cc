// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "codec/avro.h"
#include "codec/compression.h"
#include "iceberg/table_objects_internal.h"

namespace weft::iceberg {
namespace {

// Older metadata files are taken out of the log by Expire, which also has them deleted; a log
// trimmed here would leave them to the search for orphans. This only bounds a table that nothing
// ever expires.
constexpr int64_t kMetadataLogMax = 1000;
constexpr int64_t kUnpackedMetadataMax = 256 << 20;
// What a map's node, a string's or a vector's memory takes beside what it holds, about.
constexpr int64_t kPieceBytes = 64;

int64_t CostOf(const DataFile& file) {
  int64_t cost = static_cast<int64_t>(sizeof(ManifestEntry) + file.location.size()) + kPieceBytes;
  for (const auto* counts :
       {&file.column_bytes, &file.value_counts, &file.null_counts, &file.nan_counts}) {
    cost += static_cast<int64_t>(counts->size()) * kPieceBytes;
  }
  for (const auto* bounds : {&file.lower_bounds, &file.upper_bounds}) {
    for (const auto& [id, bound] : *bounds) {
      cost += 2 * kPieceBytes + static_cast<int64_t>(bound.size());
    }
  }
  return cost +
         static_cast<int64_t>(file.partition.size() + file.split_offsets.size()) * kPieceBytes;
}

// The number that the name of a metadata file begins with: "00012-….metadata.json",
// "v12.metadata.json".
int64_t NumberOf(const std::string& location) {
  std::string_view name(location);
  if (const size_t slash = name.rfind('/'); slash != name.npos) name.remove_prefix(slash + 1);
  if (name.starts_with('v')) name.remove_prefix(1);
  int64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return std::clamp<int64_t>(number, 0, 999'999'999);
}

bool Gzipped(const std::string& location) {
  return location.ends_with(".gz.metadata.json") || location.ends_with(".metadata.json.gz");
}

}  // namespace

int64_t NumberProperty(const TableMetadata& metadata, const std::string& name, int64_t otherwise) {
  const auto it = metadata.properties.find(name);
  if (it == metadata.properties.end()) return otherwise;
  int64_t number = 0;
  const std::string& text = it->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : otherwise;
}

Result<Bytes> TableObjects::Get(const std::string& location) {
  const auto key = objects::ParseLocation(location);
  if (!key.ok()) return Fail(Code::kCorrupt, key.error().message());
  auto bytes = store_.Get(*key);
  if (!bytes.ok()) return Fail(bytes.error().In(location));
  return bytes;
}

Status TableObjects::Put(const std::string& location, BytesView bytes) {
  const objects::ObjectKey key = TRY(objects::ParseLocation(location));
  return store_.Put(key, bytes);
}

Result<TableVersion> TableObjects::Load(const std::string& location) {
  if (auto cached = metadata_.Find(location); cached != nullptr) {
    return TableVersion{location, std::move(cached)};
  }
  TRY(objects::ParseLocation(location));  // the caller's word: kInvalid where it is no location
  Bytes bytes = TRY(Get(location));
  if (Gzipped(location)) {
    auto unpacked = codec::Decompress(codec::Compression::kGzip, bytes, kUnpackedMetadataMax);
    if (!unpacked.ok()) return Fail(Code::kCorrupt, unpacked.error().In(location).message());
    bytes = std::move(*unpacked);
  }
  auto read = MetadataFromJson(bytes);
  if (!read.ok()) return Fail(read.error().In(location));
  auto metadata = std::make_shared<const TableMetadata>(std::move(*read));
  metadata_.Put(location, metadata, static_cast<int64_t>(2 * bytes.size()) + kPieceBytes);
  return TableVersion{location, std::move(metadata)};
}

Result<std::shared_ptr<const Manifests>> TableObjects::ManifestsOf(const TableMetadata&,
                                                                   const Snapshot& snapshot) {
  if (snapshot.manifest_list.empty()) {  // version 1 without a list
    Manifests manifests;
    for (const std::string& location : snapshot.manifests) {
      ManifestFile& manifest = manifests.emplace_back();
      manifest.location = location;
      manifest.added_snapshot_id = snapshot.snapshot_id;
    }
    return std::make_shared<const Manifests>(std::move(manifests));
  }
  if (auto cached = lists_.Find(snapshot.manifest_list); cached != nullptr) return cached;
  const Bytes bytes = TRY(Get(snapshot.manifest_list));
  auto read = ReadManifestList(bytes);
  if (!read.ok()) return Fail(read.error().In(snapshot.manifest_list));
  auto manifests = std::make_shared<const Manifests>(std::move(*read));
  const auto cost = static_cast<int64_t>(manifests->size() * (sizeof(ManifestFile) + 512));
  lists_.Put(snapshot.manifest_list, manifests, cost + kPieceBytes);
  return manifests;
}

Result<std::shared_ptr<const Entries>> TableObjects::EntriesOf(const TableMetadata& metadata,
                                                               const ManifestFile& manifest) {
  if (auto cached = entries_.Find(manifest.location); cached != nullptr) return cached;
  if (manifest.key_metadata.has_value()) {
    return Fail(Code::kNotOffered, "encrypted manifests are not offered");
  }
  const Bytes bytes = TRY(Get(manifest.location));
  auto read = ReadManifest(bytes, manifest, metadata.partition_specs);
  if (!read.ok()) return Fail(read.error().In(manifest.location));
  auto entries = std::make_shared<const Entries>(std::move(*read));
  int64_t cost = kPieceBytes;
  for (const ManifestEntry& entry : *entries) cost += CostOf(entry.file);
  entries_.Put(manifest.location, entries, cost);
  return entries;
}

Result<std::shared_ptr<const std::vector<DataFile>>> TableObjects::FilesOf(
    const TableVersion& version) {
  if (auto cached = files_.Find(version.metadata_location); cached != nullptr) return cached;
  std::vector<DataFile> files;
  const TableMetadata& metadata = *version.metadata;
  if (const Snapshot* snapshot = metadata.snapshot(); snapshot != nullptr) {
    const auto manifests = TRY(ManifestsOf(metadata, *snapshot));
    for (const ManifestFile& manifest : *manifests) {
      if (!manifest.live()) continue;
      const auto entries = TRY(EntriesOf(metadata, manifest));
      for (const ManifestEntry& entry : *entries) {
        if (!entry.live()) continue;
        if (manifest.deletes || entry.content != EntryContent::kData) {
          return Fail(Code::kNotOffered, "reading tables with delete files is not offered");
        }
        std::string format = entry.file_format;
        for (char& c : format) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        if (format != "PARQUET") {
          return Fail(Code::kNotOffered,
                      fmt::format("data files of the format {} are not offered", format));
        }
        files.push_back(entry.file);
      }
    }
  }
  int64_t cost = kPieceBytes;
  for (const DataFile& file : files) cost += CostOf(file);
  auto shared = std::make_shared<const std::vector<DataFile>>(std::move(files));
  files_.Put(version.metadata_location, shared, cost);
  return shared;
}

Result<TableVersion> TableObjects::PutMetadata(const TableVersion* base, TableMetadata metadata) {
  const int64_t number = base == nullptr ? 0 : NumberOf(base->metadata_location) + 1;
  if (base != nullptr) {
    auto& log = metadata.metadata_log;
    log.push_back({base->metadata->last_updated, base->metadata_location});
    const int64_t log_max = std::max<int64_t>(
        1, NumberProperty(metadata, "write.metadata.previous-versions-max", kMetadataLogMax));
    const int64_t excess = static_cast<int64_t>(log.size()) - log_max;
    if (excess > 0) log.erase(log.begin(), log.begin() + excess);
  }
  TableVersion version;
  version.metadata_location = fmt::format("{}/metadata/{:05}-{}.metadata.json", metadata.location,
                                          number, random_.NextUuid());
  const std::string json = MetadataToJson(metadata);
  TRY(Put(version.metadata_location, json));
  version.metadata = std::make_shared<const TableMetadata>(std::move(metadata));
  metadata_.Put(version.metadata_location, version.metadata, static_cast<int64_t>(2 * json.size()));
  return version;
}

Result<ManifestFile> TableObjects::PutManifest(const Entries& entries,
                                               const TableMetadata& metadata, int spec_id,
                                               int64_t snapshot_id, int64_t sequence_number) {
  WrittenManifest written =
      TRY(WriteManifest(entries, metadata, spec_id, snapshot_id, sequence_number, random_));
  written.list_entry.location =
      fmt::format("{}/metadata/{}-m0.avro", metadata.location, random_.NextUuid());
  TRY(Put(written.list_entry.location, written.bytes));
  return std::move(written.list_entry);
}

}  // namespace weft::iceberg
