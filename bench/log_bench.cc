// SPDX-License-Identifier: Apache-2.0
// Measures the journal on the folder given (or one under the working folder, removed afterwards):
// the sync of the disk, small appends with waiting callers, large batches, quiet partitions, and
// restarts.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "base/disk.h"
#include "log/journal.h"

namespace weft::log {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

double SecondsSince(SteadyTime start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// Writes and syncs go nowhere: what is left is the journal's own cost.
class InstantFile final : public File {
 public:
  explicit InstantFile(std::unique_ptr<File> inner) : inner_(std::move(inner)) {}
  Status WriteAt(int64_t, BytesView) override { return {}; }
  Result<Bytes> ReadAt(int64_t offset, int64_t bytes) const override {
    return inner_->ReadAt(offset, bytes);
  }
  Status Sync() override { return {}; }
  Status Truncate(int64_t) override { return {}; }
  Result<int64_t> Size() const override { return inner_->Size(); }

 private:
  const std::unique_ptr<File> inner_;
};

class InstantDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    auto file = TRY(SystemDisk().Open(path, mode));
    if (mode == OpenMode::kRead || !path.ends_with(".log")) return file;
    return std::make_unique<InstantFile>(std::move(file));
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return SystemDisk().Rename(from, to);
  }
  Status Link(const std::string& from, const std::string& to) override {
    return SystemDisk().Link(from, to);
  }
  Status Remove(const std::string& path) override { return SystemDisk().Remove(path); }
  Status MakeFolders(const std::string& path) override { return SystemDisk().MakeFolders(path); }
  Status SyncFolder(const std::string& path) override { return SystemDisk().SyncFolder(path); }
  Result<std::vector<Entry>> List(const std::string& folder) override {
    return SystemDisk().List(folder);
  }
  Result<int64_t> FreeBytes(const std::string& path) override {
    return SystemDisk().FreeBytes(path);
  }
};

struct Bench {
  std::string folder;
  Metrics metrics;

  std::unique_ptr<RecordLog> Open(Disk& disk) {
    auto log = OpenJournal({.folder = folder}, disk, SystemClock(), metrics);
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

// Appends without a thread a caller, as a server does: each answer sends the next.
struct Chain {
  RecordLog& log;
  const PartitionName partition{"p"};
  std::shared_ptr<const std::string> bytes = std::make_shared<const std::string>(200, 'x');
  std::atomic<int64_t> answered{0};
  std::atomic<int64_t> asked{0};
};

void MeasureAnswers(Bench& bench, Disk& disk, const char* name, int64_t open_max) {
  auto log = bench.Open(disk);
  Chain chain{*log};
  (void)log->CreatePartition(chain.partition).ok();
  auto start = Now();
  // One thread asks; at most `open_max` wait at a time.
  while (SecondsSince(start) < 2) {
    while (chain.asked - chain.answered < open_max) {
      ++chain.asked;
      log->Append(chain.partition, MakeBatch(chain.bytes, 1),
                  [&chain](const Result<Appended>&) { ++chain.answered; });
    }
    std::this_thread::yield();
  }
  log->Stop();
  fmt::print("{}, {} open appends from one thread, 200 octets: {:.0f} appends/s\n", name, open_max,
             static_cast<double>(chain.answered.load()) / SecondsSince(start));
  log.reset();
  bench.Clear();
}

void Fill(RecordLog& log, const PartitionName& partition, int64_t bytes_total, size_t batch_bytes,
          size_t records) {
  auto bytes = std::make_shared<const std::string>(batch_bytes, 'x');
  std::atomic<int64_t> open{0};
  for (int64_t sent = 0; sent < bytes_total; sent += static_cast<int64_t>(batch_bytes)) {
    while (open > 32) std::this_thread::yield();
    ++open;
    log.Append(partition, MakeBatch(bytes, records), [&](const Result<Appended>&) { --open; });
  }
  while (open > 0) std::this_thread::yield();
}

void MeasureLarge(Bench& bench, Disk& disk, const char* name) {
  auto log = bench.Open(disk);
  const PartitionName partition("p");
  (void)log->CreatePartition(partition).ok();
  constexpr int64_t kBytes = int64_t{2} << 30;
  auto start = Now();
  Fill(*log, partition, kBytes, size_t{1} << 20, 1000);
  fmt::print("{}, batches of 1 MiB with 1000 records: {:.0f} MB/s\n", name,
             static_cast<double>(kBytes) / 1e6 / SecondsSince(start));
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
  Bench bench{.folder = std::string(arguments > 1 ? values[1] : ".") + "/log-bench", .metrics = {}};
  bench.Clear();
  InstantDisk instant;
  MeasureSync(bench);
  for (int callers : {1, 16, 64}) MeasureSmall(bench, weft::SystemDisk(), "disk", callers, 1);
  MeasureSmall(bench, weft::SystemDisk(), "disk, a partition each", 64, 64);
  MeasureSmall(bench, instant, "no disk", 64, 1);
  MeasureAnswers(bench, weft::SystemDisk(), "disk", 64);
  MeasureAnswers(bench, weft::SystemDisk(), "disk", 1024);
  MeasureAnswers(bench, instant, "no disk", 1024);
  MeasureLarge(bench, weft::SystemDisk(), "disk");
  MeasureLarge(bench, instant, "no disk");
  MeasurePartitions(bench);
  MeasureRestart(bench);
  return 0;
}
