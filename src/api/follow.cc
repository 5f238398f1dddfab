// SPDX-License-Identifier: Apache-2.0
// The records of a product as they come: GET /api/v1/products/{product}/records. All shards
// together, those of one shard in order, and a shard's children behind it.
#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/follow_internal.h"
#include "base/signal.h"
#include "base/units.h"
#include "codec/kpl.h"
#include "contract/moment.h"
#include "stream/record_head.h"
#include "tail/record_key.h"

namespace weft::api {
namespace {

using nlohmann::json;
using stream::Offset;

constexpr int64_t kReadBytes = int64_t{1} << 20;

std::optional<int64_t> WholeNumber(std::string_view text) {
  int64_t number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// Where to begin: at a place that is the same for all shards, or at a record.
struct Start {
  enum class Kind { kBegin, kEnd, kTime, kRecord };
  Kind kind = Kind::kEnd;
  Timestamp time = {};
  int shard = 0;  // of kRecord
  Offset offset = {};
};

Result<Start> ParseStart(const std::string& from, Timestamp now) {
  if (from.empty() || from == "end") return Start{};
  if (from == "start") return Start{.kind = Start::Kind::kBegin};
  if (auto offset = WholeNumber(from)) {
    return Start{.kind = Start::Kind::kRecord, .offset = {*offset}};
  }
  // A record's id: SSSS-OOOOOOOOOOOOOOOOOOO, with -N behind it for one of an aggregate.
  const size_t dash = from.find('-');
  if (dash != std::string::npos && from.size() >= dash + 20) {
    auto shard = WholeNumber(std::string_view(from).substr(0, dash));
    auto offset = WholeNumber(std::string_view(from).substr(dash + 1, 19));
    if (shard && offset && *shard <= INT32_MAX) {
      return Start{
          .kind = Start::Kind::kRecord, .shard = static_cast<int>(*shard), .offset = {*offset}};
    }
  }
  if (auto moment = contract::ParseTimestamp(from)) {
    return Start{.kind = Start::Kind::kTime, .time = Timestamp(microseconds(moment->micros))};
  }
  if (auto ago = ParseDuration(from); ago.ok()) {
    return Start{.kind = Start::Kind::kTime, .time = now - *ago};
  }
  return Fail(
      Code::kInvalid,
      "'from' is start, end, an offset, a record's id, a time (2026-11-01T10:00:00Z) or how "
      "long ago (15m)");
}

// A line: {"id", "offset", "arrival", "schema", "record"}, and "partition_key" where there is one.
class Lines {
 public:
  Lines(int shard, Bytes& out) : shard_(shard), out_(out) {}

  void Add(const log::StoredBatch& batch, size_t index) {
    const log::Record& record = batch.records[index];
    const Offset offset{batch.first.value + static_cast<int64_t>(index)};
    auto head = stream::DecodeRecordHead(record.key);
    // What cannot be told of a record is left out of its line.
    const stream::RecordHead known = head.ok() ? std::move(*head) : stream::RecordHead{};
    auto key = tail::DecodeRecordKey(known.rest);
    const std::string object = key.ok() ? key->object : "";
    auto users = known.taken.empty() ? std::nullopt : codec::SplitAggregate(record.value);
    if (!users) {
      return AddOne(stream::RecordId(shard_, offset), offset, batch.arrival, object,
                    known.partition_key, record.value);
    }
    for (size_t i = 0; i < users->size() && i < known.taken.size(); ++i) {
      if (!known.taken[i]) continue;
      AddOne(stream::RecordId(shard_, offset, static_cast<int>(i)), offset, batch.arrival, object,
             (*users)[i].partition_key, (*users)[i].data);
    }
  }

 private:
  void AddOne(const std::string& id, Offset offset, Timestamp arrival, const std::string& object,
              std::string_view partition_key, BytesView value) {
    out_ += fmt::format(R"({{"id":"{}","offset":{},"arrival":"{}","schema":{},)", id, offset.value,
                        FormatTimestamp(arrival), json(object).dump());
    if (!partition_key.empty()) {
      out_ += fmt::format(R"("partition_key":{},)", json(partition_key).dump());
    }
    out_ += R"("record":)";
    // A record may have been sent over several lines.
    for (char c : value) out_ += c == '\n' || c == '\r' ? ' ' : c;
    out_ += "}\n";
  }

  const int shard_;
  Bytes& out_;
};

}  // namespace

struct Following::State {
  struct Reader {
    Offset next;
    Offset stop;  // unless `follow`
    bool ended = false;
  };

  Status Open(const Start& start);
  Result<Offset> PlaceOf(const Start& start, const stream::ShardId& shard, Offset begin,
                         Offset end);
  Status FindNew();
  bool ParentsEnded(const stream::Shard& shard) const;
  Result<bool> Read(int number, Reader& reader, Bytes& lines);

  stream::Streams& streams;
  stream::StreamName name;
  bool follow = false;
  std::map<int, Reader> readers = {};
};

Result<Offset> Following::State::PlaceOf(const Start& start, const stream::ShardId& shard,
                                         Offset begin, Offset end) {
  switch (start.kind) {
    case Start::Kind::kBegin:
      return begin;
    case Start::Kind::kEnd:
      return end;
    case Start::Kind::kTime:
      return streams.OffsetAt(shard, start.time);
    case Start::Kind::kRecord:
      break;
  }
  if (shard.number != start.shard) return streams.OffsetAt(shard, start.time);
  if (start.offset < begin) {
    return Fail(Code::kNotFound, fmt::format("offset {} is no longer kept; the first one is {}",
                                             start.offset.value, begin.value));
  }
  if (start.offset > end) {
    return Fail(Code::kInvalid,
                fmt::format("offset {} is past the end, {}", start.offset.value, end.value));
  }
  return start.offset;
}

Status Following::State::Open(const Start& given) {
  Start start = given;
  const auto shards = TRY(streams.Shards(name));
  if (start.kind == Start::Kind::kRecord) {
    // The other shards are read from when that record came in.
    const stream::ShardId shard{name, start.shard};
    auto batches = streams.Read(shard, start.offset, {.bytes_max = 1});
    if (batches.ok() && !batches->empty()) {
      start.time = batches->front().arrival;
    } else {
      start.time = Timestamp::max();
    }
  }
  for (const auto& shard : shards) {
    const log::Bounds bounds = TRY(streams.BoundsOf(shard));
    const Offset next = TRY(PlaceOf(start, shard, bounds.begin, bounds.end));
    readers[shard.number] = {.next = next, .stop = bounds.end};
  }
  if (start.kind == Start::Kind::kRecord && !readers.contains(start.shard)) {
    return Fail(Code::kNotFound, fmt::format("the stream has no shard {}", start.shard));
  }
  return {};
}

// Shards that splits and merges made since.
Status Following::State::FindNew() {
  const auto shards = TRY(streams.Shards(name));
  for (const auto& shard : shards) {
    if (readers.contains(shard.number)) continue;
    const log::Bounds bounds = TRY(streams.BoundsOf(shard));
    readers[shard.number] = {.next = bounds.begin, .stop = bounds.end};
  }
  return {};
}

bool Following::State::ParentsEnded(const stream::Shard& shard) const {
  auto ended = [&](const std::optional<int>& parent) {
    if (!parent) return true;
    auto reader = readers.find(*parent);
    return reader == readers.end() || reader->second.ended;
  };
  return ended(shard.parent) && ended(shard.adjacent_parent);
}

// Whether there was anything.
Result<bool> Following::State::Read(int number, Reader& reader, Bytes& lines) {
  const stream::ShardId shard{name, number};
  const bool ended = TRY(streams.Ended(shard));
  const auto batches = TRY(streams.Read(shard, reader.next, {.bytes_max = kReadBytes}));
  Lines out(number, lines);
  for (const auto& batch : batches) {
    for (size_t i = 0; i < batch.records.size(); ++i) {
      if (batch.first.value + static_cast<int64_t>(i) >= reader.next.value) out.Add(batch, i);
    }
  }
  if (!batches.empty()) reader.next = batches.back().next();
  reader.ended = follow ? ended && batches.empty() : batches.empty() || reader.next >= reader.stop;
  return !batches.empty();
}

Following::Following(std::unique_ptr<State> state) : state_(std::move(state)) {}
Following::Following(Following&&) noexcept = default;
Following::~Following() = default;

Result<Following> Following::Open(stream::Streams& streams, const stream::StreamName& name,
                                  const std::string& from, bool follow, Timestamp now) {
  const Start start = TRY(ParseStart(from, now));
  auto state = std::make_unique<State>(State{.streams = streams, .name = name, .follow = follow});
  TRY(state->Open(start));
  return Following(std::move(state));
}

bool Following::follow() const { return state_->follow; }

Result<bool> Following::Next(Bytes& lines) {
  if (state_->follow) TRY(state_->FindNew());
  const auto info = TRY(state_->streams.Find(state_->name));
  bool more = false;
  for (auto& [number, reader] : state_->readers) {
    if (reader.ended) continue;
    const stream::Shard* shard = info->FindShard(number);
    // Forgotten since: it held nothing any more.
    if (shard == nullptr) {
      reader.ended = true;
      continue;
    }
    if (!state_->ParentsEnded(*shard)) continue;
    if (TRY(state_->Read(number, reader, lines))) more = true;
    if (reader.ended) more = true;  // its children are next
    if (lines.size() >= static_cast<size_t>(kReadBytes)) return true;
  }
  return more;
}

Status Following::Wait(milliseconds wait_max) {
  auto more = std::make_shared<Signal>();
  std::vector<log::RecordLog::Watch> watches;
  for (const auto& [number, reader] : state_->readers) {
    if (reader.ended) continue;
    auto watch =
        state_->streams.OnPast({state_->name, number}, reader.next, [more] { more->Set(); });
    if (!watch.ok() && watch.error().code() == Code::kNotFound) continue;
    if (!watch.ok()) return Fail(watch.error());
    watches.push_back(std::move(*watch));
  }
  more->WaitFor(wait_max);
  return {};
}

}  // namespace weft::api
