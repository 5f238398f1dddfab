// SPDX-License-Identifier: Apache-2.0
// What Weft's server is compared with: the same HTTP server, where the handler does no work
// (--mode answer), or reads every value of the body's JSON and does nothing with it (--mode parse).
#include <fmt/format.h>
#include <simdjson.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "http/server.h"

namespace weft::bench {
namespace {

namespace ondemand = simdjson::ondemand;

struct Seen {
  int64_t values = 0;
  size_t text_bytes = 0;
  double sum = 0;
};

void ReadEvery(ondemand::value value, Seen& seen) {
  ++seen.values;
  switch (value.type()) {
    case ondemand::json_type::array:
      for (auto item : value.get_array()) ReadEvery(item.value(), seen);
      break;
    case ondemand::json_type::object:
      for (auto field : value.get_object()) {
        seen.text_bytes += std::string_view(field.unescaped_key()).size();
        ReadEvery(field.value(), seen);
      }
      break;
    case ondemand::json_type::string:
      seen.text_bytes += std::string_view(value.get_string()).size();
      break;
    case ondemand::json_type::number:
      seen.sum += double(value.get_double());
      break;
    case ondemand::json_type::boolean:
      seen.sum += bool(value.get_bool()) ? 1 : 0;
      break;
    case ondemand::json_type::null:
      break;
  }
}

http::Response Parse(const http::Request& request) {
  thread_local ondemand::parser parser;
  Seen seen;
  // The server promises 64 bytes of capacity behind a body, which is simdjson's padding.
  static_assert(simdjson::SIMDJSON_PADDING <= 64);
  try {
    auto document = parser.iterate(request.body.data(), request.body.size(),
                                   request.body.size() + simdjson::SIMDJSON_PADDING);
    ondemand::value root = document.get_value();
    ReadEvery(root, seen);
  } catch (const simdjson::simdjson_error& error) {
    return {.status = 400, .headers = {}, .body = error.what()};
  }
  return {.status = 200,
          .headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"values":{},"text_bytes":{},"sum":{}}})", seen.values,
                              seen.text_bytes, seen.sum)};
}

http::Response Answer() {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json"}},
          .body = R"({"accepted":1,"errors":[],"errors_total":0,"quarantined":0})"};
}

int Serve(bool parse, bool quick, http::Server::Options options) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Metrics metrics;
  options.port = 0;
  options.plan = [quick](const http::Request&) { return http::BodyPlan{.quick = quick}; };
  auto handler = [parse](http::Request request, http::Reply reply) {
    reply.Send(parse ? Parse(request) : Answer());
  };
  auto server = http::Server::Open(std::move(options), handler, SystemRandom(), metrics);
  if (!server.ok()) {
    fmt::print(stderr, "error: {}\n", server.error().message());
    return 1;
  }
  fmt::print("ready at http://127.0.0.1:{}\n", (*server)->port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->Stop(seconds(1));
  return 0;
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  std::string mode = "answer";
  bool quick = false;
  weft::http::Server::Options options;
  CLI::App app("The HTTP server that Weft's is compared with.");
  app.add_option("--mode", mode)->check(CLI::IsMember({"answer", "parse"}));
  app.add_flag("--quick", quick, "handle requests on the threads that read them");
  app.add_option("--io-threads", options.io_threads);
  app.add_option("--request-threads", options.request_threads);
  app.add_option("--certificate", options.certificate_file,
                 "PEM; with --key every connection is TLS");
  app.add_option("--key", options.key_file);
  CLI11_PARSE(app, argc, argv);
  return weft::bench::Serve(mode == "parse", quick, std::move(options));
}
