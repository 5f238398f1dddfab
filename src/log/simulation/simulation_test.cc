// SPDX-License-Identifier: Apache-2.0
// The record log under a disk, a clock and a schedule that follow from a seed: see world.h for what
// happens, model.h for what is promised.
//
// WEFT_SIMULATION_SEEDS: how many seeds (20,000). WEFT_SIMULATION_FIRST: the first one (1).
// WEFT_SIMULATION_SEED: that one alone, told step by step.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "log/simulation/seeds.h"
#include "log/simulation/world.h"

namespace weft::log {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t kSeeds = 2'000;
#else
constexpr uint64_t kSeeds = 20'000;
#endif

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// How many seeds it takes until the promise that the lie breaks is seen to be broken.
uint64_t SeedsUntilCaught(SimDisk::Lie lie, uint64_t seeds_max) {
  for (uint64_t seed = 1; seed <= seeds_max; ++seed) {
    if (!SimulateQuietly({.seed = seed, .lie = lie}).broken.empty()) return seed;
  }
  return 0;
}

TEST(LogSimulation, KeepsEveryPromise) {
  if (const uint64_t alone = Setting("WEFT_SIMULATION_SEED", 0)) {
    const Outcome outcome = SimulateAloud({.seed = alone, .trace = true});
    EXPECT_EQ(outcome.broken, "");
    return;
  }
  const uint64_t first = Setting("WEFT_SIMULATION_FIRST", 1);
  const uint64_t seeds = Setting("WEFT_SIMULATION_SEEDS", kSeeds);
  const Tally tally = SimulateMany(first, seeds);
  EXPECT_EQ(tally.broken, 0u);
  EXPECT_EQ(tally.seeds, seeds);
  // That a run does something: some units a seed, and some lives.
  EXPECT_GT(tally.units, seeds * 10);
  EXPECT_GT(tally.lives, seeds * 2);
}

TEST(LogSimulation, SurvivesALossOfPowerAtEveryChangeOfTheDisk) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    int64_t change = 1;
    for (;; ++change) {
      const Outcome outcome = SimulateQuietly({.seed = seed, .cut_at = change});
      ASSERT_EQ(outcome.broken, "") << "seed " << seed << ", cut at change " << change;
      if (!outcome.cut) break;
    }
    EXPECT_GT(change, 5) << seed;
  }
}

TEST(LogSimulation, IsTheSameForTheSameSeed) {
  std::set<uint64_t> digests;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Outcome once = SimulateQuietly({.seed = seed, .trace = true});
    const Outcome again = SimulateQuietly({.seed = seed, .trace = true});
    ASSERT_EQ(once.digest, again.digest) << seed;
    ASSERT_EQ(once.trace, again.trace) << seed;
    digests.insert(once.digest);
  }
  EXPECT_EQ(digests.size(), 50u);
}

// The simulation would see a log that leaves a call out or takes a failure for a success: to the
// log, such a disk is the same.
TEST(LogSimulation, CatchesALogThatDoesNotSyncItsFiles) {
  EXPECT_GT(SeedsUntilCaught(SimDisk::Lie::kSync, 100), 0u);
}
TEST(LogSimulation, CatchesALogThatDoesNotSyncItsFolder) {
  EXPECT_GT(SeedsUntilCaught(SimDisk::Lie::kSyncFolder, 100), 0u);
}
TEST(LogSimulation, CatchesALogThatTakesAFailedSyncForASuccess) {
  EXPECT_GT(SeedsUntilCaught(SimDisk::Lie::kFailedSync, 1000), 0u);
}
TEST(LogSimulation, CatchesALogThatTakesAFailedWriteForASuccess) {
  EXPECT_GT(SeedsUntilCaught(SimDisk::Lie::kFailedWrite, 1000), 0u);
}

}  // namespace
}  // namespace weft::log
