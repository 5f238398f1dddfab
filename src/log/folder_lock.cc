// SPDX-License-Identifier: Apache-2.0
#include "log/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace weft::log {

Result<std::unique_ptr<FolderLock>> FolderLock::Take(const std::string& folder, const Disk& disk) {
  if (&disk != &SystemDisk()) return std::unique_ptr<FolderLock>();
  const std::string path = folder + "/lock";
  int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return Fail(SystemError("open " + path, errno));
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    int failed = errno;
    close(descriptor);
    if (failed == EWOULDBLOCK) {
      return Fail(Code::kUnavailable,
                  fmt::format("another process has this folder: {} (stop it first)", folder));
    }
    return Fail(SystemError("lock " + path, failed));
  }
  return std::unique_ptr<FolderLock>(new FolderLock(descriptor));
}

FolderLock::~FolderLock() { close(descriptor_); }

}  // namespace weft::log
