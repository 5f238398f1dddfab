// SPDX-License-Identifier: Apache-2.0
// What every back end of ObjectStore must keep: instantiate ObjectStoreContract with a maker of
// empty ones.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "objects/object_store.h"

namespace weft::objects {

using MakeObjectStore = std::function<std::unique_ptr<ObjectStore>()>;

// Nothing else in a test program refers to the suite's object file, which the linker would then
// leave out.
bool LinkObjectStoreContract();
inline const bool kObjectStoreContractLinked = LinkObjectStoreContract();

class ObjectStoreContract : public testing::TestWithParam<MakeObjectStore> {
 protected:
  void SetUp() override;
  ObjectStore& store() { return *store_; }
  static ObjectKey Key(std::string key) { return {.bucket = "bucket-1", .key = std::move(key)}; }
  std::vector<std::string> Names(const std::string& prefix = "", const std::string& after = "",
                                 int count_max = 1000);

 private:
  std::unique_ptr<ObjectStore> store_;
};

}  // namespace weft::objects
