// SPDX-License-Identifier: Apache-2.0
// One round of upkeep over all streams.
#include <algorithm>
#include <set>

#include "base/logging.h"
#include "stream/streams_internal.h"

namespace weft::stream {
namespace {
constexpr seconds kKeepEvery{1};
}  // namespace

Status Streams::Keep() {
  std::lock_guard turn(state_->keeping);
  const auto streams = TRY(state_->live.All());
  Status first;
  for (const LiveStreams::Stream& stream : streams) {
    const Status kept = state_->KeepStream(stream);
    if (first.ok() && !kept.ok()) first = kept;
  }
  std::set<int64_t> numbers;
  for (const LiveStreams::Stream& stream : streams) numbers.insert(stream.info->number);
  state_->retention.Keep(numbers);
  std::erase_if(state_->scaling, [&](const auto& entry) { return !numbers.contains(entry.first); });
  return first;
}

Status Streams::State::KeepStream(const LiveStreams::Stream& stream) {
  Status first;
  if (stream.info->use == Use::kFree) first = retention.Trim(stream);
  const std::vector<int> forgettable = retention.Forgettable(stream);
  if (!forgettable.empty()) {
    const Status forgotten = Forget(stream.info->name, forgettable);
    if (first.ok() && !forgotten.ok()) first = forgotten;
  }
  if (stream.info->settings.mode == Mode::kOnDemand && stream.info->use != Use::kInternal) {
    const Status scaled = Scale(stream);
    if (first.ok() && !scaled.ok()) first = scaled;
  }
  // Deleted meanwhile.
  return first.ok() || first.error().code() == Code::kNotFound ? Status() : first;
}

Status Streams::State::Scale(const LiveStreams::Stream& stream) {
  std::vector<Scaling::Load> open;
  for (size_t i = 0; i < stream.shards.size(); ++i) {
    const Shard& shard = stream.info->shards[i];
    if (shard.closed) continue;
    open.push_back({.shard = shard.number,
                    .range = shard.range,
                    .written = stream.shards[i]->throughput.written()});
  }
  std::sort(open.begin(), open.end(),
            [](auto& a, auto& b) { return a.range.first < b.range.first; });
  const auto steps = scaling[stream.info->number].Look(
      open, clock.Elapsed(), options.on_demand_shards_min, options.on_demand_shards_max);
  Status first;
  for (const Scaling::Step& step : steps) {
    const Status done = Change(stream.info->name, [&](Reshard& reshard) {
      return step.adjacent ? reshard.Merge(step.shard, *step.adjacent)
                           : reshard.Split(step.shard, step.middle);
    });
    if (done.ok()) {
      Log(LogLevel::kInfo, "stream", step.adjacent ? "merged quiet shards" : "split a busy shard",
          {{"stream", stream.info->name.text()}, {"shard", std::to_string(step.shard)}});
    }
    // Resharded by somebody else meanwhile: the next round looks again.
    if (first.ok() && !done.ok() && done.error().code() != Code::kInvalid) first = done;
  }
  return first;
}

void Streams::Start() {
  State& state = *state_;
  std::lock_guard lock(state.mutex);
  if (state.stopping || state.thread.joinable()) return;
  state.thread = std::thread([this] {
    std::string reported;
    for (;;) {
      {
        std::unique_lock wait(state_->mutex);
        if (state_->wake.wait_for(wait, kKeepEvery, [this] { return state_->stopping; })) return;
      }
      const Status kept = Keep();
      // The same failure comes every second: it is told once.
      const std::string failure = kept.ok() ? "" : kept.error().message();
      if (!failure.empty() && failure != reported) {
        Log(LogLevel::kWarning, "stream", "upkeep of a stream failed and will be tried again",
            {{"error", failure}});
      }
      reported = failure;
    }
  });
}

void Streams::Stop() {
  std::thread thread;
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    thread.swap(state_->thread);
  }
  state_->wake.notify_all();
  if (thread.joinable()) thread.join();
}

}  // namespace weft::stream
