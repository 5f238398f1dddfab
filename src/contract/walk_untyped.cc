// SPDX-License-Identifier: Apache-2.0
// The part of a walk where the contract says nothing of a value: it must be JSON, and each key of
// an object be there once.
#include <algorithm>

#include "contract/walk_internal.h"

namespace weft::contract {
namespace {

// One of 64 bits, by the key's first and last octet and its size.
uint64_t EndsOf(std::string_view key) {
  if (key.empty()) return 1;
  return uint64_t{1} << ((static_cast<uint8_t>(key.front()) * 5U +
                          static_cast<uint8_t>(key.back()) * 23U + key.size()) %
                         64);
}

}  // namespace

template <bool kAppend>
bool Walk<kAppend>::Skip(ondemand::value& value, int depth, const Checks* checks) {
  std::string_view token = TrimRight(value.raw_json_token());
  if (token.empty()) return Malformed("a value is missing");
  if (token.front() == '{') return SkipObject(value, depth, checks);
  if (token.front() == '[') return SkipArray(value, depth, checks);
  Reason reason = s_.scalars.Any(token);
  if (reason.empty()) return true;
  return reason == kNotJson ? Malformed("a value that is not JSON") : Fault(reason);
}

template <bool kAppend>
bool Walk<kAppend>::SkipObject(ondemand::value& value, int depth, const Checks* checks) {
  if (depth > kDepthMax) return Malformed("is nested too deeply");
  const size_t step = s_.path.size(), keys_at = s_.keys.size();
  ondemand::object object;
  if (auto error = value.get_object().get(object)) return Malformed(error);
  s_.path.emplace_back();
  int64_t count = 0;
  size_t required = checks == nullptr ? 0 : checks->keys_required.size();
  for (auto item : object) {
    if (item.error()) return Malformed(item.error());
    ondemand::field&& field = std::move(item).value_unsafe();
    std::string_view key;
    if (!TakeKey(field, key)) return false;
    s_.path[step] = {key, -1};
    s_.keys.push_back(key);
    ++count;
    ondemand::value& inner = field.value();
    bool null = required > 0 && TrimRight(inner.raw_json_token()) == "null";
    if (null && std::find(checks->keys_required.begin(), checks->keys_required.end(), key) !=
                    checks->keys_required.end()) {
      if (!Fault("is required")) return false;
    }
    if (!Skip(inner, depth + 1)) return false;
  }
  if (!CheckDoubles(keys_at)) return false;
  for (size_t i = 0; i < required; ++i) {
    if (std::find(s_.keys.begin() + static_cast<std::ptrdiff_t>(keys_at), s_.keys.end(),
                  checks->keys_required[i]) == s_.keys.end()) {
      s_.path[step] = {checks->keys_required[i], -1};
      if (!Fault("is required")) return false;
    }
  }
  s_.keys.resize(keys_at);
  s_.path.pop_back();
  return checks == nullptr || CheckCount(*checks, count, "properties");
}

template <bool kAppend>
bool Walk<kAppend>::SkipArray(ondemand::value& value, int depth, const Checks* checks) {
  if (depth > kDepthMax) return Malformed("is nested too deeply");
  const char* begin = value.raw_json_token().data();
  const size_t step = s_.path.size();
  ondemand::array array;
  if (auto error = value.get_array().get(array)) return Malformed(error);
  s_.path.emplace_back();
  int64_t index = 0;
  for (auto item : array) {
    if (item.error()) return Malformed(item.error());
    ondemand::value&& inner = std::move(item).value_unsafe();
    s_.path[step].index = index++;
    if (!Skip(inner, depth + 1)) return false;
  }
  s_.path.pop_back();
  if (checks == nullptr) return true;
  if (good_ && checks->items_unique && !ItemsDiffer(begin) && !Fault("has an item twice"))
    return false;
  return CheckCount(*checks, index, "items");
}

template <bool kAppend>
bool Walk<kAppend>::TakeKey(ondemand::field& field, std::string_view& key) {
  const char* begin = field.key().raw();
  const char* at = begin;
  bool escaped = false;
  while (*at != '"') {
    escaped |= *at == '\\';
    at += *at == '\\' ? 2 : 1;
  }
  key = {begin, static_cast<size_t>(at - begin)};
  if (!escaped) return true;
  Reason reason = s_.scalars.Inside(key, key);
  if (reason.empty()) return true;
  return Malformed(reason == kNotJson ? Reason("a bad escape in a key")
                                      : Reason("has a lone surrogate in a key"));
}

// Most keys differ at their ends, which needs no look at the rest. Many keys must not cost their
// square: more than a few are sorted.
template <bool kAppend>
bool Walk<kAppend>::CheckDoubles(size_t keys_at) {
  auto begin = s_.keys.begin() + static_cast<std::ptrdiff_t>(keys_at);
  if (s_.keys.size() - keys_at <= 16) {
    auto end = s_.keys.end();
    uint64_t ends = 0;
    auto alike = begin;
    for (; alike != end; ++alike) {
      const uint64_t bit = EndsOf(*alike);
      if ((ends & bit) != 0) break;
      ends |= bit;
    }
    if (alike == end) return true;
    auto twice = begin;
    while (twice != end && std::find(twice + 1, end, *twice) == end) ++twice;
    if (twice == end) return true;
  }
  std::sort(begin, s_.keys.end());
  for (auto it = begin; it != s_.keys.end() && it + 1 != s_.keys.end(); ++it) {
    if (*it != *(it + 1)) continue;
    s_.path.back() = {*it, -1};
    if (!Fault("is given twice")) return false;
    while (it + 1 != s_.keys.end() && *it == *(it + 1)) ++it;
  }
  return true;
}

template bool Walk<false>::Skip(ondemand::value&, int, const Checks*);
template bool Walk<false>::TakeKey(ondemand::field&, std::string_view&);
template bool Walk<false>::CheckDoubles(size_t);
template bool Walk<true>::Skip(ondemand::value&, int, const Checks*);
template bool Walk<true>::TakeKey(ondemand::field&, std::string_view&);
template bool Walk<true>::CheckDoubles(size_t);

}  // namespace weft::contract
