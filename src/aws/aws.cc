// SPDX-License-Identifier: Apache-2.0
#include "aws/aws.h"

#include <algorithm>
#include <charconv>

#include "aws/call_rates.h"
#include "aws/encoding.h"
#include "aws/kinesis/operations.h"
#include "aws/kinesis/subscriptions.h"
#include "aws/operation.h"
#include "aws/services.h"
#include "aws/sign_in.h"
#include "base/logging.h"
#include "codec/hash.h"

namespace weft::aws {
namespace {

using nlohmann::json;

// 500 records in base64 and their keys: AWS's 10 MiB of a request, as JSON writes them.
constexpr int64_t kBodyMax = int64_t{16} << 20;
constexpr int64_t kSmallBody = 64 << 10;

std::vector<Service> OfferedServices() { return {{KinesisModel(), kinesis::Operations()}}; }

// The type without parameters; nothing for one that is not AWS's.
std::optional<Encoding> EncodingOf(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  if (content_type == ContentTypeOf(Encoding::kJson) || content_type == "application/json")
    return Encoding::kJson;
  if (content_type == ContentTypeOf(Encoding::kCbor)) return Encoding::kCbor;
  return std::nullopt;
}

// How the scope of a signature names the offered services: "/kinesis", or with the slash as a query
// has it. Made once: every request of the server is asked.
std::vector<std::string> ScopeEnds(std::string_view slash) {
  std::vector<std::string> made;
  for (const Service& service : OfferedServices()) {
    made.push_back(fmt::format("{}{}", slash, service.model.signing_name));
  }
  return made;
}

// Whether the scope of the signature in `text` ends in one of those.
bool NamesOffered(std::string_view text, const std::vector<std::string>& ends,
                  std::string_view terminator) {
  const size_t at = text.find(terminator);
  if (at == std::string_view::npos) return false;
  return std::any_of(ends.begin(), ends.end(),
                     [&](const std::string& end) { return text.substr(0, at).ends_with(end); });
}

}  // namespace

bool IsAwsRequest(const http::Request& head) {
  if (head.method == "POST" && head.path == "/") {
    if (!head.Header("x-amz-target").empty()) return true;
    const std::string_view type = head.Header("content-type");
    if (type.starts_with("application/x-amz-")) return true;
  }
  if (head.method == "OPTIONS" && head.path == "/" && !head.Header("origin").empty()) return true;
  static const std::vector<std::string> in_header = ScopeEnds("/"), in_query = ScopeEnds("%2F");
  return NamesOffered(head.Header("authorization"), in_header, "/aws4_request") ||
         NamesOffered(head.query, in_query, "%2Faws4_request");
}

struct Aws::State {
  State(const Options& options, const Dependencies& dependencies)
      : authenticator(dependencies.authenticator),
        random(dependencies.random),
        metrics(dependencies.metrics),
        subscriptions({.time_max = options.subscription_time_max,
                       .heartbeat_interval = options.heartbeat_interval},
                      dependencies.streams, dependencies.consumers, dependencies.clock),
        use{.region = options.region,
            .shards_max = options.shards_max,
            .on_demand_streams_max = options.on_demand_streams_max,
            .database = dependencies.database,
            .govern = dependencies.govern,
            .streams = dependencies.streams,
            .consumers = dependencies.consumers,
            .ingest = dependencies.ingest,
            .clock = dependencies.clock,
            .metrics = dependencies.metrics,
            .tokens = Tokens(options.master_key, dependencies.clock, dependencies.random),
            .subscriptions = subscriptions},
        services(OfferedServices()),
        rates(options.call_rates, dependencies.clock) {}

  const identity::Authenticator& authenticator;
  Random& random;
  Metrics& metrics;
  kinesis::Subscriptions subscriptions;
  const Services use;
  const std::vector<Service> services;
  CallRates rates;
};

namespace {

// One request on its way through: what its answer needs to know of it.
struct Exchange {
  std::string request_id, extended_id;
  bool has_origin = false;
  std::string asked_headers, asked_method;  // of a preflight
  Encoding encoding = Encoding::kCbor;
  http::Reply reply;

  http::HeaderList Headers() const {
    http::HeaderList headers{{"x-amzn-RequestId", request_id}, {"x-amz-id-2", extended_id}};
    if (!has_origin) return headers;
    headers.emplace_back("Access-Control-Allow-Origin", "*");
    if (asked_headers.empty() && asked_method.empty()) {
      headers.emplace_back("Access-Control-Expose-Headers",
                           "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,"
                           "x-amzn-ErrorMessage,Date");
      return headers;
    }
    headers.emplace_back("Access-Control-Max-Age", "172800");
    if (!asked_headers.empty()) headers.emplace_back("Access-Control-Allow-Headers", asked_headers);
    if (!asked_method.empty()) headers.emplace_back("Access-Control-Allow-Methods", asked_method);
    return headers;
  }

  void Refuse(const Fault& fault) const {
    http::Response response{.status = fault.status, .headers = Headers()};
    response.headers.emplace_back("Content-Type", ContentTypeOf(encoding));
    response.headers.emplace_back("x-amzn-ErrorType", fault.type);
    if (fault.status == 503) response.headers.emplace_back("Retry-After", "1");
    response.body = WriteFault(fault, encoding);
    reply.Send(std::move(response));
  }

  void Answer(Bytes body) const {
    http::Response response{.status = 200, .headers = Headers(), .body = std::move(body)};
    response.headers.emplace_back("Content-Type", ContentTypeOf(encoding));
    reply.Send(std::move(response));
  }

  // What is not a POST to / has no protocol of ours: AWS answers in XML.
  void RefuseAsXml(const Fault& fault) const {
    http::Response response{.status = 403, .headers = Headers()};
    response.headers.emplace_back("Content-Type", "application/xml");
    response.headers.emplace_back("x-amzn-ErrorType", fault.type);
    std::string text;
    for (const char c : fault.message) {
      text += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
    }
    response.body = fmt::format("<{0}>\n  <Message>{1}</Message>\n</{0}>\n", fault.type, text);
    reply.Send(std::move(response));
  }
};

// A reply that puts the ids on an answer which an operation streams.
class NamedSink final : public http::Reply::Sink {
 public:
  explicit NamedSink(std::shared_ptr<const Exchange> exchange) : exchange_(std::move(exchange)) {}
  void Send(http::Response&& response) override {
    exchange_->reply.Send(Named(std::move(response)));
  }
  std::unique_ptr<http::BodyWriter> Stream(http::Response head) override {
    return exchange_->reply.Stream(Named(std::move(head)));
  }

 private:
  http::Response Named(http::Response response) const {
    for (const auto& header : exchange_->Headers()) response.headers.push_back(header);
    return response;
  }
  const std::shared_ptr<const Exchange> exchange_;
};

struct Target {
  const Service* service = nullptr;
  const OperationShapes* shapes = nullptr;
};

// "Kinesis_20131202.PutRecord".
Outcome<Target> FindTarget(const std::vector<Service>& services, std::string_view target) {
  const size_t dot = target.rfind('.');
  if (dot != std::string_view::npos) {
    for (const Service& service : services) {
      if (target.substr(0, dot) != service.model.target_prefix) continue;
      const OperationShapes* shapes = service.model.Find(target.substr(dot + 1));
      if (shapes == nullptr) return Refuse("UnknownOperationException", "");
      return Target{&service, shapes};
    }
    return Refuse("UnknownOperationException",
                  fmt::format("this AWS operation is not offered: {}", target));
  }
  return Refuse("UnknownOperationException", "");
}

template <class... F>
struct Cases : F... {
  using F::operator()...;
};
template <class... F>
Cases(F...) -> Cases<F...>;

void Run(const Operation& operation, const ServiceModel& model, int16_t output,
         std::shared_ptr<const Call> call, CallRates& rates,
         const std::shared_ptr<const Exchange>& exchange) {
  auto answer = [exchange, &model, output](const Answer& outcome) {
    if (!outcome.ok()) return exchange->Refuse(outcome.error());
    exchange->Answer(WriteOutput(model, output, exchange->encoding, *outcome));
  };
  std::visit(Cases{
                 [&](SimpleOperation run) {
                   const Answer outcome = run(*call);
                   if (!outcome.ok()) rates.Failed(operation, *call);
                   answer(outcome);
                 },
                 [&](LateOperation run) { run(std::move(call), answer); },
                 [&](StreamOperation run) {
                   const http::Reply reply(std::make_shared<NamedSink>(exchange));
                   auto taken = run(*call, reply);
                   if (!taken.ok()) exchange->Refuse(taken.error());
                 },
             },
             operation.run);
}

// Everything between the head of a POST and its operation; fails with what the client is told.
Outcome<void> Serve(const Services& use, const std::vector<Service>& services, CallRates& rates,
                    const identity::Authenticator& authenticator, const http::Request& request,
                    bool known_type, const std::shared_ptr<const Exchange>& exchange) {
  if (!known_type) return Refuse("UnknownOperationException", "");
  const Target target = TRY(FindTarget(services, request.Header("x-amz-target")));
  const ServiceModel& model = target.service->model;
  identity::Principal caller = TRY(SignIn(authenticator, request, model.signing_name));
  auto call = std::make_shared<Call>(Call{.use = use,
                                          .input = {},
                                          .caller = std::move(caller),
                                          .request_id = request.id,
                                          .encoding = exchange->encoding,
                                          .resource = {}});
  const Operation* operation = target.service->Find(target.shapes->name);
  if (operation == nullptr) {
    return Refuse(
        "UnsupportedOperationException",
        fmt::format("{} of {} is not offered by Weft", target.shapes->name, model.full_name));
  }
  call->input = TRY(ReadInput(model, target.shapes->input, exchange->encoding, request.body));
  call->resource = TRY(operation->resource(*call));
  TRY(use.govern.AuthorizeOn(call->caller,
                             fmt::format("{}:{}", model.signing_name, operation->name),
                             call->resource.arn, call->resource.owner));
  TRY(rates.Admit(*operation, *call));
  Run(*operation, model, target.shapes->output, std::move(call), rates, exchange);
  return {};
}

}  // namespace

Aws::Aws(const Options& options, const Dependencies& dependencies)
    : state_(std::make_unique<State>(options, dependencies)) {}
Aws::~Aws() { Stop(); }

void Aws::Stop() { state_->subscriptions.Stop(); }

http::BodyPlan Aws::Plan(const http::Request& head) const {
  http::BodyPlan plan{.bytes_max = kBodyMax};
  // Puts never block, and a hop to another thread costs more than taking a small one apart.
  const std::string_view length = head.Header("content-length");
  int64_t octets = -1;
  std::from_chars(length.data(), length.data() + length.size(), octets);
  plan.quick = octets >= 0 && octets <= kSmallBody &&
               head.Header("x-amz-target").find(".PutRecord") != std::string_view::npos;
  return plan;
}

void Aws::Handle(http::Request&& request, http::Reply&& reply) {
  const std::string_view type = request.Header("content-type");
  const auto encoding = EncodingOf(type);
  auto exchange = std::make_shared<Exchange>(
      Exchange{.request_id = request.id,
               .extended_id = codec::Base64Encode(state_->random.NextBytes(64)),
               .has_origin = !request.Header("origin").empty(),
               .asked_headers = {},
               .asked_method = {},
               .encoding = encoding.value_or(Encoding::kCbor),
               .reply = std::move(reply)});
  if (request.method == "OPTIONS" && exchange->has_origin) {
    exchange->asked_headers = request.Header("access-control-request-headers");
    exchange->asked_method = request.Header("access-control-request-method");
    return exchange->reply.Send({.status = 200, .headers = exchange->Headers(), .body = {}});
  }
  if (request.method != "POST" || request.path != "/" || type.empty()) {
    auto caller = SignIn(state_->authenticator, request, "");
    if (!caller.ok()) return exchange->RefuseAsXml(caller.error());
    return exchange->RefuseAsXml(
        {"AccessDeniedException", "Unable to determine service/operation name to be authorized"});
  }
  auto served = Serve(state_->use, state_->services, state_->rates, state_->authenticator, request,
                      encoding.has_value(), exchange);
  if (!served.ok()) exchange->Refuse(served.error());
}

}  // namespace weft::aws
