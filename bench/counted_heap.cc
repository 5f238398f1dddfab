// SPDX-License-Identifier: Apache-2.0
#include "counted_heap.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int64_t> of_all = 0;
thread_local int64_t of_this_thread = 0;

}  // namespace

void* operator new(size_t size) {
  ++of_this_thread;
  of_all.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace weft::bench {

int64_t AllocationsOfThisThread() { return of_this_thread; }
int64_t AllocationsOfAll() { return of_all; }

}  // namespace weft::bench
