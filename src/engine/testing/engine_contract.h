// SPDX-License-Identifier: Apache-2.0
// What every back end of Engine must keep: instantiate EngineContract with makers. A back end that
// understands no SQL says so, and then owes kNotOffered for every statement.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "engine/engine.h"
#include "objects/object_store.h"

namespace weft::engine {

struct EngineMaker {
  // An engine over the objects, which lie as a local store under `root`; both outlive it.
  std::function<std::unique_ptr<Engine>(objects::ObjectStore& store, const std::string& root)> make;
  bool queries = true;
};

// Nothing else in a test program refers to the suite's object file, which the linker would then
// leave out.
bool LinkEngineContract();
inline const bool kEngineContractLinked = LinkEngineContract();

class EngineContract : public ::testing::TestWithParam<EngineMaker> {
 protected:
  void SetUp() override;
  void TearDown() override;
  Engine& engine() { return *engine_; }
  objects::ObjectStore& store() { return *store_; }
  // A write of rows (country, n) into "s3://mesh/sales/data", by country when `parted`.
  WriteRequest Write(const std::string& csv, bool parted = false);

 private:
  std::string root_;
  std::unique_ptr<objects::ObjectStore> store_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace weft::engine
