// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace weft {
namespace {

// sched_setattr(2), for which the C library has no function yet.
struct SchedulerAttributes {
  uint32_t size = sizeof(SchedulerAttributes);
  uint32_t policy = SCHED_OTHER;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};

constexpr uint64_t kShortestSliceNs = 100'000;  // the kernel's own least

}  // namespace

void NameThread(const std::string& name) {
  (void)pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

void AskToRunSoon() {
  SchedulerAttributes attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;
  attributes.runtime_ns = kShortestSliceNs;
  (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void StayOnOwnProcessor(int number, int threads) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  const int processors = CPU_COUNT(&allowed);
  if (processors < 2 || processors > threads) return;
  int left = number % processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &allowed) || left-- > 0) continue;
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(i, &own);
    (void)sched_setaffinity(0, sizeof own, &own);
    return;
  }
}

}  // namespace weft
