// SPDX-License-Identifier: Apache-2.0
// A long stretch of the log, after a restart or where memory for drafts was short, is cut into
// parts; some threads turn one after the other into chunks, which are taken in order. What is made
// ahead is bounded: a part is about half a chunk and never more than two.
#include <deque>
#include <future>
#include <limits>
#include <thread>

#include "base/pool.h"
#include "tail/table_columns.h"

namespace weft::tail {
namespace {

constexpr int kThreadsMax = 4;

int Threads() {
  static const int threads =
      std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kThreadsMax);
  return threads;
}

}  // namespace

Result<bool> TableColumns::Leap(const stream::ShardId& shard, ShardColumns& columns, int64_t end,
                                int64_t bytes) {
  const Draft* next = NextDraft(shard.number, columns);
  if (next != nullptr) end = std::min(end, next->begin());
  const auto bounds = TRY(dependencies_.streams.BoundsOf(shard));
  const int64_t kept = std::max<int64_t>(bounds.end.value - bounds.begin.value, 1);
  const int64_t record_bytes = std::max<int64_t>(bounds.bytes / kept, 1);
  const int64_t part = std::max<int64_t>(options_.chunk_bytes / 2 / record_bytes, 1);
  end = std::min(end, columns.end() + bytes / record_bytes + 1);
  if (Threads() < 2 || end - columns.end() < 2 * part) return false;

  TRY(columns.Close());
  const int64_t before = columns.end();
  const auto ahead = static_cast<size_t>(Threads()) + 1;
  std::vector<std::unique_ptr<Converter>> converters(ahead);
  for (auto& converter : converters) {
    converter = std::make_unique<Converter>(feed_, converter_->schema(), dependencies_.contracts,
                                            dependencies_.refused);
  }
  struct Part {
    int64_t end;
    std::future<Stretch> made;
  };
  std::deque<Part> parts;
  Pool pool({.name = "tail-leap", .threads = Threads(), .queue_max = static_cast<int>(ahead)});
  int64_t begun = before;
  for (size_t number = 0; begun < end || !parts.empty();) {
    if (begun < end && parts.size() < ahead) {
      Converter& converter = *converters[number++ % ahead];
      const int64_t part_end = std::min(end, begun + part);
      auto work = std::make_shared<std::packaged_task<Stretch()>>(
          [this, &converter, &shard, begun, part_end] {
            return Convert(converter, shard, begun, part_end);
          });
      parts.push_back({.end = part_end, .made = work->get_future()});
      if (!pool.Submit([work] { (*work)(); })) (*work)();
      begun = part_end;
      continue;
    }
    Stretch stretch = parts.front().made.get();
    for (auto& entry : stretch.entries) columns.Push(std::move(entry));
    TRY(stretch.status);
    // What was made behind a part that grew too large is dropped, and made again: that is rare.
    if (columns.end() < parts.front().end) break;
    parts.pop_front();
  }
  return columns.end() > before;
}

TableColumns::Stretch TableColumns::Convert(Converter& converter, const stream::ShardId& shard,
                                            int64_t begin, int64_t end) const {
  Stretch made;
  int64_t bytes = 0;
  iceberg::ColumnBuilder& builder = converter.builder();
  while (begin < end && made.status.ok() && bytes < 2 * options_.chunk_bytes) {
    Read read{.end = begin, .offsets = {}};
    made.status = ReadLog(converter, shard, read, end, std::numeric_limits<int64_t>::max());
    if (read.end == begin) break;
    ShardColumns::Entry entry{.begin = begin, .end = read.end, .chunk = nullptr, .offsets = {}};
    if (builder.rows() > 0) {
      auto chunk = builder.Seal();
      if (!chunk.ok()) {
        made.status = Fail(chunk.error());
        break;
      }
      entry.chunk = *std::move(chunk);
    }
    entry.record_bytes = read.record_bytes;
    entry.SetOffsets(std::move(read.offsets));
    bytes += entry.bytes();
    begin = read.end;
    made.entries.push_back(std::move(entry));
  }
  builder.Clear();
  return made;
}

}  // namespace weft::tail
