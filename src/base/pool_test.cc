// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace weft {
namespace {

TEST(PoolTest, RunsWhatItTakes) {
  std::atomic<int> done{0};
  Pool pool({.name = "a name that is longer than 15", .threads = 3, .queue_max = 1000});
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.Submit([&] { ++done; }));
  pool.Stop();
  EXPECT_EQ(done, 500);
}

TEST(PoolTest, AFullQueueRefusesAtOnce) {
  std::promise<void> release, started;
  auto released = release.get_future().share();
  std::atomic<int> done{0};
  Pool pool({.name = "full", .threads = 1, .queue_max = 2});
  ASSERT_TRUE(pool.Submit([&] {
    started.set_value();
    released.wait();
    ++done;
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.Submit([&] { ++done; }));
  EXPECT_TRUE(pool.Submit([&] { ++done; }));
  EXPECT_FALSE(pool.Submit([&] { ++done; }));
  EXPECT_EQ(pool.queued(), 2);
  release.set_value();
  pool.Stop();
  EXPECT_EQ(done, 3);
}

TEST(PoolTest, AStoppedPoolRefuses) {
  Pool pool({.name = "stopped", .threads = 2});
  pool.Stop();
  pool.Stop();
  EXPECT_FALSE(pool.Submit([] {}));
}

}  // namespace
}  // namespace weft
