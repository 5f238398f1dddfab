// SPDX-License-Identifier: Apache-2.0
#include "log/answerer.h"

#include <iterator>

#include "base/thread.h"

namespace weft::log {
namespace {
// So little is told sooner than another thread is woken: some hundred single records. Larger ones
// come with columns to be handed on.
constexpr int64_t kAtOnceBytesMax = int64_t{32} << 10;

int64_t BytesOf(const std::vector<Answer>& answers) {
  int64_t bytes = 0;
  for (const Answer& answer : answers) bytes += answer.bytes;
  return bytes;
}
}  // namespace

Answerer::Answerer(std::function<void(int64_t bytes)> making_room)
    : making_room_(std::move(making_room)), thread_([this] { TellAll(); }) {}

void Answerer::Hand(std::vector<Answer> answers) {
  const bool small = BytesOf(answers) <= kAtOnceBytesMax;
  bool was_empty = false;
  {
    std::unique_lock lock(mutex_);
    was_empty = waiting_.empty();
    if (was_empty && !telling_ && small) {
      lock.unlock();
      return Tell(answers);
    }
    if (was_empty) {
      waiting_ = std::move(answers);
    } else {
      waiting_.insert(waiting_.end(), std::make_move_iterator(answers.begin()),
                      std::make_move_iterator(answers.end()));
    }
  }
  if (was_empty) wake_.notify_one();
}

void Answerer::TellAll() {
  NameThread("log-answerer");
  AskToRunSoon();
  std::vector<Answer> work;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      telling_ = false;
      wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      work.swap(waiting_);
      telling_ = true;
    }
    Tell(work);
    work.clear();
  }
}

void Answerer::Tell(std::vector<Answer>& answers) {
  // First: who has an answer may count on the room.
  making_room_(BytesOf(answers));
  for (Answer& answer : answers) {
    answer.done(std::move(answer.result));
    answer.done = nullptr;
  }
}

void Answerer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace weft::log
