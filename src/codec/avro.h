// SPDX-License-Identifier: Apache-2.0
// Apache Avro 1.11: the binary encoding and object container files, with the codecs null and
// deflate.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace weft::codec {

enum class AvroKind {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,
  kEnum,
  kArray,
  kMap,
  kUnion,
  kFixed,
};

struct AvroType;

struct AvroField {
  std::string name;
  int field_id = -1;  // the attribute "field-id" of Iceberg's files; -1: it has none
  const AvroType* type = nullptr;
};

struct AvroType {
  AvroKind kind = AvroKind::kNull;
  std::string logical_type;            // "decimal", "uuid", …; often empty
  std::vector<AvroField> fields;       // kRecord
  std::vector<const AvroType*> inner;  // kUnion: its branches; kArray, kMap: the type of items
  int64_t size = 0;                    // kFixed
};

// A schema, owner of its types. A type may refer to itself.
class AvroSchema {
 public:
  // kCorrupt where the JSON is no Avro schema.
  static Result<std::shared_ptr<const AvroSchema>> Parse(std::string_view json);
  const AvroType& root() const { return *root_; }

 private:
  friend class AvroSchemaParser;
  std::deque<AvroType> types_;
  const AvroType* root_ = nullptr;
};

// Reads values one after another. A read past the end, or of something that cannot be, makes the
// cursor fail: from then on every read answers zero or nothing, so that a caller need look at ok()
// only where it uses what it read.
class AvroCursor {
 public:
  explicit AvroCursor(BytesView bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  void Fail() {
    ok_ = false;
    rest_ = {};
  }
  size_t remaining() const { return rest_.size(); }

  bool Boolean();
  int64_t Long();  // also int, and the index of an enum
  float Float();
  double Double();
  BytesView Octets();  // of kBytes and kString; valid as long as the bytes read from
  BytesView Fixed(int64_t size);
  // The type that the value really has: reads a union's branch, leaves other types alone.
  const AvroType& Branch(const AvroType& type);
  void Skip(const AvroType& type) { SkipWithin(type, 0); }

 private:
  void SkipWithin(const AvroType& type, int depth);

  BytesView rest_;
  bool ok_ = true;
};

// The items of an array or map, block by block: while (items.Next()) read one item (of a map: key,
// value).
class AvroItems {
 public:
  explicit AvroItems(AvroCursor& cursor) : cursor_(cursor) {}
  bool Next();

 private:
  AvroCursor& cursor_;
  int64_t left_ = 0;
};

// An object container file in memory.
class AvroFile {
 public:
  // Reads the header. kCorrupt where this is no such file, kNotOffered for another codec.
  static Result<AvroFile> Open(BytesView bytes);

  // The header's entry; empty where there is none.
  const std::string& header(const std::string& key) const;
  const AvroType& type() const { return schema_->root(); }
  // Calls `read` at the beginning of each record; it reads that record to its end. Stops at the
  // first failure.
  Status ForEach(const std::function<Status(AvroCursor&)>& read) const;

 private:
  std::map<std::string, std::string> headers_;
  std::shared_ptr<const AvroSchema> schema_;
  bool deflated_ = false;
  Bytes sync_;
  BytesView blocks_;
};

// Appends the binary encoding of values to a buffer.
class AvroEncoder {
 public:
  AvroEncoder& Boolean(bool value);
  AvroEncoder& Long(int64_t value);
  AvroEncoder& Float(float value);
  AvroEncoder& Double(double value);
  AvroEncoder& Octets(BytesView value);
  AvroEncoder& Fixed(BytesView value);
  // The branch of ["null", T].
  AvroEncoder& Present(bool present) { return Long(present ? 1 : 0); }
  // Before `count` items of an array or map, and after them.
  AvroEncoder& BeginItems(size_t count);
  AvroEncoder& EndItems() { return Long(0); }

  const Bytes& bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  Bytes bytes_;
};

// Makes an object container file with the codec deflate.
class AvroFileWriter {
 public:
  // `sync` are 16 random octets. "avro.schema" and "avro.codec" are added to the headers.
  AvroFileWriter(const std::string& schema, std::map<std::string, std::string> headers, Bytes sync);
  void Append(BytesView record);
  Bytes Finish();

 private:
  void FinishBlock();

  Bytes file_, sync_, block_;
  int64_t block_records_ = 0;
};

}  // namespace weft::codec
