// SPDX-License-Identifier: Apache-2.0
// The C library's names for locks, conditions, threads and time, for this program alone: a thread
// of a Schedule asks that, any other reaches the library. The dynamic linker finds a program's own
// definition first, for libstdc++'s calls too.
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

#include <cerrno>

#include "base/check.h"
#include "log/simulation/real_threads.h"
#include "log/simulation/schedule.h"

namespace weft::log {
namespace {

template <typename Function>
Function* Find(const char* name) {
  auto* found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  CHECK(found != nullptr);
  return found;
}

// The library keeps conditions of before version 2.3.2 under the same names.
template <typename Function>
Function* FindCondition(const char* name) {
  auto* found = reinterpret_cast<Function*>(dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2"));
  return found != nullptr ? found : Find<Function>(name);
}

microseconds Since1970(const timespec& time) {
  return seconds(time.tv_sec) + microseconds(time.tv_nsec / 1000);
}

// Some day in 2026 for both clocks: which one a deadline was made of makes no difference.
constexpr microseconds kStart = seconds(1'790'000'000);

int WaitUntil(Schedule& schedule, pthread_cond_t* condition, pthread_mutex_t* mutex,
              const timespec* deadline) {
  // A remainder of nanoseconds must not become a wait that ends too early, and again and again.
  const microseconds until = Since1970(*deadline) - kStart + microseconds(1);
  return schedule.Wait(condition, mutex, &until);
}

}  // namespace

namespace real {

int TryLock(pthread_mutex_t* mutex) {
  static auto* const call = Find<int(pthread_mutex_t*)>("pthread_mutex_trylock");
  return call(mutex);
}
int Unlock(pthread_mutex_t* mutex) {
  static auto* const call = Find<int(pthread_mutex_t*)>("pthread_mutex_unlock");
  return call(mutex);
}

}  // namespace real
}  // namespace weft::log

using weft::log::Find;
using weft::log::FindCondition;
using weft::log::Schedule;

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  if (Schedule* schedule = Schedule::Current()) {
    schedule->Point();
    return schedule->Lock(mutex, [mutex] { return weft::log::real::TryLock(mutex); });
  }
  static auto* const call = Find<int(pthread_mutex_t*)>("pthread_mutex_lock");
  return call(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) {
  if (Schedule* schedule = Schedule::Current()) schedule->Point();
  return weft::log::real::TryLock(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) {
  const int result = weft::log::real::Unlock(mutex);
  if (Schedule* schedule = Schedule::Current()) schedule->Unlocked(mutex);
  return result;
}

// Nobody gives way while it asks for one of these: the cryptography library takes them with its
// thread's own state in use.
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  if (Schedule* schedule = Schedule::Current()) {
    return schedule->Lock(lock, [lock] {
      static auto* const try_call = Find<int(pthread_rwlock_t*)>("pthread_rwlock_tryrdlock");
      return try_call(lock);
    });
  }
  static auto* const call = Find<int(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  return call(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  if (Schedule* schedule = Schedule::Current()) {
    return schedule->Lock(lock, [lock] {
      static auto* const try_call = Find<int(pthread_rwlock_t*)>("pthread_rwlock_trywrlock");
      return try_call(lock);
    });
  }
  static auto* const call = Find<int(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  return call(lock);
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) {
  static auto* const call = Find<int(pthread_rwlock_t*)>("pthread_rwlock_unlock");
  const int result = call(lock);
  if (Schedule* schedule = Schedule::Current()) schedule->Unlocked(lock);
  return result;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  if (Schedule* schedule = Schedule::Current()) return schedule->Wait(condition, mutex, nullptr);
  static auto* const call =
      FindCondition<int(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait");
  return call(condition, mutex);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* deadline) {
  if (Schedule* schedule = Schedule::Current()) {
    return weft::log::WaitUntil(*schedule, condition, mutex, deadline);
  }
  static auto* const call = FindCondition<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)>(
      "pthread_cond_timedwait");
  return call(condition, mutex, deadline);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* deadline) {
  if (Schedule* schedule = Schedule::Current()) {
    return weft::log::WaitUntil(*schedule, condition, mutex, deadline);
  }
  static auto* const call =
      Find<int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>(
          "pthread_cond_clockwait");
  return call(condition, mutex, clock, deadline);
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  if (Schedule* schedule = Schedule::Current()) {
    schedule->Wake(condition, false);
    return 0;
  }
  static auto* const call = FindCondition<int(pthread_cond_t*)>("pthread_cond_signal");
  return call(condition);
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  if (Schedule* schedule = Schedule::Current()) {
    schedule->Wake(condition, true);
    return 0;
  }
  static auto* const call = FindCondition<int(pthread_cond_t*)>("pthread_cond_broadcast");
  return call(condition);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* with) noexcept {
  if (Schedule* schedule = Schedule::Current()) {
    schedule->Start(thread, run, with);
    return 0;
  }
  static auto* const call =
      Find<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  return call(thread, attributes, run, with);
}

int pthread_join(pthread_t thread, void** result) {
  if (Schedule* schedule = Schedule::Current()) {
    schedule->Join(thread, result);
    return 0;
  }
  static auto* const call = Find<int(pthread_t, void**)>("pthread_join");
  return call(thread, result);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (Schedule* schedule = Schedule::Current()) {
    const auto now = weft::log::kStart + schedule->now();
    time->tv_sec = static_cast<time_t>(now.count() / 1'000'000);
    time->tv_nsec = static_cast<long>(now.count() % 1'000'000 * 1000);
    return 0;
  }
  static auto* const call = Find<int(clockid_t, timespec*)>("clock_gettime");
  return call(clock, time);
}

int nanosleep(const timespec* time, timespec* left) {
  if (Schedule* schedule = Schedule::Current()) {
    schedule->Sleep(weft::log::Since1970(*time) + weft::microseconds(1));
    return 0;
  }
  static auto* const call = Find<int(const timespec*, timespec*)>("nanosleep");
  return call(time, left);
}

int sched_yield() noexcept {
  if (Schedule* schedule = Schedule::Current()) {
    schedule->Point();
    return 0;
  }
  static auto* const call = Find<int()>("sched_yield");
  return call();
}

}  // extern "C"
