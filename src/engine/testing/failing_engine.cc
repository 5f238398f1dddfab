// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/failing_engine.h"

namespace weft::engine::testing {

void FailingEngine::FailNth(Call call, int nth, Code code, Effect effect) {
  std::lock_guard lock(mutex_);
  call_ = call;
  code_ = code;
  effect_ = effect;
  left_ = nth;
}

bool FailingEngine::armed() const {
  std::lock_guard lock(mutex_);
  return left_ > 0;
}

std::optional<FailingEngine::Effect> FailingEngine::Due(Call call) {
  std::lock_guard lock(mutex_);
  if (left_ == 0 || (call_ != Call::kAny && call_ != call) || --left_ > 0) return std::nullopt;
  return effect_;
}

Error FailingEngine::Failure() const {
  std::lock_guard lock(mutex_);
  return Error(code_, "a failure made by the test");
}

Status FailingEngine::Query(const QueryRequest& request, RelationSource& relations,
                            ResultSink& sink) {
  const auto due = Due(Call::kQuery);
  if (!due) return engine_.Query(request, relations, sink);
  if (*due == Effect::kDone) (void)engine_.Query(request, relations, sink).ok();
  return Fail(Failure());
}

Result<std::vector<iceberg::DataFile>> FailingEngine::WriteParquet(const WriteRequest& request) {
  const auto due = Due(Call::kWriteParquet);
  if (!due) return engine_.WriteParquet(request);
  if (*due == Effect::kDone) (void)engine_.WriteParquet(request).ok();
  return Fail(Failure());
}

}  // namespace weft::engine::testing
