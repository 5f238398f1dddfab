// SPDX-License-Identifier: Apache-2.0
// init, plan, apply, destroy: a directory and what the server makes of it.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/disk.h"
#include "cli/commands.h"
#include "mesh/declaration.h"

namespace weft::cli {
namespace {

using nlohmann::json;

Result<json> ReadDirectory(const std::string& folder) {
  auto main_file = ReadFile(SystemDisk(), folder + "/mesh.yaml");
  if (!main_file.ok() && main_file.error().code() == Code::kNotFound) {
    return Fail(Code::kNotFound,
                fmt::format("{} has no mesh.yaml\nfix: `weft init {}` makes one", folder, folder));
  }
  if (!main_file.ok()) return Fail(main_file.error());
  json files = {{"mesh.yaml", *main_file}};
  for (const auto& name : TRY(mesh::NamedFiles(*main_file))) {
    auto text = ReadFile(SystemDisk(), folder + "/" + name);
    // A file that is named and not there is the server's to report, with the line that names it.
    if (!text.ok() && text.error().code() == Code::kNotFound) continue;
    if (!text.ok()) return Fail(text.error());
    files[name] = *text;
  }
  return files;
}

std::string Lines(const json& changes) {
  if (changes.empty()) return "No changes.\n";
  std::string out;
  for (const auto& change : changes) {
    const std::string what = Printable(change.value("what", ""));
    out += fmt::format("{} {} {}{}{}\n", change.value("op", "?"), change.value("kind", ""),
                       Printable(change.value("name", "")), what.empty() ? "" : ": ", what);
  }
  return out;
}

void Print(const Context& context, const json& answer) {
  context.output.Result(context.output.json ? answer.dump() : Lines(answer.at("changes")));
}

bool Removes(const json& changes) {
  for (const auto& change : changes) {
    if (change.value("op", "") == "-") return true;
  }
  return false;
}

// Asks on a terminal; elsewhere the answer is no.
Status Confirm(const json& changes, const char* question) {
  if (isatty(STDIN_FILENO) != 1) {
    return Fail(Code::kConflict,
                "this would remove something\n" + Lines(changes) + "fix: look, then add --yes");
  }
  std::fprintf(stderr, "%s%s [y/N] ", Lines(changes).c_str(), question);
  std::string line;
  std::getline(std::cin, line);
  if (line == "y" || line == "Y" || line == "yes") return {};
  return Fail(Code::kConflict, "nothing was changed");
}

}  // namespace

Status Init(const Context& context, const std::string& folder) {
  Disk& disk = SystemDisk();
  for (const auto& [name, content] : mesh::StarterMesh()) {
    if (disk.Open(folder + "/" + name, OpenMode::kRead).ok()) {
      return Fail(Code::kExists,
                  fmt::format("{}/{} is there already; nothing was written", folder, name));
    }
  }
  json written = json::array();
  for (const auto& [name, content] : mesh::StarterMesh()) {
    TRY(disk.MakeFolders(FolderOf(folder + "/" + name)));
    TRY(WriteFile(disk, folder + "/" + name, content));
    written.push_back(folder + "/" + name);
  }
  if (context.output.json) {
    context.output.Result(json{{"written", written}}.dump());
  } else {
    for (const auto& name : written) context.output.Result("wrote " + name.get<std::string>());
    context.output.Note(fmt::format("next: weft plan {0}, then weft apply {0}", folder));
  }
  return {};
}

Status Plan(const Context& context, const std::string& folder) {
  json files = TRY(ReadDirectory(folder));
  auto connection = TRY(context.Connect());
  Print(context, TRY(connection.Post("/api/v1/plan", {{"files", files}})));
  return {};
}

Status Apply(const Context& context, const std::string& folder, bool yes) {
  json files = TRY(ReadDirectory(folder));
  auto connection = TRY(context.Connect());
  json plan = TRY(connection.Post("/api/v1/plan", {{"files", files}}));
  if (Removes(plan.at("changes")) && !yes) TRY(Confirm(plan.at("changes"), "Apply this?"));
  // Removals that turned up after the question are refused by the server.
  json body = {{"files", files}, {"removals_allowed", yes || Removes(plan.at("changes"))}};
  Print(context, TRY(connection.Post("/api/v1/apply", body)));
  return {};
}

Status Destroy(const Context& context, const std::string& folder, bool yes, bool delete_data) {
  json files = TRY(ReadDirectory(folder));
  const std::string name = TRY(mesh::MeshName(files.at("mesh.yaml").get<std::string>()));
  auto connection = TRY(context.Connect());
  json body = {{"mesh", name}, {"delete_data", delete_data}, {"dry_run", true}};
  json plan = TRY(connection.Post("/api/v1/destroy", body));
  if (!plan.at("changes").empty() && !yes) {
    TRY(Confirm(plan.at("changes"), delete_data ? "Remove this and its data?" : "Remove this?"));
  }
  body["dry_run"] = false;
  Print(context, TRY(connection.Post("/api/v1/destroy", body)));
  return {};
}

}  // namespace weft::cli
