// SPDX-License-Identifier: Apache-2.0
#include "log/untouched_disk.h"

namespace weft::log {
namespace {

class UntouchedFile final : public File {
 public:
  // Without one: a file that would have been made.
  explicit UntouchedFile(std::unique_ptr<File> inner) : inner_(std::move(inner)) {}
  Status WriteAt(int64_t, BytesView) override { return {}; }
  Result<Bytes> ReadAt(int64_t offset, int64_t bytes) const override {
    if (!inner_) return Bytes();
    return inner_->ReadAt(offset, bytes);
  }
  Status Sync() override { return {}; }
  Status Truncate(int64_t) override { return {}; }
  Result<int64_t> Size() const override {
    if (!inner_) return int64_t{0};
    return inner_->Size();
  }

 private:
  const std::unique_ptr<File> inner_;
};

}  // namespace

Result<std::unique_ptr<File>> UntouchedDisk::Open(const std::string& path, OpenMode mode) {
  std::unique_ptr<File> inner;
  if (mode != OpenMode::kCreateNew) inner = TRY(inner_.Open(path, OpenMode::kRead));
  return std::make_unique<UntouchedFile>(std::move(inner));
}

}  // namespace weft::log
