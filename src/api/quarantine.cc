// SPDX-License-Identifier: Apache-2.0
// A product's quarantine: list, look, send again, drop.
#include <algorithm>
#include <charconv>

#include "api/doors_internal.h"
#include "codec/hash.h"

namespace weft::api {
namespace {

using nlohmann::json;

std::string_view FormatName(codec::RecordFormat format) {
  switch (format) {
    case codec::RecordFormat::kJson:
      return "json";
    case codec::RecordFormat::kNdjson:
      return "ndjson";
    case codec::RecordFormat::kCsv:
      return "csv";
  }
  return "json";
}

json RecordToJson(const ingest::QuarantinedRecord& record, bool whole) {
  json out = {{"id", record.id},
              {"arrival", FormatTimestamp(record.arrival)},
              {"schema", record.object},
              {"format", FormatName(record.format)},
              {"bytes", record.original.size()},
              {"errors", ErrorsToJson(record.errors)}};
  if (whole) {
    // The very bytes, which need not be text.
    out["original_base64"] = codec::Base64Encode(record.original);
  }
  return out;
}

Result<json> ListQuarantine(Doors& doors, Call& call) {
  auto intake = TRY(doors.Reach(call.principal, "weft:ReadQuarantine", call.parameter("product")));
  constexpr int kPage = 1000;
  auto records = TRY(doors.use.quarantine.List(*intake, call.option("after"), kPage));
  json list = json::array();
  for (const auto& record : records) list.push_back(RecordToJson(record, false));
  json answer = {{"records", list}, {"total", TRY(doors.use.quarantine.Count(*intake))}};
  answer["next"] = records.size() == kPage ? json(records.back().id) : json(nullptr);
  return answer;
}

Result<json> ShowQuarantined(Doors& doors, Call& call) {
  auto intake = TRY(doors.Reach(call.principal, "weft:ReadQuarantine", call.parameter("product")));
  return RecordToJson(TRY(doors.use.quarantine.Find(*intake, call.parameter("id"))), true);
}

Result<std::vector<std::string>> IdsOf(const json& body) {
  std::vector<std::string> ids;
  auto member = body.find("ids");
  if (member == body.end() || member->is_null()) return ids;
  if (!member->is_array()) return Fail(Code::kInvalid, "'ids' is not a list");
  for (const auto& id : *member) {
    if (!id.is_string()) return Fail(Code::kInvalid, "'ids' holds something that is not text");
    ids.push_back(id.get<std::string>());
  }
  return ids;
}

Result<json> Redrive(Doors& doors, Call& call) {
  auto intake =
      TRY(doors.Reach(call.principal, "weft:RedriveQuarantine", call.parameter("product")));
  json body = TRY(ParseObject(*TRY(doors.TakeBody(call.request))));
  auto ids = TRY(IdsOf(body));
  std::optional<Bytes> replacement;
  if (body.contains("replacement")) {
    if (ids.size() != 1)
      return Fail(Code::kInvalid, "'replacement' stands for exactly one of 'ids'");
    replacement = TRY(TextMember(body, "replacement"));
  }
  auto redriven =
      TRY(doors.use.quarantine.Redrive(*intake, ids, replacement ? &*replacement : nullptr));
  json failures = json::array();
  for (const auto& record : redriven.failures) failures.push_back(RecordToJson(record, false));
  return json{
      {"accepted", redriven.accepted}, {"still_bad", redriven.still_bad}, {"failures", failures}};
}

Result<json> Drop(Doors& doors, Call& call) {
  auto intake =
      TRY(doors.Reach(call.principal, "weft:RedriveQuarantine", call.parameter("product")));
  auto ids = TRY(IdsOf(TRY(ParseObject(*TRY(doors.TakeBody(call.request))))));
  if (ids.empty()) return Fail(Code::kInvalid, "'ids' is missing");
  return json{{"dropped", TRY(doors.use.quarantine.Drop(*intake, ids))}};
}

}  // namespace

void AddQuarantineDoors(DoorTable& table) {
  table.Add("GET", "/api/v1/products/{product}/quarantine", ListQuarantine);
  table.Add("GET", "/api/v1/products/{product}/quarantine/{id}", ShowQuarantined);
  table.Add("POST", "/api/v1/products/{product}/quarantine/redrive", Redrive);
  table.Add("POST", "/api/v1/products/{product}/quarantine/drop", Drop);
}

}  // namespace weft::api
