// SPDX-License-Identifier: Apache-2.0
#include "contract/document.h"

#include <simdjson.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <set>

namespace weft::contract {
namespace {

constexpr size_t kTextBytesMax = size_t{4} << 20;
constexpr int kDepthMax = 100;
constexpr int kNodesMax = 200'000;

// Copies yaml-cpp's graph into a tree. Aliases make the graph's nodes appear many times, so what
// counts against the limit is the tree.
class Converter {
 public:
  Result<Document> Convert(const YAML::Node& node, int depth) {
    Document out;
    out.line = node.Mark().line + 1;
    if (depth > kDepthMax) return Fail(Code::kInvalid, At(out) + "nested too deeply");
    if (++nodes_ > kNodesMax) return Fail(Code::kInvalid, At(out) + "the document is too large");
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        out.kind = Document::Kind::kScalar;
        out.text = node.Scalar();
        out.quoted = node.Tag() != "?";
        bytes_ += out.text.size();
        if (bytes_ > 4 * kTextBytesMax)
          return Fail(Code::kInvalid, At(out) + "the document is too large");
        return out;
      case YAML::NodeType::Sequence:
        out.kind = Document::Kind::kList;
        for (const auto& item : node) out.items.push_back(TRY(Convert(item, depth + 1)));
        return out;
      case YAML::NodeType::Map:
        TRY(ConvertMap(node, depth, out));
        return out;
      default:
        return out;
    }
  }

 private:
  Status ConvertMap(const YAML::Node& node, int depth, Document& out) {
    out.kind = Document::Kind::kMap;
    std::set<std::string> keys;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Fail(Code::kInvalid, At(out) + "a key that is not text");
      auto value = TRY(Convert(entry.second, depth + 1));
      if (!keys.insert(entry.first.Scalar()).second) {
        return Fail(Code::kInvalid, fmt::format("line {}: the key '{}' is given twice",
                                                entry.first.Mark().line + 1, entry.first.Scalar()));
      }
      out.entries.push_back({entry.first.Scalar(), std::move(value)});
    }
    return {};
  }

  int nodes_ = 0;
  size_t bytes_ = 0;
};

// For JSON that YAML readers stumble over (surrogate pairs, tabs). It has no lines.
Result<Document> FromJson(const nlohmann::json& json, int depth) {
  Document out;
  if (depth > kDepthMax) return Fail(Code::kInvalid, "nested too deeply");
  if (json.is_null()) return out;
  if (json.is_object()) {
    out.kind = Document::Kind::kMap;
    for (const auto& [key, value] : json.items()) {
      Document child = TRY(FromJson(value, depth + 1));
      out.entries.push_back({key, std::move(child)});
    }
  } else if (json.is_array()) {
    out.kind = Document::Kind::kList;
    for (const auto& value : json) out.items.push_back(TRY(FromJson(value, depth + 1)));
  } else {
    out.kind = Document::Kind::kScalar;
    out.quoted = json.is_string();
    out.text = json.is_string() ? json.get<std::string>() : json.dump();
  }
  return out;
}

}  // namespace

const Document* Document::Find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return value.null() ? nullptr : &value;
  }
  return nullptr;
}

std::string At(const Document& node) {
  return node.line > 0 ? fmt::format("line {}: ", node.line) : std::string();
}

Result<Document> ReadDocument(const std::string& text) {
  if (text.size() > kTextBytesMax) return Fail(Code::kInvalid, "the document is larger than 4 MiB");
  if (!simdjson::validate_utf8(text)) return Fail(Code::kInvalid, "the document is not UTF-8");
  if (text.find('\0') != std::string::npos)
    return Fail(Code::kInvalid, "the document has a NUL in it");
  std::string failure;
  try {
    auto documents = YAML::LoadAll(text);
    if (documents.size() != 1) {
      return Fail(Code::kInvalid,
                  fmt::format("expected one YAML document, found {}", documents.size()));
    }
    return Converter().Convert(documents[0], 0);
  } catch (const YAML::Exception& e) {
    failure = e.mark.is_null() ? e.msg : fmt::format("line {}: {}", e.mark.line + 1, e.msg);
  } catch (const std::exception& e) {
    failure = e.what();
  }
  size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{') {
    auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_discarded()) return FromJson(json, 0);
  }
  return Fail(Code::kInvalid, "not YAML: " + failure);
}

}  // namespace weft::contract
