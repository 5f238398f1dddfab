// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/listing.h"
#include "aws/kinesis/operations.h"
#include "aws/kinesis/shards.h"

namespace weft::aws::kinesis {

namespace {

using nlohmann::json;

constexpr const char* kPage = "kinesis list shards";
constexpr int64_t kResultsMax = 1'000;

// Which shards are wanted, and from where on.
struct Wanted {
  std::string type = "FROM_TRIM_HORIZON";
  Timestamp time;
  int after = -1;
};

bool Includes(const Wanted& wanted, const stream::StreamInfo& stream, const stream::Shard& shard,
              Timestamp horizon) {
  if (shard.number <= wanted.after) return false;
  if (wanted.type == "AT_LATEST") return !shard.closed;
  // The stream's oldest shards were open when its oldest records came.
  const Timestamp begin = std::max(horizon, stream.created);
  const Timestamp opened = shard.parent ? shard.opened : stream.created;
  const Timestamp time = wanted.type == "AT_TRIM_HORIZON" ? begin : std::max(wanted.time, begin);
  if (wanted.type == "AT_TRIM_HORIZON" || wanted.type == "AT_TIMESTAMP")
    return opened <= time && (!shard.closed || *shard.closed >= time);
  if (wanted.type == "FROM_TIMESTAMP") return !shard.closed || *shard.closed >= time;
  return true;
}

Outcome<Wanted> WantedBy(const Call& call, const stream::StreamInfo& stream) {
  Wanted wanted;
  if (call.Has("ExclusiveStartShardId")) {
    wanted.after = TRY(FindShard(stream, call.Text("ExclusiveStartShardId")))->number;
  }
  const auto filter = call.input.find("ShardFilter");
  if (filter == call.input.end()) return wanted;
  wanted.type = filter->at("Type").get<std::string>();
  const bool by_shard = wanted.type == "AFTER_SHARD_ID";
  const bool by_time = wanted.type == "AT_TIMESTAMP" || wanted.type == "FROM_TIMESTAMP";
  if (by_shard != filter->contains("ShardId")) {
    return Refuse("InvalidArgumentException",
                  "ShardId of ShardFilter is for the type AFTER_SHARD_ID, which needs it.");
  }
  if (by_time != filter->contains("Timestamp")) {
    return Refuse("InvalidArgumentException",
                  "Timestamp of ShardFilter is for the types AT_TIMESTAMP and FROM_TIMESTAMP, "
                  "which need it.");
  }
  if (by_shard) {
    const auto& after = filter->at("ShardId").get_ref<const std::string&>();
    wanted.after = std::max(wanted.after, TRY(FindShard(stream, after))->number);
  }
  if (by_time) {
    wanted.time = TimeOf(filter->at("Timestamp"));
    if (wanted.time > call.use.clock.Now()) {
      return Refuse("InvalidArgumentException", "Timestamp of ShardFilter lies in the future.");
    }
  }
  return wanted;
}

}  // namespace

Outcome<Resource> StreamOfShardList(const Call& call) {
  if (!call.Has("NextToken")) return StreamOf(call);
  for (const char* other :
       {"StreamName", "StreamCreationTimestamp", "ExclusiveStartShardId", "ShardFilter"}) {
    if (!call.Has(other)) continue;
    return Refuse("InvalidArgumentException",
                  fmt::format("NextToken and {} cannot be provided together.", other));
  }
  const json page = TRY(OpenPage(call, kPage));
  return StreamResource(call, AccountId(page.at(0).get<std::string>()),
                        page.at(1).get<std::string>());
}

Answer ListShards(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(CheckCreated(call, *stream));
  Wanted wanted;
  if (call.Has("NextToken")) {
    const json page = TRY(OpenPage(call, kPage));
    if (page.at(2) != stream->number)
      return Fail(NoSuchStream(stream->short_name, stream->account));
    wanted = {.type = page.at(3).get<std::string>(),
              .time = Timestamp(microseconds(page.at(4).get<int64_t>())),
              .after = page.at(5).get<int>()};
  } else {
    wanted = TRY(WantedBy(call, *stream));
  }
  const auto limit =
      static_cast<size_t>(std::min(kResultsMax, call.Integer("MaxResults").value_or(kResultsMax)));
  const Timestamp horizon = call.use.clock.Now() - stream->settings.retention;
  json shards = json::array(), out = json::object();
  for (const stream::Shard& shard : stream->shards) {
    if (!Includes(wanted, *stream, shard, horizon)) continue;
    if (shards.size() == limit) {
      out["NextToken"] = call.use.tokens.Make(
          kPage, {stream->account.text(), stream->short_name, stream->number, wanted.type,
                  wanted.time.time_since_epoch().count(), wanted.after});
      break;
    }
    shards.push_back(TRY(ShardDocument(call.use, *stream, shard)));
    wanted.after = shard.number;
  }
  out["Shards"] = std::move(shards);
  return out;
}

}  // namespace weft::aws::kinesis
