// SPDX-License-Identifier: Apache-2.0
// Publishes signed requests over keep-alive connections and prints what it saw as one JSON object.
// All requests are made and signed before the first is sent.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <thread>

#include "base/clock.h"
#include "codec/hash.h"
#include "codec/sigv4.h"
#include "load_thread.h"
#include "sample_records.h"

namespace weft::bench {
namespace {

struct Options {
  int port = 0;
  std::string path = "/", key_id = "none", secret = "none", ndjson_file;
  int connections = 64, threads = 2;
  double seconds = 5, warm_up = 0.5, rate = 0;
  uint64_t records = 1, bodies = 4096, first_record = 0;
  uint64_t products = 1;
  bool once = false, tls = false;
};

std::string MakeRequest(const Options& options, uint64_t first) {
  const std::string body = MakeBody(first, options.records);
  std::string path = options.path;
  if (const size_t at = path.find("{}"); at != std::string::npos) {
    path.replace(at, 2, std::to_string(first / options.records % options.products));
  }
  codec::HeaderList headers = {{"host", fmt::format("127.0.0.1:{}", options.port)},
                               {"content-type", "application/json"}};
  codec::SignRequest(
      "POST", path, "", headers, codec::Sha256Hex(body),
      {.access_key_id = options.key_id, .secret = options.secret, .session_token = {}}, "us-east-1",
      "weft", SystemClock().Now());
  std::string request = fmt::format("POST {} HTTP/1.1\r\n", path);
  for (const auto& [name, value] : headers) request += fmt::format("{}: {}\r\n", name, value);
  request += fmt::format("content-length: {}\r\n\r\n", body.size());
  return request + body;
}

template <class Work>
void OnThreads(int threads, Work work) {
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) running.emplace_back(work, t);
  for (auto& thread : running) thread.join();
}

std::vector<std::string> MakeRequests(const Options& options) {
  std::vector<std::string> requests(options.bodies);
  OnThreads(options.threads, [&](int t) {
    for (auto i = static_cast<size_t>(t); i < requests.size();
         i += static_cast<size_t>(options.threads)) {
      requests[i] = MakeRequest(options, options.first_record + i * options.records);
    }
  });
  return requests;
}

bool WriteLines(const Options& options) {
  std::ofstream file(options.ndjson_file, std::ios::binary | std::ios::trunc);
  std::string lines;
  for (uint64_t i = 0; i < options.bodies * options.records; ++i) {
    AppendRecord(lines, options.first_record + i);
    lines += '\n';
    if (lines.size() < (size_t{4} << 20)) continue;
    file << lines;
    lines.clear();
  }
  file << lines;
  return static_cast<bool>(file.flush());
}

int64_t BodyBytes(const std::vector<std::string>& requests) {
  size_t bytes = 0;
  for (const auto& request : requests) bytes += request.size() - (request.find("\r\n\r\n") + 4);
  return static_cast<int64_t>(bytes);
}

double Microseconds(const std::vector<uint32_t>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<size_t>(part * static_cast<double>(sorted.size()));
  return sorted[std::min(at, sorted.size() - 1)] / 1e3;
}

std::string JsonText(const std::string& text) {
  std::string quoted;
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted;
}

int Run(const Options& options) {
  if (!options.ndjson_file.empty() && !WriteLines(options)) {
    fmt::print(stderr, "error: cannot write {}\n", options.ndjson_file);
    return 1;
  }
  LoadPlan plan;
  plan.port = options.port;
  plan.once = options.once;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls(nullptr, SSL_CTX_free);
  if (options.tls) {
    tls.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_mode(tls.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    plan.tls = tls.get();
  }
  plan.requests = MakeRequests(options);
  plan.requests_per_second = options.rate / options.threads;
  const int64_t body_bytes = BodyBytes(plan.requests);

  std::vector<std::unique_ptr<LoadThread>> threads;
  for (int t = 0; t < options.threads; ++t) {
    const int share =
        options.connections / options.threads + (t < options.connections % options.threads ? 1 : 0);
    threads.push_back(std::make_unique<LoadThread>(plan, share));
  }
  using std::chrono::duration;
  using std::chrono::duration_cast;
  using std::chrono::steady_clock;
  const auto start = steady_clock::now();
  const double began = static_cast<double>(SystemClock().Now().time_since_epoch().count()) / 1e6;
  plan.measure_from =
      start + duration_cast<steady_clock::duration>(duration<double>(options.warm_up));
  plan.measure_to =
      plan.measure_from + duration_cast<steady_clock::duration>(duration<double>(options.seconds));
  std::atomic<bool> reached{true};
  OnThreads(options.threads, [&](int t) {
    if (!threads[static_cast<size_t>(t)]->Run()) reached = false;
  });
  if (!reached) {
    fmt::print(stderr, "error: nobody takes connections on port {}\n", options.port);
    return 1;
  }
  const double elapsed =
      options.once ? duration<double>(steady_clock::now() - start).count() : options.seconds;

  int64_t requests = 0;
  std::vector<uint32_t> latencies;
  std::string failure;
  for (const auto& thread : threads) {
    requests += thread->requests;
    latencies.insert(latencies.end(), thread->latencies_ns.begin(), thread->latencies_ns.end());
    if (failure.empty()) failure = thread->first_failure;
  }
  std::sort(latencies.begin(), latencies.end());
  const double body_share =
      static_cast<double>(body_bytes) / static_cast<double>(plan.requests.size());
  fmt::print(
      R"({{"began": {:.6f}, "requests": {}, "failed": {}, "given_up": {}, "seconds": {:.4f}, "per_second": {:.1f}, )"
      R"("body_bytes": {:.0f}, "record_bytes": {:.1f}, "p50_us": {:.1f}, "p99_us": {:.1f}, )"
      R"("p999_us": {:.1f}, "max_us": {:.1f}, "first_failure": "{}"}})"
      "\n",
      began, requests, plan.failed.load(), plan.given_up.load(), elapsed,
      static_cast<double>(requests) / elapsed, static_cast<double>(requests) * body_share,
      body_share / static_cast<double>(options.records), Microseconds(latencies, 0.5),
      Microseconds(latencies, 0.99), Microseconds(latencies, 0.999), Microseconds(latencies, 1.0),
      JsonText(failure));
  return 0;
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  weft::bench::Options options;
  CLI::App app("Publishes signed requests and prints what it saw as JSON.");
  app.add_option("--port", options.port, "of the server, on 127.0.0.1")->required();
  app.add_option("--path", options.path, "where to POST; {} becomes the number of a product");
  app.add_option("--products", options.products, "numbered from 0")->check(CLI::PositiveNumber);
  app.add_flag("--tls", options.tls, "the server's certificate is not looked at");
  app.add_option("--key-id", options.key_id);
  app.add_option("--secret", options.secret);
  app.add_option("--connections", options.connections);
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 64));
  app.add_option("--seconds", options.seconds, "measured, after the warm-up");
  app.add_option("--warm-up", options.warm_up, "seconds that do not count");
  app.add_option("--rate", options.rate, "requests per second; 0: as fast as answers come");
  app.add_option("--records", options.records, "in each request")->check(CLI::PositiveNumber);
  app.add_option("--bodies", options.bodies, "different requests")->check(CLI::PositiveNumber);
  app.add_option("--first-record", options.first_record, "number of the first record");
  app.add_flag("--once", options.once, "send each request once and stop");
  app.add_option("--ndjson", options.ndjson_file, "also write the records to this file");
  CLI11_PARSE(app, argc, argv);
  options.threads = std::min(options.threads, options.connections);
  return weft::bench::Run(options);
}
