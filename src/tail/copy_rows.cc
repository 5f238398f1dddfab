// SPDX-License-Identifier: Apache-2.0
#include "tail/copy_rows.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

namespace weft::tail {
namespace {

using iceberg::ColumnView;
using iceberg::Field;
using iceberg::TypeKind;
using Node = iceberg::ColumnBuilder::Node;
__extension__ typedef __int128 Unscaled;

// A column to fill and where its values come from.
struct Match {
  const ColumnView* from = nullptr;  // nullptr: the chunk does not have it
  std::vector<Match> children;
};

std::vector<Match> MatchAll(const std::vector<Field>& fields,
                            const std::vector<ColumnView>& views) {
  std::vector<Match> all;
  for (const Field& field : fields) {
    Match& match = all.emplace_back();
    for (const ColumnView& view : views) {
      if (view.field->id == field.id) match.from = &view;
    }
    if (match.from != nullptr) match.children = MatchAll(field.type.fields, match.from->children);
  }
  return all;
}

template <class T>
T At(const ColumnView& view, int64_t row) {
  T value;
  std::memcpy(&value, view.values + row * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

std::string_view Octets(const uint8_t* begin, int64_t size) {
  return {reinterpret_cast<const char*>(begin), static_cast<size_t>(size)};
}

void CopyValue(const Match& match, int64_t row, Node& node);

void CopyNested(const Match& match, int64_t row, Node& node) {
  const ColumnView& view = *match.from;
  if (view.field->type.kind == TypeKind::kStruct) {
    node.AppendStruct();
    for (size_t i = 0; i < match.children.size(); ++i)
      CopyValue(match.children[i], row, node.child(i));
    return;
  }
  const int64_t begin = view.offsets[row];
  const int64_t end = view.offsets[row + 1];
  node.AppendList(end - begin);
  for (size_t i = 0; i < match.children.size(); ++i) {
    for (int64_t at = begin; at < end; ++at) CopyValue(match.children[i], at, node.child(i));
  }
}

void CopyValue(const Match& match, int64_t row, Node& node) {
  if (match.from == nullptr || !match.from->valid(row)) return node.AppendNull();
  const ColumnView& view = *match.from;
  switch (view.field->type.kind) {
    case TypeKind::kBoolean:
      return node.AppendBoolean((view.values[row >> 3] >> (row & 7) & 1) != 0);
    case TypeKind::kInt:
    case TypeKind::kDate:
      return node.AppendInteger(At<int32_t>(view, row));
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return node.AppendInteger(At<int64_t>(view, row));
    case TypeKind::kFloat:
      return node.AppendDouble(static_cast<double>(At<float>(view, row)));
    case TypeKind::kDouble:
      return node.AppendDouble(At<double>(view, row));
    case TypeKind::kDecimal:
      return node.AppendDecimal(At<Unscaled>(view, row));
    case TypeKind::kUuid:
      return node.AppendBytes(Octets(view.values + row * 16, 16));
    case TypeKind::kFixed:
      return node.AppendBytes(
          Octets(view.values + row * view.field->type.length, view.field->type.length));
    case TypeKind::kString:
    case TypeKind::kBinary:
      return node.AppendBytes(Octets(view.values + view.offsets[row],
                                     int64_t{view.offsets[row + 1]} - view.offsets[row]));
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return CopyNested(match, row, node);
  }
}

void CollectIds(const std::vector<Field>& fields, std::set<int>& ids) {
  for (const Field& field : fields) {
    ids.insert(field.id);
    CollectIds(field.type.fields, ids);
  }
}

}  // namespace

void CopyRows(const iceberg::ColumnChunk& chunk, const iceberg::Schema& to,
              iceberg::ColumnBuilder& builder) {
  const std::vector<Match> matches = MatchAll(to.fields, chunk.columns());
  for (int64_t row = 0; row < chunk.rows(); ++row) {
    for (size_t i = 0; i < matches.size(); ++i) CopyValue(matches[i], row, builder.column(i));
    builder.FinishRow();
  }
}

bool Covers(const iceberg::Schema& later, const iceberg::Schema& earlier) {
  std::set<int> have, want;
  CollectIds(later.fields, have);
  CollectIds(earlier.fields, want);
  return std::includes(have.begin(), have.end(), want.begin(), want.end());
}

}  // namespace weft::tail
