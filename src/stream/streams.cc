// SPDX-License-Identifier: Apache-2.0
#include "stream/streams.h"

#include <algorithm>
#include <set>

#include "base/logging.h"
#include "stream/streams_internal.h"

namespace weft::stream {
namespace {

// With the longest numbers behind it, the name of a partition has no more than the log takes.
constexpr size_t kNameBytesMax = 160;
constexpr std::string_view kPrefix = "streams/";
constexpr std::chrono::hours kRetentionMin{24}, kRetentionMax{8'760};
constexpr int kRecordKibMin = 1'024, kRecordKibMax = 10'240;
constexpr int kShardsMax = 10'000;  // of one stream

Status CheckName(const StreamName& name) {
  const std::string& text = name.text();
  auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (text.empty() || text.size() > kNameBytesMax || !std::all_of(text.begin(), text.end(), good)) {
    return Fail(Code::kInvalid,
                fmt::format("a stream's name has 1 to {} letters, digits, '-', '_' and '.'",
                            kNameBytesMax));
  }
  return {};
}

Status CheckSettings(const StreamSettings& settings) {
  if (settings.retention < kRetentionMin || settings.retention > kRetentionMax) {
    return Fail(Code::kInvalid,
                fmt::format("a stream's retention is {} to {} hours, not {}", kRetentionMin.count(),
                            kRetentionMax.count(), settings.retention.count()));
  }
  if (settings.retention_bytes < 0) {
    return Fail(Code::kInvalid,
                fmt::format("a stream's retention cannot be {} octets", settings.retention_bytes));
  }
  if (settings.record_kib_max < kRecordKibMin || settings.record_kib_max > kRecordKibMax) {
    return Fail(Code::kInvalid, fmt::format("a stream's largest record has {} to {} KiB, not {}",
                                            kRecordKibMin, kRecordKibMax, settings.record_kib_max));
  }
  return {};
}

}  // namespace

Result<StoredStream> Streams::State::Stored(meta::Transaction& tx, const StreamName& name) {
  auto stored = TRY(LoadStream(tx, name));
  if (!stored) return Fail(NoSuchStream(name));
  return *std::move(stored);
}

Status Streams::State::CheckRoom(meta::Transaction& tx, const AccountId& account,
                                 int64_t more_shards, int64_t more_on_demand) const {
  const AccountUse use = TRY(UseOf(tx, account));
  if (more_shards > 0 && use.open_shards + more_shards > options.shards_max) {
    return Fail(Code::kThrottled,
                fmt::format("the account {} may have {} open shards and has {}: {} more are asked",
                            account.text(), options.shards_max, use.open_shards, more_shards));
  }
  if (more_on_demand > 0 &&
      use.on_demand_streams + more_on_demand > options.on_demand_streams_max) {
    return Fail(Code::kThrottled, fmt::format("the account {} has {} on-demand streams, the most "
                                              "that it may have",
                                              account.text(), use.on_demand_streams));
  }
  return {};
}

Status Streams::State::CreatePartitions(const StreamInfo& info, int from_shard) {
  // After a rollback they stay as orphans, empty; taking them back here could meet the next
  // attempt, which gets the same numbers.
  for (const Shard& shard : info.shards) {
    if (shard.number < from_shard) continue;
    TRY(log.CreatePartition(PartitionOf(info.name, info.number, shard.number)));
  }
  return {};
}

void Streams::State::DeletePartitions(const StreamInfo& info, const std::vector<int>& shards) {
  for (int shard : shards) {
    const Status deleted = log.DeletePartition(PartitionOf(info.name, info.number, shard));
    if (deleted.ok() || deleted.error().code() == Code::kNotFound) continue;
    Log(LogLevel::kWarning, "stream", "the records of a deleted shard go at the next start",
        {{"stream", info.name.text()},
         {"shard", std::to_string(shard)},
         {"error", deleted.error().message()}});
  }
}

Status Streams::State::Change(const StreamName& name,
                              const std::function<Status(Reshard&)>& change) {
  TRY(database.Transact([&](meta::Transaction& tx) -> Status {
    const StoredStream before = TRY(Stored(tx, name));
    if (before.info.use == Use::kInternal) {
      return Fail(Code::kInvalid, fmt::format("the stream {} has one shard", name.text()));
    }
    Reshard reshard(before.info, before.shards_made, clock.Now());
    TRY(change(reshard));
    TRY(CheckRoom(tx, before.info.account, reshard.open() - before.info.OpenShards(), 0));
    StoredStream after = before;
    after.info.shards = reshard.shards();
    after.shards_made = reshard.next_number();
    TRY(CreatePartitions(after.info, before.shards_made));
    TRY(StoreShards(tx, before.info, after));
    tx.AfterCommit([this, info = after.info] { live.Put(info); });
    return {};
  }));
  reshards_total.Add(1);
  return {};
}

Status Streams::State::Forget(const StreamName& name, const std::vector<int>& shards) {
  return database.Transact([&](meta::Transaction& tx) -> Status {
    const StoredStream before = TRY(Stored(tx, name));
    StoredStream after = before;
    std::erase_if(after.info.shards, [&](const Shard& shard) {
      return shard.closed && std::find(shards.begin(), shards.end(), shard.number) != shards.end();
    });
    TRY(StoreShards(tx, before.info, after));
    tx.AfterCommit([this, info = after.info, shards] {
      live.Put(info);
      DeletePartitions(info, shards);
    });
    return {};
  });
}

Streams::Streams(const Options& options, meta::Database& database, log::RecordLog& log,
                 const Clock& clock, Metrics& metrics)
    : state_(std::make_unique<State>(options, database, log, clock, metrics)) {}

Streams::~Streams() { Stop(); }

const std::vector<std::string>& Streams::Migrations() { return StreamTableMigrations(); }

Status Streams::Create(meta::Transaction& tx, const NewStream& stream) {
  TRY(CheckName(stream.name));
  TRY(CheckSettings(stream.settings));
  if (stream.shards < 1 || stream.shards > kShardsMax ||
      (stream.use == Use::kInternal && stream.shards != 1)) {
    return Fail(Code::kInvalid, fmt::format("a stream cannot have {} shards", stream.shards));
  }
  const auto there = TRY(LoadStream(tx, stream.name));
  if (there && stream.use != Use::kFree && there->info.use == stream.use) return {};
  if (there) {
    return Fail(Code::kExists, fmt::format("there is a stream {} already", stream.name.text()));
  }
  if (stream.use == Use::kFree) {
    TRY(state_->CheckRoom(tx, stream.account, stream.shards,
                          stream.settings.mode == Mode::kOnDemand ? 1 : 0));
  }
  const Timestamp now = state_->clock.Now();
  StoredStream made;
  made.info.name = stream.name;
  made.info.number = TRY(NextStreamNumber(tx));
  made.info.account = stream.account;
  made.info.short_name = ShortName(stream.name, stream.account);
  made.info.use = stream.use;
  made.info.created = now;
  made.info.settings = stream.settings;
  for (const HashRange& range : EvenRanges(stream.shards)) {
    made.info.shards.push_back({.number = made.shards_made++,
                                .range = range,
                                .parent = std::nullopt,
                                .adjacent_parent = std::nullopt,
                                .opened = now,
                                .closed = std::nullopt});
  }
  TRY(InsertStream(tx, made));
  TRY(state_->CreatePartitions(made.info, 0));
  tx.AfterCommit([state = state_.get(), info = made.info] { state->live.Put(info); });
  return {};
}

Status Streams::Delete(meta::Transaction& tx, const StreamName& name) {
  const StoredStream stored = TRY(State::Stored(tx, name));
  TRY(DeleteStream(tx, stored.info));
  tx.AfterCommit([state = state_.get(), info = stored.info] {
    state->live.Remove(info.name);
    std::vector<int> shards;
    for (const Shard& shard : info.shards) shards.push_back(shard.number);
    state->DeletePartitions(info, shards);
  });
  return {};
}

Status Streams::Update(meta::Transaction& tx, const StreamName& name,
                       const std::function<Status(StreamSettings&)>& change) {
  StoredStream stored = TRY(State::Stored(tx, name));
  const Mode before = stored.info.settings.mode;
  TRY(change(stored.info.settings));
  TRY(CheckSettings(stored.info.settings));
  if (stored.info.use == Use::kFree && before != Mode::kOnDemand &&
      stored.info.settings.mode == Mode::kOnDemand) {
    TRY(state_->CheckRoom(tx, stored.info.account, 0, 1));
  }
  TRY(StoreSettings(tx, stored.info));
  tx.AfterCommit([state = state_.get(), info = stored.info] { state->live.Put(info); });
  return {};
}

Result<std::shared_ptr<const StreamInfo>> Streams::Find(const StreamName& name) const {
  return state_->live.Find(name);
}

Result<std::vector<std::shared_ptr<const StreamInfo>>> Streams::OfAccount(
    const AccountId& account) const {
  std::vector<std::shared_ptr<const StreamInfo>> found;
  for (auto& stream : TRY(state_->live.All())) {
    if (stream.info->account == account && stream.info->use != Use::kInternal) {
      found.push_back(std::move(stream.info));
    }
  }
  std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a->name < b->name; });
  return found;
}

Result<std::vector<ShardId>> Streams::Shards(const StreamName& name) const {
  const auto info = TRY(Find(name));
  std::vector<ShardId> shards;
  for (const Shard& shard : info->shards)
    shards.push_back({.stream = name, .number = shard.number});
  return shards;
}

Result<int> Streams::OpenShardsOf(const AccountId& account) const {
  int open = 0;
  for (const auto& info : TRY(OfAccount(account))) open += info->OpenShards();
  return open;
}

Status Streams::Split(const StreamName& name, int shard, HashKey second_first) {
  return state_->Change(name, [&](Reshard& reshard) { return reshard.Split(shard, second_first); });
}

Status Streams::Merge(const StreamName& name, int shard, int adjacent) {
  return state_->Change(name, [&](Reshard& reshard) { return reshard.Merge(shard, adjacent); });
}

Status Streams::Resize(const StreamName& name, int count) {
  return state_->Change(name, [&](Reshard& reshard) { return reshard.Resize(count); });
}

Status Streams::RemoveOrphans() {
  TRY(state_->live.Load());
  std::set<log::PartitionName> owned;
  for (const auto& stream : TRY(state_->live.All())) {
    for (const auto& shard : stream.shards) owned.insert(shard->partition);
  }
  for (const auto& partition : TRY(state_->log.Partitions())) {
    if (!partition.text().starts_with(kPrefix) || owned.contains(partition)) continue;
    TRY(state_->log.DeletePartition(partition));
  }
  return {};
}

}  // namespace weft::stream
