// SPDX-License-Identifier: Apache-2.0
#include "stream/stream_table.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "stream/tags.h"

namespace weft::stream {
namespace {

using nlohmann::json;

// As they are stored: never change one.
constexpr int64_t kUseFree = 0, kUseProduct = 1, kUseInternal = 2;
constexpr int64_t kModeProvisioned = 0, kModeOnDemand = 1;

constexpr std::string_view kColumns =
    "name, number, shards, account, purpose, created, mode, retention_hours, retention_bytes, "
    "record_kib_max, key_id, tags, shard_metrics";

Error Damaged(const StreamName& name, std::string_view what) {
  return Error(Code::kCorrupt,
               fmt::format("the stream {} is damaged in the database: {}", name.text(), what));
}

int64_t Stored(Use use) {
  switch (use) {
    case Use::kFree:
      return kUseFree;
    case Use::kProduct:
      return kUseProduct;
    case Use::kInternal:
      return kUseInternal;
  }
  return kUseFree;
}

int64_t Stored(Mode mode) { return mode == Mode::kOnDemand ? kModeOnDemand : kModeProvisioned; }

meta::Value Stored(const std::optional<int>& number) {
  meta::Value value;
  if (number) value = int64_t{*number};
  return value;
}

int64_t Stored(Timestamp time) { return time.time_since_epoch().count(); }

std::optional<int> NumberAt(const meta::Row& row, size_t column) {
  if (row.null(column)) return std::nullopt;
  return static_cast<int>(row.integer(column));
}

Timestamp TimeAt(const meta::Row& row, size_t column) {
  return Timestamp(microseconds(row.integer(column)));
}

Result<std::vector<std::string>> ParseNames(const std::string& text) {
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array()) return Fail(Code::kCorrupt, "a stored list is damaged");
  std::vector<std::string> names;
  for (const json& name : list) {
    if (!name.is_string()) return Fail(Code::kCorrupt, "a stored list is damaged");
    names.push_back(name.get<std::string>());
  }
  return names;
}

Result<StoredStream> ReadStream(const meta::Row& row) {
  StoredStream stored;
  stored.shards_made = static_cast<int>(row.integer(2));
  StreamInfo& stream = stored.info;
  stream.name = StreamName(row.text(0));
  stream.number = row.integer(1);
  stream.account = AccountId(row.text(3));
  stream.short_name = ShortName(stream.name, stream.account);
  const int64_t use = row.integer(4), mode = row.integer(6);
  if (use < kUseFree || use > kUseInternal) return Fail(Damaged(stream.name, "its use"));
  if (mode != kModeProvisioned && mode != kModeOnDemand)
    return Fail(Damaged(stream.name, "its mode"));
  stream.use = use == kUseFree ? Use::kFree : use == kUseProduct ? Use::kProduct : Use::kInternal;
  stream.created = TimeAt(row, 5);
  stream.settings.mode = mode == kModeOnDemand ? Mode::kOnDemand : Mode::kProvisioned;
  stream.settings.retention = std::chrono::hours(row.integer(7));
  stream.settings.retention_bytes = row.integer(8);
  stream.settings.record_kib_max = static_cast<int>(row.integer(9));
  stream.settings.key_id = row.text(10);
  stream.settings.tags = TRY(ParseTags(row.text(11)));
  stream.settings.shard_metrics = TRY(ParseNames(row.text(12)));
  return stored;
}

constexpr std::string_view kShardColumns =
    "stream, shard, first, last, parent, adjacent_parent, opened, closed";

Result<Shard> ReadShard(const meta::Row& row, const StreamName& name) {
  const auto first = ParseHashKey(row.text(2)), last = ParseHashKey(row.text(3));
  if (!first || !last || *first > *last) return Fail(Damaged(name, "a shard's range"));
  Shard shard{.number = static_cast<int>(row.integer(1)),
              .range = {.first = *first, .last = *last},
              .parent = NumberAt(row, 4),
              .adjacent_parent = NumberAt(row, 5),
              .opened = TimeAt(row, 6),
              .closed = std::nullopt};
  if (!row.null(7)) shard.closed = TimeAt(row, 7);
  return shard;
}

// Whether the open shards have each hash key once: what Route relies on.
Status CheckShards(const StreamInfo& stream) {
  std::vector<HashRange> open;
  for (const Shard& shard : stream.shards) {
    if (!shard.closed) open.push_back(shard.range);
  }
  std::sort(open.begin(), open.end(), [](auto& a, auto& b) { return a.first < b.first; });
  bool whole = !open.empty() && open.front().first == 0 && open.back().last == kHashKeyMax;
  for (size_t i = 1; whole && i < open.size(); ++i) {
    whole = open[i].first == open[i - 1].last + 1;
  }
  if (!whole) return Fail(Damaged(stream.name, "its open shards do not share all hash keys"));
  return {};
}

Status InsertShard(meta::Transaction& tx, int64_t stream, const Shard& shard) {
  meta::Value closed;
  if (shard.closed) closed = Stored(*shard.closed);
  TRY(tx.Execute(
      fmt::format("INSERT INTO stream_shards ({}) VALUES (:1, :2, :3, :4, :5, :6, :7, :8)",
                  kShardColumns),
      {stream, int64_t{shard.number}, HashKeyText(shard.range.first), HashKeyText(shard.range.last),
       Stored(shard.parent), Stored(shard.adjacent_parent), Stored(shard.opened), closed}));
  return {};
}

}  // namespace

std::string ShortName(const StreamName& name, const AccountId& account) {
  const std::string prefix = account.text() + ".";
  return name.text().starts_with(prefix) ? name.text().substr(prefix.size()) : name.text();
}

const std::vector<std::string>& StreamTableMigrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE stream_streams (name TEXT PRIMARY KEY, number INTEGER NOT NULL, shards INTEGER "
      "NOT NULL)",
      "CREATE TABLE stream_numbers (only INTEGER PRIMARY KEY, last INTEGER NOT NULL)",
      "INSERT INTO stream_numbers (only, last) VALUES (1, 0)",
      // Before these, every stream was a product's or its quarantine and had one shard.
      "ALTER TABLE stream_streams ADD COLUMN account TEXT NOT NULL DEFAULT ''",
      "ALTER TABLE stream_streams ADD COLUMN purpose INTEGER NOT NULL DEFAULT 1",
      "ALTER TABLE stream_streams ADD COLUMN created INTEGER NOT NULL DEFAULT 0",
      "ALTER TABLE stream_streams ADD COLUMN mode INTEGER NOT NULL DEFAULT 1",
      "ALTER TABLE stream_streams ADD COLUMN retention_hours INTEGER NOT NULL DEFAULT 168",
      "ALTER TABLE stream_streams ADD COLUMN retention_bytes INTEGER NOT NULL DEFAULT 0",
      "ALTER TABLE stream_streams ADD COLUMN record_kib_max INTEGER NOT NULL DEFAULT 1024",
      "ALTER TABLE stream_streams ADD COLUMN key_id TEXT NOT NULL DEFAULT ''",
      "ALTER TABLE stream_streams ADD COLUMN tags TEXT NOT NULL DEFAULT '{}'",
      "ALTER TABLE stream_streams ADD COLUMN shard_metrics TEXT NOT NULL DEFAULT '[]'",
      "UPDATE stream_streams SET account = substr(name, 1, 12) WHERE name LIKE '____________.%'",
      "UPDATE stream_streams SET purpose = 2 WHERE name LIKE '____________.%.quarantine'",
      "CREATE TABLE stream_shards (stream INTEGER NOT NULL, shard INTEGER NOT NULL, first TEXT NOT "
      "NULL, last TEXT NOT NULL, parent INTEGER, adjacent_parent INTEGER, opened INTEGER NOT NULL, "
      "closed INTEGER, PRIMARY KEY (stream, shard))",
      "INSERT INTO stream_shards (stream, shard, first, last, opened) SELECT number, 0, '0', "
      "'340282366920938463463374607431768211455', 0 FROM stream_streams",
  };
  return steps;
}

Result<std::optional<StoredStream>> LoadStream(meta::Transaction& tx, const StreamName& name) {
  auto rows = TRY(tx.Query(fmt::format("SELECT {} FROM stream_streams WHERE name = :1", kColumns),
                           {name.text()}));
  if (rows.empty()) return std::optional<StoredStream>();
  StoredStream stored = TRY(ReadStream(rows.front()));
  auto shards = TRY(tx.Query(
      fmt::format("SELECT {} FROM stream_shards WHERE stream = :1 ORDER BY shard", kShardColumns),
      {stored.info.number}));
  for (const meta::Row& row : shards) stored.info.shards.push_back(TRY(ReadShard(row, name)));
  TRY(CheckShards(stored.info));
  return std::optional<StoredStream>(std::move(stored));
}

Result<std::vector<StreamInfo>> LoadStreams(meta::Transaction& tx) {
  std::vector<StreamInfo> streams;
  std::map<int64_t, size_t> by_number;
  auto rows = TRY(tx.Query(fmt::format("SELECT {} FROM stream_streams ORDER BY name", kColumns)));
  for (const meta::Row& row : rows) {
    StoredStream stored = TRY(ReadStream(row));
    by_number[stored.info.number] = streams.size();
    streams.push_back(std::move(stored.info));
  }
  auto shards = TRY(
      tx.Query(fmt::format("SELECT {} FROM stream_shards ORDER BY stream, shard", kShardColumns)));
  for (const meta::Row& row : shards) {
    auto owner = by_number.find(row.integer(0));
    if (owner == by_number.end()) continue;
    StreamInfo& stream = streams[owner->second];
    stream.shards.push_back(TRY(ReadShard(row, stream.name)));
  }
  for (const StreamInfo& stream : streams) TRY(CheckShards(stream));
  return streams;
}

Result<int64_t> NextStreamNumber(meta::Transaction& tx) {
  TRY(tx.Execute("UPDATE stream_numbers SET last = last + 1 WHERE only = 1"));
  auto rows = TRY(tx.Query("SELECT last FROM stream_numbers WHERE only = 1"));
  if (rows.empty()) return Fail(Code::kCorrupt, "the table stream_numbers is empty");
  return rows.front().integer(0);
}

Status InsertStream(meta::Transaction& tx, const StoredStream& stream) {
  const StreamInfo& info = stream.info;
  TRY(tx.Execute(
      "INSERT INTO stream_streams (name, number, shards, account, purpose, created, mode, "
      "retention_hours) VALUES (:1, :2, :3, :4, :5, :6, :7, :8)",
      {info.name.text(), info.number, int64_t{stream.shards_made}, info.account.text(),
       Stored(info.use), Stored(info.created), Stored(info.settings.mode),
       int64_t{info.settings.retention.count()}}));
  TRY(StoreSettings(tx, info));
  for (const Shard& shard : info.shards) TRY(InsertShard(tx, info.number, shard));
  return {};
}

Status StoreSettings(meta::Transaction& tx, const StreamInfo& stream) {
  const StreamSettings& settings = stream.settings;
  TRY(tx.Execute(
      "UPDATE stream_streams SET mode = :1, retention_hours = :2, retention_bytes = :3, "
      "record_kib_max = :4, key_id = :5, tags = :6, shard_metrics = :7 WHERE name = :8",
      {Stored(settings.mode), int64_t{settings.retention.count()}, settings.retention_bytes,
       int64_t{settings.record_kib_max}, settings.key_id, TextOf(settings.tags),
       json(settings.shard_metrics).dump(-1, ' ', false, json::error_handler_t::replace),
       stream.name.text()}));
  return {};
}

Status StoreShards(meta::Transaction& tx, const StreamInfo& before, const StoredStream& after) {
  const StreamInfo& info = after.info;
  for (const Shard& shard : before.shards) {
    const Shard* now = info.FindShard(shard.number);
    if (now == nullptr) {
      TRY(tx.Execute("DELETE FROM stream_shards WHERE stream = :1 AND shard = :2",
                     {info.number, int64_t{shard.number}}));
    } else if (now->closed && !shard.closed) {
      TRY(tx.Execute("UPDATE stream_shards SET closed = :1 WHERE stream = :2 AND shard = :3",
                     {Stored(*now->closed), info.number, int64_t{shard.number}}));
    }
  }
  for (const Shard& shard : info.shards) {
    if (before.FindShard(shard.number) == nullptr) TRY(InsertShard(tx, info.number, shard));
  }
  TRY(tx.Execute("UPDATE stream_streams SET shards = :1 WHERE name = :2",
                 {int64_t{after.shards_made}, info.name.text()}));
  return {};
}

Status DeleteStream(meta::Transaction& tx, const StreamInfo& stream) {
  TRY(tx.Execute("DELETE FROM stream_streams WHERE name = :1", {stream.name.text()}));
  TRY(tx.Execute("DELETE FROM stream_shards WHERE stream = :1", {stream.number}));
  return {};
}

Result<AccountUse> UseOf(meta::Transaction& tx, const AccountId& account) {
  auto shards = TRY(
      tx.Query("SELECT count(*) FROM stream_shards JOIN stream_streams ON stream_streams.number = "
               "stream_shards.stream WHERE account = :1 AND purpose <> 2 AND closed IS NULL",
               {account.text()}));
  auto streams = TRY(tx.Query(
      "SELECT count(*) FROM stream_streams WHERE account = :1 AND purpose = 0 AND mode = 1",
      {account.text()}));
  return AccountUse{.open_shards = shards.front().integer(0),
                    .on_demand_streams = streams.front().integer(0)};
}

}  // namespace weft::stream
