// SPDX-License-Identifier: Apache-2.0
// POST /api/v1/sql: a statement in, rows out as they come.
#include "api/doors_internal.h"

namespace weft::api {
namespace {

using nlohmann::json;

struct Format {
  engine::ResultFormat format = engine::ResultFormat::kNdjson;
  const char* content_type = "application/x-ndjson";
};

Result<Format> ParseAccept(std::string_view accept) {
  // The first of the client's types that is offered counts; weights do not.
  while (!accept.empty()) {
    size_t comma = accept.find(',');
    std::string_view item = accept.substr(0, comma);
    accept = comma == std::string_view::npos ? "" : accept.substr(comma + 1);
    item = item.substr(0, item.find(';'));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (item == "*/*" || item == "application/*" || item == "application/x-ndjson") return Format{};
    if (item == "application/json") return Format{engine::ResultFormat::kJson, "application/json"};
    if (item == "text/csv" || item == "text/*")
      return Format{engine::ResultFormat::kCsv, "text/csv"};
    if (comma == std::string_view::npos) {
      return Fail(Code::kInvalid,
                  "Accept names none of application/x-ndjson, application/json and text/csv");
    }
  }
  return Format{};
}

Result<int64_t> NumberOption(const json& body, const char* name) {
  auto member = body.find(name);
  if (member == body.end() || member->is_null()) return 0;
  if (!member->is_number_integer() || member->get<int64_t>() < 0) {
    return Fail(Code::kInvalid, fmt::format("'{}' is not a whole number", name));
  }
  return member->get<int64_t>();
}

// Starts the answer with the first rows, so that a statement that fails before them gets a status
// of its own.
class AnswerSink final : public engine::ResultSink {
 public:
  AnswerSink(http::Reply reply, Format format) : reply_(std::move(reply)), format_(format) {}

  Status Begin(const std::vector<engine::ResultColumn>&) override { return {}; }

  Status Write(BytesView text, int64_t) override {
    if (!writer_) writer_ = reply_.Stream(Head());
    return writer_->Write(text);
  }

  void Finish() {
    if (!writer_) return reply_.Send(Head());
    // A client that left before the end has nobody to tell.
    (void)writer_->Finish().ok();
  }

  // The answer's own error, or when rows have gone out, a line that says so and no proper end.
  void Fail(const Error& error, const std::string& request_id) {
    http::Response answer = ErrorAnswer(error, request_id);
    if (!writer_) {
      // Past its time or memory a statement has failed for good: sending it again would not help.
      if (error.code() == Code::kThrottled) answer.status = 400;
      return reply_.Send(std::move(answer));
    }
    (void)writer_->Write("\n{\"error\":" + answer.body + "}\n").ok();
    writer_->Abort();
  }

 private:
  http::Response Head() const { return {.headers = {{"Content-Type", format_.content_type}}}; }

  http::Reply reply_;
  const Format format_;
  std::unique_ptr<http::BodyWriter> writer_;
};

struct Statement {
  std::string sql;
  query::QueryOptions options;
  Format format;
};

Result<Statement> ReadStatement(Doors& doors, Call& call) {
  TRY(doors.Require(call.principal, "weft:Query"));
  auto body = TRY(doors.TakeBody(call.request));
  json parsed = TRY(ParseObject(*body));
  for (const auto& [name, value] : parsed.items()) {
    if (name != "sql" && name != "rows_max" && name != "time_max_ms" && name != "database") {
      return Fail(Code::kInvalid,
                  fmt::format("unknown member '{}' (sql, rows_max, time_max_ms, database)", name));
    }
  }
  // Bound before the braces: what an aggregate holds already is not destroyed when TRY leaves it.
  std::string sql = TRY(TextMember(parsed, "sql"));
  const Format format = TRY(ParseAccept(call.request.Header("accept")));
  Statement statement{.sql = std::move(sql), .options = {}, .format = format};
  if (statement.sql.empty()) return Fail(Code::kInvalid, "'sql' is missing");
  statement.options.format = statement.format.format;
  statement.options.rows_max = TRY(NumberOption(parsed, "rows_max"));
  statement.options.default_database = TRY(TextMember(parsed, "database"));
  statement.options.time_max = doors.options.query_time_max;
  const int64_t asked_ms = TRY(NumberOption(parsed, "time_max_ms"));
  if (asked_ms > doors.options.query_time_max.count()) {
    return Fail(Code::kInvalid, fmt::format("'time_max_ms' is past this server's limit of {} ms",
                                            doors.options.query_time_max.count()));
  }
  if (asked_ms > 0) statement.options.time_max = milliseconds(asked_ms);
  statement.options.memory_bytes_max = doors.options.query_memory_bytes_max;
  return statement;
}

void RunSql(Doors& doors, std::shared_ptr<Call> call, http::Reply reply) {
  const std::string id = call->request.id;
  auto statement = ReadStatement(doors, *call);
  if (!statement.ok()) return reply.Send(ErrorAnswer(statement.error(), id));
  // Statements wait and run on threads of their own: publishing never waits behind them. The wait
  // counts.
  const microseconds began = doors.use.clock.Elapsed();
  bool taken = doors.queries.Submit([&doors, call, reply, id, began,
                                     statement = std::move(*statement)]() mutable {
    const auto waited = std::chrono::duration_cast<milliseconds>(doors.use.clock.Elapsed() - began);
    if (waited >= statement.options.time_max) {
      const Error late(Code::kUnavailable,
                       "other statements took all of this one's time; try again later");
      return reply.Send(ErrorAnswer(late, id));
    }
    statement.options.time_max -= waited;
    AnswerSink sink(reply, statement.format);
    auto done = doors.use.query.Run(call->principal, statement.sql, statement.options, sink);
    if (done.ok()) {
      sink.Finish();
    } else {
      sink.Fail(done.error(), id);
    }
  });
  if (!taken) {
    reply.Send(
        ErrorAnswer(Error(Code::kUnavailable, "too many statements wait; try again later"), id));
  }
}

}  // namespace

void AddSqlDoors(DoorTable& table) { table.AddFree("POST", "/api/v1/sql", RunSql); }

}  // namespace weft::api
