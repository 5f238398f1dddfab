// SPDX-License-Identifier: Apache-2.0
#include "base/disk.h"
#include "cli/commands.h"
#include "codec/hash.h"

namespace weft::cli {
namespace {

using nlohmann::json;

std::string PathOf(const std::string& product) {
  return "/api/v1/products/" + Segment(product) + "/quarantine";
}

std::string Reasons(const json& errors) {
  std::string out;
  for (const auto& error : errors) {
    if (!out.empty()) out += "; ";
    const std::string field = error.value("field", "");
    out += Printable(field.empty() ? error.value("reason", "")
                                   : field + " " + error.value("reason", ""));
  }
  return out;
}

}  // namespace

Status ListQuarantine(const Context& context, const std::string& product) {
  auto connection = TRY(context.Connect());
  json all = json::array();
  std::string query;
  for (;;) {
    json page = TRY(connection.Get(PathOf(product), query));
    for (auto& record : page.at("records")) all.push_back(std::move(record));
    if (page.at("next").is_null()) break;
    query = "after=" + Segment(page.at("next").get<std::string>());
  }
  if (context.output.json) {
    context.output.Result(all.dump());
    return {};
  }
  for (const auto& record : all) {
    context.output.Result(fmt::format("{}  {}  {}", record.value("id", ""),
                                      record.value("arrival", ""), Reasons(record.at("errors"))));
  }
  if (all.empty()) context.output.Note("no records in quarantine");
  return {};
}

Status ShowQuarantined(const Context& context, const std::string& product, const std::string& id) {
  auto connection = TRY(context.Connect());
  json record = TRY(connection.Get(PathOf(product) + "/" + Segment(id)));
  if (context.output.json) {
    context.output.Result(record.dump());
    return {};
  }
  std::string out = fmt::format("id       {}\narrived  {}\nschema   {}\nformat   {}\n",
                                record.value("id", ""), record.value("arrival", ""),
                                Printable(record.value("schema", "")), record.value("format", ""));
  for (const auto& error : record.at("errors")) {
    out += fmt::format("wrong    {} {}\n", Printable(error.value("field", "")),
                       Printable(error.value("reason", "")));
  }
  const Bytes original = TRY(codec::Base64Decode(record.value("original_base64", "")));
  context.output.Result(out + "record   " + Printable(original));
  return {};
}

Status RedriveQuarantine(const Context& context, const std::string& product,
                         const std::vector<std::string>& ids, const std::string& replacement_file) {
  json body = {{"ids", ids}};
  if (!replacement_file.empty()) {
    if (ids.size() != 1) return Fail(Code::kInvalid, "usage: --with takes exactly one ID");
    body["replacement"] = TRY(ReadFile(SystemDisk(), replacement_file));
  }
  auto connection = TRY(context.Connect());
  json answer = TRY(connection.Post(PathOf(product) + "/redrive", body));
  if (context.output.json) {
    context.output.Result(answer.dump());
    return {};
  }
  context.output.Result(fmt::format("accepted {}, still bad {}", answer.value("accepted", 0),
                                    answer.value("still_bad", 0)));
  for (const auto& record : answer.at("failures")) {
    context.output.Note(
        fmt::format("{}  {}", record.value("id", ""), Reasons(record.at("errors"))));
  }
  return {};
}

Status DropQuarantined(const Context& context, const std::string& product,
                       const std::vector<std::string>& ids) {
  auto connection = TRY(context.Connect());
  json answer = TRY(connection.Post(PathOf(product) + "/drop", {{"ids", ids}}));
  context.output.Result(
      context.output.json ? answer.dump() : fmt::format("dropped {}", answer.value("dropped", 0)));
  return {};
}

}  // namespace weft::cli
