// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "objects/object_store.h"

namespace weft::deliver {

// Writes each file as lines of `_id` and the column n; no SQL. The n-th write can be made to fail,
// before or after its objects are written.
class FakeEngine final : public engine::Engine {
 public:
  explicit FakeEngine(objects::ObjectStore& store) : store_(store) {}

  enum class Fail { kBefore, kAfter };
  void FailWrite(int nth, Fail when);
  int writes() const { return writes_; }

  Status Query(const engine::QueryRequest& request, engine::RelationSource& relations,
               engine::ResultSink& sink) override;
  Result<std::vector<iceberg::DataFile>> WriteParquet(const engine::WriteRequest& request) override;
  void Stop() override {}

 private:
  objects::ObjectStore& store_;
  std::atomic<int> writes_ = 0;
  std::atomic<int> fail_in_ = 0;
  Fail fail_when_ = Fail::kBefore;
};

// The lines of such a file.
Result<std::vector<std::string>> LinesOf(objects::ObjectStore& store,
                                         const iceberg::DataFile& file);

// Passes all calls on, but for the n-th from now on.
class FailingStore final : public objects::ObjectStore {
 public:
  explicit FailingStore(objects::ObjectStore& inner) : inner_(inner) {}
  void FailNth(int nth) { left_ = nth; }  // 0: none

  Status Put(const objects::ObjectKey& key, BytesView body) override;
  Status PutIfAbsent(const objects::ObjectKey& key, BytesView body) override;
  Result<std::unique_ptr<objects::ObjectWriter>> Create(const objects::ObjectKey& key) override;
  Result<Bytes> Get(const objects::ObjectKey& key) override;
  Result<Bytes> GetRange(const objects::ObjectKey& key, int64_t offset, int64_t bytes) override;
  Result<objects::ObjectInfo> Head(const objects::ObjectKey& key) override;
  Status Delete(const objects::ObjectKey& key) override;
  Result<std::vector<objects::ObjectInfo>> List(const std::string& bucket,
                                                const std::string& prefix, const std::string& after,
                                                int count_max) override;

 private:
  Status Pass();
  objects::ObjectStore& inner_;
  std::atomic<int> left_ = 0;
};

}  // namespace weft::deliver
