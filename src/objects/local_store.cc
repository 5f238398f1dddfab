// SPDX-License-Identifier: Apache-2.0
// An object is written to a temporary file, synced, and then given its name: by a rename, or by a
// link where it must not replace another. What changes names takes `naming_`, since a key `a` and a
// key `a/b` want the same place as a file and as a folder: whoever comes second is displaced, to a
// place of its own, and the displaced few are remembered. Reading and the syncing of contents take
// no lock.
#include "objects/local_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "base/logging.h"
#include "objects/local_listing.h"

namespace weft::objects {
namespace {

constexpr std::string_view kMarker = "weft objects 1\n";
constexpr size_t kKnownMax = 65'536;

class LocalStore final : public ObjectStore {
 public:
  LocalStore(const LocalStoreOptions& options, Disk& disk)
      : disk_(disk),
        layout_(options.root),
        reader_(options.reader),
        free_bytes_min_(options.free_bytes_min) {}

  Status Start();

  Status Put(const ObjectKey& key, BytesView body) override;
  Status PutIfAbsent(const ObjectKey& key, BytesView body) override;
  Result<std::unique_ptr<ObjectWriter>> Create(const ObjectKey& key) override;
  Result<Bytes> Get(const ObjectKey& key) override;
  Result<Bytes> GetRange(const ObjectKey& key, int64_t offset, int64_t bytes) override;
  Result<ObjectInfo> Head(const ObjectKey& key) override;
  Status Delete(const ObjectKey& key) override;
  Result<std::vector<ObjectInfo>> List(const std::string& bucket, const std::string& prefix,
                                       const std::string& after, int count_max) override;

 private:
  class Writer;
  friend class Writer;

  Status LoadDisplaced();
  Status CheckWriter() const;
  std::string NewTemporary() { return fmt::format("{}/{}", layout_.temporary_folder(), serial_++); }
  Status CheckSpace(size_t bytes);
  Status WriteTemporary(const std::string& path, BytesView body);
  // Gives a synced temporary file the key's name; the temporary name is gone afterwards, come what
  // may.
  Status Publish(const std::string& temporary, const ObjectKey& key, bool replace);
  Result<std::string> PlaceFor(const ObjectKey& key);  // under naming_
  bool Blocked(const ObjectKey& key);                  // under naming_
  std::string PathOf(const ObjectKey& key);
  Status SyncNearestFolder(std::string folder);
  void RemoveEmptyFolders(std::string folder);  // under naming_
  Result<std::unique_ptr<File>> OpenObject(const ObjectKey& key);
  void Changed(const ObjectKey& key);

  Disk& disk_;
  const LocalLayout layout_;
  const bool reader_;
  const int64_t free_bytes_min_;
  std::atomic<int64_t> serial_ = 0;

  std::mutex naming_;

  std::mutex mutex_;
  std::set<ObjectKey> displaced_;          // changed under naming_ too
  std::map<ObjectKey, ObjectInfo> known_;  // what Head answered, until the object changes
  int64_t changes_ = 0;
};

Error NoObject(const ObjectKey& key) {
  return Error(Code::kNotFound, fmt::format("no object {}", Location(key)));
}

class LocalStore::Writer final : public ObjectWriter {
 public:
  Writer(LocalStore& store, ObjectKey key, std::string path, std::unique_ptr<File> file)
      : store_(store), key_(std::move(key)), path_(std::move(path)), file_(std::move(file)) {}
  ~Writer() override {
    if (!published_) (void)store_.disk_.Remove(path_).ok();
  }

  Status Write(BytesView bytes) override {
    TRY(status_);
    status_ = Append(bytes);
    return status_;
  }

  Status Commit() override {
    TRY(status_);
    status_ = Fail(Code::kInternal, "a writer was used after Commit");
    TRY(file_->Sync());
    file_.reset();
    published_ = true;
    return store_.Publish(path_, key_, true);
  }

 private:
  Status Append(BytesView bytes) {
    TRY(store_.CheckSpace(bytes.size()));
    TRY(file_->WriteAt(size_, bytes));
    size_ += static_cast<int64_t>(bytes.size());
    return {};
  }

  LocalStore& store_;
  const ObjectKey key_;
  const std::string path_;
  std::unique_ptr<File> file_;
  int64_t size_ = 0;
  bool published_ = false;
  Status status_;  // once failed, so is the object
};

Status LocalStore::Start() {
  if (!reader_) TRY(disk_.MakeFolders(layout_.root()));
  auto marker = ReadFile(disk_, layout_.marker());
  if (!marker.ok() && marker.error().code() == Code::kNotFound) {
    if (!reader_) TRY(WriteFile(disk_, layout_.marker(), kMarker));
  } else if (!marker.ok()) {
    return Fail(marker.error());
  } else if (*marker != kMarker) {
    const bool newer = marker->starts_with("weft objects ");
    return Fail(newer ? Code::kNotOffered : Code::kCorrupt,
                newer ? fmt::format("{} was written by a newer Weft", layout_.root())
                      : fmt::format("{} does not say what it should", layout_.marker()));
  }
  if (reader_) return LoadDisplaced();
  TRY(disk_.MakeFolders(layout_.temporary_folder()));
  for (const Disk::Entry& entry : TRY(disk_.List(layout_.temporary_folder()))) {
    TRY(disk_.Remove(layout_.temporary_folder() + "/" + entry.name));
  }
  return LoadDisplaced();
}

Status LocalStore::LoadDisplaced() {
  auto buckets = disk_.List(layout_.displaced_folder());
  if (!buckets.ok())
    return buckets.error().code() == Code::kNotFound ? Status() : Fail(buckets.error());
  for (const Disk::Entry& bucket : *buckets) {
    if (!bucket.folder) continue;
    ListingRange all{.bucket = bucket.name, .prefix = "", .after = "", .count_max = SIZE_MAX};
    for (ObjectInfo& info :
         TRY(ListEncoded(disk_, layout_.displaced_folder() + "/" + bucket.name, all))) {
      displaced_.insert(std::move(info.key));
    }
  }
  return {};
}

Status LocalStore::CheckSpace(size_t bytes) {
  TRY(CheckWriter());
  const int64_t free = TRY(disk_.FreeBytes(layout_.root()));
  if (free - free_bytes_min_ < static_cast<int64_t>(bytes)) {
    return Fail(Code::kUnavailable,
                fmt::format("the disk of {} is full: {} bytes are free", layout_.root(), free));
  }
  return {};
}

Status LocalStore::WriteTemporary(const std::string& path, BytesView body) {
  auto write = [&]() -> Status {
    auto file = TRY(disk_.Open(path, OpenMode::kCreateNew));
    TRY(file->WriteAt(0, body));
    return file->Sync();
  };
  Status written = write();
  if (!written.ok()) (void)disk_.Remove(path).ok();
  return written;
}

Status LocalStore::Put(const ObjectKey& key, BytesView body) {
  TRY(CheckKey(key));
  TRY(CheckSpace(body.size()));
  const std::string temporary = NewTemporary();
  TRY(WriteTemporary(temporary, body));
  return Publish(temporary, key, true);
}

Status LocalStore::PutIfAbsent(const ObjectKey& key, BytesView body) {
  TRY(CheckKey(key));
  // Most that would fail are found out here, before anything is written; the link decides.
  if (OpenObject(key).ok()) return Fail(Code::kExists, fmt::format("{} is there", Location(key)));
  TRY(CheckSpace(body.size()));
  const std::string temporary = NewTemporary();
  TRY(WriteTemporary(temporary, body));
  return Publish(temporary, key, false);
}

Result<std::unique_ptr<ObjectWriter>> LocalStore::Create(const ObjectKey& key) {
  TRY(CheckKey(key));
  TRY(CheckSpace(0));
  std::string temporary = NewTemporary();
  auto file = TRY(disk_.Open(temporary, OpenMode::kCreateNew));
  return std::make_unique<Writer>(*this, key, std::move(temporary), std::move(file));
}

Status LocalStore::Publish(const std::string& temporary, const ObjectKey& key, bool replace) {
  std::string folder;
  auto name = [&]() -> Status {
    std::lock_guard lock(naming_);
    const std::string path = TRY(PlaceFor(key));
    folder = FolderOf(path);
    TRY(disk_.MakeFolders(folder));
    TRY(replace ? disk_.Rename(temporary, path) : disk_.Link(temporary, path));
    if (!PlainKey(key.key) || path == layout_.plain(key)) return {};
    std::lock_guard also(mutex_);
    displaced_.insert(key);
    return {};
  };
  Status named = name();
  Changed(key);
  if (!replace || !named.ok()) (void)disk_.Remove(temporary).ok();
  if (!named.ok() && named.error().code() == Code::kExists) {
    return Fail(Code::kExists, fmt::format("{} is there", Location(key)));
  }
  TRY(named);
  TRY(SyncNearestFolder(folder));
  return disk_.SyncFolder(layout_.temporary_folder());
}

Result<std::string> LocalStore::PlaceFor(const ObjectKey& key) {
  std::string path = PathOf(key);
  if (path != layout_.plain(key) || !Blocked(key)) return path;
  return layout_.displaced(key);
}

bool LocalStore::Blocked(const ObjectKey& key) {
  // Folders are removed with their last object, but a crash can leave empty ones.
  if (disk_.List(layout_.plain(key)).ok()) {
    ListingRange any{.bucket = key.bucket, .prefix = key.key + "/", .after = "", .count_max = 1};
    auto below = ListPlain(disk_, layout_, any);
    if (!below.ok() || !below->empty() || !disk_.Remove(layout_.plain(key)).ok()) return true;
  }
  return FileOnPath(disk_, layout_.plain_folder(key.bucket), key.key);
}

std::string LocalStore::PathOf(const ObjectKey& key) {
  if (!PlainKey(key.key)) return layout_.other(key);
  std::lock_guard lock(mutex_);
  return displaced_.contains(key) ? layout_.displaced(key) : layout_.plain(key);
}

// Another call may have removed the folder, empty again, since: then what is above it says so.
Status LocalStore::SyncNearestFolder(std::string folder) {
  for (;;) {
    Status synced = disk_.SyncFolder(folder);
    if (synced.ok() || synced.error().code() != Code::kNotFound || folder == layout_.root())
      return synced;
    folder = FolderOf(folder);
  }
}

void LocalStore::RemoveEmptyFolders(std::string folder) {
  while (folder.size() > layout_.root().size() && disk_.Remove(folder).ok())
    folder = FolderOf(folder);
}

Result<std::unique_ptr<File>> LocalStore::OpenObject(const ObjectKey& key) {
  const std::string path = PathOf(key);
  auto file = disk_.Open(path, OpenMode::kRead);
  // A folder opens too, on some systems; and what lies below a file is an error of its own kind.
  if (file.ok() && disk_.List(path).ok()) return Fail(NoObject(key));
  if (file.ok()) return file;
  const bool absent =
      file.error().code() == Code::kNotFound || disk_.List(path).ok() ||
      FileOnPath(disk_, layout_.plain_folder(key.bucket), PlainKey(key.key) ? key.key : "");
  return absent ? Fail(NoObject(key)) : Fail(file.error());
}

Result<Bytes> LocalStore::Get(const ObjectKey& key) {
  TRY(CheckKey(key));
  auto file = TRY(OpenObject(key));
  return file->ReadAt(0, std::numeric_limits<int64_t>::max());
}

Result<Bytes> LocalStore::GetRange(const ObjectKey& key, int64_t offset, int64_t bytes) {
  TRY(CheckKey(key));
  if (offset < 0 || bytes < 0)
    return Fail(Code::kInvalid, "a range begins at 0 or later and has no negative length");
  auto file = TRY(OpenObject(key));
  return file->ReadAt(offset, bytes);
}

// The disk tells sizes and times by folder only, so all that is learnt is kept.
Result<ObjectInfo> LocalStore::Head(const ObjectKey& key) {
  TRY(CheckKey(key));
  int64_t changes = 0;
  {
    std::lock_guard lock(mutex_);
    auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    changes = changes_;
  }
  TRY(OpenObject(key));
  const std::string path = PathOf(key), folder = FolderOf(path),
                    name = path.substr(folder.size() + 1);
  auto entries = disk_.List(folder);
  if (!entries.ok() && entries.error().code() != Code::kNotFound) return Fail(entries.error());
  if (!entries.ok()) return Fail(NoObject(key));
  auto entry = std::find_if(entries->begin(), entries->end(),
                            [&](const Disk::Entry& e) { return e.name == name && !e.folder; });
  if (entry == entries->end()) return Fail(NoObject(key));
  ObjectInfo info = InfoOf(key, *entry);
  std::lock_guard lock(mutex_);
  if (changes != changes_) return info;
  if (known_.size() + entries->size() > kKnownMax) known_.clear();
  known_.insert_or_assign(key, info);
  if (path != layout_.plain(key) || entries->size() > kKnownMax) return info;
  const std::string above = key.key.substr(0, key.key.size() - name.size());
  for (const Disk::Entry& other : *entries) {
    if (other.folder || !PlainPart(other.name)) continue;
    ObjectKey beside{.bucket = key.bucket, .key = above + other.name};
    if (displaced_.contains(beside)) continue;
    ObjectInfo beside_info = InfoOf(beside, other);
    known_.insert_or_assign(std::move(beside), std::move(beside_info));
  }
  return info;
}

Status LocalStore::CheckWriter() const {
  if (!reader_) return {};
  return Fail(Code::kDenied, fmt::format("{} was opened for reading", layout_.root()));
}

Status LocalStore::Delete(const ObjectKey& key) {
  TRY(CheckKey(key));
  TRY(CheckWriter());
  std::string folder;
  {
    std::lock_guard lock(naming_);
    const std::string path = PathOf(key);
    auto there = OpenObject(key);
    if (!there.ok()) {
      return there.error().code() == Code::kNotFound ? Status() : Fail(there.error());
    }
    TRY(disk_.Remove(path));
    folder = FolderOf(path);
    {
      std::lock_guard also(mutex_);
      displaced_.erase(key);
    }
    Changed(key);
    RemoveEmptyFolders(folder);
  }
  return SyncNearestFolder(folder);
}

void LocalStore::Changed(const ObjectKey& key) {
  std::lock_guard lock(mutex_);
  ++changes_;
  known_.erase(key);
}

Result<std::vector<ObjectInfo>> LocalStore::List(const std::string& bucket,
                                                 const std::string& prefix,
                                                 const std::string& after, int count_max) {
  TRY(CheckBucket(bucket));
  if (count_max <= 0) return Fail(Code::kInvalid, "a listing has one object at least");
  const ListingRange range{.bucket = bucket,
                           .prefix = prefix,
                           .after = after,
                           .count_max = static_cast<size_t>(count_max)};
  auto found = TRY(ListPlain(disk_, layout_, range));
  for (ObjectInfo& info : TRY(ListEncoded(disk_, layout_.other_folder(bucket), range))) {
    found.push_back(std::move(info));
  }
  for (ObjectInfo& info :
       TRY(ListEncoded(disk_, layout_.displaced_folder() + "/" + bucket, range))) {
    found.push_back(std::move(info));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  if (found.size() > range.count_max) found.resize(range.count_max);
  return found;
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenLocalStore(const LocalStoreOptions& options, Disk& disk,
                                                    const Clock&) {
  if (options.root.empty()) return Fail(Code::kInvalid, "the folder of the objects has no name");
  auto store = std::make_unique<LocalStore>(options, disk);
  TRY(store->Start());
  return store;
}

}  // namespace weft::objects
