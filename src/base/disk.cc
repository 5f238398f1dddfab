// SPDX-License-Identifier: Apache-2.0
#include "base/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <limits>

namespace weft {
namespace {

constexpr size_t kPiecesMax = 1024;  // in one call of the system: Linux's IOV_MAX

class SystemFile final : public File {
 public:
  SystemFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~SystemFile() override { close(descriptor_); }
  SystemFile(const SystemFile&) = delete;
  SystemFile& operator=(const SystemFile&) = delete;

  Status WriteAt(int64_t offset, BytesView bytes) override {
    while (!bytes.empty()) {
      ssize_t wrote = pwrite(descriptor_, bytes.data(), bytes.size(), offset);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return Fail(SystemError("write " + path_, wrote < 0 ? errno : ENOSPC));
      offset += wrote;
      bytes.remove_prefix(static_cast<size_t>(wrote));
    }
    return {};
  }

  Status WritePieces(int64_t offset, std::span<const BytesView> pieces) override {
    std::array<iovec, kPiecesMax> vectors;
    size_t skip = 0;  // of the first piece
    while (!pieces.empty()) {
      size_t count = 0;
      for (; count < std::min(pieces.size(), vectors.size()); ++count) {
        // iovec is for reading too and so not const.
        vectors[count] = {const_cast<char*>(pieces[count].data()), pieces[count].size()};
      }
      vectors[0].iov_base = static_cast<char*>(vectors[0].iov_base) + skip;
      vectors[0].iov_len -= skip;
      ssize_t wrote = pwritev(descriptor_, vectors.data(), static_cast<int>(count), offset);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return Fail(SystemError("write " + path_, errno));
      offset += wrote;
      auto left = static_cast<size_t>(wrote) + skip;
      while (!pieces.empty() && left >= pieces.front().size()) {
        left -= pieces.front().size();
        pieces = pieces.subspan(1);
      }
      if (wrote == 0 && left == skip && !pieces.empty()) {
        return Fail(SystemError("write " + path_, ENOSPC));
      }
      skip = left;
    }
    return {};
  }

  Result<Bytes> ReadAt(int64_t offset, int64_t bytes) const override {
    // The size is asked for first: a wrong length in damaged data must not become an allocation.
    int64_t there = std::max<int64_t>(TRY(Size()) - offset, 0);
    Bytes out(static_cast<size_t>(std::min(bytes, there)), '\0');
    size_t have = 0;
    while (have < out.size()) {
      ssize_t got = pread(descriptor_, out.data() + have, out.size() - have,
                          offset + static_cast<int64_t>(have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Fail(SystemError("read " + path_, errno));
      if (got == 0) break;
      have += static_cast<size_t>(got);
    }
    out.resize(have);
    return out;
  }

  Status Sync() override {
    if (fdatasync(descriptor_) != 0) return Fail(SystemError("sync " + path_, errno));
    return {};
  }

  Status Truncate(int64_t bytes) override {
    if (ftruncate(descriptor_, bytes) != 0) return Fail(SystemError("truncate " + path_, errno));
    return {};
  }

  void Reserve(int64_t offset, int64_t bytes) override {
    (void)fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, offset, bytes);
  }

  Status Free(int64_t offset, int64_t bytes) override {
    if (fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes) == 0) {
      return {};
    }
    if (errno == EOPNOTSUPP) return {};
    return Fail(SystemError("free a part of " + path_, errno));
  }

  Result<int64_t> Size() const override {
    struct stat status {};
    if (fstat(descriptor_, &status) != 0) return Fail(SystemError("stat " + path_, errno));
    return status.st_size;
  }

 private:
  const int descriptor_;
  const std::string path_;
};

class MachineDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead:
        flags |= O_RDONLY;
        break;
      case OpenMode::kWrite:
        flags |= O_RDWR;
        break;
      case OpenMode::kCreateNew:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    int descriptor = open(path.c_str(), flags, 0600);
    if (descriptor < 0) return Fail(SystemError("open " + path, errno));
    return std::make_unique<SystemFile>(descriptor, path);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) {
      return Fail(SystemError(fmt::format("rename {} to {}", from, to), errno));
    }
    return {};
  }

  Status Link(const std::string& from, const std::string& to) override {
    if (link(from.c_str(), to.c_str()) != 0) {
      return Fail(SystemError(fmt::format("link {} to {}", from, to), errno));
    }
    return {};
  }

  Status Remove(const std::string& path) override {
    if (remove(path.c_str()) != 0) return Fail(SystemError("remove " + path, errno));
    return {};
  }

  Status MakeFolders(const std::string& path) override {
    if (path.empty() || path == "/" || path == ".") return {};
    if (mkdir(path.c_str(), 0700) == 0) return SyncFolder(FolderOf(path));
    if (errno == ENOENT) {
      TRY(MakeFolders(FolderOf(path)));
      if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return SyncFolder(FolderOf(path));
    }
    if (errno != EEXIST) return Fail(SystemError("make folder " + path, errno));
    struct stat status {};
    if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      return Fail(Code::kExists, fmt::format("make folder {}: a file has this name", path));
    }
    return {};
  }

  Status SyncFolder(const std::string& path) override {
    int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return Fail(SystemError("open folder " + path, errno));
    int failed = fsync(descriptor) == 0 ? 0 : errno;
    close(descriptor);
    if (failed != 0) return Fail(SystemError("sync folder " + path, failed));
    return {};
  }

  Result<std::vector<Entry>> List(const std::string& folder) override {
    DIR* open_folder = opendir(folder.c_str());
    if (open_folder == nullptr) return Fail(SystemError("list " + folder, errno));
    std::vector<Entry> entries;
    while (const dirent* item = readdir(open_folder)) {
      std::string name = item->d_name;
      if (name == "." || name == "..") continue;
      struct stat status {};
      if (fstatat(dirfd(open_folder), item->d_name, &status, 0) != 0)
        continue;  // removed meanwhile
      entries.push_back(
          {.name = std::move(name),
           .folder = S_ISDIR(status.st_mode),
           .bytes = status.st_size,
           .modified_us = status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1'000});
    }
    closedir(open_folder);
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
  }

  Result<int64_t> FreeBytes(const std::string& path) override {
    struct statvfs status {};
    if (statvfs(path.c_str(), &status) != 0)
      return Fail(SystemError("free space of " + path, errno));
    return static_cast<int64_t>(status.f_bavail) * static_cast<int64_t>(status.f_frsize);
  }
};

}  // namespace

Status File::WritePieces(int64_t offset, std::span<const BytesView> pieces) {
  Bytes all;
  for (BytesView piece : pieces) all += piece;
  return WriteAt(offset, all);
}

Disk& SystemDisk() {
  static MachineDisk disk;
  return disk;
}

Result<Bytes> ReadFile(Disk& disk, const std::string& path) {
  auto file = TRY(disk.Open(path, OpenMode::kRead));
  return file->ReadAt(0, std::numeric_limits<int64_t>::max());
}

Status WriteFile(Disk& disk, const std::string& path, BytesView bytes) {
  static std::atomic<int> serial{0};
  std::string temporary = fmt::format("{}.{}.{}.tmp", path, getpid(), serial++);
  auto write = [&]() -> Status {
    auto file = TRY(disk.Open(temporary, OpenMode::kCreateNew));
    TRY(file->WriteAt(0, bytes));
    TRY(file->Sync());
    TRY(disk.Rename(temporary, path));
    return disk.SyncFolder(FolderOf(path));
  };
  Status written = write();
  if (!written.ok()) (void)disk.Remove(temporary).ok();
  return written;
}

std::string FolderOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace weft
