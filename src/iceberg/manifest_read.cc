// SPDX-License-Identifier: Apache-2.0
// Reads what any writer made: fields are found by id, in any order, optional or not, int or long.
#include <algorithm>
#include <cstring>
#include <limits>

#include "codec/avro.h"
#include "iceberg/manifest_internal.h"
#include "iceberg/single_value.h"

namespace weft::iceberg {
namespace {

using codec::AvroCursor;
using codec::AvroField;
using codec::AvroItems;
using codec::AvroKind;
using codec::AvroType;

std::optional<int64_t> OptionalLong(AvroCursor& cursor, const AvroType& declared) {
  const AvroType& type = cursor.Branch(declared);
  if (type.kind == AvroKind::kNull) return std::nullopt;
  if (type.kind != AvroKind::kInt && type.kind != AvroKind::kLong) {
    cursor.Fail();
    return std::nullopt;
  }
  return cursor.Long();
}

int64_t Long(AvroCursor& cursor, const AvroType& declared, int64_t otherwise = 0) {
  return OptionalLong(cursor, declared).value_or(otherwise);
}

int Int(AvroCursor& cursor, const AvroType& declared) {
  const int64_t value = Long(cursor, declared);
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    cursor.Fail();
  }
  return static_cast<int>(value);
}

std::optional<bool> OptionalBoolean(AvroCursor& cursor, const AvroType& declared) {
  const AvroType& type = cursor.Branch(declared);
  if (type.kind == AvroKind::kNull) return std::nullopt;
  if (type.kind != AvroKind::kBoolean) cursor.Fail();
  return cursor.Boolean();
}

SingleValue OptionalOctets(AvroCursor& cursor, const AvroType& declared) {
  const AvroType& type = cursor.Branch(declared);
  if (type.kind == AvroKind::kNull) return std::nullopt;
  if (type.kind == AvroKind::kFixed) return Bytes(cursor.Fixed(type.size));
  if (type.kind != AvroKind::kBytes && type.kind != AvroKind::kString) cursor.Fail();
  return Bytes(cursor.Octets());
}

// Calls `read(field)` for each field of a record; what it does not read (false) is skipped.
template <class Read>
void ReadRecord(AvroCursor& cursor, const AvroType& declared, Read read) {
  const AvroType& type = cursor.Branch(declared);
  if (type.kind == AvroKind::kNull) return;
  if (type.kind != AvroKind::kRecord) return cursor.Fail();
  for (const AvroField& field : type.fields) {
    if (!cursor.ok()) return;
    if (!read(field)) cursor.Skip(*field.type);
  }
}

template <class Read>
void ReadList(AvroCursor& cursor, const AvroType& declared, Read read) {
  const AvroType& type = cursor.Branch(declared);
  if (type.kind == AvroKind::kNull) return;
  if (type.kind != AvroKind::kArray) return cursor.Fail();
  AvroItems items(cursor);
  while (items.Next()) read(*type.inner[0]);
}

// A map with integer keys: a list of records {key, value}.
template <class Value, class Read>
std::map<int, Value> ReadMap(AvroCursor& cursor, const AvroType& declared, Read read) {
  std::map<int, Value> map;
  ReadList(cursor, declared, [&](const AvroType& item) {
    int key = 0;
    Value value{};
    ReadRecord(cursor, item, [&](const AvroField& field) {
      if (field.name == "key") {
        key = Int(cursor, *field.type);
      } else if (field.name == "value") {
        value = read(*field.type);
      } else {
        return false;
      }
      return true;
    });
    map[key] = std::move(value);
  });
  return map;
}

std::map<int, int64_t> ReadCounts(AvroCursor& cursor, const AvroType& declared) {
  return ReadMap<int64_t>(cursor, declared,
                          [&](const AvroType& type) { return Long(cursor, type); });
}

std::map<int, Bytes> ReadBounds(AvroCursor& cursor, const AvroType& declared) {
  return ReadMap<Bytes>(cursor, declared, [&](const AvroType& type) {
    return OptionalOctets(cursor, type).value_or(Bytes());
  });
}

// A partition value, from Avro's form to the single value's.
SingleValue ReadPartitionValue(AvroCursor& cursor, const AvroType& declared) {
  const auto made = [](TypeKind kind, const PrimitiveValue& value) {
    Type type;
    type.kind = kind;
    return SingleValue(EncodeSingleValue(type, value));
  };
  const AvroType& type = cursor.Branch(declared);
  switch (type.kind) {
    case AvroKind::kNull:
      return std::nullopt;
    case AvroKind::kBoolean:
      return made(TypeKind::kBoolean, cursor.Boolean());
    case AvroKind::kInt:
      return made(TypeKind::kInt, cursor.Long());
    case AvroKind::kLong:
      return made(TypeKind::kLong, cursor.Long());
    case AvroKind::kFloat:
      return made(TypeKind::kFloat, double{cursor.Float()});
    case AvroKind::kDouble:
      return made(TypeKind::kDouble, cursor.Double());
    case AvroKind::kString:
    case AvroKind::kBytes:
    case AvroKind::kFixed: {
      SingleValue value = OptionalOctets(cursor, type);
      if (type.logical_type != "decimal") return value;
      Type decimal;
      decimal.kind = TypeKind::kDecimal;
      const auto number = DecodeSingleValue(decimal, *value);
      if (!number.ok()) {
        cursor.Fail();
        return std::nullopt;
      }
      return EncodeSingleValue(decimal, *number);  // in its shortest form
    }
    default:
      cursor.Fail();
      return std::nullopt;
  }
}

std::vector<SingleValue> ReadPartition(AvroCursor& cursor, const AvroType& declared,
                                       const PartitionSpec& spec) {
  std::vector<SingleValue> values(spec.fields.size());
  ReadRecord(cursor, declared, [&](const AvroField& field) {
    for (size_t index = 0; index < spec.fields.size(); ++index) {
      if (spec.fields[index].field_id != field.field_id) continue;
      values[index] = ReadPartitionValue(cursor, *field.type);
      return true;
    }
    return false;
  });
  return values;
}

bool ReadDataFileField(AvroCursor& cursor, const AvroField& field, const PartitionSpec& spec,
                       ManifestEntry& entry) {
  DataFile& file = entry.file;
  switch (field.field_id) {
    case 134: {
      const int content = Int(cursor, *field.type);
      if (content < 0 || content > 2) cursor.Fail();
      entry.content = static_cast<EntryContent>(content);
      return true;
    }
    case 100:
      file.location = OptionalOctets(cursor, *field.type).value_or("");
      return true;
    case 101:
      entry.file_format = OptionalOctets(cursor, *field.type).value_or("");
      return true;
    case 102:
      file.partition = ReadPartition(cursor, *field.type, spec);
      return true;
    case 103:
      file.record_count = Long(cursor, *field.type);
      return true;
    case 104:
      file.file_bytes = Long(cursor, *field.type);
      return true;
    case 108:
      file.column_bytes = ReadCounts(cursor, *field.type);
      return true;
    case 109:
      file.value_counts = ReadCounts(cursor, *field.type);
      return true;
    case 110:
      file.null_counts = ReadCounts(cursor, *field.type);
      return true;
    case 137:
      file.nan_counts = ReadCounts(cursor, *field.type);
      return true;
    case 125:
      file.lower_bounds = ReadBounds(cursor, *field.type);
      return true;
    case 128:
      file.upper_bounds = ReadBounds(cursor, *field.type);
      return true;
    case 131:
      entry.key_metadata = OptionalOctets(cursor, *field.type);
      return true;
    case 132:
      ReadList(cursor, *field.type,
               [&](const AvroType& type) { file.split_offsets.push_back(Long(cursor, type)); });
      return true;
    case 140:
      entry.sort_order_id = OptionalLong(cursor, *field.type);
      return true;
    default:
      return false;
  }
}

struct Numbers {
  std::optional<int64_t> snapshot_id, data_sequence, file_sequence;
};

bool ReadEntryField(AvroCursor& cursor, const AvroField& field, const PartitionSpec& spec,
                    ManifestEntry& entry, Numbers& numbers) {
  switch (field.field_id) {
    case 0: {
      const int status = Int(cursor, *field.type);
      if (status < 0 || status > 2) cursor.Fail();
      entry.status = static_cast<EntryStatus>(status);
      return true;
    }
    case 1:
      numbers.snapshot_id = OptionalLong(cursor, *field.type);
      return true;
    case 3:
      numbers.data_sequence = OptionalLong(cursor, *field.type);
      return true;
    case 4:
      numbers.file_sequence = OptionalLong(cursor, *field.type);
      return true;
    case 2:
      ReadRecord(cursor, *field.type, [&](const AvroField& inner) {
        return ReadDataFileField(cursor, inner, spec, entry);
      });
      return true;
    default:
      return false;
  }
}

bool ReadSummaryField(AvroCursor& cursor, const AvroField& field, PartitionSummary& summary) {
  switch (field.field_id) {
    case 509:
      summary.contains_null = OptionalBoolean(cursor, *field.type).value_or(true);
      return true;
    case 518:
      summary.contains_nan = OptionalBoolean(cursor, *field.type);
      return true;
    case 510:
      summary.lower = OptionalOctets(cursor, *field.type);
      return true;
    case 511:
      summary.upper = OptionalOctets(cursor, *field.type);
      return true;
    default:
      return false;
  }
}

std::optional<std::vector<PartitionSummary>> ReadSummaries(AvroCursor& cursor,
                                                           const AvroType& declared) {
  const AvroType& type = cursor.Branch(declared);
  if (type.kind == AvroKind::kNull) return std::nullopt;
  std::vector<PartitionSummary> summaries;
  ReadList(cursor, type, [&](const AvroType& item) {
    PartitionSummary& summary = summaries.emplace_back();
    ReadRecord(cursor, item,
               [&](const AvroField& field) { return ReadSummaryField(cursor, field, summary); });
  });
  return summaries;
}

bool ReadListField(AvroCursor& cursor, const AvroField& field, ManifestFile& manifest) {
  const auto number = [&](int64_t& to, int64_t otherwise) {
    to = Long(cursor, *field.type, otherwise);
    return true;
  };
  switch (field.field_id) {
    case 500:
      manifest.location = OptionalOctets(cursor, *field.type).value_or("");
      return true;
    case 501:
      return number(manifest.bytes, 0);
    case 502:
      manifest.spec_id = Int(cursor, *field.type);
      return true;
    case 517:
      manifest.deletes = Long(cursor, *field.type) != 0;
      return true;
    case 515:
      return number(manifest.sequence_number, 0);
    case 516:
      return number(manifest.min_sequence_number, 0);
    case 503:
      return number(manifest.added_snapshot_id, 0);
    case 504:
      return number(manifest.added_files, -1);
    case 505:
      return number(manifest.existing_files, -1);
    case 506:
      return number(manifest.deleted_files, -1);
    case 512:
      return number(manifest.added_rows, -1);
    case 513:
      return number(manifest.existing_rows, -1);
    case 514:
      return number(manifest.deleted_rows, -1);
    case 507:
      manifest.partitions = ReadSummaries(cursor, *field.type);
      return true;
    case 519:
      manifest.key_metadata = OptionalOctets(cursor, *field.type);
      return true;
    default:
      return false;
  }
}

// The spec that a manifest was written with: the list's word, else (a manifest without a list) its
// own header's.
const PartitionSpec* SpecOf(const codec::AvroFile& file, const ManifestFile& list_entry,
                            const std::vector<PartitionSpec>& specs) {
  const std::string& header = file.header("partition-spec-id");
  const std::string wanted = header.empty() ? std::to_string(list_entry.spec_id) : header;
  for (const PartitionSpec& spec : specs) {
    if (std::to_string(spec.spec_id) == wanted) return &spec;
  }
  return nullptr;
}

}  // namespace

Result<std::vector<ManifestFile>> ReadManifestList(BytesView bytes) {
  const codec::AvroFile file = TRY(codec::AvroFile::Open(bytes));
  std::vector<ManifestFile> manifests;
  TRY(file.ForEach([&](AvroCursor& cursor) -> Status {
    ManifestFile manifest;
    ReadRecord(cursor, file.type(),
               [&](const AvroField& field) { return ReadListField(cursor, field, manifest); });
    if (cursor.ok() && manifest.location.empty()) {
      return Fail(Code::kCorrupt, "a manifest list names a manifest without a location");
    }
    manifests.push_back(std::move(manifest));
    return {};
  }));
  return manifests;
}

Result<std::vector<ManifestEntry>> ReadManifest(BytesView bytes, const ManifestFile& list_entry,
                                                const std::vector<PartitionSpec>& specs) {
  const codec::AvroFile file = TRY(codec::AvroFile::Open(bytes));
  const PartitionSpec* spec = SpecOf(file, list_entry, specs);
  if (spec == nullptr) {
    return Fail(Code::kCorrupt, "a manifest has a partition spec that the table does not have");
  }
  std::vector<ManifestEntry> entries;
  TRY(file.ForEach([&](AvroCursor& cursor) -> Status {
    ManifestEntry entry;
    Numbers numbers;
    entry.file.partition.resize(spec->fields.size());
    ReadRecord(cursor, file.type(), [&](const AvroField& field) {
      return ReadEntryField(cursor, field, *spec, entry, numbers);
    });
    if (cursor.ok() && (entry.file.location.empty() || entry.file.record_count < 0)) {
      return Fail(Code::kCorrupt, "a manifest names a file without a location or records");
    }
    entry.file.spec_id = spec->spec_id;
    entry.snapshot_id = numbers.snapshot_id.value_or(list_entry.added_snapshot_id);
    entry.file.data_sequence_number = numbers.data_sequence.value_or(list_entry.sequence_number);
    entry.file_sequence_number = numbers.file_sequence.value_or(list_entry.sequence_number);
    entries.push_back(std::move(entry));
    return {};
  }));
  return entries;
}

}  // namespace weft::iceberg
