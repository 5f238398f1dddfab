// SPDX-License-Identifier: Apache-2.0
// What goes through the shards of a stream: records in and out, and what a shard takes and gives.
#include "stream/streams_internal.h"

namespace weft::stream {
namespace {

// A wait for what a shard gets, or for its end.
struct Watching {
  std::shared_ptr<LiveShard> shard;
  std::shared_ptr<LiveShard::Waiter> waiter;
  log::RecordLog::Watch past;
  ~Watching() {
    past.reset();
    shard->Remove(waiter.get());
  }
};

Error Throttled(const StreamInfo& stream, int shard) {
  return Error(Code::kThrottled,
               fmt::format("Rate exceeded for shard {} in stream {} under account {}.",
                           ShardName(shard), stream.short_name, stream.account.text()));
}

}  // namespace

Result<Route> Streams::RouteOf(const StreamName& name) const {
  Route route;
  route.open_ = TRY(state_->live.Open(name));
  return route;
}

void Streams::Append(std::vector<Part> unit, log::RecordLog::OnUnitDurable done) {
  std::vector<log::Part> parts;
  std::vector<Route> held;  // until the answer: the shards do not end before
  parts.reserve(unit.size());
  held.reserve(unit.size());
  for (Part& part : unit) {
    const OpenMark* mark = nullptr;
    if (part.route.open_ != nullptr && part.route.open_->name == part.stream) {
      mark = part.route.open_->Find(part.shard);
    }
    if (mark == nullptr) {
      return done(Fail(Code::kInvalid, fmt::format("no route leads to shard {} of the stream {}",
                                                   part.shard, part.stream.text())));
    }
    if (part.route.open_->seal) part.batch.seal = true;
    parts.push_back({.partition = mark->shard().partition, .batch = std::move(part.batch)});
    held.push_back(std::move(part.route));
  }
  state_->log.Append(std::move(parts), [held = std::move(held), done = std::move(done)](
                                           Result<std::vector<log::Appended>> appended) mutable {
    done(std::move(appended));
    held.clear();
  });
}

void Streams::Append(const StreamName& name, log::Batch batch, log::RecordLog::OnDurable done) {
  auto route = RouteOf(name);
  if (!route.ok()) return done(Fail(route.error()));
  const int shard = route->ShardOfBatch(batch.id);
  std::vector<Part> unit;
  unit.push_back(
      {.stream = name, .route = *std::move(route), .shard = shard, .batch = std::move(batch)});
  Append(std::move(unit), [done = std::move(done)](Result<std::vector<log::Appended>> appended) {
    if (!appended.ok()) return done(Fail(appended.error()));
    done(appended->front());
  });
}

Result<std::vector<log::StoredBatch>> Streams::Read(const ShardId& shard, Offset from,
                                                    log::ReadLimits limits) {
  const auto found = TRY(state_->live.Find(shard));
  return state_->log.Read(found.shard->partition, from, limits);
}

Result<log::Bounds> Streams::BoundsOf(const ShardId& shard) {
  const auto found = TRY(state_->live.Find(shard));
  return state_->log.BoundsOf(found.shard->partition);
}

Result<std::vector<Streams::ShardBounds>> Streams::BoundsOf(const StreamName& name) {
  std::vector<ShardBounds> all;
  for (const auto& shard : TRY(state_->live.ShardsOf(name))) {
    auto bounds = state_->log.BoundsOf(shard->partition);
    if (!bounds.ok()) {
      // Forgotten or deleted meanwhile, else a failure.
      const bool there = state_->live.Find({name, shard->number}).ok();
      if (there || bounds.error().code() != Code::kNotFound) return Fail(bounds.error());
      continue;
    }
    all.push_back({.shard = shard->number, .bounds = *bounds});
  }
  return all;
}

Result<bool> Streams::Ended(const ShardId& shard) const {
  return TRY(state_->live.Find(shard)).shard->ended();
}

Result<log::RecordLog::Watch> Streams::OnPast(const ShardId& shard, Offset from,
                                              std::function<void()> wake) {
  auto watching = std::make_shared<Watching>();
  watching->shard = TRY(state_->live.Find(shard)).shard;
  watching->waiter = std::make_shared<LiveShard::Waiter>(std::move(wake));
  watching->past = TRY(state_->log.OnPast(watching->shard->partition, from,
                                          [waiter = watching->waiter] { waiter->Wake(); }));
  watching->shard->Add(watching->waiter);
  return log::RecordLog::Watch(std::move(watching));
}

Status Streams::Trim(const ShardId& shard, Offset before) {
  const auto found = TRY(state_->live.Find(shard));
  return state_->log.Trim(found.shard->partition, before);
}

Result<Offset> Streams::OffsetWithin(const ShardId& shard, int64_t bytes_max) {
  const auto found = TRY(state_->live.Find(shard));
  return state_->log.OffsetWithin(found.shard->partition, bytes_max);
}

Result<Offset> Streams::OffsetAt(const ShardId& shard, Timestamp time) {
  const auto found = TRY(state_->live.Find(shard));
  return stream::OffsetAt(state_->log, found.shard->partition, time);
}

Status Streams::AdmitWrite(const ShardId& shard, int64_t bytes, int records) {
  const auto found = TRY(state_->live.Find(shard));
  ShardThroughput& throughput = found.shard->throughput;
  if (found.info->settings.mode == Mode::kProvisioned &&
      !throughput.AdmitWrite(state_->clock.Elapsed(), bytes, records)) {
    state_->throttled_total.Add(1);
    return Fail(Throttled(*found.info, shard.number));
  }
  throughput.Count(bytes, records);
  return {};
}

Status Streams::AdmitRead(const ShardId& shard) {
  const auto found = TRY(state_->live.Find(shard));
  if (found.info->settings.mode == Mode::kProvisioned &&
      !found.shard->throughput.AdmitRead(state_->clock.Elapsed())) {
    state_->throttled_total.Add(1);
    return Fail(Throttled(*found.info, shard.number));
  }
  return {};
}

void Streams::ChargeRead(const ShardId& shard, int64_t bytes) {
  const auto found = state_->live.Find(shard);
  if (found.ok() && found->info->settings.mode == Mode::kProvisioned) {
    found->shard->throughput.ChargeRead(state_->clock.Elapsed(), bytes);
  }
}

}  // namespace weft::stream
