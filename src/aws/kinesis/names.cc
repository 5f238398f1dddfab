// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/names.h"

#include <charconv>

namespace weft::aws::kinesis {
namespace {

constexpr const char* kInvalid = "InvalidArgumentException";

std::string ArnText(const Services& use, const AccountId& account, std::string_view name) {
  return fmt::format("arn:aws:kinesis:{}:{}:stream/{}", use.region, account.text(), name);
}

Outcome<void> RefuseStreamId(const Call& call) {
  if (!call.Has("StreamId")) return {};
  return Refuse(kInvalid, "StreamId is not offered: name the stream by StreamName or StreamARN.");
}

Outcome<Arn> ReadArn(const Call& call, const char* member) {
  auto arn = ParseArn(call.Text(member));
  if (!arn) {
    return Refuse(kInvalid, fmt::format("{} is not the ARN of a Kinesis stream or consumer: {}",
                                        member, call.Text(member)));
  }
  if (arn->region != call.use.region) {
    return Refuse("ResourceNotFoundException", fmt::format("{} is of another region than {}.",
                                                           call.Text(member), call.use.region));
  }
  return std::move(*arn);
}

Fault NoSuchConsumer(const Arn& arn) {
  return {"ResourceNotFoundException",
          fmt::format("Consumer {} of stream {} under account {} not found.", arn.consumer,
                      arn.stream, arn.account.text())};
}

int64_t EpochOf(const stream::Consumer& consumer) {
  return std::chrono::floor<seconds>(consumer.created.time_since_epoch()).count();
}

}  // namespace

std::optional<Arn> ParseArn(std::string_view text) {
  std::string_view parts[6];
  for (int i = 0; i < 5; ++i) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    parts[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (parts[0] != "arn" || parts[1] != "aws" || parts[2] != "kinesis") return std::nullopt;
  constexpr std::string_view kStream = "stream/", kConsumer = "/consumer/";
  if (!text.starts_with(kStream)) return std::nullopt;
  text.remove_prefix(kStream.size());
  Arn arn{.region = std::string(parts[3]),
          .account = AccountId(std::string(parts[4])),
          .stream = {},
          .consumer = {}};
  const size_t slash = text.find('/');
  arn.stream = text.substr(0, slash);
  if (arn.stream.empty()) return std::nullopt;
  if (slash == std::string_view::npos) return arn;
  text.remove_prefix(slash);
  if (!text.starts_with(kConsumer)) return std::nullopt;
  text.remove_prefix(kConsumer.size());
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  arn.consumer = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), arn.epoch);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return arn;
}

std::string StreamArn(const Services& use, const stream::StreamInfo& stream) {
  return ArnText(use, stream.account, stream.short_name);
}

std::string ConsumerArn(const Services& use, const stream::StreamInfo& stream,
                        const stream::Consumer& consumer) {
  return fmt::format("{}/consumer/{}:{}", StreamArn(use, stream), consumer.name, EpochOf(consumer));
}

Resource StreamResource(const Call& call, const AccountId& owner, const std::string& name) {
  return {.arn = ArnText(call.use, owner, name), .owner = owner};
}

Outcome<Resource> StreamOf(const Call& call) {
  TRY(RefuseStreamId(call));
  const std::string name = call.Text("StreamName");
  if (!call.Has("StreamARN")) {
    if (name.empty()) return Refuse(kInvalid, "Either StreamName or StreamARN must be given.");
    return StreamResource(call, call.caller.account, name);
  }
  const Arn arn = TRY(ReadArn(call, "StreamARN"));
  if (!arn.consumer.empty()) {
    return Refuse(kInvalid,
                  fmt::format("StreamARN is that of a consumer: {}", call.Text("StreamARN")));
  }
  if (!name.empty() && name != arn.stream) {
    return Refuse(kInvalid, fmt::format("StreamName {} and StreamARN {} name different streams.",
                                        name, call.Text("StreamARN")));
  }
  return StreamResource(call, arn.account, arn.stream);
}

Outcome<Resource> ConsumerOf(const Call& call) {
  TRY(RefuseStreamId(call));
  const std::string name = call.Text("ConsumerName");
  if (call.Has("ConsumerARN")) {
    const Arn arn = TRY(ReadArn(call, "ConsumerARN"));
    if (arn.consumer.empty()) return Refuse(kInvalid, "ConsumerARN is not that of a consumer.");
    const Resource stream = StreamResource(call, arn.account, arn.stream);
    if ((!name.empty() && name != arn.consumer) ||
        (call.Has("StreamARN") && call.Text("StreamARN") != stream.arn)) {
      return Refuse(kInvalid,
                    "ConsumerARN names another consumer than StreamARN and ConsumerName do.");
    }
    return Resource{.arn = call.Text("ConsumerARN"), .owner = arn.account};
  }
  if (!call.Has("StreamARN") || name.empty()) {
    return Refuse(kInvalid, "Either ConsumerARN, or StreamARN and ConsumerName must be given.");
  }
  const Arn arn = TRY(ReadArn(call, "StreamARN"));
  auto found = call.use.consumers.Find(stream::NameOf(arn.account, arn.stream), name);
  // One that does not exist is judged by its name: whoever may not know learns nothing.
  return Resource{
      .arn = fmt::format("{}/consumer/{}:{}", StreamResource(call, arn.account, arn.stream).arn,
                         name, found.ok() ? EpochOf(*found) : 0),
      .owner = arn.account};
}

Outcome<Resource> ResourceOf(const Call& call) {
  TRY(RefuseStreamId(call));
  const Arn arn = TRY(ReadArn(call, "ResourceARN"));
  return Resource{.arn = call.Text("ResourceARN"), .owner = arn.account};
}

Outcome<Resource> AccountOf(const Call& call) {
  return Resource{.arn = "*", .owner = call.caller.account};
}

Fault NoSuchStream(const std::string& name, const AccountId& account) {
  return {"ResourceNotFoundException",
          fmt::format("Stream {} under account {} not found.", name, account.text())};
}

Outcome<StreamPtr> FindStream(const Call& call) {
  const auto arn = ParseArn(call.resource.arn);
  if (!arn) return Refuse(kInvalid, "not the ARN of a stream: " + call.resource.arn);
  auto found = call.use.streams.Find(stream::NameOf(arn->account, arn->stream));
  if (!found.ok() && found.error().code() != Code::kNotFound) return Fail(found.error());
  if (!found.ok() || (*found)->use == stream::Use::kInternal)
    return Fail(NoSuchStream(arn->stream, arn->account));
  return std::move(*found);
}

Outcome<StreamOrConsumer> FindResource(const Call& call) {
  StreamOrConsumer out;
  out.stream = TRY(FindStream(call));
  const auto arn = ParseArn(call.resource.arn);
  if (arn->consumer.empty()) return out;
  auto found = call.use.consumers.Find(out.stream->name, arn->consumer);
  if (!found.ok() && found.error().code() != Code::kNotFound) return Fail(found.error());
  if (!found.ok() || EpochOf(*found) != arn->epoch) return Fail(NoSuchConsumer(*arn));
  out.consumer = std::move(*found);
  return out;
}

Outcome<StreamConsumer> FindConsumer(const Call& call) {
  StreamOrConsumer found = TRY(FindResource(call));
  return StreamConsumer{std::move(found.stream), std::move(*found.consumer)};
}

Outcome<const stream::Shard*> FindShard(const stream::StreamInfo& stream, std::string_view name) {
  const auto number = stream::ParseShardName(name);
  const stream::Shard* shard = number ? stream.FindShard(*number) : nullptr;
  if (shard != nullptr) return shard;
  return Refuse("ResourceNotFoundException",
                fmt::format("Could not find shard {} in stream {} under account {}.", name,
                            stream.short_name, stream.account.text()));
}

Outcome<void> AlsoAuthorize(const Call& call, const char* action, const std::string& arn) {
  TRY(call.use.govern.AuthorizeOn(call.caller, action, arn, call.resource.owner));
  return {};
}

}  // namespace weft::aws::kinesis
