// SPDX-License-Identifier: Apache-2.0
// Runs the threads of a test one at a time, in an order and at times that follow from a seed.
//
// While a Schedule lives, the thread that made it and every thread that these start are its own.
// One of them runs; it may give way to another wherever it locks a mutex, waits, wakes others,
// starts or joins a thread, sleeps or looks for it with Point. What lies between two such places is
// one step. interposed.cc puts the Schedule behind the C library's names for all this, so code
// under test needs no seam and its own locks and condition variables are tested too. Time is the
// Schedule's own: it moves on when all wait, and a little with each step. When nobody can go on,
// now or later, the process ends with a word about who waits for what.
//
// To the kernel all of them are one thread, each with a stack of its own: handing over costs a
// microsecond, and how busy the machine is makes no difference. So they share what is thread_local,
// which code under test must not have in use where it gives way. Not seen, and not to be used by
// it: spinning on an atomic, std::atomic::wait, std::call_once, recursive locks, semaphores and
// calls of the kernel that block.
#pragma once

#include <pthread.h>
#include <ucontext.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"

namespace weft::log {

class Schedule {
 public:
  explicit Schedule(uint64_t seed);
  ~Schedule();  // all other threads have ended and been joined
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  // The one that runs the calling thread; null when none does.
  static Schedule* Current();

  void Point();
  void Sleep(microseconds time);
  microseconds now() const { return now_; }
  int thread() const { return running_; }  // the one that runs, numbered as they were started
  // Changes with every choice made; the same for the same seed.
  uint64_t digest() const { return digest_; }
  void Mix(uint64_t value);
  // Called before the process ends because nobody can go on.
  void OnStuck(std::function<void()> call) { on_stuck_ = std::move(call); }

  // What the C library's functions become; their results likewise.
  int Lock(const void* lock, const std::function<int()>& try_lock);  // 0 or an error, not EBUSY
  void Unlocked(const void* lock);
  int Wait(const void* condition, pthread_mutex_t* mutex, const microseconds* until);
  void Wake(const void* condition, bool all);
  void Start(pthread_t* thread, void* (*run)(void*), void* with);
  void Join(pthread_t thread, void** result);

 private:
  struct Stack {
    char* begin = nullptr;
    size_t bytes = 0;
  };
  static std::vector<Stack>& Spare();
  static Stack TakeStack();
  static void GiveBack(Stack stack);
  static Stack OwnStack();

  enum class State { kReady, kLock, kCondition, kSleep, kJoin, kEnded };
  struct Member {
    int number = 0;
    State state = State::kReady;
    const void* waits_for = nullptr;
    microseconds until = microseconds::max();
    bool timed_out = false;
    uint64_t priority = 0;
    void* (*run)(void*) = nullptr;
    void* with = nullptr;
    void* result = nullptr;
    ucontext_t context = {};
    Stack stack = {};
    void* shadow = nullptr;  // the address sanitizer's own, while it does not run
  };

  static void RunMember();
  void SwitchTo(Member& next);
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  Member& self() { return *members_[static_cast<size_t>(running_)]; }
  void GiveWay();
  Member& Choose();
  void Release(State state, const void* waits_for);
  [[noreturn]] void Stuck(const char* why);

  std::mt19937_64 random_;
  const uint64_t calm_;  // a thread runs on for about this many points
  std::vector<std::unique_ptr<Member>> members_;
  int running_ = 0;
  microseconds now_{0};
  uint64_t points_ = 0;
  uint64_t digest_ = 0;
  std::function<void()> on_stuck_;
};

}  // namespace weft::log
