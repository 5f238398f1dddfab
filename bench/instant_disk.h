// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/disk.h"

namespace weft::bench {

// Writes and syncs go nowhere: what is left is the journal's own cost.
class InstantFile final : public File {
 public:
  explicit InstantFile(std::unique_ptr<File> inner) : inner_(std::move(inner)) {}
  Status WriteAt(int64_t, BytesView) override { return {}; }
  Status WritePieces(int64_t, std::span<const BytesView>) override { return {}; }
  Result<Bytes> ReadAt(int64_t offset, int64_t bytes) const override {
    return inner_->ReadAt(offset, bytes);
  }
  Status Sync() override { return {}; }
  Status Truncate(int64_t) override { return {}; }
  Result<int64_t> Size() const override { return inner_->Size(); }

 private:
  const std::unique_ptr<File> inner_;
};

class InstantDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    auto file = TRY(SystemDisk().Open(path, mode));
    if (mode == OpenMode::kRead || !path.ends_with(".log")) return file;
    return std::make_unique<InstantFile>(std::move(file));
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return SystemDisk().Rename(from, to);
  }
  Status Link(const std::string& from, const std::string& to) override {
    return SystemDisk().Link(from, to);
  }
  Status Remove(const std::string& path) override { return SystemDisk().Remove(path); }
  Status MakeFolders(const std::string& path) override { return SystemDisk().MakeFolders(path); }
  Status SyncFolder(const std::string& path) override { return SystemDisk().SyncFolder(path); }
  Result<std::vector<Entry>> List(const std::string& folder) override {
    return SystemDisk().List(folder);
  }
  Result<int64_t> FreeBytes(const std::string& path) override {
    return SystemDisk().FreeBytes(path);
  }
};

}  // namespace weft::bench
