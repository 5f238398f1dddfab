// SPDX-License-Identifier: Apache-2.0
// Processes that end when nobody asked them to, and more statements than there are workers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/testing/sample_mesh.h"

namespace weft::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::SampleMesh;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing::TextSink;

constexpr const char* kEndless =
    "with recursive r as (select 1 a union all select a + 1 from r) select max(a) from r";

// A process's state and its parent, as the kernel tells them: 'Z' for a dead one, 0 for none.
std::pair<char, pid_t> LookAt(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(status, text);
  auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return {'Z', 0};
  std::istringstream rest(text.substr(name_end + 1));
  char state = 'Z';
  pid_t parent = 0;
  rest >> state >> parent;
  return {state, parent};
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    pid_t process = std::atoi(entry.path().filename().c_str());
    if (process > 0 && LookAt(process).second == parent) children.push_back(process);
  }
  return children;
}

template <class Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

TEST(WorkerDeathTest, AStatementWhoseWorkerDiesIsAnsweredAndTheNextOneRuns) {
  SampleMesh mesh({.workers = 1});
  std::string said;
  std::thread asking([&] { said = mesh.Ask(kEndless); });
  std::vector<pid_t> workers;
  ASSERT_TRUE(Eventually([&] {
    workers = ChildrenOf(::getpid());
    return workers.size() == 1;
  }));
  std::this_thread::sleep_for(milliseconds(100));
  ::kill(workers[0], SIGKILL);
  asking.join();
  EXPECT_THAT(said, AllOf(StartsWith("throttled"), HasSubstr("worker died")));
  EXPECT_EQ(mesh.Ask("select 1 a"), "{\"a\":1}\n");
}

TEST(WorkerDeathTest, AWorkerThatDiedWhileItWaitedIsReplaced) {
  SampleMesh mesh({.workers = 1});
  EXPECT_EQ(mesh.Ask("select 1 a"), "{\"a\":1}\n");
  auto workers = ChildrenOf(::getpid());
  ASSERT_THAT(workers, SizeIs(1));
  ::kill(workers[0], SIGKILL);
  // Its end of the connection closes with the last of its threads.
  ASSERT_TRUE(Eventually([&] {
    std::error_code gone;
    std::filesystem::directory_iterator threads(fmt::format("/proc/{}/task", workers[0]), gone);
    return LookAt(workers[0]).first == 'Z' && std::distance(begin(threads), end(threads)) <= 1;
  }));
  EXPECT_EQ(mesh.Ask("select 1 a"), "{\"a\":1}\n");
  auto others = ChildrenOf(::getpid());
  ASSERT_THAT(others, SizeIs(1)) << "the dead one was not reaped";
  EXPECT_NE(others[0], workers[0]);
}

TEST(WorkerDeathTest, WorkersEndWithTheirServerHoweverItEnds) {
  std::vector<std::string> words{"/proc/self/exe", "server"};
  std::vector<char*> arguments{words[0].data(), words[1].data(), nullptr};
  pid_t server = 0;
  ASSERT_EQ(::posix_spawn(&server, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ),
            0);
  std::vector<pid_t> workers;
  EXPECT_TRUE(Eventually([&] {
    workers = ChildrenOf(server);
    return workers.size() == 2;
  }));
  std::this_thread::sleep_for(milliseconds(200));
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  ASSERT_THAT(workers, SizeIs(2));
  for (pid_t worker : workers)
    EXPECT_TRUE(Eventually([&] { return LookAt(worker).first == 'Z'; })) << worker;
}

TEST(WorkerMemoryTest, AWorkerThatWaitsKeepsNoRowsThatTheServerHasNoMore) {
  SampleMesh mesh({.workers = 1});
  const std::vector<iceberg::Field> fields = {testing::MakeField(1, "n", iceberg::TypeKind::kLong)};
  auto kept = testing::Rows(fields, "1\n2\n");
  auto& relation = mesh.relations.all[{"s", "t"}];
  relation.columns = fields;
  relation.tail = {{kept, 0, 2}, {testing::Rows(fields, "3\n"), 0, 1}};
  EXPECT_EQ(mesh.Ask("select sum(n)::int s from t"), "{\"s\":6}\n");
  const auto workers = ChildrenOf(::getpid());
  ASSERT_THAT(workers, SizeIs(1));
  const auto mapped = [&] {
    std::ifstream maps(fmt::format("/proc/{}/maps", workers[0]));
    int count = 0;
    for (std::string line; std::getline(maps, line);) {
      count += line.find("weft-columns") != std::string::npos;
    }
    return count;
  };
  ASSERT_EQ(mapped(), 2);
  relation.tail.pop_back();
  EXPECT_TRUE(Eventually([&] { return mapped() == 1; }));
  EXPECT_EQ(mesh.Ask("select sum(n)::int s from t"), "{\"s\":3}\n");
  EXPECT_EQ(ChildrenOf(::getpid()), workers);
}

TEST(WorkerDeathTest, NoProcessIsLeftBehind) {
  {
    SampleMesh mesh({.workers = 2});
    std::thread asking([&] { mesh.Ask(kEndless); });
    ASSERT_TRUE(Eventually([] { return ChildrenOf(::getpid()).size() == 1; }));
    EXPECT_EQ(mesh.Ask("select 1 a"), "{\"a\":1}\n");
    mesh.engine().Stop();
    asking.join();
  }
  EXPECT_THAT(ChildrenOf(::getpid()), SizeIs(0));
}

// Outcomes of twenty statements at once, by how they begin.
std::map<std::string, int> AskTwenty(SampleMesh& mesh) {
  std::mutex mutex;
  std::map<std::string, int> outcomes;
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&, i] {
      auto said =
          mesh.Ask(fmt::format("select count(*) + {} c from range(3000000) t(i) where i % "
                               "7 = 8",
                               i));
      bool right = said == fmt::format("{{\"c\":{}}}\n", i);
      std::lock_guard lock(mutex);
      ++outcomes[right ? "right" : said];
    });
  }
  for (auto& thread : threads) thread.join();
  return outcomes;
}

TEST(WorkerQueueTest, TwentyAtOnceAreAnsweredByTwoWorkers) {
  SampleMesh mesh({.workers = 2, .queue_max = 64});
  EXPECT_EQ(AskTwenty(mesh), (std::map<std::string, int>{{"right", 20}}));
  EXPECT_LE(ChildrenOf(::getpid()).size(), 2U);
}

TEST(WorkerQueueTest, PastTheQueuesEndTheyAreRefusedAndTheOthersAreRight) {
  SampleMesh mesh({.workers = 2, .queue_max = 3});
  auto outcomes = AskTwenty(mesh);
  EXPECT_GE(outcomes["right"], 5);
  EXPECT_EQ(outcomes["right"] + outcomes["unavailable: too many queries are waiting"], 20);
  EXPECT_EQ(AskTwenty(mesh)["right"] > 0, true);
}

TEST(WorkerQueueTest, StopAnswersWhatRunsAndWhatWaits) {
  SampleMesh mesh({.workers = 2});
  std::atomic<int> stopped = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { stopped += mesh.Ask(kEndless) == "unavailable: the server stops"; });
  }
  std::this_thread::sleep_for(milliseconds(300));
  mesh.engine().Stop();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(stopped, 8);
}

TEST(WorkerQueueTest, WhoWaitsTooLongIsTold) {
  SampleMesh mesh({.workers = 1});
  std::thread busy([&] {
    TextSink sink;
    EXPECT_FALSE(mesh.Run({.sql = kEndless, .time_max = milliseconds(1500)}, sink).ok());
  });
  ASSERT_TRUE(Eventually([] { return ChildrenOf(::getpid()).size() == 1; }));
  TextSink sink;
  auto done = mesh.Run({.sql = "select 1", .time_max = milliseconds(100)}, sink);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kUnavailable);
  busy.join();
  EXPECT_EQ(mesh.Ask("select 1 a"), "{\"a\":1}\n");
}

TEST(WorkerSinkTest, ASinkThatFailsAtAnyPointEndsTheStatement) {
  class Failing : public TextSink {
   public:
    explicit Failing(int at) : left_(at) {}
    Status Begin(const std::vector<ResultColumn>& given) override {
      if (left_-- == 0) return Fail(Code::kThrottled, "the client went away");
      return TextSink::Begin(given);
    }
    Status Write(BytesView piece, int64_t count) override {
      if (left_-- == 0) return Fail(Code::kThrottled, "the client went away");
      return TextSink::Write(piece, count);
    }

   private:
    int left_;
  };
  SampleMesh mesh({.workers = 1});
  for (int at : {0, 1, 2, 5}) {
    Failing sink(at);
    auto done = mesh.Run({.sql = "select repeat('x', 1000) from range(20000)"}, sink);
    ASSERT_FALSE(done.ok()) << at;
    EXPECT_EQ(done.error().message(), "the client went away");
    EXPECT_EQ(mesh.Ask("select 1 a"), "{\"a\":1}\n");
  }
}

}  // namespace
}  // namespace weft::engine
