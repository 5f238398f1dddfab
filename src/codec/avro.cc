// SPDX-License-Identifier: Apache-2.0
#include "codec/avro.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "codec/compression.h"

namespace weft::codec {
namespace {

constexpr std::string_view kMagic("Obj\x01", 4);
constexpr size_t kSyncBytes = 16;
constexpr size_t kBlockBytes = 64 << 10;
constexpr int64_t kUnpackedBlockMax = 512 << 20;
constexpr int kSkipDepthMax = 100;

tl::unexpected<Error> Damaged(std::string_view what) {
  return Fail(Code::kCorrupt, fmt::format("damaged Avro file: {}", what));
}

template <class T>
T LittleEndian(BytesView bytes) {
  static_assert(std::endian::native == std::endian::little);
  T value{};
  if (bytes.size() == sizeof(T)) std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

void AppendLong(Bytes& bytes, int64_t value) {
  auto zigzag = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (zigzag >= 0x80) {
    bytes.push_back(static_cast<char>(zigzag | 0x80));
    zigzag >>= 7;
  }
  bytes.push_back(static_cast<char>(zigzag));
}

void AppendOctets(Bytes& bytes, BytesView value) {
  AppendLong(bytes, static_cast<int64_t>(value.size()));
  bytes.append(value);
}

}  // namespace

bool AvroCursor::Boolean() {
  const BytesView octet = Fixed(1);
  if (!octet.empty() && static_cast<uint8_t>(octet[0]) > 1) Fail();
  return ok_ && octet[0] == 1;
}

int64_t AvroCursor::Long() {
  uint64_t zigzag = 0;
  for (size_t at = 0; at < rest_.size() && at < 10; ++at) {
    const auto octet = static_cast<uint8_t>(rest_[at]);
    if (at == 9 && octet > 1) break;
    zigzag |= static_cast<uint64_t>(octet & 0x7f) << (7 * at);
    if (octet < 0x80) {
      rest_.remove_prefix(at + 1);
      return static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
    }
  }
  Fail();
  return 0;
}

float AvroCursor::Float() { return LittleEndian<float>(Fixed(4)); }
double AvroCursor::Double() { return LittleEndian<double>(Fixed(8)); }
BytesView AvroCursor::Octets() { return Fixed(Long()); }

BytesView AvroCursor::Fixed(int64_t size) {
  if (!ok_ || size < 0 || static_cast<uint64_t>(size) > rest_.size()) {
    Fail();
    return {};
  }
  const BytesView octets = rest_.substr(0, static_cast<size_t>(size));
  rest_.remove_prefix(octets.size());
  return octets;
}

const AvroType& AvroCursor::Branch(const AvroType& type) {
  static const AvroType kNothing;
  if (type.kind != AvroKind::kUnion) return type;
  const int64_t branch = Long();
  if (!ok_ || branch < 0 || static_cast<size_t>(branch) >= type.inner.size()) {
    Fail();
    return kNothing;
  }
  return *type.inner[static_cast<size_t>(branch)];
}

void AvroCursor::SkipWithin(const AvroType& type, int depth) {
  if (depth > kSkipDepthMax) return Fail();
  switch (type.kind) {
    case AvroKind::kNull:
      break;
    case AvroKind::kBoolean:
      Fixed(1);
      break;
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kEnum:
      Long();
      break;
    case AvroKind::kFloat:
      Fixed(4);
      break;
    case AvroKind::kDouble:
      Fixed(8);
      break;
    case AvroKind::kBytes:
    case AvroKind::kString:
      Octets();
      break;
    case AvroKind::kFixed:
      Fixed(type.size);
      break;
    case AvroKind::kUnion:
      SkipWithin(Branch(type), depth + 1);
      break;
    case AvroKind::kRecord:
      for (const AvroField& field : type.fields) {
        if (ok_) SkipWithin(*field.type, depth + 1);
      }
      break;
    case AvroKind::kArray:
    case AvroKind::kMap: {
      AvroItems items(*this);
      while (items.Next()) {
        if (type.kind == AvroKind::kMap) Octets();
        SkipWithin(*type.inner[0], depth + 1);
      }
    }
  }
}

bool AvroItems::Next() {
  if (!cursor_.ok()) return false;
  if (left_ == 0) {
    left_ = cursor_.Long();
    if (left_ < 0) {
      left_ = left_ == INT64_MIN ? INT64_MAX : -left_;
      cursor_.Long();  // the octets of the block
    }
    // An item of no octets could be counted without end; no file of use has any.
    if (left_ > 0 && static_cast<uint64_t>(left_) > cursor_.remaining()) cursor_.Fail();
    if (left_ == 0 || !cursor_.ok()) return false;
  }
  --left_;
  return true;
}

Result<AvroFile> AvroFile::Open(BytesView bytes) {
  if (!bytes.starts_with(kMagic)) return Damaged("it does not begin as one");
  AvroCursor cursor(bytes.substr(kMagic.size()));
  AvroFile file;
  AvroItems items(cursor);
  while (items.Next()) {
    std::string key(cursor.Octets());
    file.headers_[std::move(key)] = std::string(cursor.Octets());
  }
  file.sync_ = Bytes(cursor.Fixed(kSyncBytes));
  if (!cursor.ok()) return Damaged("its header is cut off");
  file.blocks_ = bytes.substr(bytes.size() - cursor.remaining());
  const std::string& codec = file.header("avro.codec");
  file.deflated_ = codec == "deflate";
  if (!file.deflated_ && !codec.empty() && codec != "null") {
    return Fail(Code::kNotOffered,
                fmt::format("Avro files of the codec {} are not offered", codec));
  }
  file.schema_ = TRY(AvroSchema::Parse(file.header("avro.schema")));
  return file;
}

const std::string& AvroFile::header(const std::string& key) const {
  static const std::string kNone;
  const auto it = headers_.find(key);
  return it == headers_.end() ? kNone : it->second;
}

Status AvroFile::ForEach(const std::function<Status(AvroCursor&)>& read) const {
  AvroCursor cursor(blocks_);
  while (cursor.remaining() > 0) {
    const int64_t records = cursor.Long();
    const BytesView packed = cursor.Octets();
    if (cursor.Fixed(kSyncBytes) != sync_ || !cursor.ok()) return Damaged("a block is cut off");
    Bytes unpacked;
    if (deflated_) {
      auto inflated = Inflate(packed, kUnpackedBlockMax);
      if (!inflated.ok()) return Damaged(inflated.error().message());
      unpacked = std::move(*inflated);
    }
    AvroCursor block(deflated_ ? BytesView(unpacked) : packed);
    if (records < 0 || static_cast<uint64_t>(records) > block.remaining()) {
      return Damaged("a block of an impossible number of records");
    }
    for (int64_t record = 0; record < records; ++record) {
      TRY(read(block));
      if (!block.ok()) return Damaged("a record is cut off");
    }
    if (block.remaining() > 0) return Damaged("a block is longer than its records");
  }
  return {};
}

AvroEncoder& AvroEncoder::Boolean(bool value) {
  bytes_.push_back(value ? '\1' : '\0');
  return *this;
}
AvroEncoder& AvroEncoder::Long(int64_t value) {
  AppendLong(bytes_, value);
  return *this;
}
AvroEncoder& AvroEncoder::Float(float value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  return *this;
}
AvroEncoder& AvroEncoder::Double(double value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  return *this;
}
AvroEncoder& AvroEncoder::Octets(BytesView value) {
  AppendOctets(bytes_, value);
  return *this;
}
AvroEncoder& AvroEncoder::Fixed(BytesView value) {
  bytes_.append(value);
  return *this;
}
AvroEncoder& AvroEncoder::BeginItems(size_t count) {
  // A block of no items is what ends the list.
  return count == 0 ? *this : Long(static_cast<int64_t>(count));
}

AvroFileWriter::AvroFileWriter(const std::string& schema,
                               std::map<std::string, std::string> headers, Bytes sync)
    : file_(kMagic), sync_(std::move(sync)) {
  CHECK(sync_.size() == kSyncBytes);
  headers["avro.schema"] = schema;
  headers["avro.codec"] = "deflate";
  AppendLong(file_, static_cast<int64_t>(headers.size()));
  for (const auto& [key, value] : headers) {
    AppendOctets(file_, key);
    AppendOctets(file_, value);
  }
  AppendLong(file_, 0);
  file_ += sync_;
}

void AvroFileWriter::Append(BytesView record) {
  block_.append(record);
  ++block_records_;
  if (block_.size() >= kBlockBytes) FinishBlock();
}

void AvroFileWriter::FinishBlock() {
  if (block_records_ == 0) return;
  AppendLong(file_, block_records_);
  AppendOctets(file_, Deflate(block_));
  file_ += sync_;
  block_.clear();
  block_records_ = 0;
}

Bytes AvroFileWriter::Finish() {
  FinishBlock();
  return std::move(file_);
}

}  // namespace weft::codec
