// SPDX-License-Identifier: Apache-2.0
// One operation of an AWS service, as the front end calls it. What every operation has in common
// (protocol, signature, shape of the input, who may, error shapes, request ids) is done before and
// after; the file of an operation holds only what it does.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "aws/call_rates.h"
#include "aws/encoding.h"
#include "aws/fault.h"
#include "aws/model.h"
#include "http/message.h"
#include "identity/principal.h"

namespace weft::aws {

struct Services;  // services.h: the modules that operations call

// What policies are asked about, and whose it is.
struct Resource {
  std::string arn;
  AccountId owner;
};

// A call whose caller is known, who may make it, and whose input has the shape that the model asks
// for.
struct Call {
  const Services& use;
  nlohmann::json input;  // blobs are binary values; members that are null are left out
  identity::Principal caller;
  std::string request_id;
  Encoding encoding = Encoding::kJson;
  Resource resource;

  bool Has(const char* member) const { return input.contains(member); }
  // "", nothing and `otherwise` when it is absent.
  std::string Text(const char* member) const;
  std::optional<int64_t> Integer(const char* member) const;
  bool Boolean(const char* member, bool otherwise = false) const;
};

// The members of the output shape, or a fault.
using Answer = Outcome<nlohmann::json>;
using AnswerDone = std::function<void(Answer)>;

// Most operations answer at once, on a request thread, and may block for a disk or a lock.
using SimpleOperation = Answer (*)(const Call& call);
// Some answer in their own time, and never block: as soon as a write is durable, say.
using LateOperation = void (*)(std::shared_ptr<const Call> call, AnswerDone done);
// Some answer with events as long as they last. They take the reply, or fail before the first.
using StreamOperation = Outcome<void> (*)(const Call& call, const http::Reply& reply);

struct Operation {
  const char* name;
  // What the call is about: the caller must be allowed SERVICE:NAME on it.
  Outcome<Resource> (*resource)(const Call& call);
  std::variant<SimpleOperation, LateOperation, StreamOperation> run;
  CallRate rates[2] = {};
};

// A service as the front end serves it: its model, and the operations that are offered.
struct Service {
  const ServiceModel& model;
  std::span<const Operation> operations;
  const Operation* Find(std::string_view name) const;
};

}  // namespace weft::aws
