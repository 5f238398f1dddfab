// SPDX-License-Identifier: Apache-2.0
// One simulated run: the journal on a simulated disk, with clients that append, read, trim, watch,
// make and delete; a disk that is slow, fails, fills up, rots and loses power; and lives of the
// process that end in order or not. All of it follows from the seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/testing/sim_disk.h"

namespace weft::log {

struct Scenario {
  uint64_t seed = 1;
  // When not 0: one quiet life, in which the power goes at this change of the disk.
  int64_t cut_at = 0;
  SimDisk::Lie lie = SimDisk::Lie::kNone;
  bool trace = false;
};

struct Outcome {
  std::string broken;  // the promise that was, or ""
  uint64_t digest = 0;
  bool cut = false;  // the power did go
  int lives = 0;
  int units = 0;
  std::vector<std::string> trace;
};

Outcome Simulate(const Scenario& scenario);

}  // namespace weft::log
