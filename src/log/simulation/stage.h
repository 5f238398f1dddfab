// SPDX-License-Identifier: Apache-2.0
// What all that takes part in a simulated run shares.
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/testing/sim_disk.h"
#include "log/record_log.h"
#include "log/simulation/model.h"
#include "log/simulation/schedule.h"
#include "log/simulation/world.h"

namespace weft::log {

// The machine's clock, which jumps; the time that passed does not.
class SimClock final : public Clock {
 public:
  explicit SimClock(const Schedule& schedule) : schedule_(schedule) {}
  Timestamp Now() const override { return Timestamp(seconds(1'790'000'000) + jump_ + Elapsed()); }
  microseconds Elapsed() const override { return schedule_.now(); }
  void Jump(microseconds by) { jump_ += by; }

 private:
  const Schedule& schedule_;
  microseconds jump_{0};
};

class SimRandom final : public Random {
 public:
  explicit SimRandom(uint64_t seed) : random_(seed) {}
  void Fill(void* to, size_t bytes) override {
    auto* at = static_cast<char*>(to);
    for (size_t i = 0; i < bytes; ++i) at[i] = static_cast<char>(random_() >> 32);
  }

 private:
  std::mt19937_64 random_;
};

constexpr const char* kFolder = "journal";
constexpr int64_t kNever = int64_t{1} << 40;  // changes of the disk

struct Watching {
  Model::Look look;  // when it began
  Offset from;
  RecordLog::Watch handle;
  int woken = 0;
  bool given_up = false;
};

struct Stage {
  explicit Stage(const Scenario& what)
      : scenario(what),
        draws(what.seed * 0x9e3779b97f4a7c15U + 1),
        schedule(draws()),
        clock(schedule),
        random(draws()),
        disk(draws()) {}

  const Scenario scenario;
  std::mt19937_64 draws;
  Schedule schedule;
  SimClock clock;
  SimRandom random;
  SimDisk disk;
  Model model;
  std::unique_ptr<RecordLog> log;
  std::vector<std::shared_ptr<Watching>> watches;
  std::map<PartitionName, Bounds> expected;  // by who looked while it was closed
  uint32_t value_bytes_max = 100;
  Bytes master_key;          // empty: nothing is encrypted
  bool life_over = false;    // clients end
  bool index_rot = false;    // octets may be counted that an index alone could tell apart
  bool read_faults = false;  // a read may fail for the disk's sake
  std::vector<std::string> trace;

  uint64_t Below(uint64_t limit) { return draws() % limit; }
  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(Below(static_cast<uint64_t>(most - least + 1)));
  }
  bool OneIn(uint64_t times) { return Below(times) == 0; }
  bool Over() const { return life_over || !model.broken().empty() || !disk.powered(); }

  template <typename... Values>
  void Say(fmt::format_string<Values...> form, Values&&... values) {
    if (!scenario.trace) return;
    trace.push_back(
        fmt::format("{:>10} us, thread {}: ", schedule.now().count(), schedule.thread()) +
        fmt::format(form, std::forward<Values>(values)...));
  }
};

}  // namespace weft::log
