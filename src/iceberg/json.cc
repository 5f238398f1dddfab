// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "iceberg/json_internal.h"

namespace weft::iceberg {
namespace {

constexpr int kDepthMax = 200;

const Json* Member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

tl::unexpected<Error> Wrong(const char* key, std::string_view wanted) {
  return Fail(Code::kCorrupt, fmt::format("\"{}\" is missing or not {}", key, wanted));
}

Result<int64_t> IntegerOf(const Json* value, const char* key) {
  if (value == nullptr || !value->is_number_integer()) return Wrong(key, "an integer");
  if (value->is_number_unsigned() &&
      value->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return Wrong(key, "an integer of 64 bits");
  }
  return value->get<int64_t>();
}

}  // namespace

Result<Json> ParseObject(std::string_view text, std::string_view what) {
  bool deep = false;
  const auto shallow = [&deep](int depth, Json::parse_event_t, Json&) {
    deep = deep || depth > kDepthMax;
    return !deep;
  };
  Json json = Json::parse(text, shallow, /*allow_exceptions=*/false);
  if (deep || json.is_discarded() || !json.is_object()) {
    return Fail(Code::kCorrupt, fmt::format("{} is not a JSON object", what));
  }
  return json;
}

Result<int64_t> Integer(const Json& object, const char* key) {
  return IntegerOf(Member(object, key), key);
}

Result<int> SmallInteger(const Json& object, const char* key) {
  const int64_t value = TRY(Integer(object, key));
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    return Wrong(key, "an integer of 32 bits");
  }
  return static_cast<int>(value);
}

Result<std::string> Text(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  if (value == nullptr || !value->is_string()) return Wrong(key, "text");
  return value->get<std::string>();
}

Result<bool> Boolean(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  if (value == nullptr || !value->is_boolean()) return Wrong(key, "true or false");
  return value->get<bool>();
}

Result<const Json*> OptionalArray(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  if (value != nullptr && !value->is_array()) return Wrong(key, "a list");
  return value;
}

Result<const Json*> OptionalObject(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  if (value != nullptr && !value->is_object()) return Wrong(key, "an object");
  return value;
}

Result<std::optional<int64_t>> OptionalInteger(const Json& object, const char* key) {
  const Json* value = Member(object, key);
  if (value == nullptr) return std::optional<int64_t>();
  return std::optional<int64_t>(TRY(IntegerOf(value, key)));
}

bool Has(const Json& object, const char* key) { return Member(object, key) != nullptr; }

}  // namespace weft::iceberg
