// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace weft {

// An open file. Safe to call from any thread, as long as no two calls write the same bytes.
class File {
 public:
  virtual ~File() = default;
  // Writes all of `bytes` at `offset`, or fails with some, all or none of them written (a full disk
  // is kUnavailable). Not durable before Sync.
  virtual Status WriteAt(int64_t offset, BytesView bytes) = 0;
  // The same for what lies in several places of memory, one behind the other in the file.
  virtual Status WritePieces(int64_t offset, std::span<const BytesView> pieces);
  // Up to `bytes` bytes from `offset`: fewer only at the end of the file.
  virtual Result<Bytes> ReadAt(int64_t offset, int64_t bytes) const = 0;
  // Makes what was written durable. After a failure nothing is known of any byte written since the
  // last success: the caller must not trust them, and calling again proves nothing.
  virtual Status Sync() = 0;
  virtual Status Truncate(int64_t bytes) = 0;
  // Gives the space of these octets back; they read as zeros from now on, or, where the file system
  // cannot do that or the power goes soon after, may be what they were.
  virtual Status Free(int64_t, int64_t) { return {}; }
  // Has the file system set space aside for these octets, past the file's end too, whose size stays
  // as it is. Only makes what is written there later cheaper: nothing is said where it cannot.
  virtual void Reserve(int64_t, int64_t) {}
  virtual Result<int64_t> Size() const = 0;
};

enum class OpenMode {
  kRead,       // must exist
  kWrite,      // must exist; read and write
  kCreateNew,  // must not exist (kExists); read and write
};

// The file system, as far as a store needs it. A constructor takes it, so that tests can lose power
// and fill the disk. Names are absolute or relative to the working folder. Safe to call from any
// thread.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  // Replaces `to`. Durable once SyncFolder of both folders has returned.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  // Gives the file `from` the second name `to`; kExists when that is taken. Atomic.
  virtual Status Link(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;  // a file or an empty folder
  // Makes the folder and those above it, durably; fine when it is there.
  virtual Status MakeFolders(const std::string& path) = 0;
  // Makes the names in the folder durable.
  virtual Status SyncFolder(const std::string& path) = 0;
  struct Entry {
    std::string name;
    bool folder = false;
    int64_t bytes = 0;
    int64_t modified_us = 0;  // microseconds since 1970
  };
  // In order of name (bytes). kNotFound when there is no such folder.
  virtual Result<std::vector<Entry>> List(const std::string& folder) = 0;
  // Bytes that this process could still write under `path`.
  virtual Result<int64_t> FreeBytes(const std::string& path) = 0;
};

// The machine's own.
Disk& SystemDisk();

// Reads a whole file.
Result<Bytes> ReadFile(Disk& disk, const std::string& path);
// Replaces a file by way of a temporary one beside it: afterwards the old content or the new is
// there, whole and durable. New files are readable by their owner only.
Status WriteFile(Disk& disk, const std::string& path, BytesView bytes);
std::string FolderOf(const std::string& path);

}  // namespace weft
