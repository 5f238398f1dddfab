// SPDX-License-Identifier: Apache-2.0
// Measures the journal on the folder given (or one under the working folder, removed afterwards):
// the sync of the disk, small appends with waiting callers, large batches, quiet partitions, and
// restarts.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "base/disk.h"
#include "instant_disk.h"
#include "log/journal.h"
#include "log/partition_table.h"
#include "log/segment.h"
#include "log/segment_index.h"

namespace weft::log {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

double SecondsSince(SteadyTime start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// CPU time of this process, user and system, in seconds.
struct Cpu {
  double user = 0, system = 0;
  static Cpu Now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto seconds_of = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return {seconds_of(usage.ru_utime), seconds_of(usage.ru_stime)};
  }
};

struct Bench {
  std::string folder;
  Metrics metrics;
  bool encrypt = false;

  std::unique_ptr<RecordLog> Open(Disk& disk) {
    auto log = OpenJournal(
        {.folder = folder, .master_key = Bytes(encrypt ? 32 : 0, 'm'), .encrypt = encrypt}, disk,
        SystemClock(), metrics);
    if (!log.ok()) {
      fmt::print(stderr, "error: {}\n", log.error().message());
      std::exit(1);
    }
    return std::move(*log);
  }
  void Clear() { std::filesystem::remove_all(folder); }
};

Batch MakeBatch(const std::shared_ptr<const std::string>& bytes, size_t records) {
  Batch batch{.id = "0123456789abcdef", .records = {}, .owner = bytes};
  const size_t each = bytes->size() / records;
  for (size_t i = 0; i < records; ++i) {
    batch.records.push_back({.key = "key", .value = BytesView(*bytes).substr(i * each, each)});
  }
  return batch;
}

void MeasureSync(Bench& bench) {
  std::filesystem::create_directories(bench.folder);
  auto file = SystemDisk().Open(bench.folder + "/probe", OpenMode::kCreateNew);
  if (!file.ok()) return;
  const std::string block(4096, 'x');
  std::vector<double> times;
  for (int64_t i = 0; i < 300; ++i) {
    auto start = Now();
    if (!(*file)->WriteAt(i * 4096, block).ok() || !(*file)->Sync().ok()) return;
    times.push_back(SecondsSince(start) * 1e6);
  }
  std::sort(times.begin(), times.end());
  fmt::print("append 4 KiB and sync, plain file: p50 {:.0f} us, p99 {:.0f} us\n", times[150],
             times[297]);
  bench.Clear();
}

// Each caller waits for its answer before it appends again.
void MeasureSmall(Bench& bench, Disk& disk, const char* name, int callers, int partitions) {
  auto log = bench.Open(disk);
  std::vector<PartitionName> names;
  for (int i = 0; i < partitions; ++i) names.emplace_back("p" + std::to_string(i));
  for (const auto& partition : names) (void)log->CreatePartition(partition).ok();
  auto bytes = std::make_shared<const std::string>(200, 'x');
  std::atomic<bool> stop{false};
  std::vector<std::vector<double>> times(static_cast<size_t>(callers));
  std::vector<std::thread> threads;
  auto start = Now();
  for (int c = 0; c < callers; ++c) {
    threads.emplace_back([&, c] {
      while (!stop) {
        std::promise<bool> answered;
        auto before = Now();
        log->Append(names[static_cast<size_t>(c % partitions)], MakeBatch(bytes, 1),
                    [&](const Result<Appended>& answer) { answered.set_value(answer.ok()); });
        if (!answered.get_future().get()) return;
        times[static_cast<size_t>(c)].push_back(SecondsSince(before) * 1e6);
      }
    });
  }
  std::this_thread::sleep_for(seconds(2));
  stop = true;
  for (auto& thread : threads) thread.join();
  const double elapsed = SecondsSince(start);
  std::vector<double> all;
  for (auto& part : times) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end());
  fmt::print("{}, {} callers waiting, 200 octets: {:.0f} appends/s, p50 {:.0f} us, p99 {:.0f} us\n",
             name, callers, static_cast<double>(all.size()) / elapsed, all[all.size() / 2],
             all[all.size() * 99 / 100]);
  log.reset();
  bench.Clear();
}

// Lets a number of appends be open at a time; whoever waits sleeps, so that the CPU time measured
// is the journal's.
class Gate {
 public:
  explicit Gate(int64_t open_max) : open_max_(open_max) {}
  void Enter() {
    std::unique_lock lock(mutex_);
    // Woken when half are answered: a wake-up costs more than an append.
    if (open_ == open_max_) answered_.wait(lock, [&] { return open_ <= open_max_ / 2; });
    ++open_;
  }
  void Leave() {
    std::lock_guard lock(mutex_);
    if (--open_ == open_max_ / 2) answered_.notify_one();
  }
  void WaitForAll() {
    std::unique_lock lock(mutex_);
    while (open_ > 0) answered_.wait_for(lock, milliseconds(1));
  }

 private:
  const int64_t open_max_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable answered_;
  int64_t open_ = 0;
};

// Appends without a thread a caller, as a server's are.
void MeasureAnswers(Bench& bench, Disk& disk, const char* name, int64_t open_max, int partitions) {
  auto log = bench.Open(disk);
  std::vector<PartitionName> names;
  for (int i = 0; i < partitions; ++i) names.emplace_back("streams/p" + std::to_string(i) + "/0");
  for (const auto& partition : names) (void)log->CreatePartition(partition).ok();
  auto bytes = std::make_shared<const std::string>(200, 'x');
  Gate gate(open_max);
  int64_t appends = 0;
  const Cpu before = Cpu::Now();
  auto start = Now();
  for (; SecondsSince(start) < 2; ++appends) {
    gate.Enter();
    log->Append(names[static_cast<size_t>(appends % partitions)], MakeBatch(bytes, 1),
                [&gate](const Result<Appended>&) { gate.Leave(); });
  }
  gate.WaitForAll();
  const auto answered = static_cast<double>(appends);
  const double elapsed = SecondsSince(start);
  const Cpu after = Cpu::Now();
  fmt::print(
      "{}, {} partitions, {} open appends from one thread, 200 octets: {:.0f} appends/s; CPU an "
      "append: {:.2f} us user, {:.2f} us system\n",
      name, partitions, open_max, answered / elapsed, (after.user - before.user) * 1e6 / answered,
      (after.system - before.system) * 1e6 / answered);
  log.reset();
  bench.Clear();
}

void Fill(RecordLog& log, const PartitionName& partition, int64_t bytes_total, size_t batch_bytes,
          size_t records, int64_t open_max = 32) {
  auto bytes = std::make_shared<const std::string>(batch_bytes, 'x');
  Gate gate(open_max);
  for (int64_t sent = 0; sent < bytes_total; sent += static_cast<int64_t>(batch_bytes)) {
    gate.Enter();
    log.Append(partition, MakeBatch(bytes, records),
               [&](const Result<Appended>&) { gate.Leave(); });
  }
  gate.WaitForAll();
}

void MeasureLarge(Bench& bench, Disk& disk, const char* name, size_t batch_bytes, int open_max) {
  auto log = bench.Open(disk);
  const PartitionName partition("p");
  (void)log->CreatePartition(partition).ok();
  constexpr int64_t kBytes = int64_t{2} << 30;
  const Cpu before = Cpu::Now();
  auto start = Now();
  Fill(*log, partition, kBytes, batch_bytes, batch_bytes / 500, open_max);
  const double elapsed = SecondsSince(start);
  const Cpu after = Cpu::Now();
  fmt::print(
      "{}, batches of {} kB, {} open: {:.0f} MB/s; CPU: {:.2f} s user, {:.2f} s system of {:.2f} "
      "s\n",
      name, batch_bytes / 1000, open_max, static_cast<double>(kBytes) / 1e6 / elapsed,
      after.user - before.user, after.system - before.system, elapsed);
  log.reset();
  bench.Clear();
}

int64_t MemoryInUse() {
  struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

void MeasureRestart(Bench& bench) {
  auto log = bench.Open(SystemDisk());
  const PartitionName partition("p");
  (void)log->CreatePartition(partition).ok();
  Fill(*log, partition, int64_t{1} << 30, 2000, 5);
  log.reset();
  auto start = Now();
  log = bench.Open(SystemDisk());
  fmt::print("restart with 1 GiB in batches of 2000 octets: {:.1f} ms\n",
             SecondsSince(start) * 1e3);
  start = Now();
  int64_t bytes = 0;
  Offset from{0};
  for (;;) {
    auto batches = log->Read(partition, from, {});
    if (!batches.ok() || batches->empty()) break;
    bytes += static_cast<int64_t>(batches->size()) * 2000;
    from = batches->back().next();
  }
  fmt::print("reading it: {:.0f} MB/s\n", static_cast<double>(bytes) / 1e6 / SecondsSince(start));
  log.reset();
  auto remove_indexes = [&](size_t count) {
    std::vector<std::string> indexes;
    for (const auto& entry : std::filesystem::directory_iterator(bench.folder)) {
      if (entry.path().extension() == ".index") indexes.push_back(entry.path());
    }
    std::sort(indexes.rbegin(), indexes.rend());
    for (size_t i = 0; i < std::min(count, indexes.size()); ++i)
      std::filesystem::remove(indexes[i]);
  };
  for (size_t count : {size_t{1}, size_t{1000}}) {
    remove_indexes(count);
    start = Now();
    log = bench.Open(SystemDisk());
    fmt::print("restart when {} had to be scanned: {:.1f} ms\n",
               count == 1 ? "the last segment" : "all segments", SecondsSince(start) * 1e3);
    log.reset();
  }
  bench.Clear();
}

// 100 GiB kept: 1,600 segments of 64 MiB, in each of which every partition has records. Their
// content is a hole: a restart must not look at it.
void MeasureManySegments(Bench& bench, uint32_t partitions) {
  constexpr uint64_t kSegments = 1600;
  constexpr int64_t kSegmentBytes = int64_t{64} << 20;
  constexpr int64_t kBatchRecords = 100;
  std::filesystem::create_directories(bench.folder);
  Disk& disk = SystemDisk();
  PartitionTable table{.next_number = partitions + 1, .next_sequence = kSegments + 1};
  for (uint32_t i = 1; i <= partitions; ++i) {
    table.partitions.push_back({.number = i, .name = "streams/p" + std::to_string(i) + "/0"});
  }
  for (uint64_t sequence = 1; sequence <= kSegments; ++sequence) {
    table.segments.push_back({.sequence = sequence, .end = kSegmentBytes});
    auto file = disk.Open(SegmentPath(bench.folder, sequence), OpenMode::kCreateNew);
    if (!file.ok()) return;
    const Bytes header = EncodeSegmentHeader({.sequence = sequence, .salt = sequence});
    if (!(*file)->WriteAt(0, header).ok() || !(*file)->Truncate(kSegmentBytes).ok()) return;
    IndexDirectory directory{.sequence = sequence, .salt = sequence, .end = kSegmentBytes};
    const auto base = static_cast<int64_t>(sequence - 1) * kBatchRecords;
    std::vector<IndexEntry> entries(1, {.position = 64, .bytes = 100, .records = kBatchRecords});
    for (uint32_t i = 1; i <= partitions; ++i) {
      directory.runs.push_back(
          {.partition = i, .base = base, .end = base + kBatchRecords, .bytes = 100});
    }
    const std::vector<const std::vector<IndexEntry>*> sections(partitions, &entries);
    std::ofstream(IndexPath(bench.folder, sequence)) << EncodeIndex(directory, sections);
  }
  if (!WriteFile(disk, bench.folder + "/partitions", EncodePartitionTable(table)).ok()) return;
  const int64_t before = MemoryInUse();
  auto start = Now();
  auto log = bench.Open(disk);
  const double opened = SecondsSince(start);
  fmt::print(
      "restart with 100 GiB in {} segments, {} partitions in each: {:.0f} ms, {:.1f} MiB of "
      "memory\n",
      kSegments, partitions, opened * 1e3, static_cast<double>(MemoryInUse() - before) / 1048576);
  log.reset();
  bench.Clear();
}

void MeasurePartitions(Bench& bench) {
  constexpr int kPartitions = 1000;
  auto log = bench.Open(SystemDisk());
  const int64_t before = MemoryInUse();
  auto start = Now();
  for (int i = 0; i < kPartitions; ++i)
    (void)log->CreatePartition(PartitionName("streams/p" + std::to_string(i) + "/0")).ok();
  fmt::print("making {} partitions: {:.2f} ms each; memory {} octets each", kPartitions,
             SecondsSince(start) * 1e3 / kPartitions, (MemoryInUse() - before) / kPartitions);
  for (int i = 0; i < kPartitions; ++i)
    Fill(*log, PartitionName("streams/p" + std::to_string(i) + "/0"), 100, 100, 1);
  fmt::print(", with a batch {} octets each\n", (MemoryInUse() - before) / kPartitions);
  log.reset();
  bench.Clear();
}

}  // namespace
}  // namespace weft::log

int main(int arguments, char** values) {
  using namespace weft::log;
  const std::string_view only = arguments > 2 ? values[2] : "";
  auto wanted = [&](std::string_view part) { return only.empty() || only == part; };
  Bench bench{.folder = std::string(arguments > 1 ? values[1] : ".") + "/log-bench", .metrics = {}};
  bench.Clear();
  weft::Disk& disk = weft::SystemDisk();
  weft::bench::InstantDisk instant;
  MeasureSync(bench);
  if (wanted("small")) {
    for (int callers : {1, 16, 64}) MeasureSmall(bench, disk, "disk", callers, 1);
    MeasureSmall(bench, disk, "disk, a partition each", 64, 64);
    MeasureSmall(bench, instant, "no disk", 64, 1);
  }
  if (wanted("answers")) {
    for (int partitions : {1, 1000}) {
      MeasureAnswers(bench, disk, "disk", 64, partitions);
      MeasureAnswers(bench, disk, "disk", 1024, partitions);
      MeasureAnswers(bench, instant, "no disk", 1024, partitions);
    }
  }
  if (wanted("large")) {
    for (int open : {1, 4, 32}) {
      MeasureLarge(bench, disk, "disk", 250'000, open);
      MeasureLarge(bench, instant, "no disk", 250'000, open);
    }
  }
  if (wanted("encrypted")) {
    bench.encrypt = true;
    MeasureAnswers(bench, disk, "disk, encrypted", 64, 1);
    MeasureAnswers(bench, instant, "no disk, encrypted", 1024, 1);
    MeasureLarge(bench, disk, "disk, encrypted", 250'000, 32);
    MeasureLarge(bench, instant, "no disk, encrypted", 250'000, 32);
    bench.encrypt = false;
  }
  if (wanted("partitions")) MeasurePartitions(bench);
  if (wanted("restart")) MeasureRestart(bench);
  if (wanted("segments")) {
    for (uint32_t partitions : {1u, 100u, 1000u}) MeasureManySegments(bench, partitions);
  }
  return 0;
}
