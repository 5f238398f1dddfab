// SPDX-License-Identifier: Apache-2.0
#include "log/segment_writer.h"

#include <algorithm>

#include "base/logging.h"
#include "log/segment.h"

namespace weft::log {
namespace {

// Small groups overwrite zeros that are there already: the file keeps its size and blocks, so that
// fdatasync has no metadata to write (a third less time on ext4). The zeros go out in a write of
// their own, made durable by the sync of the group that they follow.
constexpr int64_t kPaddingBytes = int64_t{256} << 10;
// Larger ones would write more zeros than they save.
constexpr int64_t kPaddedGroupBytesMax = kPaddingBytes / 8;
// Their blocks are set aside many at once: found one by one, as they are written, they cost more.
constexpr int64_t kReservedBytes = int64_t{8} << 20;

BytesView Zeros(int64_t bytes) {
  static const Bytes zeros(static_cast<size_t>(kPaddingBytes), '\0');
  return BytesView(zeros).substr(0, static_cast<size_t>(bytes));
}

}  // namespace

SegmentWriter::SegmentWriter(Options options, Disk& disk, const Clock& clock, Random& random,
                             Histogram& sync_seconds)
    : options_(std::move(options)),
      disk_(disk),
      clock_(clock),
      random_(random),
      sync_seconds_(sync_seconds) {}

Result<std::shared_ptr<Segment>> SegmentWriter::Prepare() {
  // From here on the segment may have a successor on the disk even when making it fails: it is
  // given up first.
  if (current_ && position_ >= options_.segment_bytes) Abandon();
  if (!current_) TRY(MakeSegment());
  return current_;
}

Status SegmentWriter::Write(std::span<const BytesView> group) {
  int64_t bytes = 0;
  for (BytesView frame : group) bytes += static_cast<int64_t>(frame.size());
  const int64_t end = position_ + bytes;
  File& file = *current_->file;
  if (bytes > kPaddedGroupBytesMax && end > reserved_to_) {
    reserved_to_ = std::max(end, std::min(end + kReservedBytes, options_.segment_bytes));
    file.Reserve(position_, reserved_to_ - position_);
  }
  Status written = file.WritePieces(position_, group);
  if (written.ok() && end > written_to_) {
    if (bytes <= kPaddedGroupBytesMax) {
      // Without room for the zeros the group itself is still good.
      if (file.WriteAt(end, Zeros(kPaddingBytes)).ok()) written_to_ = end + kPaddingBytes;
    }
  }
  if (!written.ok()) {
    written_to_ = reserved_to_ = position_;
    if (file.Truncate(position_).ok() && TimedSync(file).ok()) {
      return Fail(Code::kUnavailable, written.error().message());
    }
  } else {
    written = TimedSync(file);
    if (written.ok()) {
      position_ = end;
      return {};
    }
  }
  Log(LogLevel::kError, "log", "a segment could not be written; going on in a new one",
      {{"file", SegmentPath(options_.folder, current_->sequence)},
       {"end", std::to_string(position_)},
       {"error", written.error().message()}});
  (void)file.Truncate(position_).ok();
  Abandon();
  Status next = MakeSegment();
  if (next.ok()) return Fail(Code::kUnavailable, written.error().message());
  return Fail(Code::kInternal,
              fmt::format("{}; then: {}", written.error().message(), next.error().message()));
}

void SegmentWriter::Abandon() {
  options_.previous = current_->sequence;
  options_.previous_end = position_;
  current_.reset();
}

Status SegmentWriter::MakeSegment() {
  const uint64_t sequence = options_.next_sequence++;
  const std::string path = SegmentPath(options_.folder, sequence);
  auto segment = std::make_shared<Segment>();
  segment->sequence = sequence;
  while (segment->salt == 0) segment->salt = random_.Next();
  Bytes header = EncodeSegmentHeader({.sequence = sequence,
                                      .salt = segment->salt,
                                      .made_us = clock_.Now().time_since_epoch().count(),
                                      .previous = options_.previous,
                                      .previous_end = options_.previous_end});
  auto make = [&]() -> Status {
    segment->file = TRY(disk_.Open(path, OpenMode::kCreateNew));
    TRY(segment->file->WriteAt(0, header));
    TRY(TimedSync(*segment->file));
    return disk_.SyncFolder(options_.folder);
  };
  Status made = make();
  if (!made.ok()) {
    (void)disk_.Remove(path).ok();
    return Fail(Code::kUnavailable, made.error().In("no new segment").message());
  }
  segment->end = position_ = written_to_ = reserved_to_ = kSegmentHeaderBytes;
  current_ = std::move(segment);
  return {};
}

Status SegmentWriter::TimedSync(File& file) {
  microseconds before = clock_.Elapsed();
  Status synced = file.Sync();
  sync_seconds_.Observe(std::chrono::duration<double>(clock_.Elapsed() - before).count());
  return synced;
}

}  // namespace weft::log
