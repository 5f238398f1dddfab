// SPDX-License-Identifier: Apache-2.0
// How calls name streams, consumers and shards, and what there is by those names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/operation.h"
#include "aws/services.h"

namespace weft::aws::kinesis {

using StreamPtr = std::shared_ptr<const stream::StreamInfo>;

// arn:aws:kinesis:REGION:ACCOUNT:stream/NAME, or that and /consumer/NAME:EPOCH.
struct Arn {
  std::string region;
  AccountId account;
  std::string stream;
  std::string consumer;  // "" for a stream's
  int64_t epoch = 0;     // when the consumer was made, in seconds since 1970
};
std::optional<Arn> ParseArn(std::string_view text);
std::string StreamArn(const Services& use, const stream::StreamInfo& stream);
std::string ConsumerArn(const Services& use, const stream::StreamInfo& stream,
                        const stream::Consumer& consumer);

// What a call is about: the stream of StreamName or StreamARN; the consumer of ConsumerARN, or of
// StreamARN and ConsumerName; either, of ResourceARN; the account as a whole. They do not say
// whether it exists.
Outcome<Resource> StreamOf(const Call& call);
Outcome<Resource> ConsumerOf(const Call& call);
Outcome<Resource> ResourceOf(const Call& call);
Outcome<Resource> AccountOf(const Call& call);
Resource StreamResource(const Call& call, const AccountId& owner, const std::string& name);

// What the call's resource is, or ResourceNotFoundException. Weft's own streams do not exist here.
Outcome<StreamPtr> FindStream(const Call& call);
struct StreamConsumer {
  StreamPtr stream;
  stream::Consumer consumer;
};
Outcome<StreamConsumer> FindConsumer(const Call& call);
// A stream, or a consumer of it, as the ARN says.
struct StreamOrConsumer {
  StreamPtr stream;
  std::optional<stream::Consumer> consumer;
};
Outcome<StreamOrConsumer> FindResource(const Call& call);
Outcome<const stream::Shard*> FindShard(const stream::StreamInfo& stream, std::string_view name);

Fault NoSuchStream(const std::string& name, const AccountId& account);

// The caller must be allowed something else too.
Outcome<void> AlsoAuthorize(const Call& call, const char* action, const std::string& arn);

}  // namespace weft::aws::kinesis
