// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/random.h"
#include "engine/object_file_system_internal.h"
#include "objects/local_store.h"

namespace weft::engine {
namespace {

// The text names no object: it may reach the user.
[[noreturn]] void Throw(const Error& error) {
  throw duckdb::IOException("a data file cannot be read or written (%s)",
                            std::string(CodeName(error.code())));
}

class ObjectHandle : public duckdb::FileHandle {
 public:
  ObjectHandle(duckdb::FileSystem& system, const std::string& name, duckdb::FileOpenFlags how)
      : FileHandle(system, name, how) {}
  ~ObjectHandle() override {
    if (descriptor >= 0) ::close(descriptor);
  }
  // Closing is what makes a written object visible; a handle dropped on a failure leaves nothing.
  void Close() override {
    if (writer == nullptr) return;
    auto done = writer->Commit();
    writer.reset();
    if (!done.ok()) Throw(done.error());
  }

  objects::ObjectKey key;
  int64_t bytes = 0;
  int64_t position = 0;
  int descriptor = -1;
  std::unique_ptr<objects::ObjectWriter> writer;
};

class ObjectFileSystem : public duckdb::FileSystem {
 public:
  ObjectFileSystem(objects::ObjectStore& store, ObjectPaths paths)
      : store_(store), paths_(std::move(paths)) {}

  std::string GetName() const override { return "objects"; }
  bool CanHandleFile(const std::string& path) override { return path.starts_with(paths_.prefix); }
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle& handle) override {
    return handle.Cast<ObjectHandle>().descriptor >= 0;
  }
  bool IsPipe(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return false;
  }
  std::string PathSeparator(const std::string&) override { return "/"; }

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(
      const std::string& path, duckdb::FileOpenFlags flags,
      duckdb::optional_ptr<duckdb::FileOpener>) override {
    auto handle = duckdb::make_uniq<ObjectHandle>(*this, path, flags);
    handle->key = Key(path);
    if (flags.OpenForWriting()) {
      auto writer = store_.Create(handle->key);
      if (!writer.ok()) Throw(writer.error());
      handle->writer = std::move(*writer);
    } else {
      OpenToRead(*handle);
    }
    return handle;
  }

  void Read(duckdb::FileHandle& handle, void* to, int64_t bytes, duckdb::idx_t at) override {
    auto& object = handle.Cast<ObjectHandle>();
    if (ReadSome(object, to, bytes, static_cast<int64_t>(at)) != bytes)
      Throw(Error(Code::kCorrupt, ""));
  }
  int64_t Read(duckdb::FileHandle& handle, void* to, int64_t bytes) override {
    auto& object = handle.Cast<ObjectHandle>();
    int64_t got =
        ReadSome(object, to, std::min(bytes, object.bytes - object.position), object.position);
    object.position += got;
    return got;
  }
  int64_t Write(duckdb::FileHandle& handle, void* from, int64_t bytes) override {
    auto& object = handle.Cast<ObjectHandle>();
    if (object.writer == nullptr) Throw(Error(Code::kInternal, ""));
    auto done =
        object.writer->Write(BytesView(static_cast<const char*>(from), static_cast<size_t>(bytes)));
    if (!done.ok()) Throw(done.error());
    object.bytes += bytes;
    return bytes;
  }
  int64_t GetFileSize(duckdb::FileHandle& handle) override {
    return handle.Cast<ObjectHandle>().bytes;
  }
  // Objects never change, so that what is cached of them stays true.
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle&) override {
    return duckdb::timestamp_t(1);
  }
  std::string GetVersionTag(duckdb::FileHandle&) override { return "1"; }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override {
    return duckdb::FileType::FILE_TYPE_REGULAR;
  }
  void FileSync(duckdb::FileHandle&) override {}
  void Seek(duckdb::FileHandle& handle, duckdb::idx_t at) override {
    handle.Cast<ObjectHandle>().position = static_cast<int64_t>(at);
  }
  void Reset(duckdb::FileHandle& handle) override { Seek(handle, 0); }
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override {
    return static_cast<duckdb::idx_t>(handle.Cast<ObjectHandle>().position);
  }
  bool FileExists(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return false;
  }
  bool DirectoryExists(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return false;
  }
  void CreateDirectory(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {}
  void CreateDirectoriesRecursive(const std::string&,
                                  duckdb::optional_ptr<duckdb::FileOpener>) override {}
  bool ListFiles(const std::string&, const std::function<void(const std::string&, bool)>&,
                 duckdb::FileOpener*) override {
    return false;
  }
  void RemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override {
    auto done = store_.Delete(Key(path));
    if (!done.ok()) Throw(done.error());
  }
  bool TryRemoveFile(const std::string& path,
                     duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    RemoveFile(path, opener);
    return true;
  }

 private:
  objects::ObjectKey Key(const std::string& path) const {
    size_t begin = paths_.prefix.size();
    size_t slash = path.find('/', begin);
    if (slash == std::string::npos) Throw(Error(Code::kNotFound, ""));
    return {.bucket = path.substr(begin, slash - begin), .key = path.substr(slash + 1)};
  }

  void OpenToRead(ObjectHandle& handle) {
    if (!paths_.local_root.empty() && objects::PlainKey(handle.key.key)) {
      auto file = paths_.local_root + "/" + handle.key.bucket + "/" + handle.key.key;
      handle.descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
      struct stat info {};
      if (handle.descriptor >= 0 && ::fstat(handle.descriptor, &info) == 0) {
        handle.bytes = info.st_size;
        return;
      }
    }
    auto info = store_.Head(handle.key);
    if (!info.ok()) Throw(info.error());
    handle.bytes = info->bytes;
  }

  int64_t ReadSome(ObjectHandle& object, void* to, int64_t bytes, int64_t at) {
    if (object.descriptor < 0) {
      auto got = store_.GetRange(object.key, at, bytes);
      if (!got.ok()) Throw(got.error());
      std::copy(got->begin(), got->end(), static_cast<char*>(to));
      return static_cast<int64_t>(got->size());
    }
    int64_t done = 0;
    while (done < bytes) {
      ssize_t got = ::pread(object.descriptor, static_cast<char*>(to) + done,
                            static_cast<size_t>(bytes - done), at + done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) Throw(SystemError("read", errno));
      if (got == 0) break;
      done += got;
    }
    return done;
  }

  objects::ObjectStore& store_;
  ObjectPaths paths_;
};

}  // namespace

ObjectPaths ObjectPaths::Make(const std::string& local_root) {
  return {.prefix = "weft-" + SystemRandom().NextText(32, "0123456789abcdef") + "/",
          .local_root = local_root};
}

std::string ObjectPaths::Path(const std::string& location) const {
  constexpr std::string_view kScheme = "s3://";
  if (!location.starts_with(kScheme))
    throw duckdb::IOException("a data file cannot be read (its location is foreign)");
  return prefix + location.substr(kScheme.size());
}

std::unique_ptr<duckdb::FileSystem> MakeObjectFileSystem(objects::ObjectStore& store,
                                                         const ObjectPaths& paths) {
  return std::make_unique<ObjectFileSystem>(store, paths);
}

}  // namespace weft::engine
