// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace weft::log {

// Held while it lives: one process, and one holder in it, has the folder. The operating system
// takes it back from a process that dies.
class FolderLock {
 public:
  // kUnavailable when it is held. None on a disk that is not the machine's: a simulated one has no
  // folder that could be locked.
  static Result<std::unique_ptr<FolderLock>> Take(const std::string& folder, const Disk& disk);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  const int descriptor_;
};

}  // namespace weft::log
