// SPDX-License-Identifier: Apache-2.0
#include "base/testing/sim_disk.h"

#include <algorithm>

#include "base/check.h"

namespace weft {
namespace {

constexpr size_t kSectorBytes = 512;

Error NoPower() { return Error(Code::kUnavailable, "the simulated disk has no power"); }
Error NoSuchFile(const std::string& path) {
  return Error(Code::kNotFound, "no such file: " + path);
}

void Overlay(Bytes& to, int64_t offset, BytesView bytes) {
  const auto at = static_cast<size_t>(offset);
  if (to.size() < at + bytes.size()) to.resize(at + bytes.size(), '\0');
  std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

class SimDisk::Visit {
 public:
  Visit(SimDisk& disk, DiskCall call) : disk_(disk), call_(call) { Tell(); }
  ~Visit() { Tell(); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  void Tell() {
    if (disk_.on_call_) disk_.on_call_(call_);
  }
  SimDisk& disk_;
  const DiskCall call_;
};

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::shared_ptr<SimDisk::Content> content, int64_t life, bool writable)
      : disk_(disk), content_(std::move(content)), life_(life), writable_(writable) {}

  Status WriteAt(int64_t offset, BytesView bytes) override {
    const SimDisk::Visit visit(disk_, DiskCall::kWrite);
    std::lock_guard lock(disk_.mutex_);
    TRY(Alive());
    if (!writable_) return Fail(Code::kInternal, "opened for reading");
    Status begun = disk_.Begin(DiskCall::kWrite, true);
    if (begun.ok()) return disk_.WriteContent(*content_, offset, bytes);
    (void)disk_.WriteContent(*content_, offset, bytes.substr(0, disk_.Below(bytes.size() + 1)))
        .ok();
    if (disk_.powered_ && disk_.lie_ == SimDisk::Lie::kFailedWrite) return {};
    return begun;
  }

  Status Free(int64_t offset, int64_t bytes) override {
    const SimDisk::Visit visit(disk_, DiskCall::kWrite);
    std::lock_guard lock(disk_.mutex_);
    TRY(Alive());
    if (!writable_) return Fail(Code::kInternal, "opened for reading");
    TRY(disk_.Begin(DiskCall::kWrite, true));
    const auto size = static_cast<int64_t>(content_->now.size());
    const int64_t to = std::min(offset + bytes, size);
    if (offset >= to) return {};
    return disk_.WriteContent(*content_, offset, Bytes(static_cast<size_t>(to - offset), '\0'));
  }

  Result<Bytes> ReadAt(int64_t offset, int64_t bytes) const override {
    const SimDisk::Visit visit(disk_, DiskCall::kRead);
    std::lock_guard lock(disk_.mutex_);
    TRY(Alive());
    TRY(disk_.Begin(DiskCall::kRead, false));
    const auto at = static_cast<size_t>(offset);
    if (at >= content_->now.size()) return Bytes();
    return content_->now.substr(at, static_cast<size_t>(bytes));
  }

  Status Sync() override {
    const SimDisk::Visit visit(disk_, DiskCall::kSync);
    std::lock_guard lock(disk_.mutex_);
    TRY(Alive());
    Status begun = disk_.Begin(DiskCall::kSync, true);
    if (begun.ok() && disk_.lie_ == SimDisk::Lie::kSync) return {};
    if (begun.ok()) return disk_.SyncContent(*content_);
    for (auto& change : content_->changes) change.doubtful = true;
    if (disk_.powered_ && disk_.lie_ == SimDisk::Lie::kFailedSync) return {};
    return begun;
  }

  Status Truncate(int64_t bytes) override {
    const SimDisk::Visit visit(disk_, DiskCall::kTruncate);
    std::lock_guard lock(disk_.mutex_);
    TRY(Alive());
    TRY(disk_.Begin(DiskCall::kTruncate, true));
    SimDisk::Change change{.offset = bytes, .bytes = {}, .cut = true};
    disk_.Apply(content_->now, change, false);
    content_->changes.push_back(std::move(change));
    return {};
  }

  Result<int64_t> Size() const override {
    std::lock_guard lock(disk_.mutex_);
    TRY(Alive());
    return static_cast<int64_t>(content_->now.size());
  }

 private:
  Status Alive() const {
    if (!disk_.powered_ || life_ != disk_.life_) return Fail(NoPower());
    return {};
  }

  SimDisk& disk_;
  const std::shared_ptr<SimDisk::Content> content_;
  const int64_t life_;
  const bool writable_;
};

SimDisk::SimDisk(uint64_t seed) : random_(seed) {}

void SimDisk::FailCall(DiskCall call, int64_t n, Error error, Then then) {
  std::lock_guard lock(mutex_);
  plans_.insert_or_assign(call,
                          Plan{.at = calls_[call] + n, .error = std::move(error), .then = then});
}

void SimDisk::StopFailing() {
  std::lock_guard lock(mutex_);
  plans_.clear();
}

void SimDisk::CutPowerAtChange(int64_t n) {
  std::lock_guard lock(mutex_);
  cut_at_ = changes_ + n;
}

void SimDisk::CutPower() {
  std::lock_guard lock(mutex_);
  powered_ = false;
}

int64_t SimDisk::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

void SimDisk::OnCall(std::function<void(DiskCall)> call) { on_call_ = std::move(call); }

void SimDisk::DropCaches() {
  std::lock_guard lock(mutex_);
  for (auto& [path, content] : names_) {
    std::erase_if(content->changes,
                  [&](const Change& change) { return change.doubtful && Flip(); });
    content->now = content->synced;
    for (const Change& change : content->changes) Apply(content->now, change, false);
  }
}

void SimDisk::Tell(Lie lie) {
  std::lock_guard lock(mutex_);
  lie_ = lie;
}

int64_t SimDisk::used() const {
  std::lock_guard lock(mutex_);
  return Used();
}

Bytes SimDisk::ContentOf(const std::string& path) const {
  std::lock_guard lock(mutex_);
  auto found = names_.find(path);
  CHECK(found != names_.end());
  return found->second->now;
}

void SimDisk::SetCapacity(int64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void SimDisk::Damage(const std::string& path, int64_t position) {
  std::lock_guard lock(mutex_);
  auto found = names_.find(path);
  CHECK(found != names_.end());
  for (Bytes* bytes : {&found->second->now, &found->second->synced}) {
    if (bytes == &found->second->now) CHECK(position < static_cast<int64_t>(bytes->size()));
    if (position < static_cast<int64_t>(bytes->size()))
      (*bytes)[static_cast<size_t>(position)] ^= 0x41;
  }
}

std::vector<std::string> SimDisk::Paths() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, content] : names_) paths.push_back(path);
  return paths;
}

void SimDisk::Restart(After after) {
  std::lock_guard lock(mutex_);
  ++life_;
  powered_ = true;
  cut_at_ = -1;
  if (after == After::kProcessEnd) return;
  // What was not synced: nothing of it, all of it, or any part.
  auto keeps = [&](uint64_t mood) { return mood == 0 || (mood == 1 && Flip()); };
  const uint64_t names_mood = Below(3);
  for (const NameChange& change : name_changes_) {
    if (keeps(names_mood)) Apply(synced_names_, change);
  }
  name_changes_.clear();
  names_ = synced_names_;
  for (auto& [path, content] : names_) {
    const uint64_t mood = Below(3);
    for (const Change& change : content->changes) {
      if (keeps(mood)) Apply(content->synced, change, mood == 1 && Flip());
    }
    content->changes.clear();
    content->now = content->synced;
  }
}

Result<std::unique_ptr<File>> SimDisk::Open(const std::string& path, OpenMode mode) {
  const Visit visit(*this, DiskCall::kOpen);
  std::lock_guard lock(mutex_);
  TRY(Begin(DiskCall::kOpen, mode == OpenMode::kCreateNew));
  auto found = names_.find(path);
  if (mode == OpenMode::kCreateNew) {
    if (found != names_.end()) return Fail(Code::kExists, "file exists: " + path);
    if (!folders_.contains(FolderOf(path))) return Fail(NoSuchFile(path));
    NameChange change{.gone = "", .made = path, .content = std::make_shared<Content>()};
    Apply(names_, change);
    name_changes_.push_back(change);
    return std::make_unique<SimFile>(*this, change.content, life_, true);
  }
  if (found == names_.end()) return Fail(NoSuchFile(path));
  return std::make_unique<SimFile>(*this, found->second, life_, mode == OpenMode::kWrite);
}

Status SimDisk::Rename(const std::string& from, const std::string& to) {
  const Visit visit(*this, DiskCall::kRename);
  std::lock_guard lock(mutex_);
  TRY(Begin(DiskCall::kRename, true));
  auto found = names_.find(from);
  if (found == names_.end()) return Fail(NoSuchFile(from));
  NameChange change{.gone = from, .made = to, .content = found->second};
  Apply(names_, change);
  name_changes_.push_back(std::move(change));
  return {};
}

Status SimDisk::Link(const std::string& from, const std::string& to) {
  const Visit visit(*this, DiskCall::kLink);
  std::lock_guard lock(mutex_);
  TRY(Begin(DiskCall::kLink, true));
  auto found = names_.find(from);
  if (found == names_.end()) return Fail(NoSuchFile(from));
  if (names_.contains(to)) return Fail(Code::kExists, "file exists: " + to);
  NameChange change{.gone = "", .made = to, .content = found->second};
  Apply(names_, change);
  name_changes_.push_back(std::move(change));
  return {};
}

Status SimDisk::Remove(const std::string& path) {
  const Visit visit(*this, DiskCall::kRemove);
  std::lock_guard lock(mutex_);
  TRY(Begin(DiskCall::kRemove, true));
  if (folders_.contains(path)) {
    auto inside = [&](const auto& other) { return other.starts_with(path + "/"); };
    bool empty = std::none_of(folders_.begin(), folders_.end(), inside) &&
                 std::none_of(names_.begin(), names_.end(),
                              [&](const auto& name) { return inside(name.first); });
    if (!empty) return Fail(Code::kInternal, "folder is not empty: " + path);
    folders_.erase(path);
    return {};
  }
  auto found = names_.find(path);
  if (found == names_.end()) return Fail(NoSuchFile(path));
  NameChange change{.gone = path, .made = "", .content = found->second};
  Apply(names_, change);
  name_changes_.push_back(std::move(change));
  return {};
}

Status SimDisk::MakeFolders(const std::string& path) {
  const Visit visit(*this, DiskCall::kMakeFolders);
  std::lock_guard lock(mutex_);
  TRY(Begin(DiskCall::kMakeFolders, true));
  for (std::string folder = path; !folder.empty() && folder != "."; folder = FolderOf(folder)) {
    if (names_.contains(folder)) return Fail(Code::kExists, "a file has this name: " + folder);
    folders_.insert(folder);
    if (folder == "/") break;
  }
  folders_.insert(".");
  return {};
}

Status SimDisk::SyncFolder(const std::string& path) {
  const Visit visit(*this, DiskCall::kSyncFolder);
  std::lock_guard lock(mutex_);
  TRY(Begin(DiskCall::kSyncFolder, true));
  if (lie_ == Lie::kSyncFolder) return {};
  std::vector<NameChange> left;
  for (NameChange& change : name_changes_) {
    bool here = (!change.gone.empty() && FolderOf(change.gone) == path) ||
                (!change.made.empty() && FolderOf(change.made) == path);
    if (here) {
      Apply(synced_names_, change);
    } else {
      left.push_back(std::move(change));
    }
  }
  name_changes_ = std::move(left);
  return {};
}

Result<std::vector<Disk::Entry>> SimDisk::List(const std::string& folder) {
  const Visit visit(*this, DiskCall::kList);
  std::lock_guard lock(mutex_);
  TRY(Begin(DiskCall::kList, false));
  if (!folders_.contains(folder)) return Fail(Code::kNotFound, "no such folder: " + folder);
  std::vector<Entry> entries;
  for (const auto& [path, content] : names_) {
    if (FolderOf(path) != folder) continue;
    entries.push_back({.name = path.substr(path.rfind('/') + 1),
                       .folder = false,
                       .bytes = static_cast<int64_t>(content->now.size())});
  }
  for (const auto& path : folders_) {
    if (path == folder || FolderOf(path) != folder || path == "/" || path == ".") continue;
    entries.push_back({.name = path.substr(path.rfind('/') + 1), .folder = true});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

Result<int64_t> SimDisk::FreeBytes(const std::string&) {
  const Visit visit(*this, DiskCall::kFreeBytes);
  std::lock_guard lock(mutex_);
  TRY(Begin(DiskCall::kFreeBytes, false));
  return std::max<int64_t>(capacity_ - Used(), 0);
}

Status SimDisk::Begin(DiskCall call, bool changes) {
  if (!powered_) return Fail(NoPower());
  if (changes && CountChange()) return Fail(NoPower());
  const int64_t number = ++calls_[call];
  auto plan = plans_.find(call);
  if (plan == plans_.end() || number < plan->second.at) return {};
  if (number > plan->second.at && plan->second.then == Then::kRecover) return {};
  return Fail(plan->second.error);
}

// True when the power went during it.
bool SimDisk::CountChange() {
  if (++changes_ != cut_at_) return false;
  powered_ = false;
  return true;
}

Status SimDisk::WriteContent(Content& content, int64_t offset, BytesView bytes) {
  const auto size = static_cast<int64_t>(content.now.size());
  const int64_t grows = std::max<int64_t>(offset + static_cast<int64_t>(bytes.size()) - size, 0);
  const int64_t room =
      capacity_ == INT64_MAX ? INT64_MAX : std::max<int64_t>(capacity_ - Used(), 0);
  const bool full = grows > room;
  if (full)
    bytes =
        bytes.substr(0, bytes.size() - std::min(bytes.size(), static_cast<size_t>(grows - room)));
  if (!bytes.empty()) {
    Overlay(content.now, offset, bytes);
    content.changes.push_back({.offset = offset, .bytes = Bytes(bytes)});
  }
  if (full) return Fail(Code::kUnavailable, "No space left on device");
  return {};
}

Status SimDisk::SyncContent(Content& content) {
  for (const Change& change : content.changes) {
    if (!change.doubtful || Flip()) Apply(content.synced, change, change.doubtful && Flip());
  }
  content.changes.clear();
  return {};
}

int64_t SimDisk::Used() const {
  std::set<const Content*> seen;
  int64_t bytes = 0;
  for (const auto& [path, content] : names_) {
    if (seen.insert(content.get()).second) bytes += static_cast<int64_t>(content->now.size());
  }
  return bytes;
}

bool SimDisk::Flip() { return (random_() >> 32 & 1) != 0; }

uint64_t SimDisk::Below(uint64_t limit) { return random_() % limit; }

// A torn write arrives sector by sector, in any order.
void SimDisk::Apply(Bytes& to, const Change& change, bool torn) {
  if (change.cut) {
    to.resize(static_cast<size_t>(change.offset), '\0');
    return;
  }
  if (!torn) return Overlay(to, change.offset, change.bytes);
  BytesView rest = change.bytes;
  int64_t offset = change.offset;
  while (!rest.empty()) {
    const size_t step =
        std::min(rest.size(), kSectorBytes - static_cast<size_t>(offset) % kSectorBytes);
    if (Flip()) Overlay(to, offset, rest.substr(0, step));
    rest.remove_prefix(step);
    offset += static_cast<int64_t>(step);
  }
}

void SimDisk::Apply(Names& names, const NameChange& change) {
  if (!change.gone.empty()) {
    auto found = names.find(change.gone);
    if (found != names.end() && found->second == change.content) names.erase(found);
  }
  if (!change.made.empty()) names[change.made] = change.content;
}

}  // namespace weft
