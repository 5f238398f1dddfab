// SPDX-License-Identifier: Apache-2.0
#include "log/simulation/world.h"

#include <algorithm>
#include <thread>

#include "base/metrics.h"
#include "log/journal.h"
#include "log/simulation/client.h"
#include "log/simulation/offline.h"
#include "log/simulation/stage.h"

namespace weft::log {
namespace {

constexpr size_t kHeaderBytes = 64;  // of a file, where damage may cost more

class World {
 public:
  explicit World(const Scenario& scenario) : stage_(scenario) {
    stage_.disk.OnCall([this](DiskCall call) { DuringCall(call); });
    stage_.schedule.OnStuck([this] {
      for (const std::string& line : stage_.trace) std::printf("  %s\n", line.c_str());
    });
  }
  Outcome Run();

 private:
  uint64_t Below(uint64_t limit) { return stage_.Below(limit); }
  bool OneIn(uint64_t times) { return stage_.OneIn(times); }
  bool Broken() const { return !stage_.model.broken().empty(); }

  void DuringCall(DiskCall call);
  bool Open();
  Status TryOpen();
  void Live();
  void RunClients();
  void PlanFaults();
  void PlanFault();
  void PlanTrouble();
  void CutPowerWithin(int64_t changes);
  void FailCall(DiskCall call, int64_t n, SimDisk::Then then = SimDisk::Then::kRecover);
  void Weather();
  void Heal();
  void Rot();
  bool OpenOverRot();
  void End();
  void EndInOrder();
  void Resume(Model::End end);
  void Verify(bool just_opened);
  Model::Whole ReadWhole(const PartitionName& name);
  void CheckExpected(const std::map<PartitionName, Model::Whole>& whole);
  void CheckWatches();
  void CheckWriting();
  void CheckSpace();

  Stage stage_;
  Metrics metrics_;
  std::vector<std::unique_ptr<Client>> clients_;
  int64_t segment_bytes_ = 0;
  microseconds disk_time_max_{0};
  int rot_left_ = 0;
  bool rot_anywhere_ = false;
  bool cut_ = false;
  int lives_ = 0;
};

// What the disk's own lock does not: gives way for as long as the disk takes.
void World::DuringCall(DiskCall call) {
  stage_.schedule.Mix(static_cast<uint64_t>(call) + 100);
  if (!stage_.disk.powered()) stage_.model.excuses.dead = true;
  if (disk_time_max_.count() > 0 && OneIn(2)) {
    stage_.schedule.Sleep(microseconds(stage_.Between(1, disk_time_max_.count())));
  }
}

Outcome World::Run() {
  segment_bytes_ = int64_t{4096} << Below(4);
  stage_.value_bytes_max = OneIn(3) ? 3000 : 100;
  if (stage_.scenario.cut_at == 0 && OneIn(4)) {
    rot_anywhere_ = OneIn(2);
    rot_left_ = rot_anywhere_ ? 1 : static_cast<int>(1 + Below(3));
  }
  if (OneIn(2)) stage_.master_key = stage_.random.NextBytes(32);
  const uint64_t lives = stage_.scenario.cut_at > 0 ? 1 : 1 + Below(4);
  if (Open()) {
    for (uint64_t life = 0; life < lives && !Broken(); ++life) Live();
  }
  if (!Broken()) CheckSpace();
  stage_.disk.CutPower();
  stage_.log.reset();
  return {.broken = stage_.model.broken(),
          .digest = stage_.schedule.digest(),
          .cut = cut_,
          .lives = lives_,
          .units = stage_.model.NextUnit(),
          .trace = std::move(stage_.trace)};
}

Status World::TryOpen() {
  auto log = OpenJournal({.folder = kFolder,
                          .segment_bytes = segment_bytes_,
                          .pending_bytes_max = int64_t{1} << (13 + Below(8)),
                          .free_bytes_min = 0,
                          .master_key = stage_.master_key,
                          .encrypt = !stage_.master_key.empty() && OneIn(3),
                          .data_key_age_max = milliseconds(stage_.Between(1, 60'000))},
                         stage_.disk, stage_.clock, metrics_, stage_.random);
  stage_.Say("open: {}", log.ok() ? "ok" : log.error().message());
  if (!log.ok()) return Fail(log.error());
  stage_.log = std::move(*log);
  return {};
}

// Also on a disk that fails or loses power meanwhile: then once more.
bool World::Open() {
  ++lives_;
  stage_.model.excuses = {};
  stage_.read_faults = false;
  if (stage_.scenario.cut_at == 0 && OneIn(4)) {
    PlanFaults();
    if (TryOpen().ok()) return true;
    stage_.expected.clear();
    Heal();
    stage_.disk.CutPower();
    stage_.disk.Restart();
    stage_.model.excuses = {};
    stage_.read_faults = false;
  }
  Status opened = TryOpen();
  if (!opened.ok()) stage_.model.Break("the log does not open: " + opened.error().message());
  return opened.ok();
}

void World::Live() {
  stage_.life_over = false;
  stage_.disk.Tell(stage_.scenario.lie);
  if (stage_.scenario.cut_at > 0) {
    stage_.disk.CutPowerAtChange(stage_.scenario.cut_at);
  } else {
    PlanFaults();
  }
  RunClients();
  End();
}

void World::RunClients() {
  const uint64_t clients = 1 + Below(3);
  const int steps = static_cast<int>(4 + Below(24));
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < clients; ++i) {
    clients_.push_back(std::make_unique<Client>(stage_, static_cast<int>(clients_.size())));
    threads.emplace_back([client = clients_.back().get(), steps] { client->Run(steps); });
  }
  for (int i = 0; i < 6 && !stage_.Over(); ++i) {
    stage_.schedule.Sleep(microseconds(stage_.Between(1, 5000)));
    if (stage_.scenario.cut_at == 0) Weather();
  }
  // A life that is to end while clients are busy, or after they have done all.
  if (stage_.scenario.cut_at == 0 && OneIn(3)) stage_.life_over = true;
  for (auto& thread : threads) thread.join();
}

void World::PlanFaults() {
  if (OneIn(4)) {
    for (uint64_t faults = 1 + Below(3); faults > 0; --faults) PlanFault();
  } else if (OneIn(4)) {
    PlanTrouble();
  }
  if (OneIn(3)) CutPowerWithin(60);
  disk_time_max_ = microseconds(OneIn(3) ? 0 : OneIn(3) ? 2'000'000 : 1000);
}

void World::CutPowerWithin(int64_t changes) {
  const int64_t change = stage_.Between(1, changes);
  stage_.Say("the power goes {} changes from now", change);
  stage_.model.excuses.faults = true;
  stage_.disk.CutPowerAtChange(change);
}

void World::PlanFault() {
  static constexpr DiskCall kCalls[] = {
      DiskCall::kWrite, DiskCall::kWrite,     DiskCall::kSync,   DiskCall::kSync,
      DiskCall::kOpen,  DiskCall::kTruncate,  DiskCall::kRename, DiskCall::kSyncFolder,
      DiskCall::kRead,  DiskCall::kFreeBytes, DiskCall::kRemove, DiskCall::kList};
  FailCall(kCalls[Below(std::size(kCalls))], stage_.Between(1, 8),
           OneIn(4) ? SimDisk::Then::kKeepFailing : SimDisk::Then::kRecover);
}

// A failed write or sync of a group, and trouble in getting over it.
void World::PlanTrouble() {
  static constexpr DiskCall kWays[] = {DiskCall::kSync, DiskCall::kTruncate, DiskCall::kOpen,
                                       DiskCall::kSyncFolder, DiskCall::kRemove};
  FailCall(OneIn(3) ? DiskCall::kWrite : DiskCall::kSync, stage_.Between(1, 12),
           OneIn(3) ? SimDisk::Then::kKeepFailing : SimDisk::Then::kRecover);
  if (OneIn(2)) {
    FailCall(kWays[Below(std::size(kWays))], 1, SimDisk::Then::kKeepFailing);
  }
  if (OneIn(2)) CutPowerWithin(30);
}

void World::FailCall(DiskCall call, int64_t n, SimDisk::Then then) {
  const Code code = OneIn(2) ? Code::kUnavailable : Code::kInternal;
  stage_.Say("call {} of kind {} will fail{}", n, static_cast<int>(call),
             then == SimDisk::Then::kRecover ? "" : ", and all that follow");
  stage_.model.excuses.faults = true;
  if (call == DiskCall::kRead || call == DiskCall::kOpen) stage_.read_faults = true;
  stage_.disk.FailCall(call, n, Error(code, "told to"), then);
}

void World::Weather() {
  switch (Below(12)) {
    case 0:
      return PlanFault();
    case 1:
      stage_.Say("the disk is full");
      stage_.model.excuses.faults = true;
      return stage_.disk.SetCapacity(stage_.disk.used() + stage_.Between(0, 8192));
    case 2:
      stage_.Say("there is room again");
      return stage_.disk.SetCapacity(INT64_MAX);
    case 3:
      return stage_.disk.DropCaches();
    case 4:
      return stage_.clock.Jump(microseconds(stage_.Between(-5'000'000, 5'000'000)));
    case 5:
      disk_time_max_ = microseconds(OneIn(2) ? 0 : stage_.Between(1, 3'000'000));
      return;
    case 6:
      if (!OneIn(4)) return;
      stage_.Say("power cut");
      stage_.model.excuses.dead = true;
      return stage_.disk.CutPower();
    case 7:
      if (!OneIn(4)) return;
      stage_.Say("stop, with clients at work");
      stage_.model.excuses.stopping = true;
      return stage_.log->Stop();
    default:
      return;
  }
}

// All that was planned is off, as far as it has not happened.
void World::Heal() {
  stage_.disk.StopFailing();
  stage_.disk.CutPowerAtChange(kNever);
  stage_.disk.SetCapacity(INT64_MAX);
  disk_time_max_ = {};
}

void World::End() {
  const bool cut_short = stage_.scenario.cut_at > 0;
  if (!cut_short) Heal();
  if (stage_.disk.powered() && !Broken() && !cut_short && OneIn(2)) {
    Verify(false);
    if (!stage_.model.excuses.stopping) CheckWriting();
    if (!Broken() && OneIn(4)) CheckSpace();
    if (!Broken() && rot_left_ > 0) Rot();
  }
  if (Broken()) return;
  cut_ = !stage_.disk.powered();
  if (cut_ || cut_short || !OneIn(3)) {
    // The last moments: a few more calls may come through.
    if (!cut_ && OneIn(2))
      stage_.disk.CutPowerAtChange(stage_.Between(1, 6));
    else
      stage_.disk.CutPower();
    stage_.model.excuses = {.faults = true, .stopping = true, .dead = true};
    stage_.log.reset();
    stage_.disk.CutPower();
  } else {
    return EndInOrder();
  }
  stage_.watches.clear();
  const bool process_only = OneIn(3);
  stage_.Say("{} ends", process_only ? "the process" : "the machine");
  Heal();
  stage_.disk.Restart(process_only ? SimDisk::After::kProcessEnd : SimDisk::After::kPowerLoss);
  if (process_only && OneIn(2)) stage_.disk.DropCaches();
  if (!cut_short) Offline(stage_).Look();
  if (!Broken() && (cut_short || !OneIn(6) ? Open() : OpenOverRot())) {
    Heal();
    Resume(Model::End::kCrash);
  }
}

void World::EndInOrder() {
  stage_.Say("the log stops");
  // What was trimmed after it had stopped already may not be noted.
  const auto end = stage_.model.excuses.stopping ? Model::End::kCrash : Model::End::kOrderly;
  stage_.model.excuses.stopping = true;
  stage_.log->Stop();
  CheckWatches();
  stage_.watches.clear();
  stage_.log.reset();
  Heal();
  if (!Broken()) Offline(stage_).Look();
  if (!Broken()) Offline(stage_).AcceptLosses();
  if (!Broken()) Offline(stage_).ChangeMasterKey();
  if (!Broken() && Open()) {
    Heal();
    Resume(end);
  }
}

void World::Resume(Model::End end) {
  auto names = stage_.log->Partitions();
  if (!names.ok()) return stage_.model.Break("no list of partitions");
  stage_.model.Reopened(*names, end);
  if (!Broken()) Verify(true);
}

void World::Verify(bool just_opened) {
  stage_.schedule.Sleep(microseconds(10'000));
  if (!stage_.disk.powered()) return;
  auto names = stage_.log->Partitions();
  if (!names.ok()) return stage_.model.Break("no list of partitions");
  std::map<PartitionName, Model::Whole> whole;
  for (const PartitionName& name : *names) {
    if (stage_.model.IsLive(name)) whole[name] = ReadWhole(name);
    if (Broken() || !stage_.disk.powered()) return;
  }
  stage_.model.Check(whole, just_opened);
  just_opened ? CheckExpected(whole) : CheckWatches();
}

Model::Whole World::ReadWhole(const PartitionName& name) {
  Model::Whole whole;
  whole.exact = !stage_.read_faults && !stage_.index_rot;
  auto bounds = stage_.log->BoundsOf(name);
  if (!bounds.ok()) {
    stage_.model.Break(name.text() + " has no bounds");
    return whole;
  }
  whole.bounds = *bounds;
  stage_.Say("{} is {}..{}, {} octets", name.text(), bounds->begin.value, bounds->end.value,
             bounds->bytes);
  for (Offset at = bounds->begin; at < bounds->end;) {
    auto batches = stage_.log->Read(name, at, {.bytes_max = stage_.Between(1, 20'000)});
    if (!batches.ok() && batches.error().code() == Code::kCorrupt) {
      stage_.Say("{} is damaged at {}", name.text(), at.value);
      whole.holes.push_back(at);
      ++at.value;
    } else if (!batches.ok()) {
      if (stage_.disk.powered()) {
        stage_.model.Break(fmt::format("{} cannot be read at {}: {}", name.text(), at.value,
                                       batches.error().message()));
      }
      return whole;
    } else if (batches->empty()) {
      return whole;
    } else {
      at = batches->back().next();
      std::move(batches->begin(), batches->end(), std::back_inserter(whole.batches));
    }
  }
  return whole;
}

// Who looked before the log was opened saw what it has now.
void World::CheckExpected(const std::map<PartitionName, Model::Whole>& whole) {
  for (const auto& [name, bounds] : stage_.expected) {
    auto now = whole.find(name);
    const bool same = now != whole.end() && now->second.bounds.begin == bounds.begin &&
                      now->second.bounds.end == bounds.end;
    if (!same) {
      stage_.model.Break(fmt::format("{} was seen to be {}..{}", name.text(), bounds.begin.value,
                                     bounds.end.value));
    }
  }
  stage_.expected.clear();
}

void World::CheckWatches() {
  const bool stopping = stage_.model.excuses.stopping;
  for (const auto& watching : stage_.watches) {
    const auto& look = watching->look;
    auto bounds = stage_.log->BoundsOf(look.name);
    const bool past = bounds.ok() && bounds->end > watching->from;
    const bool same = stage_.model.Counts(look);
    if ((past || !same || stopping) && watching->woken == 0) {
      // It may have begun with a partition that was made between the look and the call.
      if (!same && bounds.ok() && !past && !stopping) continue;
      stage_.model.Break(fmt::format("who waits for {} past {} was not woken", look.name.text(),
                                     watching->from.value));
    }
    if (same && !past && !stopping && watching->woken > 0) {
      stage_.model.Break(fmt::format("who waits for {} past {} was woken for nothing",
                                     look.name.text(), watching->from.value));
    }
  }
}

// A disk that is well again is written to again.
void World::CheckWriting() {
  if (Broken()) return;
  const PartitionName name("p/0");
  if (!stage_.model.IsLive(name)) return;
  auto& prober = clients_.front();
  stage_.model.excuses.faults = true;
  // What went before may cost one unit.
  if (!prober->AppendOne(name) && !prober->AppendOne(name) && stage_.disk.powered()) {
    stage_.model.Break("the disk is well and appends are refused");
  }
}

// Damages what nothing can make good again, nor take for a torn write: there is a later group.
void World::Rot() {
  const PartitionName name("p/0");
  if (!stage_.model.IsLive(name)) return;
  std::map<std::string, Bytes> durable;
  for (const std::string& path : stage_.disk.Paths()) {
    if (!path.ends_with(".log")) continue;
    Bytes content = stage_.disk.ContentOf(path);
    content.resize(content.find_last_not_of('\0') + 1);
    if (content.size() > kHeaderBytes) durable[path] = std::move(content);
  }
  if (!clients_.front()->AppendOne(name) || durable.empty()) return;
  const auto& [path, content] =
      *std::next(durable.begin(), static_cast<std::ptrdiff_t>(Below(durable.size())));
  const auto paths = stage_.disk.Paths();
  if (std::find(paths.begin(), paths.end(), path) == paths.end()) return;
  size_t position =
      rot_anywhere_ ? Below(content.size()) : kHeaderBytes + Below(content.size() - kHeaderBytes);
  // In a value that can be seen, at times: what else is known of its batch is still there then.
  const size_t value = content.find("<unit ", position);
  const bool in_value = value != Bytes::npos && OneIn(2);
  if (in_value) position = value;
  --rot_left_;
  stage_.model.Rot(in_value ? Model::Hit::kValue : Model::Hit::kAnything);
  stage_.Say("octet {} of {} is damaged", position, path);
  stage_.disk.Damage(path, static_cast<int64_t>(position));
}

// Rot in a file that can be made again is mended; in one that cannot, the log says so and touches
// nothing, and when the file is whole again so is the log.
bool World::OpenOverRot() {
  std::vector<std::string> paths;
  for (const std::string& path : stage_.disk.Paths()) {
    const bool wanted = !path.ends_with(".log") && !path.ends_with(".tmp") &&
                        !path.ends_with(".damaged") && !stage_.disk.ContentOf(path).empty();
    if (wanted) paths.push_back(path);
  }
  if (paths.empty()) return Open();
  const std::string& path = paths[Below(paths.size())];
  const auto size = static_cast<int64_t>(stage_.disk.ContentOf(path).size());
  const int64_t position = stage_.Between(0, size - 1);
  stage_.Say("octet {} of {} is damaged", position, path);
  stage_.disk.Damage(path, position);
  if (path.ends_with(".index")) {
    stage_.index_rot = true;
    return Open();
  }
  Status opened = TryOpen();
  if (opened.ok() || opened.error().code() != Code::kCorrupt) {
    stage_.model.Break(path + " is damaged and the log says: " +
                       (opened.ok() ? "nothing" : opened.error().message()));
    return false;
  }
  stage_.disk.Damage(path, position);
  return Open();
}

// When nothing is kept, no more than the segment that is written takes space.
void World::CheckSpace() {
  Heal();
  if (!stage_.disk.powered() || stage_.model.excuses.stopping) return;
  const auto names = stage_.log->Partitions();
  if (!names.ok()) return stage_.model.Break("no list of partitions");
  for (const PartitionName& name : *names) {
    const auto look = stage_.model.LookAt(name);
    if (!look.live) return;
    stage_.model.TrimAsked(look, look.known.end);
    stage_.model.TrimAnswered(look, look.known.end, stage_.log->Trim(name, look.known.end));
  }
  stage_.schedule.Sleep(seconds(60));
  int segments = 0;
  for (const std::string& path : stage_.disk.Paths()) {
    // One that could not be finished, nor removed, holds its header and goes with the next start.
    const bool holds = stage_.disk.ContentOf(path).size() > kHeaderBytes;
    if (path.ends_with(".log") && holds) ++segments;
  }
  if (segments > 1) {
    stage_.model.Break(fmt::format("nothing is kept, and there are {} segments", segments));
  }
}

}  // namespace

Outcome Simulate(const Scenario& scenario) { return World(scenario).Run(); }

}  // namespace weft::log
