// SPDX-License-Identifier: Apache-2.0
#include "api/api.h"

#include <atomic>
#include <charconv>

#include "api/doors_internal.h"
#include "api/request_log.h"
#include "base/logging.h"
#include "codec/compression.h"
#include "codec/hash.h"
#include "codec/url.h"

namespace weft::api {

using nlohmann::json;

Doors::Doors(const Options& doors_options, const Dependencies& dependencies)
    : options(doors_options),
      use(dependencies),
      queries({.name = "queries",
               .threads = doors_options.query_threads,
               .queue_max = doors_options.query_queue_max}),
      followers({.name = "followers",
                 .threads = doors_options.follower_threads,
                 .queue_max = doors_options.follower_threads}),
      readers({.name = "readers", .threads = 2, .queue_max = 64}) {}

std::string Doors::ProductArn(const AccountId& account, const std::string& product) const {
  std::string arn;
  arn.reserve(64);
  arn.append("arn:aws:weft:").append(options.region).append(":").append(account.text());
  arn.append(":product/").append(product);
  return arn;
}

Result<std::shared_ptr<const ingest::Intake>> Doors::Reach(const identity::Principal& caller,
                                                           std::string_view action,
                                                           const std::string& product) const {
  auto intake = use.intakes.Find(product);
  if (!intake.ok() && intake.error().code() != Code::kNotFound) return Fail(intake.error());
  TRY(use.govern.Authorize(caller, action,
                           intake.ok() ? ProductArn((*intake)->account, (*intake)->product.text())
                                       : ProductArn(caller.account, product)));
  if (!intake.ok()) return Fail(Code::kNotFound, fmt::format("no such product: {}", product));
  return intake;
}

Status Doors::Require(const identity::Principal& caller, std::string_view action) const {
  return use.govern.Authorize(caller, action, "*");
}

Result<std::shared_ptr<const Bytes>> Doors::TakeBody(http::Request& request) const {
  auto how = TRY(codec::ParseContentEncoding(request.Header("content-encoding")));
  if (how == codec::Compression::kNone)
    return std::make_shared<const Bytes>(std::move(request.body));
  return std::make_shared<const Bytes>(
      TRY(codec::Decompress(how, request.body, options.body_bytes_max)));
}

json ErrorsToJson(const std::vector<ingest::RecordError>& errors) {
  json list = json::array();
  for (const auto& error : errors) {
    list.push_back({{"index", error.index}, {"field", error.field}, {"reason", error.reason}});
  }
  return list;
}

struct Api::State final : DoorTable {
  State(const Options& options, const Dependencies& dependencies) : doors(options, dependencies) {
    AddPublishDoors(*this);
    AddSqlDoors(*this);
    AddProductDoors(*this);
    AddQuarantineDoors(*this);
    AddMeshDoors(*this);
    AddIdentityDoors(*this);
  }

  void Add(const char* method, const char* pattern, SimpleDoor door) override {
    AddFree(method, pattern, [door](Doors& d, std::shared_ptr<Call> call, http::Reply reply) {
      auto answer = door(d, *call);
      reply.Send(answer.ok() ? JsonAnswer(*answer) : ErrorAnswer(answer.error(), call->request.id));
    });
  }

  void AddFree(const char* method, const char* pattern, Door door) override {
    router.Add(method, pattern,
               [this, door](http::Router::Parameters&& parameters, http::Request&& request,
                            http::Reply&& reply) {
                 Enter(door, std::move(parameters), std::move(request), std::move(reply));
               });
  }

  // Finds out who calls, then opens the door.
  void Enter(const Door& door, http::Router::Parameters&& parameters, http::Request&& request,
             http::Reply&& reply) {
    auto principal = doors.use.authenticator.Authenticate({.request = request.view(),
                                                           .body = request.body,
                                                           .secure = request.secure,
                                                           .service = "weft"});
    if (!principal.ok()) return reply.Send(ErrorAnswer(principal.error(), request.id));
    auto query = codec::ParseQuery(request.query);
    if (!query.ok()) return reply.Send(ErrorAnswer(query.error(), request.id));
    auto call = std::make_shared<Call>(std::move(request), std::move(parameters), std::move(*query),
                                       std::move(*principal));
    door(doors, std::move(call), std::move(reply));
  }

  void ServeMetrics(const http::Request& request, const http::Reply& reply) {
    const std::string& token = doors.options.metrics_token;
    const bool allowed =
        doors.options.metrics_open ||
        (!token.empty() &&
         codec::EqualInConstantTime(request.Header("authorization"), "Bearer " + token));
    if (!allowed) {
      return reply.Send(ErrorAnswer(
          Error(Code::kUnauthenticated, "/metrics takes the bearer token of metrics.token here"),
          request.id));
    }
    reply.Send({.status = 200,
                .headers = {{"Content-Type", "text/plain; version=0.0.4"}},
                .body = doors.use.metrics.Text()});
  }

  Doors doors;
  http::Router router;
  std::atomic<bool> open{false};
};

Api::Api(const Options& options, const Dependencies& dependencies)
    : state_(std::make_unique<State>(options, dependencies)) {}
Api::~Api() { Stop(); }

void Api::Stop() {
  state_->doors.queries.Stop();
  state_->doors.followers.Stop();
  state_->doors.readers.Stop();
}

http::BodyPlan Api::Plan(const http::Request& head) const {
  constexpr int64_t kSmallBody = 64 << 10;
  http::BodyPlan plan{.bytes_max = state_->doors.options.body_bytes_max,
                      .too_long_hint = kTooLongHint};
  // A small publish is checked on the thread that read it: a hop to another one costs more than the
  // check.
  const bool publish = head.method == "POST" &&
                       (head.path.starts_with("/sink_data") || head.path.ends_with("/records"));
  if (!publish) return plan;
  const std::string_view length = head.Header("content-length");
  int64_t octets = -1;
  std::from_chars(length.data(), length.data() + length.size(), octets);
  // One with a key may have to read what it was answered before.
  plan.quick = octets >= 0 && octets <= kSmallBody && head.Header("idempotency-key").empty();
  return plan;
}

void Api::Open() { state_->open = true; }

void Api::Handle(http::Request&& request, http::Reply&& plain_reply) {
  http::Reply reply = Logged(request, std::move(plain_reply), state_->doors.use.clock);
  const std::string_view method = request.method, path = request.path;
  if (!state_->open) {
    return reply.Send(ErrorAnswer(Error(Code::kUnavailable, "the server is starting"), request.id));
  }
  if (path == "/healthz" && method == "GET") {
    return reply.Send(JsonAnswer(json{{"status", "ok"}, {"version", WEFT_VERSION}}));
  }
  if (path == "/metrics" && method == "GET") return state_->ServeMetrics(request, reply);
  if ((path == "/sink_data/" || path == "/sink_data") && method == "POST") {
    return SinkData(state_->doors, std::move(request), std::move(reply));
  }
  auto match = state_->router.Find(method, path);
  if (match.handler != nullptr) {
    return (*match.handler)(std::move(match.parameters), std::move(request), std::move(reply));
  }
  // Whoever has no signature learns nothing of what paths there are.
  auto principal = state_->doors.use.authenticator.Authenticate(
      {.request = request.view(), .body = request.body, .secure = request.secure, .service = ""});
  if (!principal.ok()) return reply.Send(ErrorAnswer(principal.error(), request.id));
  if (!match.allowed.empty()) {
    http::Response response = ErrorAnswer(
        Error(Code::kInvalid, fmt::format("{} is not a method of {}", method, path)), request.id);
    response.status = 405;
    response.headers.emplace_back("Allow", fmt::format("{}", fmt::join(match.allowed, ", ")));
    return reply.Send(std::move(response));
  }
  if (!request.Header("x-amz-target").empty()) {
    return reply.Send(ErrorAnswer(
        Error(Code::kNotOffered,
              fmt::format("this AWS operation is not offered: {}", request.Header("x-amz-target"))),
        request.id));
  }
  reply.Send(
      ErrorAnswer(Error(Code::kNotFound, fmt::format("no such path: {}", path)), request.id));
}

}  // namespace weft::api
