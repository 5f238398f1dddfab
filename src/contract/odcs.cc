// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "base/nearest.h"
#include "contract/property_internal.h"

namespace weft::contract {
namespace {

const std::vector<std::string> kRootKeys = {"version",
                                            "kind",
                                            "apiVersion",
                                            "id",
                                            "name",
                                            "tenant",
                                            "tags",
                                            "status",
                                            "servers",
                                            "dataProduct",
                                            "description",
                                            "domain",
                                            "schema",
                                            "support",
                                            "price",
                                            "team",
                                            "roles",
                                            "slaProperties",
                                            "slaDefaultElement",
                                            "authoritativeDefinitions",
                                            "customProperties",
                                            "contractCreatedTs"};

const std::vector<std::string> kObjectKeys = {"id",
                                              "name",
                                              "physicalType",
                                              "description",
                                              "businessName",
                                              "authoritativeDefinitions",
                                              "tags",
                                              "customProperties",
                                              "logicalType",
                                              "physicalName",
                                              "dataGranularityDescription",
                                              "properties",
                                              "relationships",
                                              "quality"};

// Parts of the document that Weft keeps and does not read: their outer shape alone is looked at.
Status CheckShapes(const Document& root) {
  for (auto key : {"tags", "servers", "support", "roles", "slaProperties",
                   "authoritativeDefinitions", "customProperties"}) {
    const Document* value = root.Find(key);
    if (value != nullptr && value->kind != Document::Kind::kList) {
      return Fail(Code::kInvalid, fmt::format("{}{} must be a list", At(*value), key));
    }
  }
  for (auto key : {"price", "description"}) {
    const Document* value = root.Find(key);
    if (value != nullptr && value->kind != Document::Kind::kMap) {
      return Fail(Code::kInvalid,
                  fmt::format("{}{} must be a map of keys and values", At(*value), key));
    }
  }
  return {};
}

Status CheckVersion(const Document& root) {
  auto version = TRY(TextOf(root, "apiVersion"));
  if (version == "v3.0.0" || version == "v3.0.1" || version == "v3.0.2" || version == "v3.1.0")
    return {};
  return Fail(Code::kNotOffered,
              fmt::format("{}apiVersion '{}' is not offered; v3.0.0, v3.0.1, v3.0.2 and v3.1.0 are",
                          At(*root.Find("apiVersion")), version));
}

Result<SchemaObject> ReadObject(const Document& node) {
  TRY(CheckKeys(node, kObjectKeys, "a schema object"));
  SchemaObject object;
  object.name = TRY(TextOf(node, "name"));
  if (object.name.empty()) return Fail(Code::kInvalid, At(node) + "a schema object without a name");
  auto logical = TRY(TextOf(node, "logicalType"));
  if (!logical.empty() && logical != "object") {
    return Fail(Code::kInvalid,
                fmt::format("{}{}: a schema object's logicalType is 'object', not '{}'", At(node),
                            object.name, logical));
  }
  TRY(TextOf(node, "physicalType"));
  const Document* properties = node.Find("properties");
  if (properties == nullptr) return object;
  if (properties->kind != Document::Kind::kList) {
    return Fail(Code::kInvalid,
                fmt::format("{}{}: properties must be a list", At(*properties), object.name));
  }
  std::map<int64_t, std::vector<std::string>> partitions;  // by position; those without one last
  for (const auto& item : properties->items) {
    object.columns.push_back(TRY(ReadProperty(item, object.name, 0)));
    if (!TRY(FlagOf(item, "partitioned"))) continue;
    auto position = TRY(TextOf(item, "partitionKeyPosition"));
    partitions[position.empty() || position == "-1" ? INT64_MAX
                                                    : *TRY(CountOf(item, "partitionKeyPosition"))]
        .push_back(object.columns.back().name);
  }
  for (const auto& [position, names] : partitions) {
    object.partition_columns.insert(object.partition_columns.end(), names.begin(), names.end());
  }
  TRY(CheckNames(object.columns, object.name));
  for (const auto& column : object.columns) {
    if (column.name == kIdColumn || column.name == kArrivalColumn) {
      return Fail(Code::kInvalid,
                  fmt::format("{}{}: the name '{}' is Weft's own: every table has such a column",
                              At(*properties), object.name, column.name));
    }
  }
  return object;
}

Status ReadSchema(const Document& root, Contract& contract) {
  const Document* schema = root.Find("schema");
  if (schema == nullptr) return {};
  if (schema->kind != Document::Kind::kList)
    return Fail(Code::kInvalid, At(*schema) + "schema must be a list");
  for (const auto& item : schema->items) {
    auto object = TRY(ReadObject(item));
    for (const auto& other : contract.objects) {
      std::string a = other.name, b = object.name;
      // Table names: case and hyphens do not tell apart.
      for (auto* name : {&a, &b}) {
        for (char& c : *name)
          c = c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      }
      if (a == b) {
        return Fail(Code::kInvalid,
                    fmt::format("{}the schema object '{}' is there twice", At(item), object.name));
      }
    }
    contract.objects.push_back(std::move(object));
  }
  return {};
}

}  // namespace

Result<Contract> ParseOdcs(const std::string& text) {
  auto root = TRY(ReadDocument(text));
  if (root.kind != Document::Kind::kMap) {
    return Fail(Code::kInvalid,
                "not an ODCS document: expected keys such as apiVersion, kind and schema");
  }
  // Without these two it is some other document, and its other keys would only mislead.
  for (auto key : {"apiVersion", "kind"}) {
    if (TRY(TextOf(root, key)).empty())
      return Fail(Code::kInvalid, fmt::format("not an ODCS document: '{}' is missing", key));
  }
  auto kind = TRY(TextOf(root, "kind"));
  if (kind != "DataContract") {
    return Fail(Code::kInvalid,
                fmt::format("{}kind is '{}', not DataContract", At(*root.Find("kind")), kind));
  }
  TRY(CheckVersion(root));
  TRY(CheckKeys(root, kRootKeys, "the contract"));
  Contract contract;
  contract.text = text;
  contract.id = TRY(TextOf(root, "id"));
  contract.name = TRY(TextOf(root, "name"));
  contract.version = TRY(TextOf(root, "version"));
  contract.status = TRY(TextOf(root, "status"));
  for (auto key : {"id", "version", "status"}) {
    if (root.Find(key) == nullptr)
      return Fail(Code::kInvalid, fmt::format("the key '{}' is missing", key));
  }
  TRY(CheckShapes(root));
  TRY(ReadSchema(root, contract));
  return contract;
}

}  // namespace weft::contract
