// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/disk.h"

namespace weft::log {

// Shows another disk and leaves it as it is: every change is answered as done and forgotten. What
// looks at a journal that is not its own, such as an inspection, runs recovery over it.
class UntouchedDisk final : public Disk {
 public:
  explicit UntouchedDisk(Disk& inner) : inner_(inner) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status Rename(const std::string&, const std::string&) override { return {}; }
  Status Link(const std::string&, const std::string&) override { return {}; }
  Status Remove(const std::string&) override { return {}; }
  Status MakeFolders(const std::string&) override { return {}; }
  Status SyncFolder(const std::string&) override { return {}; }
  Result<std::vector<Entry>> List(const std::string& folder) override {
    return inner_.List(folder);
  }
  Result<int64_t> FreeBytes(const std::string& path) override { return inner_.FreeBytes(path); }

 private:
  Disk& inner_;
};

}  // namespace weft::log
