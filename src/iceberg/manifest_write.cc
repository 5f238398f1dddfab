// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "codec/avro.h"
#include "iceberg/manifest_internal.h"
#include "iceberg/manifest_schema_internal.h"
#include "iceberg/metadata_internal.h"
#include "iceberg/single_value.h"

namespace weft::iceberg {
namespace {

using codec::AvroEncoder;

void EncodeCounts(AvroEncoder& encoder, const std::map<int, int64_t>& counts) {
  encoder.Present(!counts.empty());
  if (counts.empty()) return;
  encoder.BeginItems(counts.size());
  for (const auto& [id, count] : counts) encoder.Long(id).Long(count);
  encoder.EndItems();
}

void EncodeBounds(AvroEncoder& encoder, const std::map<int, Bytes>& bounds) {
  encoder.Present(!bounds.empty());
  if (bounds.empty()) return;
  encoder.BeginItems(bounds.size());
  for (const auto& [id, bound] : bounds) encoder.Long(id).Octets(bound);
  encoder.EndItems();
}

void EncodeOptional(AvroEncoder& encoder, const SingleValue& value) {
  encoder.Present(value.has_value());
  if (value.has_value()) encoder.Octets(*value);
}

// A decimal in the fixed number of octets that its precision takes.
void EncodeDecimal(AvroEncoder& encoder, const Type& type, const Bytes& shortest) {
  const size_t size = DecimalBytes(type.precision);
  const bool negative = !shortest.empty() && (static_cast<unsigned char>(shortest[0]) & 0x80) != 0;
  Bytes padded(size - std::min(size, shortest.size()), negative ? '\xff' : '\0');
  encoder.Fixed(padded + shortest);
}

Status EncodePartitionValue(AvroEncoder& encoder, const Type& type, const SingleValue& value) {
  encoder.Present(value.has_value());
  if (!value.has_value()) return {};
  const auto decoded = DecodeSingleValue(type, *value);
  if (!decoded.ok()) return Fail(Code::kInvalid, decoded.error().message());
  switch (type.kind) {
    case TypeKind::kBoolean:
      encoder.Boolean(std::get<bool>(*decoded));
      return {};
    case TypeKind::kFloat:
      encoder.Float(static_cast<float>(std::get<double>(*decoded)));
      return {};
    case TypeKind::kDouble:
      encoder.Double(std::get<double>(*decoded));
      return {};
    case TypeKind::kDecimal: {
      const Bytes shortest = EncodeSingleValue(type, *decoded);
      if (shortest.size() > DecimalBytes(type.precision)) break;
      EncodeDecimal(encoder, type, shortest);
      return {};
    }
    case TypeKind::kUuid:
      encoder.Fixed(*value);
      return {};
    case TypeKind::kFixed:
      if (value->size() != static_cast<size_t>(type.length)) break;
      encoder.Fixed(*value);
      return {};
    case TypeKind::kString:
    case TypeKind::kBinary:
      encoder.Octets(*value);
      return {};
    default:
      encoder.Long(std::get<int64_t>(*decoded));
      return {};
  }
  return Fail(Code::kInvalid,
              fmt::format("a partition value is too large for the type {}", TypeText(type)));
}

Status EncodeEntry(AvroEncoder& encoder, const ManifestEntry& entry,
                   const std::vector<Type>& types) {
  const DataFile& file = entry.file;
  const bool inherits = entry.status == EntryStatus::kAdded;
  encoder.Long(static_cast<int>(entry.status)).Present(true).Long(entry.snapshot_id);
  encoder.Present(!inherits);
  if (!inherits) encoder.Long(file.data_sequence_number);
  encoder.Present(!inherits);
  if (!inherits) encoder.Long(entry.file_sequence_number);
  encoder.Long(static_cast<int>(entry.content)).Octets(file.location).Octets(entry.file_format);
  if (file.partition.size() != types.size()) {
    return Fail(Code::kInvalid, fmt::format("{} has {} partition values, the spec {} fields",
                                            file.location, file.partition.size(), types.size()));
  }
  for (size_t index = 0; index < types.size(); ++index) {
    TRY(EncodePartitionValue(encoder, types[index], file.partition[index]));
  }
  encoder.Long(file.record_count).Long(file.file_bytes);
  EncodeCounts(encoder, file.column_bytes);
  EncodeCounts(encoder, file.value_counts);
  EncodeCounts(encoder, file.null_counts);
  EncodeCounts(encoder, file.nan_counts);
  EncodeBounds(encoder, file.lower_bounds);
  EncodeBounds(encoder, file.upper_bounds);
  EncodeOptional(encoder, entry.key_metadata);
  encoder.Present(!file.split_offsets.empty());
  if (!file.split_offsets.empty()) {
    encoder.BeginItems(file.split_offsets.size());
    for (const int64_t offset : file.split_offsets) encoder.Long(offset);
    encoder.EndItems();
  }
  encoder.Present(entry.sort_order_id.has_value());
  if (entry.sort_order_id.has_value()) encoder.Long(*entry.sort_order_id);
  return {};
}

bool IsNan(const Type& type, const Bytes& value) {
  const auto decoded = DecodeSingleValue(type, value);
  const double* real = decoded.ok() ? std::get_if<double>(&*decoded) : nullptr;
  return real != nullptr && std::isnan(*real);
}

// What was encoded above decodes, so that comparing cannot fail here.
void Summarise(const Type& type, const SingleValue& value, PartitionSummary& summary) {
  if (!value.has_value()) {
    summary.contains_null = true;
    return;
  }
  const bool real = type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble;
  if (real) summary.contains_nan = summary.contains_nan.value_or(false) || IsNan(type, *value);
  if (real && IsNan(type, *value)) return;
  if (!summary.lower.has_value()) {
    summary.lower = summary.upper = value;
    return;
  }
  const auto below = CompareSingleValues(type, *value, *summary.lower);
  const auto above = CompareSingleValues(type, *value, *summary.upper);
  if (below.ok() && *below < 0) summary.lower = value;
  if (above.ok() && *above > 0) summary.upper = value;
}

void Count(const ManifestEntry& entry, int64_t sequence_number, ManifestFile& manifest) {
  switch (entry.status) {
    case EntryStatus::kAdded:
      ++manifest.added_files;
      manifest.added_rows += entry.file.record_count;
      break;
    case EntryStatus::kExisting:
      ++manifest.existing_files;
      manifest.existing_rows += entry.file.record_count;
      break;
    case EntryStatus::kDeleted:
      ++manifest.deleted_files;
      manifest.deleted_rows += entry.file.record_count;
      return;
  }
  const int64_t data =
      entry.status == EntryStatus::kAdded ? sequence_number : entry.file.data_sequence_number;
  manifest.min_sequence_number = std::min(manifest.min_sequence_number, data);
}

void EncodeListEntry(AvroEncoder& encoder, const ManifestFile& manifest) {
  encoder.Octets(manifest.location).Long(manifest.bytes).Long(manifest.spec_id);
  encoder.Long(manifest.deletes ? 1 : 0);
  encoder.Long(manifest.sequence_number).Long(manifest.min_sequence_number);
  encoder.Long(manifest.added_snapshot_id);
  encoder.Long(manifest.added_files).Long(manifest.existing_files).Long(manifest.deleted_files);
  encoder.Long(manifest.added_rows).Long(manifest.existing_rows).Long(manifest.deleted_rows);
  encoder.Present(manifest.partitions.has_value());
  if (manifest.partitions.has_value()) {
    encoder.BeginItems(manifest.partitions->size());
    for (const PartitionSummary& summary : *manifest.partitions) {
      encoder.Boolean(summary.contains_null).Present(summary.contains_nan.has_value());
      if (summary.contains_nan.has_value()) encoder.Boolean(*summary.contains_nan);
      EncodeOptional(encoder, summary.lower);
      EncodeOptional(encoder, summary.upper);
    }
    encoder.EndItems();
  }
  EncodeOptional(encoder, manifest.key_metadata);
}

}  // namespace

std::optional<std::vector<Type>> PartitionTypes(const TableMetadata& metadata,
                                                const PartitionSpec& spec) {
  std::vector<Type> types;
  for (const PartitionField& field : spec.fields) {
    const Field* source = FindField(metadata.schema().fields, field.source_id);
    for (auto schema = metadata.schemas.rbegin();
         source == nullptr && schema != metadata.schemas.rend(); ++schema) {
      source = FindField(schema->fields, field.source_id);
    }
    if (source == nullptr || source->type.nested()) return std::nullopt;
    types.push_back(ResultType(field, source->type));
  }
  return types;
}

Result<WrittenManifest> WriteManifest(const std::vector<ManifestEntry>& entries,
                                      const TableMetadata& metadata, int spec_id,
                                      int64_t snapshot_id, int64_t sequence_number,
                                      Random& random) {
  CHECK(!entries.empty());
  const PartitionSpec* spec = metadata.FindSpec(spec_id);
  if (spec == nullptr) {
    return Fail(Code::kInvalid, fmt::format("the table has no partition spec {}", spec_id));
  }
  const auto types = PartitionTypes(metadata, *spec);
  if (!types.has_value()) {
    return Fail(Code::kInvalid, "a column that the table is partitioned by has no type");
  }
  WrittenManifest written;
  ManifestFile& manifest = written.list_entry;
  manifest.spec_id = spec_id;
  manifest.sequence_number = manifest.min_sequence_number = sequence_number;
  manifest.added_snapshot_id = snapshot_id;
  manifest.added_files = manifest.existing_files = manifest.deleted_files = 0;
  manifest.added_rows = manifest.existing_rows = manifest.deleted_rows = 0;
  manifest.partitions.emplace(types->size());

  codec::AvroFileWriter file(JsonText(ManifestSchema(*spec, *types)),
                             {{"schema", SchemaToJson(metadata.schema())},
                              {"schema-id", std::to_string(metadata.current_schema_id)},
                              {"partition-spec", JsonText(PartitionFieldsJson(*spec))},
                              {"partition-spec-id", std::to_string(spec_id)},
                              {"format-version", "2"},
                              {"content", "data"}},
                             random.NextBytes(16));
  AvroEncoder encoder;
  for (const ManifestEntry& entry : entries) {
    encoder.Clear();
    TRY(EncodeEntry(encoder, entry, *types));
    file.Append(encoder.bytes());
    Count(entry, sequence_number, manifest);
    for (size_t index = 0; index < types->size(); ++index) {
      Summarise((*types)[index], entry.file.partition[index], (*manifest.partitions)[index]);
    }
  }
  written.bytes = file.Finish();
  manifest.bytes = static_cast<int64_t>(written.bytes.size());
  return written;
}

Bytes WriteManifestList(const std::vector<ManifestFile>& manifests, const ListHeader& header,
                        Random& random) {
  codec::AvroFileWriter file(
      JsonText(ManifestListSchema()),
      {{"snapshot-id", std::to_string(header.snapshot_id)},
       {"parent-snapshot-id", header.parent_snapshot_id.has_value()
                                  ? std::to_string(*header.parent_snapshot_id)
                                  : "null"},
       {"sequence-number", std::to_string(header.sequence_number)},
       {"format-version", "2"}},
      random.NextBytes(16));
  AvroEncoder encoder;
  for (const ManifestFile& manifest : manifests) {
    CHECK(manifest.counted());
    encoder.Clear();
    EncodeListEntry(encoder, manifest);
    file.Append(encoder.bytes());
  }
  return file.Finish();
}

}  // namespace weft::iceberg
