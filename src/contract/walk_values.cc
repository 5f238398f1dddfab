// SPDX-License-Identifier: Apache-2.0
// The part of a walk where the contract says what a value is.
#include <algorithm>
#include <cstring>

#include "contract/walk_internal.h"

namespace weft::contract {
namespace {

using iceberg::TypeKind;

constexpr size_t kUnknown = static_cast<size_t>(-1);

template <class Word>
bool SameWord(const char* a, const char* b) {
  Word one, other;
  std::memcpy(&one, a, sizeof(Word));
  std::memcpy(&other, b, sizeof(Word));
  return one == other;
}

// As memcmp, for names: a call costs more than they do.
bool Same(const char* a, const char* b, size_t size) {
  if (size >= 8) {
    for (size_t at = 0; at + 8 <= size; at += 8) {
      if (!SameWord<uint64_t>(a + at, b + at)) return false;
    }
    return SameWord<uint64_t>(a + size - 8, b + size - 8);
  }
  if (size >= 4) {
    return SameWord<uint32_t>(a, b) && SameWord<uint32_t>(a + size - 4, b + size - 4);
  }
  for (size_t at = 0; at < size; ++at) {
    if (a[at] != b[at]) return false;
  }
  return true;
}

}  // namespace

// Keys mostly come in the order of the contract: the next one is tried before the table is asked.
template <bool kAppend>
size_t Walk<kAppend>::FindChild(const Part& part, ondemand::field& field, size_t expected,
                                std::string_view& key, bool& going) {
  const char* raw = field.key().raw();
  if (expected < part.children.size()) {
    const Part& child = part.children[expected];
    size_t size = child.name.size();
    bool same = child.raw_name && static_cast<size_t>(s_.end - raw) > size && raw[size] == '"' &&
                Same(raw, child.name.data(), size);
    if (same) {
      key = child.name;
      return expected;
    }
  }
  going = TakeKey(field, key);
  if (!going) return kUnknown;
  auto it = part.by_name.find(key);
  return it == part.by_name.end() ? kUnknown : it->second;
}

template <bool kAppend>
bool Walk<kAppend>::Struct(const Part& part, ondemand::object object, Node* node, int depth) {
  const size_t seen_at = s_.seen.size(), keys_at = s_.keys.size(), step = s_.path.size();
  s_.seen.resize(seen_at + (part.children.size() + 63) / 64);
  s_.path.emplace_back();
  size_t expected = 0;
  int64_t count = 0;
  for (auto item : object) {
    // Used where it lies: copying it out of the result stalls for longer than a short value takes.
    if (item.error()) return Malformed(item.error());
    ondemand::field&& field = std::move(item).value_unsafe();
    std::string_view key;
    bool going = true;
    size_t at = FindChild(part, field, expected, key, going);
    if (!going) return false;
    s_.path[step] = {key, -1};
    ondemand::value& value = field.value();
    if (at == kUnknown) {
      if (unknown_ == UnknownFields::kIgnore) {
        s_.keys.push_back(key);
      } else if (!Fault("is not in the contract")) {
        return false;
      }
      if (!Skip(value, depth + 1)) return false;
      continue;
    }
    const Part& child = part.children[at];
    expected = at + 1;
    uint64_t& word = s_.seen[seen_at + at / 64];
    uint64_t bit = uint64_t{1} << (at % 64);
    if ((word & bit) != 0) {
      if (!Fault("is given twice") || !Skip(value, depth + 1)) return false;
      continue;
    }
    word |= bit;
    ++count;
    if (!Value(child, value, kAppend ? &ChildOf(node, child.index) : nullptr, depth + 1))
      return false;
  }
  if (s_.keys.size() > keys_at + 1 && !CheckDoubles(keys_at)) return false;
  if (!Missing(part, node, seen_at)) return false;
  s_.keys.resize(keys_at);
  s_.seen.resize(seen_at);
  s_.path.pop_back();
  return CheckCount(part.checks, count, "properties");
}

template <bool kAppend>
bool Walk<kAppend>::Missing(const Part& part, Node* node, size_t seen_at) {
  const size_t children = part.children.size();
  const uint64_t all = children == 0 ? 0 : ~uint64_t{0} >> (64 - std::min<size_t>(children, 64));
  const bool complete = children <= 64 && (children == 0 || s_.seen[seen_at] == all);
  for (size_t i = complete ? children : 0; i < children; ++i) {
    if ((s_.seen[seen_at + i / 64] >> (i % 64) & 1) != 0) continue;
    const Part& child = part.children[i];
    s_.path.back() = {child.name, -1};
    if (!Null(child, kAppend ? &ChildOf(node, child.index) : nullptr)) return false;
  }
  if constexpr (kAppend) {
    for (size_t index : part.absent) {
      ChildOf(node, index).AppendNull();
    }
  }
  return true;
}

template <bool kAppend>
bool Walk<kAppend>::Null(const Part& part, Node* node) {
  if (part.required) return Fault("is required");
  if constexpr (kAppend) node->AppendNull();
  return true;
}

template <bool kAppend>
bool Walk<kAppend>::Value(const Part& part, ondemand::value& value, Node* node, int depth) {
  std::string_view token = TrimRight(value.raw_json_token());
  if (token.empty()) return Malformed("a value is missing");
  if (token.front() == 'n')
    return token == "null" ? Null(part, node) : Malformed("a word that is not one of JSON's");
  if (part.json_text != Column::JsonText::kNo) return JsonText(part, value, node, depth);
  bool object = token.front() == '{', array = token.front() == '[';
  switch (part.kind) {
    case TypeKind::kStruct:
      if (!object) break;
      if (depth > kDepthMax) return Malformed("is nested too deeply");
      {
        ondemand::object inner;
        if (auto error = value.get_object().get(inner)) return Malformed(error);
        if constexpr (kAppend) node->AppendStruct();
        return Struct(part, inner, node, depth);
      }
    case TypeKind::kMap:
      if (!object) break;
      return Map(part, value, node, depth);
    case TypeKind::kList:
      if (!array) break;
      return List(part, value, node, depth);
    default:
      if (object || array) break;
      return Scalar(part, token, node);
  }
  Reason reason = part.kind == TypeKind::kList ? "is not an array"
                  : part.kind == TypeKind::kStruct || part.kind == TypeKind::kMap
                      ? "is not an object"
                      : Scalars::WrongKind(part);
  return Fault(reason) && Skip(value, depth);
}

template <bool kAppend>
Reason TakeScalar(Scalars& scalars, const Part& part, std::string_view token, Node* node) {
  Reason reason;
  switch (part.kind) {
    case TypeKind::kBoolean: {
      bool out = false;
      reason = Scalars::Boolean(part, token, out);
      if constexpr (kAppend) {
        if (reason.empty()) node->AppendBoolean(out);
      }
      break;
    }
    case TypeKind::kInt:
    case TypeKind::kLong: {
      int64_t out = 0;
      reason = Scalars::Integer(part, token, out);
      if constexpr (kAppend) {
        if (reason.empty()) node->AppendInteger(out);
      }
      break;
    }
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      double out = 0;
      reason = Scalars::Real(part, token, out);
      if constexpr (kAppend) {
        if (reason.empty()) node->AppendDouble(out);
      }
      break;
    }
    case TypeKind::kDecimal: {
      Int128 out = 0;
      reason = scalars.Decimal(part, token, out);
      if constexpr (kAppend) {
        if (reason.empty()) node->AppendDecimal(out);
      }
      break;
    }
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz: {
      int64_t out = 0;
      reason = scalars.Moment(part, token, out);
      if constexpr (kAppend) {
        if (reason.empty()) node->AppendInteger(out);
      }
      break;
    }
    default: {
      std::string_view out;
      reason = scalars.Octets(part, token, out);
      if constexpr (kAppend) {
        if (reason.empty()) node->AppendBytes(out);
      }
      break;
    }
  }
  return reason;
}

template <bool kAppend>
bool Walk<kAppend>::Scalar(const Part& part, std::string_view token, Node* node) {
  Reason reason = TakeScalar<kAppend>(s_.scalars, part, token, node);
  if (reason.empty()) return true;
  return reason == kNotJson ? Malformed("a value that is not JSON") : Fault(reason);
}

template <bool kAppend>
bool Walk<kAppend>::List(const Part& part, ondemand::value& value, Node* node, int depth) {
  if (depth > kDepthMax) return Malformed("is nested too deeply");
  const char* begin = value.raw_json_token().data();
  const size_t step = s_.path.size();
  ondemand::array array;
  if (auto error = value.get_array().get(array)) return Malformed(error);
  if constexpr (kAppend) {
    size_t count = 0;
    if (auto error = array.count_elements().get(count)) return Malformed(error);
    node->AppendList(static_cast<int64_t>(count));
  }
  const Part& element = part.children[0];
  s_.path.emplace_back();
  int64_t index = 0;
  for (auto item : array) {
    if (item.error()) return Malformed(item.error());
    ondemand::value&& inner = std::move(item).value_unsafe();
    s_.path[step].index = index++;
    if (!Value(element, inner, kAppend ? &node->child(0) : nullptr, depth + 1)) return false;
  }
  s_.path.pop_back();
  // What is not valid inside has no one form: uniqueness is asked of good arrays.
  if (good_ && part.checks.items_unique && index > 1 && !ItemsDiffer(begin) &&
      !Fault("has an item twice"))
    return false;
  return CheckCount(part.checks, index, "items");
}

template <bool kAppend>
bool Walk<kAppend>::Map(const Part& part, ondemand::value& value, Node* node, int depth) {
  if (depth > kDepthMax) return Malformed("is nested too deeply");
  const size_t step = s_.path.size(), keys_at = s_.keys.size();
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return Malformed(error);
  if constexpr (kAppend) {
    size_t count = 0;
    if (auto error = object.count_fields().get(count)) return Malformed(error);
    node->AppendList(static_cast<int64_t>(count));
  }
  const Part& key_part = part.children[0];
  s_.path.emplace_back();
  int64_t count = 0;
  for (auto item : object) {
    if (item.error()) return Malformed(item.error());
    ondemand::field&& field = std::move(item).value_unsafe();
    std::string_view key;
    if (!TakeKey(field, key)) return false;
    s_.path[step] = {key, -1};
    s_.keys.push_back(key);
    ++count;
    if (key_part.kind == TypeKind::kString) {
      Reason reason = key_part.checks.text_limited ? s_.scalars.Text(key_part, key) : Reason();
      if (!reason.empty() && !Fault(reason)) return false;
      if constexpr (kAppend) node->child(0).AppendBytes(key);
    } else {
      int64_t number = 0;
      Reason reason = Scalars::KeyInteger(key_part, key, number);
      if (!reason.empty() && !Fault(reason)) return false;
      if constexpr (kAppend) node->child(0).AppendInteger(number);
    }
    if (!Value(part.children[1], field.value(), kAppend ? &node->child(1) : nullptr, depth + 1))
      return false;
  }
  if (!CheckDoubles(keys_at)) return false;
  s_.keys.resize(keys_at);
  s_.path.pop_back();
  return CheckCount(part.checks, count, "properties");
}

template <bool kAppend>
bool Walk<kAppend>::JsonText(const Part& part, ondemand::value& value, Node* node, int depth) {
  const char* begin = value.raw_json_token().data();
  bool wanted = *begin == (part.json_text == Column::JsonText::kObject ? '{' : '[');
  if (!wanted) {
    Reason reason =
        part.json_text == Column::JsonText::kObject ? "is not an object" : "is not an array";
    return Fault(reason) && Skip(value, depth);
  }
  if (!Skip(value, depth, &part.checks)) return false;
  if constexpr (kAppend) {
    // The next token follows the value's end; there is one, for the record itself is an object.
    const char* next = nullptr;
    if (auto error = document_.current_location().get(next)) return Malformed(error);
    node->AppendBytes(TrimRight({begin, static_cast<size_t>(next - begin)}));
  }
  return true;
}

template Reason TakeScalar<false>(Scalars&, const Part&, std::string_view, Node*);
template Reason TakeScalar<true>(Scalars&, const Part&, std::string_view, Node*);
template bool Walk<false>::Struct(const Part&, ondemand::object, Node*, int);
template bool Walk<true>::Struct(const Part&, ondemand::object, Node*, int);

}  // namespace weft::contract
