// SPDX-License-Identifier: Apache-2.0
#include "codec/uuid.h"

#include <gtest/gtest.h>

#include <string_view>

namespace weft::codec {
namespace {

TEST(Uuid, IsWrittenFromItsHighestBitOn) {
  const UuidText text = ToUuidText(0x7d9f0f2c6f0b4a8e, 0x9a553f1f0c7f6d11);
  EXPECT_EQ(std::string_view(text.data(), text.size()), "7d9f0f2c-6f0b-4a8e-9a55-3f1f0c7f6d11");
  const UuidText least = ToUuidText(0, 1);
  EXPECT_EQ(std::string_view(least.data(), least.size()), "00000000-0000-0000-0000-000000000001");
}

}  // namespace
}  // namespace weft::codec
