// SPDX-License-Identifier: Apache-2.0
#include "stream/scaling.h"

#include <set>

namespace weft::stream {
namespace {

constexpr double kBytesMax = ShardThroughput::kBytesIn, kRecordsMax = ShardThroughput::kRecordsIn;

}  // namespace

void Scaling::Measure(const std::vector<Load>& open, microseconds now) {
  std::set<int> there;
  for (const Load& load : open) {
    there.insert(load.shard);
    auto [found, fresh] = seen_.try_emplace(load.shard);
    Seen& seen = found->second;
    if (fresh) {
      seen.since = now;
      seen.written = load.written;
    }
    if (now - seen.since < kWindow) continue;
    const double past = std::chrono::duration<double>(now - seen.since).count();
    seen.rate =
        Rate{.bytes = static_cast<double>(load.written.bytes - seen.written.bytes) / past,
             .records = static_cast<double>(load.written.records - seen.written.records) / past};
    seen.since = now;
    seen.written = load.written;
  }
  std::erase_if(seen_, [&](const auto& entry) { return !there.contains(entry.first); });
  for (size_t i = 0; i + 1 < open.size(); ++i) {
    Seen& left = seen_.at(open[i].shard);
    const Seen& right = seen_.at(open[i + 1].shard);
    const bool quiet = left.rate && right.rate &&
                       4 * (left.rate->bytes + right.rate->bytes) < kBytesMax &&
                       4 * (left.rate->records + right.rate->records) < kRecordsMax;
    if (!quiet || left.neighbour != open[i + 1].shard) left.quiet_since.reset();
    left.neighbour = open[i + 1].shard;
    if (quiet && !left.quiet_since) left.quiet_since = now;
  }
}

std::vector<Scaling::Step> Scaling::Look(const std::vector<Load>& open, microseconds now,
                                         int shards_min, int shards_max) {
  Measure(open, now);
  std::vector<Step> steps;
  int count = static_cast<int>(open.size());
  for (const Load& load : open) {
    const Seen& seen = seen_.at(load.shard);
    const bool hot =
        seen.rate && (seen.rate->bytes > kBytesMax || seen.rate->records > kRecordsMax);
    if (!hot || count >= shards_max || load.range.first == load.range.last) continue;
    steps.push_back({.shard = load.shard,
                     .adjacent = std::nullopt,
                     .middle = load.range.first + (load.range.last - load.range.first) / 2 + 1});
    ++count;
  }
  if (!steps.empty() || count <= shards_min) return steps;
  for (size_t i = 0; i + 1 < open.size(); ++i) {
    const Seen& left = seen_.at(open[i].shard);
    if (!left.quiet_since || now - *left.quiet_since < kQuiet) continue;
    steps.push_back({.shard = open[i].shard, .adjacent = open[i + 1].shard, .middle = 0});
    break;
  }
  return steps;
}

}  // namespace weft::stream
