// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/subscriptions.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <vector>

#include "aws/event_stream.h"
#include "aws/kinesis/reading.h"
#include "aws/kinesis/shards.h"

namespace weft::aws::kinesis {
namespace {

using nlohmann::json;

constexpr seconds kTakeOverAfter{5};
constexpr milliseconds kTick{250};
constexpr int64_t kBytesPerSecond = int64_t{2} << 20;  // of a consumer and shard
constexpr int64_t kEventBytesMax = int64_t{1} << 20;
constexpr int64_t kEventRecordsMax = 10'000;
constexpr int kQueueMax = 20'000;

int16_t EventShape() {
  static const int16_t found = [] {
    const ServiceModel& model = KinesisModel();
    for (size_t i = 0; i < model.shapes.size(); ++i) {
      if (std::string_view(model.shapes[i].name) == "SubscribeToShardEvent")
        return static_cast<int16_t>(i);
    }
    return int16_t{-1};
  }();
  return found;
}

}  // namespace

// One client that reads one shard. A step of it runs on one thread of the pool at a time; between
// steps it waits for a record, for room, or for the ticker.
class Subscriptions::Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  Subscription(Subscriptions& all, const Start& start, std::unique_ptr<http::BodyWriter> writer)
      : begun(all.clock_.Elapsed()),
        all_(all),
        start_(start),
        writer_(std::move(writer)),
        next_(start.from),
        told_(begun - all.options_.heartbeat_interval),
        budget_at_(begun) {}

  const microseconds begun;
  Key key() const { return {start_.stream->number, start_.consumer, start_.shard}; }
  void TakeOver() { taken_over_ = true; }
  bool Due(microseconds now) const { return now >= due_.load(); }

  // Asks for a step. True for the caller that has to see to it.
  bool Ask() {
    State before = state_.load();
    for (;;) {
      const State after = before == State::kIdle      ? State::kQueued
                          : before == State::kRunning ? State::kAgain
                                                      : before;
      if (after == before) return false;
      if (state_.compare_exchange_weak(before, after)) return after == State::kQueued;
    }
  }
  void CannotRun() { state_ = State::kIdle; }  // the ticker asks again

  void Run() {
    state_ = State::kRunning;
    const bool goes_on = Step();
    if (!goes_on) return;  // and nobody asks with effect any more
    State expected = State::kRunning;
    if (state_.compare_exchange_strong(expected, State::kIdle)) return;
    state_ = State::kIdle;
    all_.Schedule(shared_from_this());
  }

 private:
  enum class State { kIdle, kQueued, kRunning, kAgain };

  std::function<void()> Waker() {
    return [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->all_.Schedule(self);
    };
  }

  // False when the subscription has ended.
  bool Step() {
    if (!begun_) {
      begun_ = true;
      if (!Send(EventMessage("initial-response", start_.encoding,
                             WriteOutput(KinesisModel(), -1, start_.encoding, json::object()))))
        return End();
    }
    const microseconds now = all_.clock_.Elapsed();
    due_ = std::min(told_ + all_.options_.heartbeat_interval, begun + all_.options_.time_max);
    if (auto fault = Broken()) {
      (void)Send(FaultMessage(*fault, start_.encoding));
      return Finish();
    }
    if (now - begun >= all_.options_.time_max || all_.Stopping()) return Finish();
    if (!writer_->HasRoom(Waker())) return true;
    if (!Allowed(now)) return true;
    return Push(now);
  }

  // What ends it early.
  std::optional<Fault> Broken() const {
    if (taken_over_) {
      return Fault("ResourceInUseException", "Another subscription of this consumer took over.");
    }
    auto stream = all_.streams_.Find(start_.stream->name);
    const bool gone = !stream.ok() || (*stream)->number != start_.stream->number ||
                      !all_.consumers_.Find(start_.stream->name, start_.consumer).ok();
    if (!gone) return std::nullopt;
    return Fault("ResourceNotFoundException",
                 fmt::format("The stream {} or its consumer {} was deleted.",
                             start_.stream->short_name, start_.consumer));
  }

  // Whether the throughput lets another event go now; else the ticker comes when it does.
  bool Allowed(microseconds now) {
    const double gained = std::chrono::duration<double>(now - budget_at_).count() *
                          static_cast<double>(kBytesPerSecond);
    budget_ = std::min(static_cast<double>(kBytesPerSecond), budget_ + gained);
    budget_at_ = now;
    if (budget_ > 0) return true;
    const double wait = -budget_ / static_cast<double>(kBytesPerSecond);
    due_ = std::min(due_.load(), now + microseconds(static_cast<int64_t>(wait * 1e6) + 1'000));
    return false;
  }

  bool Push(microseconds now) {
    auto stream = all_.streams_.Find(start_.stream->name);
    if (!stream.ok()) return Fails(stream.error());
    auto piece = ReadShard(all_.streams_, all_.clock_, **stream, start_.shard, next_,
                           {.bytes_max = kEventBytesMax, .records_max = kEventRecordsMax});
    if (!piece.ok()) return Fails(piece.error());
    const bool something = !piece->records.empty() || piece->at_end;
    if (!something && now - told_ < all_.options_.heartbeat_interval) return Wait();
    next_ = piece->next;
    if (!Send(Event(*piece))) return End();
    budget_ -= static_cast<double>(piece->bytes);
    told_ = now;
    if (piece->at_end) return Finish();
    // Others have their turn before the next event.
    if (something) {
      (void)Ask();
      return true;
    }
    return Wait();
  }

  bool Wait() {
    auto watch = all_.streams_.OnPast({start_.stream->name, start_.shard}, next_, Waker());
    if (!watch.ok()) return Fails(watch.error());
    watch_ = std::move(*watch);
    return true;
  }

  // Behind which the next event begins.
  std::string Continuation(stream::Offset next) const {
    const stream::SequenceNumber last{
        .stream = start_.stream->number, .shard = start_.shard, .offset = {next.value - 1}};
    return last.Text();
  }

  Bytes Event(Piece& piece) {
    json out = {{"MillisBehindLatest", piece.millis_behind}};
    out["Records"] = std::move(piece.records);
    if (piece.at_end) {
      // A stream as of now: the shard may have ended while it was read. That there is no number to
      // continue from is how the client library knows the end.
      auto stream = all_.streams_.Find(start_.stream->name);
      out["ChildShards"] = ChildShards(stream.ok() ? **stream : *start_.stream, start_.shard);
    } else {
      out["ContinuationSequenceNumber"] = Continuation(piece.next);
    }
    return EventMessage("SubscribeToShardEvent", start_.encoding,
                        WriteOutput(KinesisModel(), EventShape(), start_.encoding, out));
  }

  bool Send(const Bytes& message) { return writer_->Write(message).ok(); }

  bool Fails(const Error& error) {
    Fault fault(error);
    // The one that the event stream of the model has for it.
    if (fault.status >= 500) fault.type = "InternalFailureException";
    (void)Send(FaultMessage(fault, start_.encoding));
    return Finish();
  }

  bool Finish() {
    (void)writer_->Finish();
    return End();
  }

  bool End() {
    watch_.reset();
    writer_.reset();
    all_.Forget(key(), this);
    return false;
  }

  Subscriptions& all_;
  const Start start_;
  std::atomic<State> state_ = State::kIdle;
  std::atomic<bool> taken_over_ = false;
  std::atomic<microseconds> due_{microseconds{0}};

  // Of the step that runs.
  std::unique_ptr<http::BodyWriter> writer_;
  log::RecordLog::Watch watch_;
  stream::Offset next_;
  bool begun_ = false;
  microseconds told_;  // the last event; at first, one is due
  double budget_ = static_cast<double>(kBytesPerSecond);
  microseconds budget_at_;
};

Subscriptions::Subscriptions(const Options& options, stream::Streams& streams,
                             const stream::Consumers& consumers, const Clock& clock)
    : options_(options),
      streams_(streams),
      consumers_(consumers),
      clock_(clock),
      pool_({.name = "fan-out", .threads = options.threads, .queue_max = kQueueMax}),
      ticker_([this] { RunTicker(); }) {}

Subscriptions::~Subscriptions() { Stop(); }

void Subscriptions::Stop() {
  std::vector<std::shared_ptr<Subscription>> left;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [key, subscription] : active_) left.push_back(subscription);
  }
  tick_.notify_all();
  if (ticker_.joinable()) ticker_.join();
  for (const auto& subscription : left) Schedule(subscription);
  pool_.Stop();
}

bool Subscriptions::Stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

Outcome<void> Subscriptions::Begin(const Start& start, const http::Reply& reply) {
  std::shared_ptr<Subscription> subscription, before;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return Refuse("InternalFailure", "The server is stopping.", 503);
    const Key key(start.stream->number, start.consumer, start.shard);
    auto active = active_.find(key);
    if (active != active_.end()) {
      if (clock_.Elapsed() - active->second->begun < kTakeOverAfter) {
        return Refuse("ResourceInUseException",
                      fmt::format("Another active subscription exists for consumer {} and shard {} "
                                  "of stream {} under account {}.",
                                  start.consumer, stream::ShardName(start.shard),
                                  start.stream->short_name, start.stream->account.text()));
      }
      before = active->second;
    } else if (static_cast<int>(active_.size()) >= options_.subscriptions_max) {
      return Refuse(
          "LimitExceededException",
          fmt::format("{} subscriptions are active, the most that there can be.", active_.size()));
    }
    auto writer =
        reply.Stream({.status = 200, .headers = {{"Content-Type", kEventStreamType}}, .body = {}});
    subscription = std::make_shared<Subscription>(*this, start, std::move(writer));
    active_[key] = subscription;
  }
  if (before) {
    before->TakeOver();
    Schedule(before);
  }
  Schedule(subscription);
  return {};
}

void Subscriptions::Schedule(const std::shared_ptr<Subscription>& subscription) {
  if (!subscription->Ask()) return;
  if (!pool_.Submit([subscription] { subscription->Run(); })) subscription->CannotRun();
}

void Subscriptions::Forget(const Key& key, const Subscription* subscription) {
  std::lock_guard lock(mutex_);
  auto active = active_.find(key);
  if (active != active_.end() && active->second.get() == subscription) active_.erase(active);
}

// Heartbeats, throughput that has come back, time that is over.
void Subscriptions::RunTicker() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    tick_.wait_for(lock, kTick, [&] { return stopping_; });
    std::vector<std::shared_ptr<Subscription>> due;
    const microseconds now = clock_.Elapsed();
    for (const auto& [key, subscription] : active_) {
      if (subscription->Due(now)) due.push_back(subscription);
    }
    lock.unlock();
    for (const auto& subscription : due) Schedule(subscription);
    due.clear();
    lock.lock();
  }
}

}  // namespace weft::aws::kinesis
