// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/thread.h"

namespace weft {

struct Pool::State {
  Options options;
  mutable std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  std::deque<std::function<void()>> queue;
  bool stopping = false;
  std::vector<std::thread> threads;

  void Run() {
    NameThread(options.name);
    for (;;) {
      std::function<void()> work;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stopping || !queue.empty(); });
        if (queue.empty()) return;
        work = std::move(queue.front());
        queue.pop_front();
      }
      work();
    }
  }
};

Pool::Pool(Options options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  for (int i = 0; i < state_->options.threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->Run(); });
  }
}

Pool::~Pool() { Stop(); }

bool Pool::Submit(std::function<void()> work) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->stopping ||
        state_->queue.size() >= static_cast<size_t>(state_->options.queue_max)) {
      return false;
    }
    state_->queue.push_back(std::move(work));
  }
  state_->wake.notify_one();
  return true;
}

void Pool::Stop() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (auto& thread : state_->threads) {
    if (thread.joinable()) thread.join();
  }
}

int Pool::queued() const {
  std::lock_guard lock(state_->mutex);
  return static_cast<int>(state_->queue.size());
}

}  // namespace weft
