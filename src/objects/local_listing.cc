// SPDX-License-Identifier: Apache-2.0
#include "objects/local_listing.h"

#include <algorithm>

namespace weft::objects {
namespace {

// One entry of a folder: the key of a file, or what all keys below a folder begin with.
struct Item {
  std::string key;
  Disk::Entry entry;
};

bool MayHold(const ListingRange& range, const Item& item) {
  const std::string& key = item.key;
  if (!item.entry.folder) return key.starts_with(range.prefix) && key > range.after;
  if (!key.starts_with(range.prefix) && !range.prefix.starts_with(key)) return false;
  // Everything below sorts before `after`, unless `after` lies below as well.
  return key > range.after || range.after.starts_with(key);
}

// A folder opens too, on some systems, but is not read; one that only fails to list is not a file.
bool IsFile(Disk& disk, const std::string& path) {
  auto file = disk.Open(path, OpenMode::kRead);
  return file.ok() && (*file)->ReadAt(0, 1).ok() && !disk.List(path).ok();
}

class Walk {
 public:
  // `name_key` says what an entry adds to the key of its folder; nothing for an entry that is not
  // the store's.
  using NameKey = std::optional<std::string> (*)(const Disk::Entry& entry);
  Walk(Disk& disk, const ListingRange& range, NameKey name_key)
      : disk_(disk), range_(range), name_key_(name_key) {}

  Status Visit(const std::string& folder, const std::string& key) {
    auto entries = disk_.List(folder);
    if (!entries.ok()) {
      // Deleted meanwhile, or never there; or a file has come in its place.
      const bool gone = entries.error().code() == Code::kNotFound || IsFile(disk_, folder);
      return gone ? Status() : Fail(entries.error());
    }
    std::vector<Item> items;
    for (Disk::Entry& entry : *entries) {
      std::optional<std::string> name = name_key_(entry);
      if (!name.has_value()) continue;
      Item item{.key = key + *name, .entry = std::move(entry)};
      if (MayHold(range_, item)) items.push_back(std::move(item));
    }
    std::sort(items.begin(), items.end(),
              [](const Item& a, const Item& b) { return a.key < b.key; });
    for (Item& item : items) {
      if (found.size() >= range_.count_max) return {};
      if (item.entry.folder) {
        TRY(Visit(folder + "/" + item.entry.name, item.key));
      } else {
        found.push_back(InfoOf({.bucket = range_.bucket, .key = std::move(item.key)}, item.entry));
      }
    }
    return {};
  }

  std::vector<ObjectInfo> found;

 private:
  Disk& disk_;
  const ListingRange& range_;
  const NameKey name_key_;
};

std::optional<std::string> PlainName(const Disk::Entry& entry) {
  if (!PlainPart(entry.name)) return std::nullopt;
  return entry.folder ? entry.name + "/" : entry.name;
}

std::optional<std::string> EncodedName(const Disk::Entry& entry) {
  return DecodeKeyPart(entry.name, entry.folder);
}

}  // namespace

ObjectInfo InfoOf(ObjectKey key, const Disk::Entry& entry) {
  return {.key = std::move(key),
          .bytes = entry.bytes,
          .modified = Timestamp(microseconds(entry.modified_us))};
}

Result<std::vector<ObjectInfo>> ListPlain(Disk& disk, const LocalLayout& layout,
                                          const ListingRange& range) {
  Walk walk(disk, range, PlainName);
  const size_t slash = range.prefix.rfind('/');
  std::string folder = layout.plain_folder(range.bucket), key;
  if (slash != std::string::npos) {
    // A prefix such as "../" names no plain key, and must not become a path.
    const std::string inner = range.prefix.substr(0, slash);
    if (!PlainKey(inner)) return walk.found;
    folder += "/" + inner;
    key = inner + "/";
  }
  Status visited = walk.Visit(folder, key);
  if (!visited.ok() && !FileOnPath(disk, layout.plain_folder(range.bucket), key))
    return Fail(visited.error());
  return std::move(walk.found);
}

bool FileOnPath(Disk& disk, const std::string& bucket_folder, std::string_view path) {
  for (size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (IsFile(disk, bucket_folder + "/" + std::string(path.substr(0, slash)))) return true;
  }
  return false;
}

Result<std::vector<ObjectInfo>> ListEncoded(Disk& disk, const std::string& folder,
                                            const ListingRange& range) {
  Walk walk(disk, range, EncodedName);
  TRY(walk.Visit(folder, ""));
  return std::move(walk.found);
}

}  // namespace weft::objects
