// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"
#include "codec/sigv4.h"
#include "http/client.h"

namespace weft::cli {

// Where the server is and as whom to call it: from AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, … where
// set, else from the data folder's client.json.
struct Access {
  std::string endpoint, region;
  codec::SigningKey key;
};
// `data_folder` "" means WEFT_DATA, else ./weft-data.
Result<Access> FindAccess(const std::string& data_folder);
std::string DataFolderOf(const std::string& flag);
// What client.json of the folder says; kNotFound when no server has run there.
Result<Access> ReadClientFile(const std::string& data_folder);

// A signed client of /api/v1. An answer of 400 or more is a failure with the server's own text.
class Connection {
 public:
  static Result<Connection> Open(const Access& access);

  Result<nlohmann::json> Get(const std::string& path, const std::string& query = "");
  Result<nlohmann::json> Post(const std::string& path, const nlohmann::json& body);
  Result<nlohmann::json> Call(const std::string& method, const std::string& path,
                              const nlohmann::json& body);

  struct Sent {
    std::string method, path, query, content_type, accept;
    std::string idempotency_key = {};
    Bytes body;
  };
  // The answer as it is, whatever its status; with `on_body` a good answer's body goes there piece
  // by piece.
  Result<http::Response> Send(Sent sent, const std::function<Status(BytesView)>& on_body = nullptr);

 private:
  Result<nlohmann::json> Ask(Sent sent);  // the answer's JSON, or the failure it tells of
  Connection(Access access, std::unique_ptr<http::Client> client)
      : access_(std::move(access)), client_(std::move(client)) {}
  Access access_;
  std::unique_ptr<http::Client> client_;
};

// The failure that an answer tells of.
Error ErrorOf(const http::Response& response);
// One segment of a path.
std::string Segment(const std::string& text);

}  // namespace weft::cli
