// SPDX-License-Identifier: Apache-2.0
#include "log/segment.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "codec/hash.h"
#include "log/wire.h"

namespace weft::log {
namespace {

constexpr std::string_view kMagic = "WEFTLOG1";
constexpr uint32_t kVersion = 2;
constexpr int64_t kWindowBytes = int64_t{4} << 20;

// A file seen through a window that moves forward, so that a scan reads each octet about once.
class Window {
 public:
  Window(const File& file, int64_t limit) : file_(file), limit_(limit) {}

  // The bytes from `position`, `count` of them or those up to the limit.
  Result<BytesView> At(int64_t position, int64_t count) {
    count = std::clamp<int64_t>(limit_ - position, 0, count);
    if (position < start_ || position + count > start_ + static_cast<int64_t>(bytes_.size())) {
      bytes_ =
          TRY(file_.ReadAt(position, std::min(limit_ - position, std::max(count, kWindowBytes))));
      start_ = position;
    }
    BytesView all = bytes_;
    return all.substr(static_cast<size_t>(position - start_), static_cast<size_t>(count));
  }

 private:
  const File& file_;
  const int64_t limit_;
  int64_t start_ = 0;
  Bytes bytes_;
};

struct FoundFrame {
  std::optional<FrameHead> head;  // when that is good
  bool whole = false;             // and the body too
};

Result<FoundFrame> FrameAt(Window& window, uint64_t salt, int64_t position) {
  auto start = window.At(position, kFrameHeadBytes);
  if (!start.ok()) return Fail(start.error());
  FoundFrame found{.head = DecodeFrameHead(*start, salt, position)};
  if (!found.head) return found;
  auto frame = window.At(position, found.head->bytes);
  if (!frame.ok()) return Fail(frame.error());
  found.whole = BodyIsGood(*found.head, *frame);
  return found;
}

// Where the salt next stands, or the limit.
Result<int64_t> FindSalt(Window& window, uint64_t salt, int64_t position, int64_t limit) {
  const BytesView wanted(reinterpret_cast<const char*>(&salt), sizeof salt);
  while (position + kFrameHeadBytes <= limit) {
    auto bytes = window.At(position, kWindowBytes);
    if (!bytes.ok()) return Fail(bytes.error());
    if (bytes->size() < wanted.size()) break;
    size_t found = bytes->find(wanted);
    if (found != BytesView::npos) return position + static_cast<int64_t>(found);
    position += static_cast<int64_t>(bytes->size() - wanted.size() + 1);
  }
  return limit;
}

Result<bool> OnlyZeros(Window& window, int64_t position, int64_t limit) {
  while (position < limit) {
    auto bytes = window.At(position, kWindowBytes);
    if (!bytes.ok()) return Fail(bytes.error());
    if (bytes->empty()) break;
    if (bytes->find_first_not_of('\0') != BytesView::npos) return false;
    position += static_cast<int64_t>(bytes->size());
  }
  return true;
}

}  // namespace

FreeBlocks BlocksWithin(int64_t from, int64_t to) {
  return {.from = (from + kFreeBlockBytes - 1) / kFreeBlockBytes * kFreeBlockBytes,
          .to = to / kFreeBlockBytes * kFreeBlockBytes};
}

namespace {

// What was freed between frames that are kept is no damage. When it should have been kept, the gap
// in the offsets tells.
Status LeaveOutFreed(const File& file, std::vector<DamagedRange>& damage) {
  std::vector<DamagedRange> left;
  const int64_t size = TRY(file.Size());
  for (const DamagedRange& range : damage) {
    const FreeBlocks blocks = BlocksWithin(range.from, range.to);
    Window window(file, std::min(size, blocks.to));
    const bool freed = blocks.from < blocks.to && blocks.to <= size &&
                       TRY(OnlyZeros(window, blocks.from, blocks.to));
    if (!freed) left.push_back(range);
  }
  damage = std::move(left);
  return {};
}

}  // namespace

std::string SegmentPath(const std::string& folder, uint64_t sequence) {
  return fmt::format("{}/{:020}.log", folder, sequence);
}

std::string IndexPath(const std::string& folder, uint64_t sequence) {
  return fmt::format("{}/{:020}.index", folder, sequence);
}

std::optional<uint64_t> SequenceOf(const std::string& name, std::string_view suffix) {
  if (name.size() != 20 + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  uint64_t sequence = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + 20, sequence);
  if (error != std::errc() || end != name.data() + 20 || sequence == 0) return std::nullopt;
  return sequence;
}

Bytes EncodeSegmentHeader(const SegmentHeader& header) {
  Bytes out(kMagic);
  AppendNumber<uint32_t>(out, kVersion);
  AppendNumber<uint32_t>(out, static_cast<uint32_t>(kSegmentHeaderBytes));
  AppendNumber<uint64_t>(out, header.sequence);
  AppendNumber<uint64_t>(out, header.salt);
  AppendNumber<int64_t>(out, header.made_us);
  AppendNumber<uint64_t>(out, header.previous);
  AppendNumber<int64_t>(out, header.previous_end);
  AppendNumber<uint32_t>(out, 0);
  AppendNumber<uint32_t>(out, codec::Crc32c(out));
  return out;
}

Result<SegmentHeader> DecodeSegmentHeader(BytesView bytes) {
  if (bytes.size() < static_cast<size_t>(kSegmentHeaderBytes) || !bytes.starts_with(kMagic)) {
    return Fail(Code::kCorrupt, "not a segment's header");
  }
  BytesView checked = bytes.substr(0, 60);
  Cursor cursor(checked.substr(kMagic.size()));
  auto version = cursor.Take<uint32_t>();
  auto header_bytes = cursor.Take<uint32_t>();
  bool good = GetNumber<uint32_t>(bytes.data() + 60) == codec::Crc32c(checked);
  if (version > kVersion && (good || header_bytes != kSegmentHeaderBytes)) {
    return Fail(Code::kNotOffered,
                fmt::format("a newer Weft wrote this segment: format version {}, known is {}",
                            version, kVersion));
  }
  if (!good || version == 0) return Fail(Code::kCorrupt, "the segment's header is damaged");
  SegmentHeader header;
  header.sequence = cursor.Take<uint64_t>();
  header.salt = cursor.Take<uint64_t>();
  header.made_us = cursor.Take<int64_t>();
  header.previous = cursor.Take<uint64_t>();
  header.previous_end = cursor.Take<int64_t>();
  return header;
}

Result<SegmentScan> ScanSegment(const File& file, uint64_t salt, std::optional<int64_t> known_end) {
  const int64_t size = TRY(file.Size());
  const int64_t limit = known_end ? std::min(size, *known_end) : size;
  Window window(file, limit);
  SegmentScan scan;
  int64_t position = kSegmentHeaderBytes;
  scan.proven = kSegmentHeaderBytes;
  int64_t bad_from = -1;
  while (position < limit) {
    auto [head, whole] = TRY(FrameAt(window, salt, position));
    if (!whole) {
      if (head) scan.hollow.push_back(*head);
      if (bad_from < 0) bad_from = position;
      position = TRY(FindSalt(window, salt, position + 1, limit));
      continue;
    }
    if (bad_from >= 0) scan.damage.push_back({.from = bad_from, .to = position});
    bad_from = -1;
    scan.proven = std::max<int64_t>(scan.proven, head->group_start);
    scan.frames.push_back(*head);
    position += head->bytes;
  }
  if (known_end) {
    scan.end = *known_end;
    if (bad_from < 0 && limit < *known_end) bad_from = std::max(limit, kSegmentHeaderBytes);
    if (bad_from >= 0) scan.damage.push_back({.from = bad_from, .to = *known_end});
    TRY(LeaveOutFreed(file, scan.damage));
    return scan;
  }
  if (bad_from < 0) bad_from = std::max(limit, kSegmentHeaderBytes);
  scan.end = bad_from;
  for (size_t i = 0; i < scan.damage.size(); ++i) {
    if (scan.damage[i].from < scan.proven) continue;
    scan.end = scan.damage[i].from;
    scan.damage.resize(i);
    break;
  }
  std::erase_if(scan.frames, [&](const FrameHead& head) { return head.position >= scan.end; });
  // A unit whose last frame is not there was never acknowledged.
  while (!scan.frames.empty() && scan.frames.back().continued &&
         scan.frames.back().position >= scan.proven &&
         int64_t{scan.frames.back().position} + scan.frames.back().bytes == scan.end) {
    scan.end = scan.frames.back().position;
    scan.frames.pop_back();
  }
  std::erase_if(scan.hollow, [&](const FrameHead& head) { return head.position >= scan.end; });
  scan.torn = !TRY(OnlyZeros(window, scan.end, limit));
  return scan;
}

Result<bool> OnlyZerosBehind(const File& file, int64_t position) {
  const int64_t size = TRY(file.Size());
  Window window(file, size);
  return OnlyZeros(window, position, size);
}

Result<std::optional<uint64_t>> SaltOfFirstFrame(const File& file) {
  const int64_t size = TRY(file.Size());
  Window window(file, size);
  const BytesView start = TRY(window.At(kSegmentHeaderBytes, kFrameHeadBytes));
  if (start.size() < sizeof(uint64_t)) return std::optional<uint64_t>();
  const auto salt = GetNumber<uint64_t>(start.data());
  const auto found = TRY(FrameAt(window, salt, kSegmentHeaderBytes));
  return found.whole ? std::optional(salt) : std::nullopt;
}

}  // namespace weft::log
