// SPDX-License-Identifier: Apache-2.0
// Declaring: plan, apply, destroy. The body carries the directory's files: {"files": {"mesh.yaml":
// "…", …}}.
#include "api/doors_internal.h"

namespace weft::api {
namespace {

using nlohmann::json;

json ChangesToJson(const std::vector<mesh::Change>& changes) {
  json list = json::array();
  for (const auto& change : changes) {
    list.push_back({{"op", std::string(1, change.op)},
                    {"kind", change.kind},
                    {"name", change.name},
                    {"what", change.what}});
  }
  return {{"changes", list}};
}

Result<mesh::Declaration> DeclarationOf(const json& body) {
  auto files = body.find("files");
  if (files == body.end() || !files->is_object()) {
    return Fail(Code::kInvalid, "'files' is missing: the directory's files, name to content");
  }
  mesh::MeshFiles read;
  for (const auto& [name, content] : files->items()) {
    if (!content.is_string())
      return Fail(Code::kInvalid, fmt::format("the content of '{}' is not text", name));
    read[name] = content.get<std::string>();
  }
  return mesh::ReadDeclaration(read);
}

Result<json> Plan(Doors& doors, Call& call) {
  TRY(doors.Require(call.principal, "weft:Plan"));
  json body = TRY(ParseObject(*TRY(doors.TakeBody(call.request))));
  return ChangesToJson(TRY(doors.use.meshes.Plan(TRY(DeclarationOf(body)))));
}

Result<json> Apply(Doors& doors, Call& call) {
  TRY(doors.Require(call.principal, "weft:Apply"));
  json body = TRY(ParseObject(*TRY(doors.TakeBody(call.request))));
  const bool removals = TRY(BoolMember(body, "removals_allowed"));
  return ChangesToJson(TRY(doors.use.meshes.Apply(TRY(DeclarationOf(body)), removals)));
}

// {"mesh": NAME, "delete_data": bool, "dry_run": bool}
Result<json> Destroy(Doors& doors, Call& call) {
  json body = TRY(ParseObject(*TRY(doors.TakeBody(call.request))));
  const std::string name = TRY(TextMember(body, "mesh"));
  if (name.empty()) return Fail(Code::kInvalid, "'mesh' is missing");
  const bool delete_data = TRY(BoolMember(body, "delete_data"));
  if (TRY(BoolMember(body, "dry_run"))) {
    TRY(doors.Require(call.principal, "weft:Plan"));
    return ChangesToJson(TRY(doors.use.meshes.PlanDestroy(name, delete_data)));
  }
  TRY(doors.Require(call.principal, "weft:Apply"));
  return ChangesToJson(TRY(doors.use.meshes.Destroy(name, delete_data)));
}

}  // namespace

void AddMeshDoors(DoorTable& table) {
  table.Add("POST", "/api/v1/plan", Plan);
  table.Add("POST", "/api/v1/apply", Apply);
  table.Add("POST", "/api/v1/destroy", Destroy);
}

}  // namespace weft::api
