// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <thread>
#include <vector>

namespace weft {
namespace {

std::vector<int> Allowed() {
  cpu_set_t allowed;
  std::vector<int> processors;
  EXPECT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &allowed)) processors.push_back(i);
  }
  return processors;
}

// Where thread `number` of `threads` may run afterwards.
std::vector<int> Places(int number, int threads) {
  std::vector<int> places;
  std::thread([&] {
    StayOnOwnProcessor(number, threads);
    places = Allowed();
  }).join();
  return places;
}

TEST(ThreadTest, WithoutProcessorsToSpareEachThreadStaysOnOne) {
  const std::vector<int> all = Allowed();
  if (all.size() < 2) GTEST_SKIP() << "needs two processors";
  const int count = static_cast<int>(all.size());
  for (int i = 0; i < count + 1; ++i) {
    const int own = all[static_cast<size_t>(i % count)];
    EXPECT_EQ(Places(i, count + 1), std::vector<int>{own}) << i;
  }
  EXPECT_EQ(Allowed(), all) << "no other thread is moved";
}

TEST(ThreadTest, WithProcessorsToSpareAThreadIsFree) {
  const std::vector<int> all = Allowed();
  EXPECT_EQ(Places(0, static_cast<int>(all.size()) - 1), all);
}

TEST(ThreadTest, ALongNameIsCut) {
  std::string name(16, '\0');
  std::thread([&] {
    NameThread("a-name-that-is-too-long");
    ASSERT_EQ(pthread_getname_np(pthread_self(), name.data(), name.size()), 0);
  }).join();
  EXPECT_STREQ(name.c_str(), "a-name-that-is-");
}

// The request is the kernel's to grant: what it says of the thread stays readable and fair.
TEST(ThreadTest, AskingToRunSoonKeepsTheThreadAnOrdinaryOne) {
  std::thread([] {
    AskToRunSoon();
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
  }).join();
}

}  // namespace
}  // namespace weft
