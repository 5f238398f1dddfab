// SPDX-License-Identifier: Apache-2.0
#include "cli/connection.h"

#include <cstdlib>

#include "base/clock.h"
#include "base/disk.h"
#include "codec/hash.h"
#include "codec/url.h"

namespace weft::cli {
namespace {

using nlohmann::json;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string HostOf(const std::string& endpoint) {
  size_t start = endpoint.find("://");
  start = start == std::string::npos ? 0 : start + 3;
  return endpoint.substr(start, endpoint.find('/', start) - start);
}

}  // namespace

std::string DataFolderOf(const std::string& flag) {
  if (!flag.empty()) return flag;
  std::string variable = Variable("WEFT_DATA");
  return variable.empty() ? "./weft-data" : variable;
}

Result<Access> ReadClientFile(const std::string& data_folder) {
  const std::string file = data_folder + "/client.json";
  auto text = ReadFile(SystemDisk(), file);
  if (!text.ok() && text.error().code() == Code::kNotFound) {
    return Fail(Code::kNotFound,
                fmt::format("no server has run with the data folder {}", data_folder));
  }
  if (!text.ok()) return Fail(text.error());
  json client = json::parse(*text, nullptr, false);
  if (!client.is_object()) return Fail(Code::kCorrupt, file + " is not JSON");
  return Access{.endpoint = client.value("endpoint", ""),
                .region = client.value("region", "us-east-1"),
                .key = {.access_key_id = client.value("access_key_id", ""),
                        .secret = client.value("secret_access_key", ""),
                        .session_token = ""}};
}

Result<Access> FindAccess(const std::string& data_folder) {
  Access access{.endpoint = Variable("AWS_ENDPOINT_URL"),
                .region = Variable("AWS_REGION"),
                .key = {.access_key_id = Variable("AWS_ACCESS_KEY_ID"),
                        .secret = Variable("AWS_SECRET_ACCESS_KEY"),
                        .session_token = Variable("AWS_SESSION_TOKEN")}};
  const bool has_key = !access.key.access_key_id.empty() && !access.key.secret.empty();
  if (access.endpoint.empty() || !has_key) {
    auto client = ReadClientFile(DataFolderOf(data_folder));
    if (!client.ok()) {
      return Fail(
          client.error().code(),
          client.error().message() +
              "\nfix: start one with `weft serve`, or set AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and "
              "AWS_SECRET_ACCESS_KEY");
    }
    if (access.endpoint.empty()) access.endpoint = client->endpoint;
    if (!has_key) access.key = client->key;
    if (access.region.empty()) access.region = client->region;
  }
  if (access.region.empty()) access.region = "us-east-1";
  if (access.key.access_key_id.empty()) {
    return Fail(
        Code::kNotFound,
        "the data folder knows no access key\nfix: stop the server, then `weft admin reset-key`");
  }
  while (access.endpoint.ends_with('/')) access.endpoint.pop_back();
  if (access.endpoint.empty()) {
    return Fail(Code::kNotFound,
                "the data folder knows no address: the server has not been ready yet");
  }
  return access;
}

Result<Connection> Connection::Open(const Access& access) {
  http::Client::Options options;
  options.endpoint = access.endpoint;
  options.ca_file = Variable("AWS_CA_BUNDLE");
  // A statement may think for as long as the server lets it.
  options.stall_time_max = seconds(3'700);
  return Connection(access, TRY(http::Client::Open(options)));
}

Result<http::Response> Connection::Send(Sent sent,
                                        const std::function<Status(BytesView)>& on_body) {
  http::Request request;
  request.method = sent.method;
  request.path = sent.path;
  request.query = sent.query;
  request.headers.emplace_back("host", HostOf(access_.endpoint));
  if (!sent.content_type.empty()) request.headers.emplace_back("content-type", sent.content_type);
  if (!sent.accept.empty()) request.headers.emplace_back("accept", sent.accept);
  if (!sent.idempotency_key.empty()) {
    request.headers.emplace_back("idempotency-key", sent.idempotency_key);
  }
  request.body = std::move(sent.body);
  codec::SignRequest(request.method, request.path, request.query, request.headers,
                     codec::Sha256Hex(request.body), access_.key, access_.region, "weft",
                     SystemClock().Now());
  Bytes failed_body;
  http::Client::OnBody take;
  if (on_body) {
    take = [&](const http::Response& head, BytesView piece) -> Status {
      if (head.status < 400) return on_body(piece);
      failed_body += piece;
      return {};
    };
  }
  auto response = client_->Send(request, take);
  if (!response.ok()) {
    return Fail(response.error().code(), fmt::format("{}\nfix: is the server at {} running?",
                                                     response.error().message(), access_.endpoint));
  }
  if (on_body && response->status >= 400) response->body = std::move(failed_body);
  return response;
}

Result<json> Connection::Ask(Sent sent) {
  auto response = TRY(Send(std::move(sent)));
  if (response.status >= 400) return Fail(ErrorOf(response));
  json parsed = json::parse(response.body, nullptr, false);
  if (parsed.is_discarded()) return Fail(Code::kInternal, "the server's answer is not JSON");
  return parsed;
}

Result<json> Connection::Call(const std::string& method, const std::string& path,
                              const json& body) {
  Sent sent{
      .method = method, .path = path, .query = "", .content_type = "", .accept = "", .body = ""};
  if (!body.is_null()) {
    sent.content_type = "application/json";
    sent.body = body.dump();
  }
  return Ask(std::move(sent));
}

Result<json> Connection::Get(const std::string& path, const std::string& query) {
  return Ask({.method = "GET",
              .path = path,
              .query = query,
              .content_type = "",
              .accept = "",
              .body = ""});
}

Result<json> Connection::Post(const std::string& path, const json& body) {
  return Call("POST", path, body);
}

Error ErrorOf(const http::Response& response) {
  Code code = Code::kInternal;
  std::string message = fmt::format("the server answered {}", response.status);
  json body = json::parse(response.body, nullptr, false);
  if (body.is_object() && body.contains("message") && body["message"].is_string()) {
    message = body["message"].get<std::string>();
    const std::string name = body.value("code", "");
    for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
      if (CodeName(static_cast<Code>(i)) == name) code = static_cast<Code>(i);
    }
    const std::string id = body.value("request_id", "");
    if (code == Code::kInternal && !id.empty()) message += fmt::format(" (request {})", id);
  }
  return Error(code, message);
}

std::string Segment(const std::string& text) { return codec::PercentEncode(text); }

}  // namespace weft::cli
