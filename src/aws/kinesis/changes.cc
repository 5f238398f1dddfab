// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"

#include <algorithm>

namespace weft::aws::kinesis {
namespace {

using nlohmann::json;

constexpr size_t kTagsMax = 50;

bool TagText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x80 || std::isalnum(c) != 0 ||
           std::string_view(" \t_./=+-%@:").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

}  // namespace

Outcome<void> ChangeSettings(const Call& call, const stream::StreamInfo& stream,
                             const std::function<Outcome<void>(stream::StreamSettings&)>& change) {
  std::optional<Fault> fault;
  Status changed = call.use.database.Transact([&](meta::Transaction& tx) -> Status {
    fault.reset();
    return call.use.streams.Update(tx, stream.name,
                                   [&](stream::StreamSettings& settings) -> Status {
                                     auto outcome = change(settings);
                                     if (outcome.ok()) return {};
                                     fault = outcome.error();
                                     return Fail(Code::kInvalid, fault->message);
                                   });
  });
  if (fault) return Fail(*std::move(fault));
  if (!changed.ok() && changed.error().code() == Code::kNotFound)
    return Fail(NoSuchStream(stream.short_name, stream.account));
  TRY(std::move(changed));
  return {};
}

Outcome<void> RefuseDeclared(const stream::StreamInfo& stream, const char* what) {
  if (stream.use != stream::Use::kProduct) return {};
  return Refuse("InvalidArgumentException",
                fmt::format("Stream {} under account {} is that of a data product: its {} declared "
                            "in mesh.yaml.",
                            stream.short_name, stream.account.text(), what));
}

Outcome<void> ChangeRetention(const Call& call, Way way) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(RefuseDeclared(*stream, "retention is"));
  const int64_t hours = *call.Integer("RetentionPeriodHours");
  if (hours < 24 || hours > 8'760) {
    return Refuse("InvalidArgumentException",
                  fmt::format("RetentionPeriodHours must be 24 to 8760 hours, not {}.", hours));
  }
  return ChangeSettings(call, *stream, [&](stream::StreamSettings& settings) -> Outcome<void> {
    const int64_t before = settings.retention.count();
    if (way == Way::kUp ? hours < before : hours > before) {
      return Refuse(
          "InvalidArgumentException",
          fmt::format("Requested retention period ({} hours) for stream {} can not be "
                      "{} than existing retention period ({} hours).",
                      hours, stream->short_name, way == Way::kUp ? "less" : "greater", before));
    }
    settings.retention = std::chrono::hours(hours);
    return {};
  });
}

Outcome<void> CheckShardLimit(const Call& call, const AccountId& account, int added) {
  const int open = TRY(call.use.streams.OpenShardsOf(account));
  if (added <= 0 || open + added <= call.use.shards_max) return {};
  return Refuse(
      "LimitExceededException",
      fmt::format("This request would exceed the shard limit for the account {} in {}. Current "
                  "shard count for the account: {}. Limit: {}. Number of additional shards that "
                  "would have resulted from this request: {}. Refer to the AWS Service Limits page "
                  "(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for "
                  "current limits and how to request higher limits.",
                  account.text(), call.use.region, open, call.use.shards_max, added));
}

Outcome<void> RequireProvisioned(const stream::StreamInfo& stream) {
  if (stream.settings.mode == stream::Mode::kProvisioned || stream.use == stream::Use::kProduct)
    return {};
  return Refuse(
      "ValidationException",
      fmt::format("Stream {} under account {} is in on-demand mode: its shards follow its "
                  "load.",
                  stream.short_name, stream.account.text()));
}

Outcome<void> RefuseWarmThroughput(const Call& call) {
  if (!call.Has("WarmThroughputMiBps")) return {};
  return Refuse("InvalidArgumentException",
                "WarmThroughputMiBps needs MinimumThroughputBillingCommitment, which Weft does not "
                "offer: on-demand streams scale by their load alone.");
}

stream::Mode ModeIn(const Call& call, stream::Mode otherwise) {
  const auto details = call.input.find("StreamModeDetails");
  if (details == call.input.end()) return otherwise;
  return details->at("StreamMode") == "ON_DEMAND" ? stream::Mode::kOnDemand
                                                  : stream::Mode::kProvisioned;
}

const char* ModeText(stream::Mode mode) {
  return mode == stream::Mode::kOnDemand ? "ON_DEMAND" : "PROVISIONED";
}

Outcome<void> AddTags(const Call& call, Tags& tags) {
  const auto given = call.input.find("Tags");
  if (given == call.input.end()) return {};
  for (const auto& [key, value] : given->items()) {
    const auto text = value.get<std::string>();
    if (!TagText(key) || !TagText(text)) {
      return Refuse("InvalidArgumentException",
                    "Some tags contain invalid characters. Valid characters: Unicode letters, "
                    "digits, white space, _ . / = + - % @ :.");
    }
    if (key.starts_with("aws:")) {
      return Refuse("InvalidArgumentException",
                    "Tag keys that start with aws: are reserved: " + key);
    }
    tags[key] = text;
  }
  if (tags.size() <= kTagsMax) return {};
  return Refuse("InvalidArgumentException",
                fmt::format("Failed to add tags to {} because a given resource cannot have more "
                            "than {} tags associated with it.",
                            call.resource.arn, kTagsMax));
}

void RemoveTags(const Call& call, Tags& tags) {
  for (const json& key : call.input.at("TagKeys")) tags.erase(key.get<std::string>());
}

json TagList(const Tags& tags) {
  json list = json::array();
  for (const auto& [key, value] : tags) list.push_back({{"Key", key}, {"Value", value}});
  return list;
}

}  // namespace weft::aws::kinesis
