// SPDX-License-Identifier: Apache-2.0
#include "stream/reshard.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace weft::stream {

std::vector<HashRange> EvenRanges(int count) {
  CHECK(count >= 1);
  const auto parts = static_cast<HashKey>(count);
  // 2^128 / parts, for which 2^128 - 1 / parts is one too small where parts divides 2^128.
  const HashKey size = kHashKeyMax / parts + (kHashKeyMax % parts == parts - 1 ? 1 : 0);
  std::vector<HashRange> ranges;
  for (HashKey i = 0; i < parts; ++i) {
    ranges.push_back(
        {.first = i * size, .last = i + 1 == parts ? kHashKeyMax : (i + 1) * size - 1});
  }
  return ranges;
}

Reshard::Reshard(const StreamInfo& stream, int next_number, Timestamp now)
    : name_(stream.name), now_(now), shards_(stream.shards), next_number_(next_number) {}

Result<Shard*> Reshard::Open(int shard) {
  auto found = std::find_if(shards_.begin(), shards_.end(),
                            [shard](const Shard& s) { return s.number == shard; });
  if (found == shards_.end()) {
    return Fail(Code::kNotFound, fmt::format("the stream {} has no shard {}", name_.text(), shard));
  }
  if (found->closed) {
    return Fail(Code::kInvalid,
                fmt::format("shard {} of the stream {} is closed", shard, name_.text()));
  }
  return &*found;
}

Shard* Reshard::OpenWith(HashKey key) {
  auto found = std::find_if(shards_.begin(), shards_.end(),
                            [key](const Shard& s) { return !s.closed && s.range.Contains(key); });
  CHECK(found != shards_.end());
  return &*found;
}

void Reshard::Add(const HashRange& range, int parent, std::optional<int> adjacent_parent) {
  shards_.push_back({.number = next_number_++,
                     .range = range,
                     .parent = parent,
                     .adjacent_parent = adjacent_parent,
                     .opened = now_,
                     .closed = std::nullopt});
}

Status Reshard::Split(int shard, HashKey second_first) {
  Shard* parent = TRY(Open(shard));
  const HashRange range = parent->range;
  if (second_first <= range.first || second_first > range.last) {
    return Fail(Code::kInvalid,
                fmt::format("shard {} of the stream {} has the hash keys {} to {}: its second "
                            "child cannot begin at {}",
                            shard, name_.text(), HashKeyText(range.first), HashKeyText(range.last),
                            HashKeyText(second_first)));
  }
  parent->closed = now_;
  Add({.first = range.first, .last = second_first - 1}, shard, std::nullopt);
  Add({.first = second_first, .last = range.last}, shard, std::nullopt);
  return {};
}

Status Reshard::Merge(int shard, int adjacent) {
  Shard* one = TRY(Open(shard));
  Shard* other = TRY(Open(adjacent));
  const auto touch = [](const HashRange& a, const HashRange& b) {
    return a.last != kHashKeyMax && a.last + 1 == b.first;
  };
  if (!touch(one->range, other->range) && !touch(other->range, one->range)) {
    return Fail(Code::kInvalid, fmt::format("shards {} and {} of the stream {} are not adjacent",
                                            shard, adjacent, name_.text()));
  }
  one->closed = other->closed = now_;
  Add({.first = std::min(one->range.first, other->range.first),
       .last = std::max(one->range.last, other->range.last)},
      shard, adjacent);
  return {};
}

// First every wanted border is made by a split, then every other one goes by a merge: each record's
// key stays on one line of descent, and a shard has two parents at most.
Status Reshard::Resize(int count) {
  const int before = open();
  if (count < 1 || count > 2 * before || 2 * count < before) {
    return Fail(Code::kInvalid,
                fmt::format("a stream of {} open shards can get {} to {} of them, not {}", before,
                            (before + 1) / 2, 2 * before, count));
  }
  std::set<HashKey> wanted;
  for (const HashRange& range : EvenRanges(count)) wanted.insert(range.first);
  for (HashKey first : wanted) {
    const Shard* shard = OpenWith(first);
    if (shard->range.first != first) TRY(Split(shard->number, first));
  }
  std::vector<HashKey> unwanted;
  for (const Shard& shard : shards_) {
    if (!shard.closed && !wanted.contains(shard.range.first)) unwanted.push_back(shard.range.first);
  }
  for (HashKey first : unwanted) {
    TRY(Merge(OpenWith(first - 1)->number, OpenWith(first)->number));
  }
  return {};
}

int Reshard::open() const {
  return static_cast<int>(
      std::count_if(shards_.begin(), shards_.end(), [](const Shard& s) { return !s.closed; }));
}

}  // namespace weft::stream
