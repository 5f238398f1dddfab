// SPDX-License-Identifier: Apache-2.0
#include "mesh/declaration.h"

#include <algorithm>

#include "mesh/faults.h"
#include "mesh/paths.h"
#include "mesh/reader.h"
#include "mesh/yaml.h"

namespace weft::mesh {
namespace {

void AddPaths(const YamlNode* list, std::vector<std::pair<std::string, int>>& paths) {
  if (list == nullptr) return;
  if (list->kind == YamlNode::Kind::kScalar) paths.emplace_back(list->text, list->line);
  for (const auto& item : list->items) {
    if (item.kind == YamlNode::Kind::kScalar) paths.emplace_back(item.text, item.line);
  }
}

}  // namespace

Result<Declaration> ReadDeclaration(const MeshFiles& files) {
  Faults faults;
  auto mesh = files.find(std::string(kMeshFile));
  if (mesh == files.end())
    return Fail(Code::kInvalid, "mesh.yaml:1: the directory has no such file");
  YamlNode root;
  YamlFault fault;
  if (!ReadYaml(mesh->second, root, fault)) {
    faults.Add(fault.line, fault.text);
    TRY(faults.Verdict());
  }
  DeclarationReader reader(files, faults);
  reader.Read(root);
  TRY(faults.Verdict());
  return reader.Take();
}

Result<std::string> MeshName(const std::string& mesh_yaml) {
  YamlNode root;
  YamlFault fault;
  if (!ReadYaml(mesh_yaml, root, fault)) {
    return Fail(Code::kInvalid, fmt::format("{}:{}: {}", kMeshFile, fault.line, fault.text));
  }
  const YamlNode* name = root.Find("mesh");
  if (name == nullptr || name->kind != YamlNode::Kind::kScalar || name->text.empty()) {
    return Fail(Code::kInvalid, fmt::format("{}:1: mesh is required", kMeshFile));
  }
  return name->text;
}

Result<std::vector<std::string>> NamedFiles(const std::string& mesh_yaml) {
  Faults faults;
  YamlNode root;
  YamlFault fault;
  if (!ReadYaml(mesh_yaml, root, fault)) {
    faults.Add(fault.line, fault.text);
    TRY(faults.Verdict());
  }
  std::vector<std::pair<std::string, int>> paths;
  for (const char* section : {"products", "groups", "users"}) {
    const YamlNode* entries = root.Find(section);
    if (entries == nullptr) continue;
    for (const auto& entry : entries->entries) {
      const bool product = std::string_view(section) == "products";
      AddPaths(entry.second.Find(product ? "contract" : "policies"), paths);
    }
  }
  std::vector<std::string> names;
  for (const auto& [path, line] : paths) {
    if (!PathWithin(path)) {
      faults.Add(line, fmt::format("'{}' is not a path within the directory", path));
    } else if (std::find(names.begin(), names.end(), path) == names.end()) {
      names.push_back(path);
    }
  }
  TRY(faults.Verdict());
  return names;
}

}  // namespace weft::mesh
