// SPDX-License-Identifier: Apache-2.0
// What there is to see: status, tail, contract show, table show, env.
#include <cstdio>

#include "base/units.h"
#include "cli/commands.h"

namespace weft::cli {

using nlohmann::json;

Result<Connection> Context::Connect() const {
  return Connection::Open(TRY(FindAccess(data_folder)));
}

Status ShowEnvironment(const Context& context) {
  auto client = TRY(ReadClientFile(DataFolderOf(context.data_folder)));
  if (client.endpoint.empty()) {
    return Fail(Code::kNotFound, "the server has not been ready yet");
  }
  const std::vector<std::pair<const char*, std::string>> variables = {
      {"AWS_ENDPOINT_URL", client.endpoint},        {"AWS_ACCESS_KEY_ID", client.key.access_key_id},
      {"AWS_SECRET_ACCESS_KEY", client.key.secret}, {"AWS_REGION", client.region},
      {"AWS_DEFAULT_REGION", client.region},
  };
  json object = json::object();
  std::string lines;
  for (const auto& [name, value] : variables) {
    object[name] = value;
    lines += fmt::format("export {}='{}'\n", name, value);
  }
  context.output.Result(context.output.json ? object.dump() : lines);
  return {};
}

Status ShowStatus(const Context& context) {
  auto connection = TRY(context.Connect());
  json products = TRY(connection.Get("/api/v1/products")).at("products");
  if (context.output.json) {
    context.output.Result(json{{"products", products}}.dump());
    return {};
  }
  TextTable table(
      {"product", "mesh", "account", "rows", "bytes", "lag", "last commit", "quarantine"});
  std::string errors;
  for (const auto& product : products) {
    table.Add({product.value("product", ""), product.value("mesh", ""),
               product.value("account", ""), std::to_string(product.value("rows", int64_t{0})),
               FormatSize(product.value("bytes", int64_t{0})),
               std::to_string(product.value("lag_records", int64_t{0})),
               product.at("last_commit").is_null() ? "-" : product.value("last_commit", ""),
               std::to_string(product.value("quarantined", int64_t{0}))});
    const std::string error = product.value("last_error", "");
    if (!error.empty())
      errors += fmt::format("{}: {}\n", product.value("product", ""), Printable(error));
  }
  if (products.empty()) {
    context.output.Note("no products; `weft init DIR` makes a mesh to start from");
    return {};
  }
  context.output.Result(table.Text() + errors);
  return {};
}

Status Tail(const Context& context, const TailOptions& options) {
  auto connection = TRY(context.Connect());
  std::string query = "from=" + Segment(options.from);
  if (!options.no_follow) query += "&follow=true";
  Bytes line;
  auto response =
      TRY(connection.Send({.method = "GET",
                           .path = "/api/v1/products/" + Segment(options.product) + "/records",
                           .query = query,
                           .content_type = "",
                           .accept = "",
                           .body = ""},
                          [&](BytesView piece) -> Status {
                            for (char c : piece) {
                              if (c != '\n') {
                                line += c;
                                continue;
                              }
                              if (!line.empty()) std::fprintf(stdout, "%s\n", line.c_str());
                              line.clear();
                            }
                            std::fflush(stdout);
                            if (std::ferror(stdout) != 0)
                              return Fail(Code::kUnavailable, "standard output is closed");
                            return {};
                          }));
  if (response.status >= 400) return Fail(ErrorOf(response));
  return {};
}

Status Flush(const Context& context, const std::string& product) {
  auto connection = TRY(context.Connect());
  json status =
      TRY(connection.Post("/api/v1/products/" + Segment(product) + "/deliver", json::object()));
  context.output.Result(context.output.json ? status.dump()
                                            : fmt::format("{}: {} rows in tables, {} behind",
                                                          product, status.value("rows", int64_t{0}),
                                                          status.value("lag_records", int64_t{0})));
  return {};
}

Status ShowContract(const Context& context, const std::string& product) {
  auto connection = TRY(context.Connect());
  auto response = TRY(connection.Send({.method = "GET",
                                       .path = "/api/v1/products/" + Segment(product) + "/contract",
                                       .query = "",
                                       .content_type = "",
                                       .accept = "",
                                       .body = ""}));
  if (response.status >= 400) return Fail(ErrorOf(response));
  if (context.output.json) {
    context.output.Result(json{{"product", product}, {"contract", response.body}}.dump());
  } else {
    std::fwrite(response.body.data(), 1, response.body.size(), stdout);
  }
  return {};
}

Status ShowTable(const Context& context, const std::string& table) {
  size_t dot = table.find('.');
  if (dot == std::string::npos) return Fail(Code::kInvalid, "usage: a table is named DB.TABLE");
  auto connection = TRY(context.Connect());
  json shown = TRY(connection.Get("/api/v1/tables/" + Segment(table.substr(0, dot)) + "/" +
                                  Segment(table.substr(dot + 1))));
  if (context.output.json) {
    context.output.Result(shown.dump());
    return {};
  }
  std::string partition;
  for (const auto& field : shown.at("partition")) {
    partition += (partition.empty() ? "" : ", ") + field.value("name", "");
  }
  std::string out = fmt::format(
      "table      {}\nmetadata   {}\nsnapshot   {}\nsnapshots  {}\nfiles      {}\nrows       "
      "{}\nbytes      {}\n"
      "partition  {}\n\n",
      shown.value("table", ""), shown.value("metadata_location", ""),
      shown.at("snapshot_id").is_null() ? "-" : shown.at("snapshot_id").dump(),
      shown.value("snapshots", 0), shown.value("files", int64_t{0}),
      shown.value("rows", int64_t{0}), FormatSize(shown.value("bytes", int64_t{0})),
      partition.empty() ? "-" : partition);
  TextTable columns({"column", "type", "required"});
  for (const auto& column : shown.at("columns")) {
    columns.Add({Printable(column.value("name", "")), column.value("type", ""),
                 column.value("required", false) ? "yes" : "no"});
  }
  context.output.Result(out + columns.Text());
  return {};
}

}  // namespace weft::cli
