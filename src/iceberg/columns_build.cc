// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "iceberg/columns_internal.h"

namespace weft::iceberg {
namespace {

constexpr int64_t kOffsetMax = std::numeric_limits<int32_t>::max();

// Memory that grows by realloc, which moves pages instead of copying them once it is large. Not
// zeroed.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  uint8_t* data() const { return data_; }
  size_t capacity() const { return capacity_; }
  void Grow(size_t needed) {
    if (needed <= capacity_) return;
    capacity_ = std::max({needed, capacity_ * 2, size_t{256}});
    data_ = static_cast<uint8_t*>(std::realloc(data_, capacity_));
    CHECK(data_ != nullptr);
  }
  void Free() {
    std::free(data_);
    data_ = nullptr;
    capacity_ = 0;
  }

 private:
  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
};

bool BitAt(const uint8_t* bits, int64_t at) { return (bits[at >> 3] >> (at & 7) & 1) != 0; }

void SetBit(uint8_t* bits, int64_t at, bool value) {
  const auto bit = static_cast<uint8_t>(1U << (at & 7));
  bits[at >> 3] = static_cast<uint8_t>(value ? bits[at >> 3] | bit : bits[at >> 3] & ~bit);
}

// Copies `count` bits, eight at a time once the target is at the beginning of an octet.
void CopyBits(uint8_t* to, int64_t to_at, const uint8_t* from, int64_t from_at, int64_t count) {
  for (; count > 0 && (to_at & 7) != 0; --count) SetBit(to, to_at++, BitAt(from, from_at++));
  for (; count >= 8; count -= 8, to_at += 8, from_at += 8) {
    const uint8_t* octet = from + (from_at >> 3);
    const int shift = static_cast<int>(from_at & 7);
    const int bits = shift == 0 ? octet[0] : octet[0] >> shift | octet[1] << (8 - shift);
    to[to_at >> 3] = static_cast<uint8_t>(bits);
  }
  for (; count > 0; --count) SetBit(to, to_at++, BitAt(from, from_at++));
}

int64_t CountBits(const uint8_t* bits, int64_t at, int64_t count) {
  int64_t set = 0;
  for (; count > 0 && (at & 7) != 0; --count) set += BitAt(bits, at++);
  for (; count >= 64; count -= 64, at += 64) {
    uint64_t word = 0;
    std::memcpy(&word, bits + (at >> 3), sizeof(word));
    set += std::popcount(word);
  }
  for (; count > 0; --count) set += BitAt(bits, at++);
  return set;
}

// Where each buffer of a chunk goes, found before anything is written.
class Layout {
 public:
  explicit Layout(uint64_t start) : at_(start) {}

  uint64_t Place(const void* data, uint64_t bytes) {
    const uint64_t at = Aligned(at_);
    if (bytes > 0) pieces_.push_back({at, data, bytes});
    at_ = at + bytes;
    return at;
  }
  size_t AddNode() {
    nodes_.emplace_back();
    return nodes_.size() - 1;
  }
  ChunkNode& node(size_t index) { return nodes_[index]; }
  const std::vector<ChunkNode>& nodes() const { return nodes_; }
  uint64_t end() const { return Aligned(at_); }

  struct Piece {
    uint64_t at;
    const void* data;
    uint64_t bytes;
  };
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  uint64_t at_;
  std::vector<ChunkNode> nodes_;
  std::vector<Piece> pieces_;
};

// What all kinds share: the length and which rows are null. `rows_max_` is the room for rows that
// the buffers of a derived class have, validity included.
class BuilderNode : public ColumnBuilder::Node {
 public:
  void AppendBoolean(bool) override { UNREACHABLE("a boolean for a column of another kind"); }
  void AppendInteger(int64_t) override { UNREACHABLE("an integer for a column of another kind"); }
  void AppendDouble(double) override { UNREACHABLE("a double for a column of another kind"); }
  void AppendDecimal(Int128) override { UNREACHABLE("a decimal for a column of another kind"); }
  void AppendBytes(std::string_view) override {
    UNREACHABLE("octets for a column of another kind");
  }
  void AppendStruct() override { UNREACHABLE("a struct for a column of another kind"); }
  void AppendList(int64_t) override { UNREACHABLE("a list for a column of another kind"); }
  Node& child(size_t) override { UNREACHABLE("a child of a column without children"); }

  int64_t length() const { return length_; }
  virtual int64_t bytes() const = 0;
  // False when more was appended than offsets of 32 bits can tell.
  virtual bool fits() const { return true; }
  virtual void Truncate(int64_t length) = 0;
  virtual void Place(Layout& layout) const = 0;
  virtual ColumnView View(const Field& field) const = 0;
  void AppendRows(const ColumnView& from, int64_t first, int64_t end) {
    if (first < end) CopyRows(from, first, end);
  }
  virtual void Free() = 0;

 protected:
  virtual void CopyRows(const ColumnView& from, int64_t first, int64_t end) = 0;
  // Room for more rows; `Widen` gives the derived class's buffers as much.
  void Reserve(int64_t more = 1) {
    if (more > rows_max_ - length_) [[unlikely]] {
      rows_max_ = std::max({int64_t{64}, rows_max_ * 2, length_ + more});
      Widen(rows_max_);
      if (nulls_known_) GrowValidity();
    }
  }
  virtual void Widen(int64_t rows) = 0;

  void FinishValue() {
    if (nulls_known_) Mark(true);
    ++length_;
  }
  void FinishNull() {
    KnowNulls();
    Mark(false);
    ++null_count_;
    ++length_;
  }
  // Which of the rows that were copied are null. There is room for them.
  void FinishRows(const ColumnView& from, int64_t first, int64_t count) {
    if (from.validity != nullptr) {
      KnowNulls();
      CopyBits(validity_.data(), length_, from.validity, first, count);
      null_count_ +=
          count == from.length ? from.null_count : count - CountBits(from.validity, first, count);
    } else if (nulls_known_) {
      for (int64_t row = length_; row < length_ + count; ++row) SetBit(validity_.data(), row, true);
    }
    length_ += count;
  }
  void TruncateRows(int64_t length) {
    if (nulls_known_) {
      null_count_ -= length_ - length - CountBits(validity_.data(), length, length_ - length);
      nulls_known_ = length > 0;
    }
    length_ = length;
  }
  void FreeRows() {
    validity_.Free();
    nulls_known_ = false;
    length_ = rows_max_ = null_count_ = 0;
  }
  int64_t row_bytes() const { return nulls_known_ ? length_ / 8 + 1 : 0; }
  size_t PlaceRows(Layout& layout) const {
    const size_t index = layout.AddNode();
    layout.node(index).length = length_;
    layout.node(index).null_count = null_count_;
    if (null_count_ > 0) {
      const uint64_t at = layout.Place(validity_.data(), static_cast<uint64_t>((length_ + 7) / 8));
      layout.node(index).validity = at;
    }
    return index;
  }

  ColumnView ViewRows(const Field& field) const {
    ColumnView view;
    view.field = &field;
    view.length = length_;
    view.null_count = null_count_;
    view.validity = null_count_ > 0 ? validity_.data() : nullptr;
    return view;
  }

  int64_t length_ = 0;
  int64_t rows_max_ = 0;

 private:
  void KnowNulls() {
    if (nulls_known_) return;
    nulls_known_ = true;
    GrowValidity();
    std::memset(validity_.data(), 0xff, static_cast<size_t>(length_ / 8 + 1));
  }
  void GrowValidity() { validity_.Grow(static_cast<size_t>(rows_max_ / 8 + 1)); }
  void Mark(bool valid) { SetBit(validity_.data(), length_, valid); }

  bool nulls_known_ = false;
  int64_t null_count_ = 0;
  Buffer validity_;
};

// Values of `Width()` octets. The derived class says how a value is stored.
class WideNode : public BuilderNode {
 public:
  explicit WideNode(size_t width) : width_(width) {}
  void AppendNull() override {
    Reserve();
    std::memset(At(length_), 0, width_);
    FinishNull();
  }
  int64_t bytes() const override { return row_bytes() + length_ * static_cast<int64_t>(width_); }
  void Truncate(int64_t length) override {
    if (length < length_) TruncateRows(length);
  }
  void Place(Layout& layout) const override {
    const size_t index = PlaceRows(layout);
    const uint64_t octets = static_cast<uint64_t>(length_) * width_;
    const uint64_t at = layout.Place(values_.data(), octets);
    layout.node(index).values = at;
    layout.node(index).values_bytes = octets;
  }
  ColumnView View(const Field& field) const override {
    ColumnView view = ViewRows(field);
    view.values = values_.data();
    return view;
  }
  void CopyRows(const ColumnView& from, int64_t first, int64_t end) override {
    Reserve(end - first);
    std::memcpy(At(length_), from.values + static_cast<size_t>(first) * width_,
                static_cast<size_t>(end - first) * width_);
    FinishRows(from, first, end - first);
  }
  void Free() override {
    values_.Free();
    FreeRows();
  }

 protected:
  uint8_t* At(int64_t row) const { return values_.data() + static_cast<size_t>(row) * width_; }
  template <class T>
  void Store(T value) {
    Reserve();
    std::memcpy(values_.data() + static_cast<size_t>(length_) * sizeof(T), &value, sizeof(T));
    FinishValue();
  }
  void Widen(int64_t rows) override { values_.Grow(static_cast<size_t>(rows) * width_); }

  const size_t width_;
  Buffer values_;
};

template <class T>
class IntegerNode final : public WideNode {
 public:
  IntegerNode() : WideNode(sizeof(T)) {}
  void AppendInteger(int64_t value) override { Store(static_cast<T>(value)); }
};

template <class T>
class RealNode final : public WideNode {
 public:
  RealNode() : WideNode(sizeof(T)) {}
  void AppendDouble(double value) override { Store(static_cast<T>(value)); }
};

class DecimalNode final : public WideNode {
 public:
  DecimalNode() : WideNode(sizeof(Int128)) {}
  void AppendDecimal(Int128 value) override { Store(value); }
};

class FixedNode final : public WideNode {
 public:
  explicit FixedNode(size_t width) : WideNode(width) {}
  void AppendBytes(std::string_view value) override {
    CHECK(value.size() == width_);
    Reserve();
    std::memcpy(At(length_), value.data(), width_);
    FinishValue();
  }
};

class BooleanNode final : public BuilderNode {
 public:
  void AppendNull() override {
    Store(false);
    FinishNull();
  }
  void AppendBoolean(bool value) override {
    Store(value);
    FinishValue();
  }
  int64_t bytes() const override { return row_bytes() + length_ / 8 + 1; }
  void Truncate(int64_t length) override {
    if (length < length_) TruncateRows(length);
  }
  void Place(Layout& layout) const override {
    const size_t index = PlaceRows(layout);
    const auto octets = static_cast<uint64_t>((length_ + 7) / 8);
    const uint64_t at = layout.Place(values_.data(), octets);
    layout.node(index).values = at;
    layout.node(index).values_bytes = octets;
  }
  ColumnView View(const Field& field) const override {
    ColumnView view = ViewRows(field);
    view.values = values_.data();
    return view;
  }
  void CopyRows(const ColumnView& from, int64_t first, int64_t end) override {
    Reserve(end - first);
    CopyBits(values_.data(), length_, from.values, first, end - first);
    FinishRows(from, first, end - first);
  }
  void Free() override {
    values_.Free();
    FreeRows();
  }

 private:
  void Widen(int64_t rows) override { values_.Grow(static_cast<size_t>(rows / 8 + 1)); }
  void Store(bool value) {
    Reserve();
    if ((length_ & 7) == 0) values_.data()[length_ >> 3] = 0;
    SetBit(values_.data(), length_, value);
  }

  Buffer values_;
};

// What has offsets: text, lists, maps. The offsets buffer has one more than there are rows.
class OffsetNode : public BuilderNode {
 public:
  bool fits() const override { return overflow_row_ < 0; }

 protected:
  int64_t end() const { return length_ == 0 ? 0 : offsets()[length_]; }
  // The row's values end `count` further on; false, and an empty row, when there is no such offset.
  bool Extend(int64_t count) {
    Reserve();
    const int64_t begin = offsets()[length_];
    const bool fit = count <= kOffsetMax - begin;
    if (!fit && overflow_row_ < 0) [[unlikely]]
      overflow_row_ = length_;
    offsets()[length_ + 1] = static_cast<int32_t>(fit ? begin + count : begin);
    return fit;
  }
  void Widen(int64_t rows) override {
    const bool first = offsets_.data() == nullptr;
    offsets_.Grow(static_cast<size_t>(rows + 1) * sizeof(int32_t));
    if (first) offsets()[0] = 0;
  }
  void TruncateOffsets(int64_t length) {
    TruncateRows(length);
    if (overflow_row_ >= length) overflow_row_ = -1;
  }
  size_t PlaceOffsets(Layout& layout) const {
    static constexpr int32_t kZero = 0;
    const size_t index = PlaceRows(layout);
    const void* data = length_ == 0 ? &kZero : offsets();
    const uint64_t at = layout.Place(data, static_cast<uint64_t>(length_ + 1) * sizeof(int32_t));
    layout.node(index).offsets = at;
    return index;
  }
  int64_t offset_bytes() const { return row_bytes() + (length_ + 1) * 4; }
  ColumnView ViewOffsets(const Field& field) const {
    static constexpr int32_t kZero = 0;
    ColumnView view = ViewRows(field);
    view.offsets = length_ == 0 ? &kZero : offsets();
    return view;
  }
  // As Extend, for many rows; their values are to follow where it says so.
  bool ExtendAs(const ColumnView& from, int64_t first, int64_t end) {
    Reserve(end - first);
    const int64_t base = offsets()[length_];
    const int64_t begin = from.offsets[first];
    const bool fit = from.offsets[end] - begin <= kOffsetMax - base;
    if (!fit && overflow_row_ < 0) [[unlikely]]
      overflow_row_ = length_;
    int32_t* to = offsets() + length_ + 1;
    const auto by = static_cast<int32_t>(base - begin);
    for (int64_t row = 0; row < end - first; ++row) {
      to[row] = fit ? from.offsets[first + row + 1] + by : static_cast<int32_t>(base);
    }
    return fit;
  }
  void FreeOffsets() {
    offsets_.Free();
    overflow_row_ = -1;
    FreeRows();
  }
  int32_t* offsets() const { return reinterpret_cast<int32_t*>(offsets_.data()); }

 private:
  Buffer offsets_;
  int64_t overflow_row_ = -1;
};

// As memcpy, which costs more than a short text.
inline void CopyText(uint8_t* to, const char* from, size_t size) {
  auto both_ends = [&]<class Word>(Word) {
    Word first, last;
    std::memcpy(&first, from, sizeof(Word));
    std::memcpy(&last, from + size - sizeof(Word), sizeof(Word));
    std::memcpy(to, &first, sizeof(Word));
    std::memcpy(to + size - sizeof(Word), &last, sizeof(Word));
  };
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    both_ends(uint64_t{});
  } else if (size >= 4) {
    both_ends(uint32_t{});
  } else {
    for (size_t at = 0; at < size; ++at) to[at] = static_cast<uint8_t>(from[at]);
  }
}

class TextNode final : public OffsetNode {
 public:
  void AppendNull() override {
    Extend(0);
    FinishNull();
  }
  void AppendBytes(std::string_view value) override {
    if (Extend(static_cast<int64_t>(value.size()))) {
      const auto begin = static_cast<size_t>(offsets()[length_]);
      values_.Grow(begin + value.size());
      CopyText(values_.data() + begin, value.data(), value.size());
    }
    FinishValue();
  }
  int64_t bytes() const override { return offset_bytes() + end(); }
  void Truncate(int64_t length) override {
    if (length < length_) TruncateOffsets(length);
  }
  void Place(Layout& layout) const override {
    const size_t index = PlaceOffsets(layout);
    const auto octets = static_cast<uint64_t>(end());
    const uint64_t at = layout.Place(values_.data(), octets);
    layout.node(index).values = at;
    layout.node(index).values_bytes = octets;
  }
  ColumnView View(const Field& field) const override {
    ColumnView view = ViewOffsets(field);
    view.values = values_.data();
    return view;
  }
  void CopyRows(const ColumnView& from, int64_t first, int64_t end) override {
    if (ExtendAs(from, first, end)) {
      const auto begin = static_cast<size_t>(offsets()[length_]);
      const auto octets = static_cast<size_t>(from.offsets[end] - from.offsets[first]);
      values_.Grow(begin + octets);
      if (octets > 0)
        std::memcpy(values_.data() + begin, from.values + from.offsets[first], octets);
    }
    FinishRows(from, first, end - first);
  }
  void Free() override {
    values_.Free();
    FreeOffsets();
  }

 private:
  Buffer values_;
};

std::vector<std::unique_ptr<BuilderNode>> MakeNodes(const std::vector<Field>& fields);

std::vector<ColumnView> ViewAll(const std::vector<std::unique_ptr<BuilderNode>>& nodes,
                                const std::vector<Field>& fields) {
  std::vector<ColumnView> views;
  views.reserve(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) views.push_back(nodes[i]->View(fields[i]));
  return views;
}

class ListNode final : public OffsetNode {
 public:
  explicit ListNode(const Type& type) : children_(MakeNodes(type.fields)) {}
  void AppendNull() override {
    Extend(0);
    FinishNull();
  }
  void AppendList(int64_t count) override {
    CHECK(count >= 0);
    Extend(count);
    FinishValue();
  }
  Node& child(size_t index) override { return *children_.at(index); }
  bool fits() const override {
    return OffsetNode::fits() &&
           std::all_of(children_.begin(), children_.end(), [](auto& node) { return node->fits(); });
  }
  int64_t bytes() const override {
    int64_t bytes = offset_bytes();
    for (const auto& node : children_) bytes += node->bytes();
    return bytes;
  }
  void Truncate(int64_t length) override {
    if (length < length_) TruncateOffsets(length);
    for (const auto& node : children_) node->Truncate(end());
  }
  void Place(Layout& layout) const override {
    PlaceOffsets(layout);
    for (const auto& node : children_) {
      CHECK(node->length() == end());
      node->Place(layout);
    }
  }
  ColumnView View(const Field& field) const override {
    ColumnView view = ViewOffsets(field);
    view.children = ViewAll(children_, field.type.fields);
    return view;
  }
  void CopyRows(const ColumnView& from, int64_t first, int64_t end) override {
    if (ExtendAs(from, first, end)) {
      for (size_t i = 0; i < children_.size(); ++i) {
        children_[i]->AppendRows(from.children[i], from.offsets[first], from.offsets[end]);
      }
    }
    FinishRows(from, first, end - first);
  }
  void Free() override {
    for (const auto& node : children_) node->Free();
    FreeOffsets();
  }

 private:
  std::vector<std::unique_ptr<BuilderNode>> children_;
};

class StructNode final : public BuilderNode {
 public:
  explicit StructNode(const Type& type) : children_(MakeNodes(type.fields)) {}
  void AppendNull() override {
    Reserve();
    FinishNull();
    for (const auto& node : children_) node->AppendNull();
  }
  void AppendStruct() override {
    Reserve();
    FinishValue();
  }
  Node& child(size_t index) override { return *children_.at(index); }
  bool fits() const override {
    return std::all_of(children_.begin(), children_.end(), [](auto& node) { return node->fits(); });
  }
  int64_t bytes() const override {
    int64_t bytes = row_bytes();
    for (const auto& node : children_) bytes += node->bytes();
    return bytes;
  }
  void Truncate(int64_t length) override {
    if (length < length_) TruncateRows(length);
    for (const auto& node : children_) node->Truncate(length_);
  }
  void Place(Layout& layout) const override {
    PlaceRows(layout);
    for (const auto& node : children_) {
      CHECK(node->length() == length_);
      node->Place(layout);
    }
  }
  ColumnView View(const Field& field) const override {
    ColumnView view = ViewRows(field);
    view.children = ViewAll(children_, field.type.fields);
    return view;
  }
  void CopyRows(const ColumnView& from, int64_t first, int64_t end) override {
    Reserve(end - first);
    for (size_t i = 0; i < children_.size(); ++i) {
      children_[i]->AppendRows(from.children[i], first, end);
    }
    FinishRows(from, first, end - first);
  }
  void Free() override {
    for (const auto& node : children_) node->Free();
    FreeRows();
  }

 private:
  void Widen(int64_t) override {}
  std::vector<std::unique_ptr<BuilderNode>> children_;
};

std::unique_ptr<BuilderNode> MakeNode(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return std::make_unique<BooleanNode>();
    case TypeKind::kInt:
    case TypeKind::kDate:
      return std::make_unique<IntegerNode<int32_t>>();
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return std::make_unique<IntegerNode<int64_t>>();
    case TypeKind::kFloat:
      return std::make_unique<RealNode<float>>();
    case TypeKind::kDouble:
      return std::make_unique<RealNode<double>>();
    case TypeKind::kDecimal:
      return std::make_unique<DecimalNode>();
    case TypeKind::kUuid:
    case TypeKind::kFixed:
      return std::make_unique<FixedNode>(ValueWidth(type));
    case TypeKind::kString:
    case TypeKind::kBinary:
      return std::make_unique<TextNode>();
    case TypeKind::kStruct:
      return std::make_unique<StructNode>(type);
    case TypeKind::kList:
    case TypeKind::kMap:
      return std::make_unique<ListNode>(type);
  }
  UNREACHABLE("a kind of type that is none");
}

std::vector<std::unique_ptr<BuilderNode>> MakeNodes(const std::vector<Field>& fields) {
  std::vector<std::unique_ptr<BuilderNode>> nodes;
  nodes.reserve(fields.size());
  for (const Field& field : fields) nodes.push_back(MakeNode(field.type));
  return nodes;
}

// A descriptor that is closed unless it is released.
class Memory {
 public:
  explicit Memory(int descriptor) : descriptor_(descriptor) {}
  ~Memory() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  int get() const { return descriptor_; }
  int Release() { return std::exchange(descriptor_, -1); }
  Status Write(uint64_t at, const void* data, uint64_t bytes) const {
    const auto* from = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t written = pwrite(descriptor_, from, bytes, static_cast<off_t>(at));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return NoMemory();
      from += written;
      at += static_cast<uint64_t>(written);
      bytes -= static_cast<uint64_t>(written);
    }
    return {};
  }
  static tl::unexpected<Error> NoMemory() {
    return Fail(Code::kUnavailable,
                fmt::format("shared memory for columns: {}", std::strerror(errno)));
  }

 private:
  int descriptor_;
};

class Builder : public ColumnBuilder {
 public:
  explicit Builder(std::shared_ptr<const Schema> schema)
      : schema_(std::move(schema)), columns_(MakeNodes(schema_->fields)) {}

  Node& column(size_t index) override { return *columns_[index]; }
  void FinishRow() override { ++rows_; }
  void DropRow() override {
    for (const auto& column : columns_) column->Truncate(rows_);
  }
  int64_t rows() const override { return rows_; }
  int64_t bytes() const override {
    int64_t bytes = 0;
    for (const auto& column : columns_) bytes += column->bytes();
    return bytes;
  }
  Result<std::shared_ptr<const ColumnChunk>> Seal() override {
    DropRow();
    auto chunk = Write();
    Clear();
    return chunk;
  }
  std::vector<ColumnView> Views() const override { return ViewAll(columns_, schema_->fields); }
  void AppendRows(const std::vector<ColumnView>& columns, int64_t first, int64_t end) override {
    CHECK(columns.size() == columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      CHECK(columns[i].length >= end || columns[i].length == 0);
      CHECK(columns_[i]->length() == rows_);
      if (columns[i].length > 0) columns_[i]->AppendRows(columns[i], first, end);
    }
    rows_ += end - first;
  }
  void Clear() override {
    for (const auto& column : columns_) column->Truncate(0);
    rows_ = 0;
  }
  void Reset() override {
    for (const auto& column : columns_) column->Free();
    rows_ = 0;
  }

 private:
  Result<std::shared_ptr<const ColumnChunk>> Write() const;

  std::shared_ptr<const Schema> schema_;
  std::vector<std::unique_ptr<BuilderNode>> columns_;
  int64_t rows_ = 0;
};

Result<std::shared_ptr<const ColumnChunk>> Builder::Write() const {
  const std::string json = SchemaToJson(*schema_);
  ChunkHeader header;
  std::memcpy(header.magic, kChunkMagic, sizeof(kChunkMagic));
  header.rows = rows_;
  header.schema_bytes = json.size();
  header.nodes = CountNodes(schema_->fields);
  const uint64_t nodes_at = NodesAt(json.size());
  Layout layout(nodes_at + header.nodes * sizeof(ChunkNode));
  for (const auto& column : columns_) {
    if (!column->fits() || rows_ > kOffsetMax) {
      return Fail(Code::kInvalid, "one chunk of columns cannot hold 2 GiB in one column");
    }
    CHECK(column->length() == rows_);
    column->Place(layout);
  }
  header.bytes = layout.end();

  Memory memory(memfd_create("weft-columns", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (memory.get() < 0 || ftruncate(memory.get(), static_cast<off_t>(header.bytes)) != 0) {
    return Memory::NoMemory();
  }
  TRY(memory.Write(0, &header, sizeof(header)));
  TRY(memory.Write(sizeof(header), json.data(), json.size()));
  TRY(memory.Write(nodes_at, layout.nodes().data(), header.nodes * sizeof(ChunkNode)));
  for (const auto& [at, data, bytes] : layout.pieces()) TRY(memory.Write(at, data, bytes));
  if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) !=
      0) {
    return Memory::NoMemory();
  }
  return OpenOwnChunk(memory.Release(), schema_);
}

}  // namespace

std::unique_ptr<ColumnBuilder> ColumnBuilder::Make(std::shared_ptr<const Schema> schema) {
  return std::make_unique<Builder>(std::move(schema));
}

}  // namespace weft::iceberg
