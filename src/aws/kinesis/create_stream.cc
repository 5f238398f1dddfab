// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer CreateStream(const Call& call) {
  TRY(RefuseWarmThroughput(call));
  const std::string name = call.Text("StreamName");
  const AccountId account = call.resource.owner;
  stream::NewStream made{
      .name = stream::NameOf(account, name), .account = account, .use = stream::Use::kFree};
  made.settings.mode = ModeIn(call, stream::Mode::kProvisioned);
  const bool on_demand = made.settings.mode == stream::Mode::kOnDemand;
  const auto shards = call.Integer("ShardCount");
  if (on_demand && shards) {
    return Refuse("InvalidArgumentException",
                  "ShardCount must not be given for a stream in on-demand mode.");
  }
  if (!on_demand && !shards) {
    return Refuse("InvalidArgumentException",
                  "ShardCount must be given for a stream in provisioned mode.");
  }
  constexpr int64_t kOnDemandShards = 4;
  made.shards = static_cast<int>(shards.value_or(kOnDemandShards));
  made.settings.record_kib_max =
      static_cast<int>(call.Integer("MaxRecordSizeInKiB").value_or(1'024));
  if (call.Has("Tags")) {
    TRY(AlsoAuthorize(call, "kinesis:TagResource", call.resource.arn));
    TRY(AddTags(call, made.settings.tags));
  }
  if (call.use.streams.Find(made.name).ok()) {
    return Refuse("ResourceInUseException",
                  fmt::format("Stream {} under account {} already exists.", name, account.text()));
  }
  TRY(CheckShardLimit(call, account, made.shards));
  Status created = call.use.database.Transact(
      [&](meta::Transaction& tx) { return call.use.streams.Create(tx, made); });
  if (!created.ok() && created.error().code() == Code::kExists) {
    return Refuse("ResourceInUseException",
                  fmt::format("Stream {} under account {} already exists.", name, account.text()));
  }
  TRY(std::move(created));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
