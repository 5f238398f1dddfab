// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <ctime>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "http/loop_internal.h"

namespace weft::http {
namespace {

namespace asio = boost::asio;

// Deadlines are kept to this; they are seconds. One sweep over a loop's connections costs less than
// arming a timer for every request.
constexpr auto kTick = std::chrono::milliseconds(200);

thread_local const Loop* this_loop = nullptr;

}  // namespace

struct Loop::State {
  State(int index, int all, Random& random) : number(index), loops(all), id_state(random.Next()) {}
  const int number, loops;
  uint64_t id_state;
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{io.get_executor()};
  asio::steady_timer tick{io};
  bool ticking = false;
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions;
  time_t date_second = 0;
  std::string date;
  std::thread thread;
  std::vector<Delivery> running;
  bool delivering = false;
  std::vector<std::shared_ptr<Session>> unsettled;

  std::mutex mutex;  // guards what follows
  std::vector<Delivery> inbox;
  bool posted = false;
  bool ended = false;

  void RunInbox() {
    {
      std::lock_guard lock(mutex);
      running.swap(inbox);
      posted = false;
    }
    delivering = true;
    for (Delivery& delivery : running) delivery.Run();
    delivering = false;
    for (auto& session : unsettled) session->Settle();
    unsettled.clear();
    running.clear();
  }

  void ArmTick() {
    ticking = !sessions.empty();
    if (!ticking) return;
    tick.expires_after(kTick);
    tick.async_wait([this](const boost::system::error_code&) {
      SteadyTime now = std::chrono::steady_clock::now();
      std::vector<std::shared_ptr<Session>> all = Sessions();
      for (auto& session : all) session->Tick(now);
      ArmTick();
    });
  }

  // A copy, for what is done with each may remove it.
  std::vector<std::shared_ptr<Session>> Sessions() const {
    std::vector<std::shared_ptr<Session>> all;
    all.reserve(sessions.size());
    for (const auto& [key, session] : sessions) all.push_back(session);
    return all;
  }
};

Loop::Loop(int number, int loops, Random& random)
    : state_(std::make_unique<State>(number, loops, random)) {}
Loop::~Loop() { Finish(); }

void Loop::Start() {
  state_->thread = std::thread([this] {
    NameThread(fmt::format("http-{}", state_->number));
    StayOnOwnProcessor(state_->number, state_->loops);
    this_loop = this;
    state_->io.run();
    std::vector<Delivery> dropped;
    {
      std::lock_guard lock(state_->mutex);
      state_->ended = true;
      dropped.swap(state_->inbox);
    }
    for (Delivery& delivery : dropped) delivery.Drop();
    this_loop = nullptr;
  });
}

void Loop::Finish() {
  if (!state_->thread.joinable()) return;
  asio::post(state_->io, [this] {
    state_->work.reset();
    state_->tick.cancel();
  });
  state_->thread.join();
}

asio::io_context& Loop::io() { return state_->io; }
bool Loop::OnThisThread() const { return this_loop == this; }

void Loop::Deliver(Delivery&& delivery) {
  if (OnThisThread()) return delivery.Run();
  {
    std::unique_lock lock(state_->mutex);
    if (state_->ended) {
      lock.unlock();
      return delivery.Drop();
    }
    state_->inbox.push_back(std::move(delivery));
    if (state_->posted) return;
    state_->posted = true;
  }
  asio::post(state_->io, [state = state_.get()] { state->RunInbox(); });
}

bool Loop::SettleLater(std::shared_ptr<Session> session) {
  if (state_->delivering) state_->unsettled.push_back(std::move(session));
  return state_->delivering;
}

void Loop::Post(std::function<void()> work) {
  bool ended;
  {
    std::lock_guard lock(state_->mutex);
    ended = state_->ended;
  }
  if (ended) return work();
  asio::post(state_->io, std::move(work));
}

void Loop::Add(std::shared_ptr<Session> session) {
  Session* key = session.get();
  state_->sessions.emplace(key, std::move(session));
  if (!state_->ticking) state_->ArmTick();
}

void Loop::Remove(Session* session) { state_->sessions.erase(session); }

void Loop::DrainAll() {
  for (auto& session : state_->Sessions()) session->Drain();
}

void Loop::CutAll() {
  for (auto& session : state_->Sessions()) session->Cut();
}

RequestId Loop::NextId() {
  uint64_t high = Scatter(state_->id_state += kScatterStep);
  uint64_t low = Scatter(state_->id_state += kScatterStep);
  high = (high & 0xffffffffffff0fffULL) | 0x4000;
  low = (low & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return codec::ToUuidText(high, low);
}

std::string_view Loop::date() {
  time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (now != state_->date_second || state_->date.empty()) {
    state_->date_second = now;
    state_->date = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
  }
  return state_->date;
}

}  // namespace weft::http
