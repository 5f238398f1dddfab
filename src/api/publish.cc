// SPDX-License-Identifier: Apache-2.0
// The doors for records: POST /api/v1/products/{product}/records and POST /sink_data/.
#include <fmt/format.h>

#include <algorithm>

#include "api/doors_internal.h"
#include "api/sink_body.h"
#include "codec/compression.h"
#include "codec/records.h"

namespace weft::api {
namespace {

using nlohmann::json;

// The answer of nearly all requests, written without a document in between: the journal's one
// thread makes it.
http::Response AllTaken(const ingest::Outcome& outcome) {
  http::Response response;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body.reserve(128);
  response.body.append(R"({"accepted":)").append(fmt::format_int(outcome.accepted).c_str());
  response.body.append(R"(,"errors":[],"errors_total":0,"id":")").append(outcome.id);
  response.body.append(R"(","quarantined":0})");
  return response;
}

http::Response Published(const ingest::Outcome& outcome, const std::string& request_id) {
  if (outcome.errors_total == 0) return AllTaken(outcome);
  json answer = {{"accepted", outcome.accepted},
                 {"quarantined", outcome.quarantined},
                 {"id", outcome.id},
                 {"errors", ErrorsToJson(outcome.errors)},
                 {"errors_total", outcome.errors_total}};
  if (outcome.refused) {
    answer["code"] = CodeName(Code::kInvalid);
    answer["message"] = "a record does not match the contract; nothing was stored";
    answer["request_id"] = request_id;
  }
  return JsonAnswer(answer, outcome.refused ? 400 : 200);
}

// A repeat within 24 h under the same key answers as the first did and stores nothing.
Result<std::string> IdempotencyKey(const http::Request& request) {
  constexpr size_t kBytesMax = 255;
  std::string key(request.Header("idempotency-key"));
  const bool printable =
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (key.size() > kBytesMax || !printable) {
    return Fail(Code::kInvalid,
                fmt::format("an Idempotency-Key has 1 to {} printable ASCII characters "
                            "and no blanks",
                            kBytesMax));
  }
  return key;
}

void PutRecords(Doors& doors, std::shared_ptr<Call> call, http::Reply reply) {
  const auto refuse = [&](const Error& error) { reply.Send(ErrorAnswer(error, call->request.id)); };
  auto intake = doors.Reach(call->principal, "weft:PutRecords", call->parameter("product"));
  if (!intake.ok()) return refuse(intake.error());
  auto format = codec::ParseRecordContentType(call->request.Header("content-type"));
  if (!format.ok()) return refuse(format.error());
  auto key = IdempotencyKey(call->request);
  if (!key.ok()) return refuse(key.error());
  auto body = doors.TakeBody(call->request);
  if (!body.ok()) return refuse(body.error());
  ingest::Submission submission{.intake = std::move(*intake),
                                .object = call->option("schema"),
                                .format = *format,
                                .body = *body,
                                .records = **body,
                                .idempotency_key = std::move(*key)};
  doors.use.ingest.Accept(
      std::move(submission), [reply = std::move(reply), id = std::move(call->request.id)](
                                 const Result<ingest::Outcome>& outcome) {
        reply.Send(outcome.ok() ? Published(*outcome, id) : ErrorAnswer(outcome.error(), id));
      });
}

constexpr const char* kBodyFormat =
    R"(The body format should be: {"schema": "schema name", "data": [{"column name": "column value"}]})";
constexpr const char* kNoSchema = "The specified schema does not exist for this endpoint";
constexpr const char* kMismatch = "The data does not match the schema provided";

http::Response SinkFailure(const char* message, const json& errors, const std::string& request_id) {
  return JsonAnswer({{"success", false},
                     {"message", message},
                     {"errors", errors},
                     {"code", CodeName(Code::kInvalid)},
                     {"request_id", request_id}},
                    400);
}

json OneError(const std::string& reason) {
  return json::array({{{"index", nullptr}, {"field", ""}, {"reason", reason}}});
}

void AnswerSink(const http::Reply& reply, const std::string& id,
                const Result<ingest::Outcome>& outcome) {
  if (!outcome.ok()) {
    if (outcome.error().code() != Code::kInvalid)
      return reply.Send(ErrorAnswer(outcome.error(), id));
    return reply.Send(SinkFailure(kMismatch, OneError(outcome.error().message()), id));
  }
  if (outcome->refused)
    return reply.Send(SinkFailure(kMismatch, ErrorsToJson(outcome->errors), id));
  json answer = {{"success", true},
                 {"message", "success"},
                 {"accepted", outcome->accepted},
                 {"quarantined", outcome->quarantined},
                 {"id", outcome->id}};
  if (outcome->errors_total > 0) {
    answer["errors"] = ErrorsToJson(outcome->errors);
    answer["errors_total"] = outcome->errors_total;
  }
  reply.Send(JsonAnswer(answer));
}

// What `schema` names: a product; a table, as OBJECT, PRODUCT.OBJECT or DATABASE.TABLE; `a-b` and
// `a_b` alike. A name that fits the tables of several products is nobody's.
struct SinkTarget {
  std::shared_ptr<const ingest::Intake> intake;
  std::string object;
};

std::string Underscored(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Result<SinkTarget> FindTarget(const Doors& doors, const std::string& schema) {
  auto intake = doors.use.intakes.Find(schema);
  if (intake.ok()) return SinkTarget{*intake, ""};
  const std::string wanted = Underscored(schema);
  std::vector<tail::Feed> found;
  for (const auto& feed : doors.use.feeds.All()) {
    const std::string object = Underscored(feed.object);
    const auto table = doors.use.catalog.FindById(feed.table_id);
    if (object == wanted || Underscored(feed.product.text()) + "." + object == wanted ||
        (table.ok() && table->table.name.text() == wanted)) {
      found.push_back(feed);
    }
  }
  if (found.empty()) return Fail(Code::kNotFound, "no product or table named " + schema);
  if (found.size() > 1) {
    return Fail(Code::kNotFound,
                fmt::format("several tables are named {}: write PRODUCT.{}", schema, schema));
  }
  auto target = TRY(doors.use.intakes.Find(found.front().product.text()));
  return SinkTarget{std::move(target), found.front().object};
}

}  // namespace

void SinkData(Doors& doors, http::Request request, http::Reply reply) {
  const std::string id = request.id;
  auto principal = doors.use.authenticator.Authenticate({.request = request.view(),
                                                         .body = request.body,
                                                         .secure = request.secure,
                                                         .service = "execute-api"});
  if (!principal.ok()) return reply.Send(ErrorAnswer(principal.error(), id));
  auto body = doors.TakeBody(request);
  if (!body.ok() && codec::UnpackedTooLarge(body.error())) {
    return reply.Send(ErrorAnswer(body.error(), id));
  }
  auto sink = body.ok() ? ReadSinkBody(**body) : Result<SinkBody>(Fail(body.error()));
  auto target =
      sink.ok() ? FindTarget(doors, sink->schema) : Result<SinkTarget>(Fail(sink.error()));

  const AccountId account = target.ok() ? target->intake->account : principal->account;
  auto allowed =
      doors.use.govern.Authorize(*principal, "execute-api:Invoke",
                                 fmt::format("arn:aws:execute-api:{}:{}:weft/main/POST/sink_data/",
                                             doors.options.region, account.text()));
  if (!allowed.ok()) return reply.Send(ErrorAnswer(allowed.error(), id));
  if (!sink.ok()) return reply.Send(SinkFailure(kBodyFormat, OneError(sink.error().message()), id));
  if (!target.ok()) {
    return reply.Send(SinkFailure(kNoSchema, OneError(target.error().message()), id));
  }
  auto key = IdempotencyKey(request);
  if (!key.ok()) return reply.Send(ErrorAnswer(key.error(), id));
  ingest::Submission submission{.intake = std::move(target->intake),
                                .object = std::move(target->object),
                                .format = codec::RecordFormat::kJson,
                                .body = *body,
                                .records = sink->data,
                                .idempotency_key = std::move(*key)};
  doors.use.ingest.Accept(std::move(submission), [reply, id](Result<ingest::Outcome> outcome) {
    AnswerSink(reply, id, outcome);
  });
}

void AddPublishDoors(DoorTable& table) {
  table.AddFree("POST", "/api/v1/products/{product}/records", PutRecords);
}

}  // namespace weft::api
