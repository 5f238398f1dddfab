// SPDX-License-Identifier: Apache-2.0
#include "stream/live_streams.h"

#include <algorithm>
#include <mutex>

#include "stream/stream_table.h"

namespace weft::stream {
namespace {

// The open shards of `info`, which hold on to the marks that `before` has for them.
std::shared_ptr<const OpenShards> MakeOpen(const StreamInfo& info,
                                           const std::vector<std::shared_ptr<LiveShard>>& shards,
                                           const OpenShards* before) {
  struct Opening {
    HashRange range;
    std::shared_ptr<const OpenMark> mark;
  };
  std::vector<Opening> open;
  for (size_t i = 0; i < shards.size(); ++i) {
    if (info.shards[i].closed) continue;
    std::shared_ptr<const OpenMark> mark;
    if (before != nullptr && before->Find(shards[i]->number) != nullptr) {
      mark = std::find_if(before->entries.begin(), before->entries.end(), [&](const auto& entry) {
               return entry.mark->shard().number == shards[i]->number;
             })->mark;
    } else {
      mark = std::make_shared<const OpenMark>(shards[i]);
    }
    open.push_back({.range = info.shards[i].range, .mark = std::move(mark)});
  }
  auto made = std::make_shared<OpenShards>();
  made->name = info.name;
  made->stream = info.number;
  made->seal = !info.settings.key_id.empty();
  for (const Opening& opening : open) made->numbers.push_back(opening.mark.get());
  std::sort(open.begin(), open.end(),
            [](const Opening& a, const Opening& b) { return a.range.first < b.range.first; });
  for (Opening& opening : open) {
    made->entries.push_back({.last = opening.range.last, .mark = std::move(opening.mark)});
  }
  return made;
}

bool Same(const OpenShards& a, const OpenShards& b) {
  return a.stream == b.stream && a.numbers == b.numbers && a.seal == b.seal;
}

}  // namespace

log::PartitionName PartitionOf(const StreamName& name, int64_t number, int shard) {
  return log::PartitionName(fmt::format("streams/{}/{}/{}", name.text(), number, shard));
}

Error NoSuchStream(const StreamName& name) {
  return Error(Code::kNotFound, fmt::format("no such stream: {}", name.text()));
}

LiveStreams::Known LiveStreams::Next(const Known* before, const StreamInfo& info) {
  if (before != nullptr && before->stream.info->number != info.number) before = nullptr;
  Known next;
  next.stream.info = std::make_shared<const StreamInfo>(info);
  for (const Shard& shard : info.shards) {
    std::shared_ptr<LiveShard> live;
    if (before != nullptr) {
      const auto& shards = before->stream.shards;
      auto found = std::lower_bound(shards.begin(), shards.end(), shard.number,
                                    [](const auto& s, int number) { return s->number < number; });
      if (found != shards.end() && (*found)->number == shard.number) live = *found;
    }
    if (live == nullptr) {
      live = std::make_shared<LiveShard>(shard.number,
                                         PartitionOf(info.name, info.number, shard.number));
      // Nobody can have a Route that leads there.
      if (shard.closed) live->End();
    }
    next.stream.shards.push_back(std::move(live));
  }
  next.open = MakeOpen(info, next.stream.shards, before == nullptr ? nullptr : before->open.get());
  if (before != nullptr && Same(*before->open, *next.open)) next.open = before->open;
  return next;
}

Status LiveStreams::Load() {
  for (;;) {
    int64_t changes = 0;
    {
      std::shared_lock lock(mutex_);
      changes = changes_;
    }
    std::vector<StreamInfo> streams;
    TRY(database_.Read([&](meta::Transaction& tx) -> Status {
      streams = TRY(LoadStreams(tx));
      return {};
    }));
    std::unordered_map<StreamName, Known> before;  // goes behind the lock
    std::unique_lock lock(mutex_);
    // A commit since then is not in it.
    if (changes != changes_) continue;
    before.swap(streams_);
    for (const StreamInfo& info : streams) {
      auto old = before.find(info.name);
      streams_.emplace(info.name, Next(old == before.end() ? nullptr : &old->second, info));
    }
    loaded_ = true;
    return {};
  }
}

Status LiveStreams::Ready() { return loaded_ ? Status() : Load(); }

Result<std::shared_ptr<const StreamInfo>> LiveStreams::Find(const StreamName& name) {
  TRY(Ready());
  std::shared_lock lock(mutex_);
  auto found = streams_.find(name);
  if (found == streams_.end()) return Fail(NoSuchStream(name));
  return found->second.stream.info;
}

Result<std::shared_ptr<const OpenShards>> LiveStreams::Open(const StreamName& name) {
  TRY(Ready());
  std::shared_lock lock(mutex_);
  auto found = streams_.find(name);
  if (found == streams_.end()) return Fail(NoSuchStream(name));
  return found->second.open;
}

Result<LiveStreams::Found> LiveStreams::Find(const ShardId& shard) {
  TRY(Ready());
  std::shared_lock lock(mutex_);
  auto found = streams_.find(shard.stream);
  if (found == streams_.end()) return Fail(NoSuchStream(shard.stream));
  const Stream& stream = found->second.stream;
  auto live = std::lower_bound(stream.shards.begin(), stream.shards.end(), shard.number,
                               [](const auto& s, int number) { return s->number < number; });
  if (live == stream.shards.end() || (*live)->number != shard.number) {
    return Fail(Code::kNotFound,
                fmt::format("the stream {} has no shard {}", shard.stream.text(), shard.number));
  }
  return Found{.info = stream.info, .shard = *live};
}

Result<std::vector<std::shared_ptr<LiveShard>>> LiveStreams::ShardsOf(const StreamName& name) {
  TRY(Ready());
  std::shared_lock lock(mutex_);
  auto found = streams_.find(name);
  if (found == streams_.end()) return Fail(NoSuchStream(name));
  return found->second.stream.shards;
}

Result<std::vector<LiveStreams::Stream>> LiveStreams::All() {
  TRY(Ready());
  std::shared_lock lock(mutex_);
  std::vector<Stream> all;
  all.reserve(streams_.size());
  for (const auto& [name, known] : streams_) all.push_back(known.stream);
  return all;
}

void LiveStreams::Put(const StreamInfo& info) {
  Known before;  // goes behind the lock: it may end shards
  std::unique_lock lock(mutex_);
  ++changes_;
  if (!loaded_) return;
  auto found = streams_.find(info.name);
  Known next = Next(found == streams_.end() ? nullptr : &found->second, info);
  if (found != streams_.end()) {
    before = std::move(found->second);
    found->second = std::move(next);
  } else {
    streams_.emplace(info.name, std::move(next));
  }
}

void LiveStreams::Remove(const StreamName& name) {
  std::unordered_map<StreamName, Known>::node_type removed;  // goes behind the lock
  std::unique_lock lock(mutex_);
  ++changes_;
  removed = streams_.extract(name);
}

}  // namespace weft::stream
