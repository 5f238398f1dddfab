// SPDX-License-Identifier: Apache-2.0
// What the doors of this module share: who calls, what they may, and where answers go.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "api/answer.h"
#include "api/api.h"
#include "http/router.h"

namespace weft::api {

// A signed request of /api/v1 whose caller is known.
struct Call {
  Call(http::Request&& signed_request, http::Router::Parameters&& of_path,
       std::map<std::string, std::string>&& of_query, identity::Principal&& caller)
      : request(std::move(signed_request)),
        parameters(std::move(of_path)),
        query(std::move(of_query)),
        principal(std::move(caller)) {}

  http::Request request;
  http::Router::Parameters parameters;  // of the path
  std::map<std::string, std::string> query;
  identity::Principal principal;

  const std::string& parameter(const char* name) const { return parameters.at(name); }
  std::string option(const char* name) const {
    auto found = query.find(name);
    return found == query.end() ? "" : found->second;
  }
};

class Doors {
 public:
  Doors(const Options& options, const Dependencies& dependencies);

  const Options options;
  const Dependencies use;
  Pool queries;
  Pool followers, readers;        // of streams: to the end of time, and to the last record
  std::atomic<int> following{0};  // threads of `followers` that are taken

  // "arn:aws:weft:REGION:ACCOUNT:product/NAME".
  std::string ProductArn(const AccountId& account, const std::string& product) const;
  // The right to do `action` on a product that exists; where it does not, on one of that name in
  // the caller's account, and then kNotFound.
  Result<std::shared_ptr<const ingest::Intake>> Reach(const identity::Principal& caller,
                                                      std::string_view action,
                                                      const std::string& product) const;
  // The right to do `action` on everything.
  Status Require(const identity::Principal& caller, std::string_view action) const;
  // The body, unpacked by its Content-Encoding; empties `request.body`.
  Result<std::shared_ptr<const Bytes>> TakeBody(http::Request& request) const;
};

// A door that answers at once, with a JSON body.
using SimpleDoor = std::function<Result<nlohmann::json>(Doors&, Call&)>;
// A door that answers in its own time or form.
using Door = std::function<void(Doors&, std::shared_ptr<Call>, http::Reply)>;

class DoorTable {
 public:
  virtual ~DoorTable() = default;
  virtual void Add(const char* method, const char* pattern, SimpleDoor door) = 0;
  virtual void AddFree(const char* method, const char* pattern, Door door) = 0;
};

void AddPublishDoors(DoorTable& table);
void AddSqlDoors(DoorTable& table);
void AddProductDoors(DoorTable& table);
void AddQuarantineDoors(DoorTable& table);
void AddMeshDoors(DoorTable& table);
void AddIdentityDoors(DoorTable& table);

// POST /sink_data/: has a signature, a body and answers of its own.
void SinkData(Doors& doors, http::Request request, http::Reply reply);

nlohmann::json ErrorsToJson(const std::vector<ingest::RecordError>& errors);

}  // namespace weft::api
