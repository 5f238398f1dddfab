// SPDX-License-Identifier: Apache-2.0
#include "log/simulation/schedule.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "base/check.h"
#include "log/simulation/real_threads.h"

namespace weft::log {
namespace {

thread_local Schedule* current_schedule = nullptr;

constexpr size_t kStackBytes = size_t{512} << 10;
constexpr size_t kPageBytes = 4096;

constexpr uint64_t kPointsMax = 2'000'000;  // a run has some ten thousand
constexpr uint64_t kSpuriousOneIn = 64;     // waits that end for no reason

}  // namespace

Schedule* Schedule::Current() { return current_schedule; }

Schedule::Schedule(uint64_t seed) : random_(seed), calm_(uint64_t{2} << (2 * Below(4))) {
  CHECK(current_schedule == nullptr);
  auto first = std::make_unique<Member>();
  first->priority = random_();
  first->stack = OwnStack();
  members_.push_back(std::move(first));
  current_schedule = this;
}

Schedule::~Schedule() {
  current_schedule = nullptr;
  CHECK(running_ == 0);
  for (auto& member : members_) {
    if (member->number == 0) continue;
    CHECK(member->state == State::kEnded);
    GiveBack(member->stack);
  }
}

// Kept for the next thread or run: they are mapped with a page below them that nobody may touch.
std::vector<Schedule::Stack>& Schedule::Spare() {
  static std::vector<Stack> spare;
  return spare;
}

Schedule::Stack Schedule::TakeStack() {
  auto& spare = Spare();
  if (!spare.empty()) {
    const Stack stack = spare.back();
    spare.pop_back();
    return stack;
  }
  void* mapped = mmap(nullptr, kPageBytes + kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  CHECK(mapped != MAP_FAILED);
  CHECK(mprotect(mapped, kPageBytes, PROT_NONE) == 0);
  return {.begin = static_cast<char*>(mapped) + kPageBytes, .bytes = kStackBytes};
}

void Schedule::GiveBack(Stack stack) { Spare().push_back(stack); }

Schedule::Stack Schedule::OwnStack() {
  pthread_attr_t attributes;
  CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
  void* begin = nullptr;
  size_t bytes = 0;
  CHECK(pthread_attr_getstack(&attributes, &begin, &bytes) == 0);
  pthread_attr_destroy(&attributes);
  return {.begin = static_cast<char*>(begin), .bytes = bytes};
}

void Schedule::Mix(uint64_t value) {
  digest_ = (digest_ ^ value) * 0x9e3779b97f4a7c15U;
  digest_ ^= digest_ >> 29;
}

// The most urgent of those that can go on runs. How urgent a thread is changes now and then while
// it runs: with every step in a restless run, so that any order comes up; seldom in a calm one, so
// that one thread gets far ahead of the others.
void Schedule::Point() {
  now_ += microseconds(1);
  if (++points_ > kPointsMax) Stuck("no end in sight");
  if (Below(calm_) == 0) self().priority = random_();
  GiveWay();
}

void Schedule::Sleep(microseconds time) {
  Member& me = self();
  me.state = State::kSleep;
  me.until = now_ + time;
  GiveWay();
}

void Schedule::GiveWay() {
  Member& me = self();
  Member& next = Choose();
  if (&next == &me) return;
  Mix(static_cast<uint64_t>(next.number));
  SwitchTo(next);
}

void Schedule::SwitchTo(Member& next) {
  Member& me = self();
  running_ = next.number;
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(me.state == State::kEnded ? nullptr : &me.shadow, next.stack.begin,
                                 next.stack.bytes);
#endif
  CHECK(swapcontext(&me.context, &next.context) == 0);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(me.shadow, nullptr, nullptr);
#endif
}

Schedule::Member& Schedule::Choose() {
  Member* best = nullptr;
  Member* earliest = nullptr;
  for (auto& member : members_) {
    if (member->until <= now_) {
      member->timed_out = true;
      member->until = microseconds::max();
      member->state = State::kReady;
    }
    if (member->state == State::kReady) {
      if (best == nullptr || member->priority > best->priority) best = member.get();
    } else if (member->until != microseconds::max()) {
      if (earliest == nullptr || member->until < earliest->until) earliest = member.get();
    }
  }
  if (best != nullptr) return *best;
  if (earliest == nullptr) Stuck("all wait for each other");
  now_ = earliest->until;
  return Choose();
}

void Schedule::Release(State state, const void* waits_for) {
  for (auto& member : members_) {
    if (member->state != state || member->waits_for != waits_for) continue;
    member->state = State::kReady;
    member->until = microseconds::max();
  }
}

int Schedule::Lock(const void* lock, const std::function<int()>& try_lock) {
  for (;;) {
    const int result = try_lock();
    if (result != EBUSY) return result;
    self().state = State::kLock;
    self().waits_for = lock;
    GiveWay();
  }
}

void Schedule::Unlocked(const void* lock) { Release(State::kLock, lock); }

int Schedule::Wait(const void* condition, pthread_mutex_t* mutex, const microseconds* until) {
  Point();
  Member& me = self();
  me.timed_out = false;
  if (Below(kSpuriousOneIn) != 0) {
    me.state = State::kCondition;
    me.waits_for = condition;
    if (until != nullptr) me.until = *until;
  }
  real::Unlock(mutex);
  Unlocked(mutex);
  GiveWay();
  const bool timed_out = me.timed_out;
  Point();
  (void)Lock(mutex, [mutex] { return real::TryLock(mutex); });
  return timed_out ? ETIMEDOUT : 0;
}

void Schedule::Wake(const void* condition, bool all) {
  Point();
  if (all) return Release(State::kCondition, condition);
  std::vector<Member*> waiting;
  for (auto& member : members_) {
    if (member->state == State::kCondition && member->waits_for == condition) {
      waiting.push_back(member.get());
    }
  }
  if (waiting.empty()) return;
  Member& woken = *waiting[Below(waiting.size())];
  woken.state = State::kReady;
  woken.until = microseconds::max();
}

void Schedule::Start(pthread_t* thread, void* (*run)(void*), void* with) {
  Point();
  auto member = std::make_unique<Member>();
  member->number = static_cast<int>(members_.size());
  member->priority = random_();
  member->run = run;
  member->with = with;
  member->stack = TakeStack();
  CHECK(getcontext(&member->context) == 0);
  member->context.uc_stack.ss_sp = member->stack.begin;
  member->context.uc_stack.ss_size = member->stack.bytes;
  makecontext(&member->context, RunMember, 0);
  *thread = static_cast<pthread_t>(member->number);
  members_.push_back(std::move(member));
}

void Schedule::RunMember() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  Schedule& schedule = *current_schedule;
  Member& me = schedule.self();
  me.result = me.run(me.with);
  me.state = State::kEnded;
  schedule.Release(State::kJoin, &me);
  schedule.GiveWay();
  UNREACHABLE("an ended thread runs");
}

void Schedule::Join(pthread_t thread, void** result) {
  Point();
  Member& joined = *members_.at(static_cast<size_t>(thread));
  while (joined.state != State::kEnded) {
    self().state = State::kJoin;
    self().waits_for = &joined;
    GiveWay();
  }
  if (result != nullptr) *result = joined.result;
}

void Schedule::Stuck(const char* why) {
  current_schedule = nullptr;
  std::printf("the simulation is stuck at %lld us: %s\n", static_cast<long long>(now_.count()),
              why);
  for (auto& member : members_) {
    static constexpr const char* kStates[] = {"could run",          "waits for a lock",
                                              "waits to be woken",  "sleeps",
                                              "waits for a thread", "has ended"};
    std::printf("  thread %d %s%s\n", member->number, kStates[static_cast<int>(member->state)],
                member->number == running_ ? " and runs" : "");
  }
  if (on_stuck_) on_stuck_();
  std::fflush(stdout);
  std::abort();
}

}  // namespace weft::log
