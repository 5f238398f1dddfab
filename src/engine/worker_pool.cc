// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "engine/worker_pool_internal.h"

namespace weft::engine {
namespace {

constexpr int kWorkerSocket = 3;
constexpr milliseconds kForgetEvery{500};

// Little of this process's environment is a worker's business: it holds keys.
std::vector<std::string> Environment() {
  std::vector<std::string> kept{"TZ=UTC", "LC_ALL=C.UTF-8"};
  for (const char* name : {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<pid_t> Spawn(const std::string& program, const std::string& argument, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, socket, kWorkerSocket);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> words{program, argument};
  auto environment = Environment();
  pid_t process = 0;
  int failed = ::posix_spawn(&process, program.c_str(), &actions, &attributes,
                             Pointers(words).data(), Pointers(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return Fail(SystemError("starting a worker", failed));
  return process;
}

bool Alive(const WorkerProcess& worker) {
  pollfd watch{.fd = worker.socket->descriptor(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&watch, 1, 0) == 0;
}

}  // namespace

std::pair<int64_t, bool> SentThings::Number(const std::shared_ptr<const void>& thing) {
  auto [at, fresh] = numbers_.emplace(thing, last_ + 1);
  if (fresh) ++last_;
  return {at->second, fresh};
}

std::vector<int64_t> SentThings::Forgotten() {
  std::vector<int64_t> gone;
  for (auto at = numbers_.begin(); at != numbers_.end();) {
    if (!at->first.expired()) {
      ++at;
      continue;
    }
    gone.push_back(at->second);
    at = numbers_.erase(at);
  }
  return gone;
}

std::string WorkerProcess::HowItEnded() const {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0) {
    return "still running";
  }
  return fmt::format("{} {}", info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
}

WorkerProcess::~WorkerProcess() {
  if (process <= 0) return;
  ::kill(process, SIGKILL);
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Status WorkerProcess::Forget() {
  const auto gone = sent.Forgotten();
  if (gone.empty()) return {};
  Packer to;
  to.Add(static_cast<int64_t>(gone.size()));
  for (int64_t id : gone) to.Add(id);
  return socket->Send(MessageKind::kForget, to.bytes());
}

void WorkerPool::ForgetNowAndThen() {
  ::pthread_setname_np(::pthread_self(), "query-workers");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, kForgetEvery, [this] { return stopping_; });
    // It waits for messages, so that a short one is taken at once. One that is gone is met when it
    // is taken.
    for (auto& worker : idle_) (void)worker->Forget().ok();
  }
}

Result<std::unique_ptr<WorkerProcess>> WorkerPool::Start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return Fail(SystemError("socketpair", errno));
  auto worker = std::make_unique<WorkerProcess>();
  worker->socket = std::make_unique<Socket>(ends[0]);
  // A descriptor that already has the number would be closed by the start instead of handed on.
  if (ends[1] == kWorkerSocket) {
    int moved = ::fcntl(ends[1], F_DUPFD_CLOEXEC, kWorkerSocket + 1);
    ::close(ends[1]);
    ends[1] = moved;
  }
  auto program = options_.program.empty() ? std::string("/proc/self/exe") : options_.program;
  auto process = Spawn(program, options_.worker_argument, ends[1]);
  ::close(ends[1]);
  worker->process = TRY(std::move(process));
  TRY(worker->socket->Send(MessageKind::kSetup,
                           PackSetup({.threads = options_.worker_threads,
                                      .temporary_folder = options_.temporary_folder,
                                      .objects_root = options_.objects_root})));
  return worker;
}

Result<std::unique_ptr<WorkerProcess>> WorkerPool::Take(const Clock& clock, microseconds deadline) {
  std::unique_ptr<WorkerProcess> worker;
  {
    std::unique_lock lock(mutex_);
    if (busy_ >= options_.workers && waiting_ >= options_.queue_max) {
      return Fail(Code::kUnavailable, "too many queries are waiting");
    }
    ++waiting_;
    bool free = changed_.wait_for(lock, deadline - clock.Elapsed(),
                                  [&] { return stopping_ || busy_ < options_.workers; });
    --waiting_;
    if (stopping_) {
      changed_.notify_all();
      return Fail(Code::kUnavailable, "the server stops");
    }
    if (!free) return Fail(Code::kUnavailable, "all workers are busy");
    ++busy_;
    if (!idle_.empty()) {
      worker = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (worker != nullptr && !Alive(*worker)) worker.reset();
  if (worker == nullptr) {
    auto started = Start();
    if (!started.ok()) {
      Give(nullptr, false);
      return Fail(started.error());
    }
    worker = std::move(*started);
  }
  std::lock_guard lock(mutex_);
  if (stopping_) ::kill(worker->process, SIGKILL);
  if (!stopping_ && !forgetter_.joinable())
    forgetter_ = std::thread([this] { ForgetNowAndThen(); });
  running_.insert(worker->process);
  return worker;
}

void WorkerPool::Give(std::unique_ptr<WorkerProcess> worker, bool healthy) {
  {
    // Out of the set before it is reaped: its number may then be another process's.
    std::lock_guard lock(mutex_);
    if (worker != nullptr) running_.erase(worker->process);
    if (worker != nullptr && healthy && !stopping_) idle_.push_back(std::move(worker));
  }
  worker.reset();
  std::lock_guard lock(mutex_);
  --busy_;
  changed_.notify_all();
}

void WorkerPool::Stop() {
  std::vector<std::unique_ptr<WorkerProcess>> idle;
  std::thread forgetter;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    idle.swap(idle_);
    forgetter.swap(forgetter_);
    for (pid_t process : running_) ::kill(process, SIGKILL);
    changed_.notify_all();
    changed_.wait(lock, [&] { return busy_ == 0 && waiting_ == 0; });
  }
  if (forgetter.joinable()) forgetter.join();
}

bool WorkerPool::stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace weft::engine
