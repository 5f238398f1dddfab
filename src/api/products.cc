// SPDX-License-Identifier: Apache-2.0
// What there is: products with their state, contracts, tables, and the records as they come.
#include <algorithm>

#include "api/doors_internal.h"
#include "api/follow_internal.h"

namespace weft::api {
namespace {

using nlohmann::json;

constexpr int kReservedIdMax = 2;  // `_id` and `_arrival`, which come with any grant

json StatusToJson(const mesh::ProductStatus& status) {
  json tables = json::array();
  for (const auto& table : status.product.tables) tables.push_back(table.text());
  return {{"product", status.product.name.text()},
          {"mesh", status.product.mesh},
          {"account", status.product.account.text()},
          {"tables", tables},
          {"rows", status.rows},
          {"bytes", status.bytes},
          {"lag_records", status.lag_records},
          {"quarantined", status.quarantined},
          {"last_commit",
           status.last_commit ? json(FormatTimestamp(*status.last_commit)) : json(nullptr)},
          {"last_error", status.last_error}};
}

Result<json> ListProducts(Doors& doors, Call& call) {
  json list = json::array();
  for (const auto& product : doors.use.meshes.Products()) {
    // A product that the caller may not describe is left out, as if it were not there.
    if (!doors.Reach(call.principal, "weft:DescribeProduct", product.name.text()).ok()) continue;
    auto status = doors.use.meshes.StatusOf(product.name);
    if (!status.ok() && status.error().code() == Code::kNotFound) continue;  // removed meanwhile
    list.push_back(StatusToJson(TRY(std::move(status))));
  }
  return json{{"products", list}};
}

Result<json> ShowProduct(Doors& doors, Call& call) {
  auto intake = TRY(doors.Reach(call.principal, "weft:DescribeProduct", call.parameter("product")));
  return StatusToJson(TRY(doors.use.meshes.StatusOf(intake->product)));
}

Result<json> DeliverNow(Doors& doors, Call& call) {
  auto intake = TRY(doors.Reach(call.principal, "weft:DeliverNow", call.parameter("product")));
  TRY(doors.use.delivery.DeliverNow(intake->product));
  return StatusToJson(TRY(doors.use.meshes.StatusOf(intake->product)));
}

void ShowContract(Doors& doors, std::shared_ptr<Call> call, http::Reply reply) {
  auto show = [&]() -> Result<http::Response> {
    auto intake =
        TRY(doors.Reach(call->principal, "weft:DescribeProduct", call->parameter("product")));
    auto current = TRY(doors.use.contracts.FindCurrent(intake->product));
    return http::Response{.headers = {{"Content-Type", "application/yaml"},
                                      {"x-weft-contract-version", std::to_string(current.version)}},
                          .body = current.contract->text};
  };
  auto answer = show();
  reply.Send(answer.ok() ? std::move(*answer) : ErrorAnswer(answer.error(), call->request.id));
}

Result<json> ShowTable(Doors& doors, Call& call) {
  TRY(doors.Require(call.principal, "weft:Query"));
  catalog::TableName name{call.parameter("database"), call.parameter("table")};
  auto view = TRY(doors.use.query.Describe(call.principal, name));
  const auto& metadata = *view.version.metadata;
  json columns = json::array();
  for (const auto& field : view.columns) {
    columns.push_back({{"name", field.name},
                       {"type", iceberg::TypeText(field.type)},
                       {"required", field.required},
                       {"id", field.id}});
  }
  json partition = json::array();
  for (const auto& field : metadata.spec().fields) {
    // A column that is not granted does not exist, by way of the partition either.
    const bool told =
        std::any_of(view.columns.begin(), view.columns.end(),
                    [&](const auto& column) { return column.id == field.source_id; }) ||
        field.source_id <= kReservedIdMax;
    if (!told) continue;
    partition.push_back({{"name", field.name}, {"transform", field.transform_text}});
  }
  json positions = json::object();
  for (const auto& [shard, offset] : view.state.positions)
    positions[std::to_string(shard)] = offset;
  json answer = {{"table", name.text()},
                 {"account", view.state.table.account.text()},
                 {"location", metadata.location},
                 {"metadata_location", view.version.metadata_location},
                 {"columns", columns},
                 {"partition", partition},
                 {"positions", positions},
                 {"snapshot_id", nullptr},
                 {"snapshots", metadata.snapshots.size()},
                 {"files", 0},
                 {"rows", 0},
                 {"bytes", 0}};
  if (const auto* snapshot = metadata.snapshot()) {
    auto counter = [&](const char* key) {
      auto found = snapshot->summary.find(key);
      return found == snapshot->summary.end() ? int64_t{0} : std::atoll(found->second.c_str());
    };
    answer["snapshot_id"] = snapshot->snapshot_id;
    answer["committed"] = FormatTimestamp(snapshot->time);
    answer["files"] = counter("total-data-files");
    answer["rows"] = counter("total-records");
    answer["bytes"] = counter("total-files-size");
  }
  return answer;
}

// Whoever follows for days is asked again and again: a disabled key or a right withdrawn ends it.
Status StillMay(const Doors& doors, const Call& call) {
  TRY(doors.use.directory.FindCredential(call.principal.access_key_id));
  TRY(doors.Reach(call.principal, "weft:GetRecords", call.parameter("product")));
  return {};
}

Status Follow(Doors& doors, const Call& call, Following& at, http::BodyWriter& writer) {
  for (;;) {
    Bytes lines;
    const bool more = TRY(at.Next(lines));
    if (!lines.empty()) TRY(writer.Write(lines));
    if (!more) {
      if (!at.follow()) return writer.Finish();
      TRY(at.Wait(milliseconds(1'000)));
      // An empty line tells a client that is gone from one that waits.
      TRY(writer.Write("\n"));
    }
    TRY(StillMay(doors, call));
  }
}

Result<Following> Open(const Doors& doors, const Call& call) {
  auto intake = TRY(doors.Reach(call.principal, "weft:GetRecords", call.parameter("product")));
  return Following::Open(doors.use.streams, intake->stream, call.option("from"),
                         call.option("follow") == "true", doors.use.clock.Now());
}

void ReadRecords(Doors& doors, std::shared_ptr<Call> call, http::Reply reply) {
  auto opened = Open(doors, *call);
  if (!opened.ok()) return reply.Send(ErrorAnswer(opened.error(), call->request.id));
  auto refuse = [&] {
    reply.Send(ErrorAnswer(Error(Code::kUnavailable, "too many readers follow; try again later"),
                           call->request.id));
  };
  // Those who follow never leave by themselves: each has a thread or is refused. The others take
  // turns.
  const bool follow = opened->follow();
  if (follow && ++doors.following > doors.options.follower_threads) {
    --doors.following;
    return refuse();
  }
  auto serve = [&doors, call, reply, follow, at = std::make_shared<Following>(std::move(*opened))] {
    auto writer = reply.Stream({.headers = {{"Content-Type", "application/x-ndjson"}}});
    if (!Follow(doors, *call, *at, *writer).ok()) writer->Abort();
    if (follow) --doors.following;
  };
  if ((follow ? doors.followers : doors.readers).Submit(serve)) return;
  if (follow) --doors.following;
  refuse();
}

}  // namespace

void AddProductDoors(DoorTable& table) {
  table.Add("GET", "/api/v1/products", ListProducts);
  table.Add("GET", "/api/v1/products/{product}", ShowProduct);
  table.Add("POST", "/api/v1/products/{product}/deliver", DeliverNow);
  table.AddFree("GET", "/api/v1/products/{product}/contract", ShowContract);
  table.AddFree("GET", "/api/v1/products/{product}/records", ReadRecords);
  table.Add("GET", "/api/v1/tables/{database}/{table}", ShowTable);
}

}  // namespace weft::api
