// SPDX-License-Identifier: Apache-2.0
#include "stream/retention.h"

#include <algorithm>
#include <optional>

#include "base/logging.h"

namespace weft::stream {
namespace {

// Freeing is a search in the log: not for every single batch that grows old.
constexpr seconds kTrimEvery{10};
constexpr seconds kRetryAfter{60};

// A batch that can be read between the damaged `damaged` and `end`, should there be one not far
// off.
Result<std::optional<log::StoredBatch>> ReadBehind(log::RecordLog& log,
                                                   const log::PartitionName& partition,
                                                   int64_t damaged, int64_t end) {
  for (int64_t step = 1; step < end - damaged; step *= 2) {
    auto batches = log.Read(partition, {damaged + step}, {.bytes_max = 1});
    if (batches.ok() && !batches->empty()) return std::optional(std::move(batches->front()));
    if (!batches.ok() && batches.error().code() != Code::kCorrupt) return Fail(batches.error());
  }
  return std::optional<log::StoredBatch>();
}

}  // namespace

Result<Offset> OffsetAt(log::RecordLog& log, const log::PartitionName& partition, Timestamp time) {
  log::Bounds bounds = TRY(log.BoundsOf(partition));
  // Arrival times never fall, so the batches before `low` arrived earlier and those from `high` on
  // did not.
  int64_t low = bounds.begin.value;
  int64_t high = bounds.end.value;
  const int64_t end = high;
  int64_t nothing = end;  // from here to the end all was lost, and somebody accepted that
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    auto batches = log.Read(partition, {middle}, {.bytes_max = 1});
    if (!batches.ok() && batches.error().code() == Code::kNotFound) {
      // Trimmed meanwhile.
      bounds = TRY(log.BoundsOf(partition));
      low = std::max(low, bounds.begin.value);
      high = std::max(low, high);
      continue;
    }
    if (!batches.ok() && batches.error().code() == Code::kCorrupt) {
      const auto behind = TRY(ReadBehind(log, partition, middle, high));
      if (behind && behind->arrival < time) {
        low = behind->next().value;
      } else {
        high = middle;
      }
      continue;
    }
    if (!batches.ok()) return Fail(batches.error());
    if (batches->empty()) {
      nothing = high = middle;
      continue;
    }
    const log::StoredBatch& batch = batches->front();
    if (batch.arrival < time) {
      low = batch.next().value;
    } else {
      // Between `middle` and a batch that begins behind it is nothing to read.
      high = std::max(low, std::min(batch.first.value, middle));
    }
  }
  return Offset{low == nothing ? end : low};
}

Status Retention::Trim(const LiveStreams::Stream& stream) {
  const StreamSettings& settings = stream.info->settings;
  std::map<int, Due>& shards = due_[stream.info->number];
  Status first;
  for (const auto& shard : stream.shards) {
    Due& due = shards[shard->number];
    const Status trimmed = TrimShard(settings, *shard, due);
    if (trimmed.ok()) continue;
    due = {.at = clock_.Now() + kRetryAfter, .retention = settings.retention};
    if (trimmed.error().code() == Code::kNotFound) continue;  // deleted meanwhile
    if (first.ok()) first = Fail(trimmed.error().In("free records of " + shard->partition.text()));
  }
  std::erase_if(shards,
                [&](const auto& entry) { return stream.info->FindShard(entry.first) == nullptr; });
  return first;
}

Status Retention::TrimShard(const StreamSettings& settings, const LiveShard& shard, Due& due) {
  const Timestamp now = clock_.Now();
  const bool by_time = now >= due.at || due.retention != settings.retention;
  if (!by_time && settings.retention_bytes == 0) return {};
  const log::Bounds bounds = TRY(log_.BoundsOf(shard.partition));
  Offset before = bounds.begin;
  if (settings.retention_bytes > 0 && bounds.bytes > settings.retention_bytes) {
    before = TRY(log_.OffsetWithin(shard.partition, settings.retention_bytes));
  }
  if (by_time && bounds.begin < bounds.end) {
    before = std::max(before, TRY(OffsetAt(log_, shard.partition, now - settings.retention)));
  }
  if (before > bounds.begin) TRY(log_.Trim(shard.partition, before));
  if (!by_time) return {};
  // What comes from now on is kept for the whole of it.
  due = {.at = now + settings.retention, .retention = settings.retention};
  const auto oldest = TRY(log_.Read(shard.partition, before, {.bytes_max = 1}));
  if (!oldest.empty()) {
    due.at = std::max<Timestamp>(oldest.front().arrival + settings.retention, now + kTrimEvery);
  }
  return {};
}

std::vector<int> Retention::Forgettable(const LiveStreams::Stream& stream) const {
  std::vector<int> found;
  const Timestamp now = clock_.Now();
  for (size_t i = 0; i < stream.shards.size(); ++i) {
    const Shard& shard = stream.info->shards[i];
    const LiveShard& live = *stream.shards[i];
    if (!shard.closed || !live.ended() || *shard.closed + stream.info->settings.retention >= now) {
      continue;
    }
    const auto bounds = log_.BoundsOf(live.partition);
    // A partition that is not there holds nothing either.
    if (bounds.ok() ? bounds->begin == bounds->end : bounds.error().code() == Code::kNotFound) {
      found.push_back(shard.number);
    }
  }
  return found;
}

void Retention::Keep(const std::set<int64_t>& streams) {
  std::erase_if(due_, [&](const auto& entry) { return !streams.contains(entry.first); });
}

}  // namespace weft::stream
