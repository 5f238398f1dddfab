// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "log/simulation/world.h"

namespace weft::log {

// What many runs came to.
struct Tally {
  uint64_t seeds = 0;
  uint64_t broken = 0;
  uint64_t units = 0;
  uint64_t lives = 0;
};

// Runs that many seeds, in a process for each core; a schedule has a process to itself. Prints for
// each seed that breaks a promise, and for a process that dies, how to see it again; after some of
// them it stops. The first that breaks one is told step by step.
Tally SimulateMany(uint64_t first, uint64_t seeds);

// One run in this process, what the log has to say left out. The same whatever ran before.
Outcome SimulateQuietly(const Scenario& scenario);
// What the log says is seen, and the trace, and what was broken.
Outcome SimulateAloud(const Scenario& scenario);

}  // namespace weft::log
