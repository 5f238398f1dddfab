// SPDX-License-Identifier: Apache-2.0
#include "aws/constraints.h"

#include <fmt/ranges.h>

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "aws/encoding.h"
#include "base/check.h"
#include "contract/pattern.h"

namespace weft::aws {
namespace {

using nlohmann::json;

constexpr size_t kFaultsMax = 10;
constexpr size_t kShownMax = 1'024;  // of a value, lest an answer be as long as its request

// The whole text must match, whatever anchors the model's pattern has or lacks. Patterns are those
// of the tables, compiled once each.
bool Matches(const char* pattern, const std::string& text) {
  static std::mutex mutex;
  static std::map<const char*, std::shared_ptr<const contract::Pattern>> compiled;
  std::shared_ptr<const contract::Pattern> whole;
  {
    std::lock_guard lock(mutex);
    auto& entry = compiled[pattern];
    if (entry == nullptr) {
      auto made = contract::Pattern::Compile(fmt::format("^(?:{})$", pattern));
      CHECK(made.ok());
      entry = *made;
    }
    whole = entry;
  }
  thread_local contract::PatternMatcher matcher;
  return matcher.Find(*whole, text) == contract::PatternVerdict::kMatch;
}

// As Java counts: in UTF-16.
int64_t Characters(const std::string& text) {
  int64_t count = 0;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet & 0xC0) != 0x80) count += octet >= 0xF0 ? 2 : 1;
  }
  return count;
}

int64_t LengthOf(const json& value) {
  if (value.is_string()) return Characters(value.get_ref<const std::string&>());
  if (value.is_binary()) return static_cast<int64_t>(value.get_binary().size());
  return static_cast<int64_t>(value.size());
}

bool InEnumeration(std::string_view enumeration, const std::string& text) {
  while (!enumeration.empty()) {
    const size_t end = std::min(enumeration.find(", "), enumeration.size());
    if (enumeration.substr(0, end) == text) return true;
    enumeration.remove_prefix(std::min(end + 2, enumeration.size()));
  }
  return false;
}

// As Java's toString() shows it.
std::string Shown(const json& value) {
  std::string text;
  switch (value.type()) {
    case json::value_t::string:
      text = value.get<std::string>();
      break;
    case json::value_t::binary:
      text =
          fmt::format("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", value.get_binary().size());
      break;
    case json::value_t::array:
    case json::value_t::object: {
      const bool map = value.is_object();
      for (const auto& [key, part] : value.items()) {
        if (text.size() > kShownMax) break;
        if (!text.empty()) text += ", ";
        if (map) text += key + "=";
        text += Shown(part);
      }
      text = map ? "{" + text + "}" : "[" + text + "]";
      break;
    }
    default:
      text = value.dump();
  }
  if (text.size() > kShownMax) {
    size_t end = kShownMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    text += "...";
  }
  return text;
}

std::string PatternText(const Shape& shape) {
  return fmt::format("Member must satisfy regular expression pattern: {}", shape.pattern);
}
std::string EnumerationText(const Shape& shape) {
  return fmt::format("Member must satisfy enum value set: [{}]", shape.enumeration);
}
std::string BoundText(const Shape& shape, bool least) {
  const bool value =
      shape.kind == Kind::kInteger || shape.kind == Kind::kLong || shape.kind == Kind::kDouble;
  return fmt::format("Member must have {} {} than or equal to {}", value ? "value" : "length",
                     least ? "greater" : "less", least ? shape.min : shape.max);
}

bool TooSmall(const Shape& shape, const json& value) {
  if (shape.min == kNoBound) return false;
  if (value.is_number_float()) return value.get<double>() < static_cast<double>(shape.min);
  return (value.is_number() ? value.get<int64_t>() : LengthOf(value)) < shape.min;
}
bool TooLarge(const Shape& shape, const json& value) {
  if (shape.max == kNoBound) return false;
  if (value.is_number_float()) return value.get<double>() > static_cast<double>(shape.max);
  return (value.is_number() ? value.get<int64_t>() : LengthOf(value)) > shape.max;
}
bool OffPattern(const Shape& shape, const json& value) {
  return *shape.pattern != '\0' && value.is_string() &&
         !Matches(shape.pattern, value.get_ref<const std::string&>());
}
bool OffEnumeration(const Shape& shape, const json& value) {
  return *shape.enumeration != '\0' && value.is_string() &&
         !InEnumeration(shape.enumeration, value.get_ref<const std::string&>());
}

bool Scalar(const Shape& shape) {
  return shape.kind != Kind::kStructure && shape.kind != Kind::kList && shape.kind != Kind::kMap;
}

// What elements, keys or values of a collection must satisfy, as one constraint of the collection.
std::string Inner(const Shape& shape) {
  std::vector<std::string> all;
  if (shape.max != kNoBound) all.push_back(BoundText(shape, false));
  if (shape.min != kNoBound) all.push_back(BoundText(shape, true));
  if (*shape.enumeration != '\0') all.push_back(EnumerationText(shape));
  if (*shape.pattern != '\0') all.push_back(PatternText(shape));
  return fmt::format("[{}]", fmt::join(all, ", "));
}
bool Broken(const Shape& shape, const json& value) {
  return TooSmall(shape, value) || TooLarge(shape, value) || OffPattern(shape, value) ||
         OffEnumeration(shape, value);
}

std::string LowerFirst(const char* name) {
  std::string text(name);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

class Checker {
 public:
  explicit Checker(const ServiceModel& model) : model_(model) {}

  void Structure(const Shape& shape, const json& value, const std::string& path) {
    for (const Member& member : model_.MembersOf(shape)) {
      const std::string at =
          path.empty() ? LowerFirst(member.name) : path + "." + LowerFirst(member.name);
      const auto found = value.find(member.name);
      if (found != value.end()) {
        Value(model_.ShapeAt(member.shape), *found, at);
      } else if (member.required) {
        Add(fmt::format("Value null at '{}' failed to satisfy constraint: Member must not be null",
                        at));
      }
    }
  }

  Outcome<void> Verdict() {
    if (faults_.empty()) return {};
    return Refuse("ValidationException",
                  fmt::format("{} validation error{} detected: {}", faults_.size(),
                              faults_.size() == 1 ? "" : "s", fmt::join(faults_, "; ")));
  }

 private:
  void Add(std::string fault) {
    if (faults_.size() < kFaultsMax) faults_.push_back(std::move(fault));
  }
  void Break(const json& value, const std::string& path, const std::string& constraint) {
    if (faults_.size() == kFaultsMax) return;
    Add(fmt::format("Value '{}' at '{}' failed to satisfy constraint: {}", Shown(value), path,
                    constraint));
  }

  void Value(const Shape& shape, const json& value, const std::string& path) {
    if (OffPattern(shape, value)) Break(value, path, PatternText(shape));
    if (OffEnumeration(shape, value)) Break(value, path, EnumerationText(shape));
    if (TooSmall(shape, value)) Break(value, path, BoundText(shape, true));
    if (TooLarge(shape, value)) Break(value, path, BoundText(shape, false));
    if (shape.kind == Kind::kStructure) Structure(shape, value, path);
    if (shape.kind == Kind::kList) List(shape, value, path);
    if (shape.kind == Kind::kMap) Map(shape, value, path);
  }

  void List(const Shape& shape, const json& value, const std::string& path) {
    const Shape& element = model_.ShapeAt(shape.element);
    if (Scalar(element)) {
      for (const json& part : value) {
        if (!Broken(element, part)) continue;
        return Break(value, path, "Member must satisfy constraint: " + Inner(element));
      }
      return;
    }
    for (size_t i = 0; i < value.size() && faults_.size() < kFaultsMax; ++i) {
      Value(element, value[i], fmt::format("{}.{}.member", path, i + 1));
    }
  }

  void Map(const Shape& shape, const json& value, const std::string& path) {
    const Shape& key_shape = model_.ShapeAt(shape.key);
    const Shape& element = model_.ShapeAt(shape.element);
    bool keys = false, values = false;
    for (const auto& [key, part] : value.items()) {
      keys = keys || Broken(key_shape, json(key));
      if (Scalar(element)) {
        values = values || Broken(element, part);
      } else {
        Value(element, part, fmt::format("{}.{}.member", path, key));
      }
    }
    if (keys) Break(value, path, "Map keys must satisfy constraint: " + Inner(key_shape));
    if (values) Break(value, path, "Map value must satisfy constraint: " + Inner(element));
  }

  const ServiceModel& model_;
  std::vector<std::string> faults_;
};

}  // namespace

Outcome<void> CheckConstraints(const ServiceModel& model, const Shape& shape, const json& value) {
  Checker checker(model);
  checker.Structure(shape, value, "");
  return checker.Verdict();
}

}  // namespace weft::aws
