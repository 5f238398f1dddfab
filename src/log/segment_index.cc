// SPDX-License-Identifier: Apache-2.0
#include "log/segment_index.h"

#include <type_traits>

#include "codec/hash.h"
#include "log/wire.h"

namespace weft::log {
namespace {

constexpr std::string_view kMagic = "WEFTIDX1";
constexpr uint32_t kVersion = 2;
constexpr size_t kHeaderBytes = 64;
constexpr size_t kCrcAt = 60;
constexpr size_t kDirectoryEntryBytes = 52;
constexpr size_t kDirectoryEntryBytes1 = 44;  // in version 1: without the octets of the frames
constexpr size_t kEntryBytes = 16;

// Entries lie in the file as they do in memory.
static_assert(sizeof(IndexEntry) == kEntryBytes && std::is_trivially_copyable_v<IndexEntry>);

BytesView BytesOf(const std::vector<IndexEntry>& entries) {
  return {reinterpret_cast<const char*>(entries.data()), entries.size() * kEntryBytes};
}

uint32_t DirectoryCrc(BytesView header_and_directory) {
  return codec::Crc32c(header_and_directory.substr(kHeaderBytes),
                       codec::Crc32c(header_and_directory.substr(0, kCrcAt)));
}

}  // namespace

Bytes EncodeIndex(IndexDirectory& directory,
                  const std::vector<const std::vector<IndexEntry>*>& entries) {
  int64_t position =
      static_cast<int64_t>(kHeaderBytes + directory.runs.size() * kDirectoryEntryBytes);
  for (size_t i = 0; i < directory.runs.size(); ++i) {
    directory.runs[i].section = {.position = position,
                                 .count = static_cast<uint32_t>(entries[i]->size()),
                                 .crc = codec::Crc32c(BytesOf(*entries[i]))};
    position += static_cast<int64_t>(entries[i]->size() * kEntryBytes);
  }
  Bytes out(kMagic);
  out.reserve(static_cast<size_t>(position));
  AppendNumber<uint32_t>(out, kVersion);
  AppendNumber<uint32_t>(out, static_cast<uint32_t>(directory.runs.size()));
  AppendNumber<uint64_t>(out, directory.sequence);
  AppendNumber<uint64_t>(out, directory.salt);
  AppendNumber<int64_t>(out, directory.end);
  out.resize(kHeaderBytes);
  for (const IndexDirectoryEntry& run : directory.runs) {
    AppendNumber<uint32_t>(out, run.partition);
    AppendNumber<uint32_t>(out, run.section.count);
    AppendNumber<int64_t>(out, run.base);
    AppendNumber<int64_t>(out, run.end);
    AppendNumber<int64_t>(out, run.arrival_us);
    AppendNumber<int64_t>(out, run.section.position);
    AppendNumber<uint32_t>(out, run.section.crc);
    AppendNumber<int64_t>(out, run.bytes);
  }
  PutNumber<uint32_t>(out.data() + kCrcAt, DirectoryCrc(out));
  for (const auto* section : entries) out.append(BytesOf(*section));
  return out;
}

Result<IndexDirectory> ReadIndexDirectory(const File& file) {
  Bytes bytes = TRY(file.ReadAt(0, static_cast<int64_t>(kHeaderBytes)));
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) {
    return Fail(Code::kCorrupt, "not a segment's index");
  }
  Cursor header(BytesView(bytes).substr(kMagic.size()));
  auto version = header.Take<uint32_t>();
  auto count = header.Take<uint32_t>();
  if (version > kVersion) return Fail(Code::kNotOffered, "a newer Weft wrote this index");
  const size_t entry_bytes = version == 1 ? kDirectoryEntryBytes1 : kDirectoryEntryBytes;
  const auto directory_bytes = static_cast<int64_t>(count * entry_bytes);
  bytes += TRY(file.ReadAt(static_cast<int64_t>(kHeaderBytes), directory_bytes));
  if (bytes.size() != kHeaderBytes + static_cast<size_t>(directory_bytes) ||
      GetNumber<uint32_t>(bytes.data() + kCrcAt) != DirectoryCrc(bytes)) {
    return Fail(Code::kCorrupt, "the segment's index is damaged");
  }
  Cursor cursor(BytesView(bytes).substr(16));
  IndexDirectory directory;
  directory.sequence = cursor.Take<uint64_t>();
  directory.salt = cursor.Take<uint64_t>();
  directory.end = cursor.Take<int64_t>();
  cursor = Cursor(BytesView(bytes).substr(kHeaderBytes));
  for (uint32_t i = 0; i < count; ++i) {
    IndexDirectoryEntry run;
    run.partition = cursor.Take<uint32_t>();
    run.section.count = cursor.Take<uint32_t>();
    run.base = cursor.Take<int64_t>();
    run.end = cursor.Take<int64_t>();
    run.arrival_us = cursor.Take<int64_t>();
    run.section.position = cursor.Take<int64_t>();
    run.section.crc = cursor.Take<uint32_t>();
    run.bytes = version == 1 ? -1 : cursor.Take<int64_t>();
    directory.runs.push_back(run);
  }
  return directory;
}

Result<std::vector<IndexEntry>> ReadIndexSection(const File& file, const SectionPlace& place) {
  const int64_t wanted = int64_t{place.count} * static_cast<int64_t>(kEntryBytes);
  Bytes bytes = TRY(file.ReadAt(place.position, wanted));
  if (static_cast<int64_t>(bytes.size()) != wanted || codec::Crc32c(bytes) != place.crc) {
    return Fail(Code::kCorrupt, "the segment's index is damaged");
  }
  std::vector<IndexEntry> entries(place.count);
  if (wanted > 0) std::memcpy(entries.data(), bytes.data(), bytes.size());
  return entries;
}

}  // namespace weft::log
