// SPDX-License-Identifier: Apache-2.0
#include "log/simulation/seeds.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/check.h"

namespace weft::log {
namespace {

constexpr uint64_t kBrokenMax = 10;  // of one process; then it stops

// Puts the null device in the place of stderr while it lives.
class Quiet {
 public:
  Quiet() : kept_(dup(2)) {
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    CHECK(kept_ >= 0 && null >= 0);
    dup2(null, 2);
    close(null);
  }
  ~Quiet() {
    dup2(kept_, 2);
    close(kept_);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  const int kept_;
};

// What is made once in a process, the first time it is used, is made here and not in a run.
void WarmUp() {
  static const bool warm = [] {
    const Quiet quiet;
    for (uint64_t seed = 1; seed <= 20; ++seed) (void)Simulate({.seed = seed});
    return true;
  }();
  (void)warm;
}

uint64_t seed_under_way = 0;

// A failed CHECK or a fault of the machine's: says which seed it was.
void OnDeath(int signal) {
  char text[120];
  const int bytes = std::snprintf(text, sizeof text, "a process died of signal %d in seed %llu\n",
                                  signal, static_cast<unsigned long long>(seed_under_way));
  (void)!write(1, text, static_cast<size_t>(bytes));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void PrintFirst(uint64_t seed) {
  const Outcome outcome = SimulateQuietly({.seed = seed, .trace = true});
  for (const std::string& line : outcome.trace) std::printf("  %s\n", line.c_str());
}

// One process's share: every so many-th seed.
Tally SimulateShare(uint64_t first, uint64_t past, uint64_t step) {
  Tally tally;
  for (uint64_t seed = first; seed < past && tally.broken < kBrokenMax; seed += step) {
    seed_under_way = seed;
    const Outcome outcome = SimulateQuietly({.seed = seed});
    ++tally.seeds;
    tally.units += static_cast<uint64_t>(outcome.units);
    tally.lives += static_cast<uint64_t>(outcome.lives);
    if (outcome.broken.empty()) continue;
    std::printf("seed %llu: %s\n  again: WEFT_SIMULATION_SEED=%llu weft_log_simulation\n",
                static_cast<unsigned long long>(seed), outcome.broken.c_str(),
                static_cast<unsigned long long>(seed));
    if (tally.broken++ == 0) PrintFirst(seed);
    std::fflush(stdout);
  }
  return tally;
}

[[noreturn]] void RunProcess(int report, uint64_t first, uint64_t past, uint64_t step) {
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS}) std::signal(signal, OnDeath);
  const Tally tally = SimulateShare(first, past, step);
  (void)!write(report, &tally, sizeof tally);
  _exit(0);
}

}  // namespace

Outcome SimulateQuietly(const Scenario& scenario) {
  WarmUp();
  const Quiet quiet;
  return Simulate(scenario);
}

Outcome SimulateAloud(const Scenario& scenario) {
  WarmUp();
  Outcome outcome = Simulate(scenario);
  for (const std::string& line : outcome.trace) std::printf("%s\n", line.c_str());
  if (!outcome.broken.empty()) std::printf("broken: %s\n", outcome.broken.c_str());
  return outcome;
}

Tally SimulateMany(uint64_t first, uint64_t seeds) {
  const uint64_t processes = std::clamp<uint64_t>(std::thread::hardware_concurrency(), 1, 64);
  std::vector<std::pair<pid_t, int>> running;
  std::fflush(stdout);
  for (uint64_t i = 0; i < processes; ++i) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t process = fork();
    CHECK(process >= 0);
    if (process == 0) RunProcess(ends[1], first + i, first + seeds, processes);
    close(ends[1]);
    running.emplace_back(process, ends[0]);
  }
  Tally total;
  for (const auto& [process, report] : running) {
    Tally tally;
    const bool whole = read(report, &tally, sizeof tally) == sizeof tally;
    close(report);
    int status = 0;
    (void)waitpid(process, &status, 0);
    total.seeds += tally.seeds;
    total.broken += tally.broken + (whole ? 0 : 1);
    total.units += tally.units;
    total.lives += tally.lives;
  }
  return total;
}

}  // namespace weft::log
