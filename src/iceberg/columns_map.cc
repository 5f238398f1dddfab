// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include "iceberg/columns_internal.h"

namespace weft::iceberg {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

class Chunk : public ColumnChunk {
 public:
  explicit Chunk(int descriptor) : descriptor_(descriptor) {}
  ~Chunk() override {
    if (memory_ != nullptr) munmap(memory_, static_cast<size_t>(bytes_));
    close(descriptor_);
  }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  const Schema& schema() const override { return *schema_; }
  int64_t rows() const override { return rows_; }
  const std::vector<ColumnView>& columns() const override { return columns_; }
  int64_t bytes() const override { return bytes_; }
  int descriptor() const override { return descriptor_; }

  Status Map();
  // With `trusted` the memory is not looked through. nullptr: the schema in it.
  Status Read(std::shared_ptr<const Schema> schema, bool trusted);

 private:
  const uint8_t* base() const { return static_cast<const uint8_t*>(memory_); }

  int descriptor_;
  void* memory_ = nullptr;
  int64_t bytes_ = 0;
  int64_t rows_ = 0;
  std::shared_ptr<const Schema> schema_;
  std::vector<ColumnView> columns_;
};

tl::unexpected<Error> Damaged(std::string_view what) {
  return Fail(Code::kCorrupt, fmt::format("a chunk of columns is damaged: {}", what));
}

int64_t CountNulls(const uint8_t* validity, int64_t length) {
  int64_t valid = 0;
  int64_t at = 0;
  for (; at + 64 <= length; at += 64) {
    uint64_t word = 0;
    std::memcpy(&word, validity + at / 8, sizeof(word));
    valid += std::popcount(word);
  }
  for (; at < length; ++at) valid += validity[at / 8] >> (at % 8) & 1;
  return length - valid;
}

// Turns the table of nodes into views. The table and the buffers are somebody else's unless
// `trusted`.
class NodeReader {
 public:
  NodeReader(const uint8_t* base, uint64_t bytes, const ChunkNode* nodes, uint64_t count,
             bool trusted)
      : base_(base), bytes_(bytes), nodes_(nodes), count_(count), trusted_(trusted) {}

  Result<std::vector<ColumnView>> Views(const std::vector<Field>& fields, int64_t length) {
    std::vector<ColumnView> views;
    views.reserve(fields.size());
    for (const Field& field : fields) views.push_back(TRY(View(field, length)));
    return views;
  }

 private:
  Result<ColumnView> View(const Field& field, int64_t length);
  Result<int64_t> CheckOffsets(const ColumnView& view) const;
  // The buffer of `bytes` octets at `offset`; nullptr where it does not lie within the memory.
  const uint8_t* Buffer(uint64_t offset, uint64_t bytes) const {
    if (offset % kChunkAlignment != 0 || offset > bytes_ || bytes > bytes_ - offset) return nullptr;
    return base_ + offset;
  }

  const uint8_t* base_;
  uint64_t bytes_;
  const ChunkNode* nodes_;
  uint64_t count_;
  bool trusted_;
  uint64_t next_ = 0;
};

// Where the last value ends. All offsets lie between 0 and it, and none is below the one before.
Result<int64_t> NodeReader::CheckOffsets(const ColumnView& view) const {
  const int32_t* offsets = view.offsets;
  if (!trusted_) {
    bool rising = offsets[0] == 0;
    for (int64_t row = 0; row < view.length; ++row) rising &= offsets[row] <= offsets[row + 1];
    if (!rising) return Damaged("offsets that do not rise from 0");
  }
  return offsets[view.length];
}

Result<ColumnView> NodeReader::View(const Field& field, int64_t length) {
  if (next_ >= count_) return Damaged("too few columns");
  const ChunkNode& node = nodes_[next_++];
  ColumnView view;
  view.field = &field;
  view.length = node.length;
  view.null_count = node.null_count;
  if (node.length != length) return Damaged("a column of another length");
  const auto rows = static_cast<uint64_t>(length);
  if (node.validity != 0) {
    view.validity = Buffer(node.validity, (rows + 7) / 8);
    if (view.validity == nullptr) return Damaged("validity outside the memory");
    if (!trusted_ && CountNulls(view.validity, length) != node.null_count) {
      return Damaged("another number of nulls");
    }
  } else if (node.null_count != 0) {
    return Damaged("nulls without validity");
  }

  int64_t below = length;  // the length of children, or of the values behind offsets
  if (HasOffsets(field.type)) {
    const uint8_t* offsets = Buffer(node.offsets, (rows + 1) * sizeof(int32_t));
    if (offsets == nullptr || node.offsets == 0) return Damaged("offsets outside the memory");
    view.offsets = reinterpret_cast<const int32_t*>(offsets);
    below = TRY(CheckOffsets(view));
  }
  if (field.type.nested()) {
    view.children = TRY(Views(field.type.fields, below));
    return view;
  }
  uint64_t octets = (rows + 7) / 8;
  if (const size_t width = ValueWidth(field.type); width > 0) {
    if (rows > bytes_ / width) return Damaged("values outside the memory");
    octets = rows * width;
  } else if (HasOffsets(field.type)) {
    octets = static_cast<uint64_t>(below);
  }
  view.values = Buffer(node.values, octets);
  if (view.values == nullptr || node.values == 0 || node.values_bytes != octets) {
    return Damaged("values outside the memory");
  }
  return view;
}

Status Chunk::Map() {
  // Memory that its maker could still cut off would end this process by a signal.
  const int seals = fcntl(descriptor_, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) return Damaged("its memory is not sealed");
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) return Fail(SystemError("looking at a chunk", errno));
  if (status.st_size < static_cast<off_t>(sizeof(ChunkHeader))) return Damaged("it is cut off");
  // Private, since kernels before 6.7 refuse a shared mapping of memory that is sealed against
  // writing; the pages are the same ones.
  void* memory =
      mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, descriptor_, 0);
  if (memory == MAP_FAILED) {
    return Fail(Code::kUnavailable, fmt::format("mapping a chunk: {}", std::strerror(errno)));
  }
  memory_ = memory;
  bytes_ = status.st_size;
  return {};
}

Status Chunk::Read(std::shared_ptr<const Schema> schema, bool trusted) {
  const auto size = static_cast<uint64_t>(bytes_);
  ChunkHeader header;
  std::memcpy(&header, base(), sizeof(header));
  if (std::memcmp(header.magic, kChunkMagic, sizeof(kChunkMagic)) != 0 || header.bytes != size) {
    return Damaged("it does not begin as one");
  }
  if (header.schema_bytes > size - sizeof(header)) return Damaged("its schema is cut off");
  if (header.rows < 0 || header.rows > std::numeric_limits<int32_t>::max()) {
    return Damaged("an impossible number of rows");
  }
  if (schema == nullptr) {
    const std::string_view json(reinterpret_cast<const char*>(base()) + sizeof(header),
                                header.schema_bytes);
    schema = std::make_shared<const Schema>(TRY(SchemaFromJson(json)));
  }
  const uint64_t nodes_at = NodesAt(header.schema_bytes);
  if (header.nodes != CountNodes(schema->fields) || nodes_at > size ||
      header.nodes > (size - nodes_at) / sizeof(ChunkNode)) {
    return Damaged("its columns are not those of its schema");
  }
  const auto* nodes = reinterpret_cast<const ChunkNode*>(base() + nodes_at);
  NodeReader reader(base(), size, nodes, header.nodes, trusted);
  columns_ = TRY(reader.Views(schema->fields, header.rows));
  schema_ = std::move(schema);
  rows_ = header.rows;
  return {};
}

Result<std::shared_ptr<const ColumnChunk>> Open(int descriptor,
                                                std::shared_ptr<const Schema> schema,
                                                bool trusted) {
  auto chunk = std::make_shared<Chunk>(descriptor);
  TRY(chunk->Map());
  TRY(chunk->Read(std::move(schema), trusted));
  return std::shared_ptr<const ColumnChunk>(std::move(chunk));
}

}  // namespace

size_t ValueWidth(const Type& type) {
  switch (type.kind) {
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kFloat:
      return 4;
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kDouble:
      return 8;
    case TypeKind::kDecimal:
    case TypeKind::kUuid:
      return 16;
    case TypeKind::kFixed:
      return static_cast<size_t>(type.length);
    default:
      return 0;
  }
}

bool HasOffsets(const Type& type) {
  return type.kind == TypeKind::kString || type.kind == TypeKind::kBinary ||
         type.kind == TypeKind::kList || type.kind == TypeKind::kMap;
}

uint64_t CountNodes(const std::vector<Field>& fields) {
  uint64_t count = fields.size();
  for (const Field& field : fields) count += CountNodes(field.type.fields);
  return count;
}

Result<std::shared_ptr<const ColumnChunk>> OpenOwnChunk(int descriptor,
                                                        std::shared_ptr<const Schema> schema) {
  return Open(descriptor, std::move(schema), true);
}

Result<std::shared_ptr<const ColumnChunk>> MapColumnChunk(int descriptor) {
  return Open(descriptor, nullptr, false);
}

Result<std::shared_ptr<const ColumnChunk>> MapTrustedChunk(int descriptor) {
  return Open(descriptor, nullptr, true);
}

}  // namespace weft::iceberg
