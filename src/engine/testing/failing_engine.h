// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>

#include "engine/engine.h"

namespace weft::engine::testing {

// Passes all calls on, but for the one it is told to fail. Safe to call from any thread.
class FailingEngine final : public Engine {
 public:
  enum class Call { kQuery, kWriteParquet, kAny };
  // What a failed call has done all the same: the rows were given to the sink, or the files lie in
  // the object store and nobody is told their names.
  enum class Effect { kNone, kDone };
  explicit FailingEngine(Engine& engine) : engine_(engine) {}

  // The `nth` call of the kind from now on (1: the next one) fails with `code`, once.
  void FailNth(Call call, int nth, Code code = Code::kUnavailable, Effect effect = Effect::kNone);
  // Whether that failure is still to come.
  bool armed() const;

  Status Query(const QueryRequest& request, RelationSource& relations, ResultSink& sink) override;
  Result<std::vector<iceberg::DataFile>> WriteParquet(const WriteRequest& request) override;
  void Stop() override { engine_.Stop(); }

 private:
  // Nothing where the call may pass.
  std::optional<Effect> Due(Call call);
  Error Failure() const;

  Engine& engine_;
  mutable std::mutex mutex_;
  Call call_ = Call::kAny;
  Code code_ = Code::kUnavailable;
  Effect effect_ = Effect::kNone;
  int left_ = 0;
};

}  // namespace weft::engine::testing
