// SPDX-License-Identifier: Apache-2.0
#include "log/simulation/client.h"

#include <algorithm>

#include "log/limits.h"

namespace weft::log {
namespace {

constexpr uint64_t kNames = 5;
constexpr int kWaitingMax = 8;
constexpr auto kPatience = seconds(3600);  // no disk here is slower

}  // namespace

// One that is there, mostly.
PartitionName Client::AnyName() {
  for (int tries = 0;; ++tries) {
    PartitionName name("p/" + std::to_string(stage_.Below(kNames)));
    if (tries == 2 || stage_.model.IsLive(name)) return name;
  }
}

void Client::Run(int steps) {
  if (number_ == 0) {
    for (uint64_t i = 0; i < kNames / 2; ++i) CreateOrDelete();
  }
  for (int step = 0; step < steps && !stage_.Over(); ++step) Step();
  AwaitAnswers();
}

void Client::AwaitAnswers() {
  const auto until = stage_.schedule.now() + kPatience;
  while (waiting_ > 0 && stage_.schedule.now() < until) {
    stage_.schedule.Sleep(microseconds(500));
  }
  if (waiting_ > 0) stage_.model.Break(fmt::format("client {} waits for ever", number_));
}

void Client::Step() {
  const uint64_t kind = stage_.Below(100);
  if (kind < 55) return Append();
  if (kind < 67) return Read();
  if (kind < 73) return Trim();
  if (kind < 79) return CreateOrDelete();
  if (kind < 84) return WatchOrForget();
  if (kind < 89) return LookAround();
  if (kind < 92) return WaitPast();
  if (kind < 94) return AwaitAnswers();
  const int64_t time = stage_.OneIn(10) ? 15'000'000 : stage_.Between(1, 20'000);
  stage_.schedule.Sleep(microseconds(time));
}

void Client::Append() {
  if (waiting_ >= kWaitingMax) AwaitAnswers();
  auto form = Model::Form::kGood;
  std::vector<PartitionName> names;
  const uint64_t parts = stage_.OneIn(3) ? 2 + stage_.Below(3) : 1;
  while (names.size() < parts) {
    PartitionName name = AnyName();
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  std::vector<Content> contents;
  const uint32_t value_bytes_max = stage_.OneIn(50)  ? 30'000
                                   : stage_.OneIn(8) ? stage_.value_bytes_max
                                                     : 60;
  for (size_t i = 0; i < names.size(); ++i) {
    Content content;
    const uint64_t records = 1 + stage_.Below(4);
    for (uint64_t record = 0; record < records; ++record) {
      content.value_bytes.push_back(static_cast<uint32_t>(stage_.Below(value_bytes_max)));
    }
    contents.push_back(std::move(content));
  }
  if (stage_.OneIn(60)) {
    form = Model::Form::kMalformed;
    if (stage_.OneIn(2)) {
      contents.back().value_bytes.clear();
    } else {
      names.push_back(names.front());
      contents.push_back(contents.front());
    }
  }
  Send(form, names, std::move(contents));
}

bool Client::AppendOne(const PartitionName& name) {
  AwaitAnswers();
  Content content;
  content.value_bytes.push_back(10);
  Send(Model::Form::kGood, {name}, {content});
  AwaitAnswers();
  return last_taken_;
}

void Client::Send(Model::Form form, const std::vector<PartitionName>& names,
                  std::vector<Content> contents) {
  const int number = stage_.model.NextUnit();
  std::vector<log::Part> unit;
  for (size_t i = 0; i < names.size(); ++i) {
    contents[i].unit = number;
    contents[i].part = static_cast<int>(i);
    unit.push_back({.partition = names[i], .batch = BatchOf(contents[i])});
    unit.back().batch.seal = !stage_.master_key.empty() && stage_.OneIn(3);
    stage_.Say("append unit {} part {}: {} records to {}", number, i,
               contents[i].value_bytes.size(), names[i].text());
  }
  stage_.model.AppendAsked(number_, form, names, std::move(contents), stage_.schedule.now());
  ++waiting_;
  stage_.log->Append(std::move(unit), [this, number](const auto& answer) {
    --waiting_;
    last_taken_ = answer.ok();
    stage_.schedule.Mix(answer.ok() ? 1 : 2 + static_cast<uint64_t>(answer.error().code()));
    stage_.Say("unit {} is {}", number, answer.ok() ? "there" : answer.error().message());
    stage_.model.AppendAnswered(number, answer, stage_.schedule.now());
  });
}

void Client::Read() {
  const auto look = stage_.model.LookAt(AnyName());
  if (!look.live) return;
  const Offset from{stage_.Between(look.known.begin.value, look.known.end.value)};
  const int64_t bytes_max = stage_.OneIn(2) ? stage_.Between(1, 5000) : 1 << 20;
  auto batches = stage_.log->Read(look.name, from, {.bytes_max = bytes_max});
  if (!batches.ok()) return ReadFailed(look, from, batches.error());
  stage_.Say("read {} from {}: {} batches", look.name.text(), from.value, batches->size());
  stage_.schedule.Mix(batches->size());
  stage_.model.Saw(look, from, *batches);
}

void Client::ReadFailed(const Model::Look& look, Offset from, const Error& error) {
  stage_.Say("read {} from {}: {}", look.name.text(), from.value, error.message());
  if (!stage_.model.Counts(look) || stage_.read_faults || !stage_.disk.powered()) return;
  const bool trimmed = error.code() == Code::kNotFound && stage_.model.MayBeTrimmed(look, from);
  const bool rotten = error.code() == Code::kCorrupt && stage_.model.rotten();
  if (!trimmed && !rotten) {
    stage_.model.Break(
        fmt::format("reading {} at {} failed: {}", look.name.text(), from.value, error.message()));
  }
}

void Client::LookAround() {
  const auto look = stage_.model.LookAt(AnyName());
  auto bounds = stage_.log->BoundsOf(look.name);
  if (bounds.ok()) {
    stage_.Say("{} is {}..{}", look.name.text(), bounds->begin.value, bounds->end.value);
    stage_.model.Saw(look, *bounds);
  } else if (stage_.model.Counts(look)) {
    stage_.model.Break(look.name.text() + " has no bounds: " + bounds.error().message());
  }
  auto names = stage_.log->Partitions();
  const bool listed =
      names.ok() && std::find(names->begin(), names->end(), look.name) != names->end();
  if (stage_.model.Counts(look) && !listed) {
    stage_.model.Break(look.name.text() + " is not listed");
  }
}

// Gives up by offset or by octets, as retention does.
void Client::Trim() {
  const auto look = stage_.model.LookAt(AnyName());
  if (!look.live) return;
  Offset before{stage_.Between(look.known.begin.value, look.known.end.value + 2)};
  if (stage_.OneIn(2)) {
    auto within = stage_.log->OffsetWithin(look.name, stage_.Between(0, 20'000));
    if (!within.ok()) {
      if (!stage_.model.Counts(look) || stage_.read_faults || !stage_.disk.powered()) return;
      if (within.error().code() == Code::kCorrupt && stage_.model.rotten()) return;
      return stage_.model.Break(look.name.text() + ": " + within.error().message());
    }
    before = *within;
    if (stage_.model.Counts(look) && before < look.known.begin) {
      return stage_.model.Break(look.name.text() + " offers what it gave up");
    }
  }
  if (!stage_.model.Counts(look)) return;
  stage_.Say("trim {} before {}", look.name.text(), before.value);
  stage_.model.TrimAsked(look, before);
  Status trimmed = stage_.log->Trim(look.name, before);
  stage_.model.TrimAnswered(look, before, trimmed);
}

void Client::CreateOrDelete() {
  const PartitionName name = AnyName();
  if (!stage_.model.CanChange(name)) return;
  if (stage_.model.IsLive(name) && !stage_.OneIn(4)) {
    stage_.Say("delete {}", name.text());
    stage_.model.DeleteAsked(name);
    Status deleted = stage_.log->DeletePartition(name);
    stage_.Say("delete {}: {}", name.text(), deleted.ok() ? "gone" : deleted.error().message());
    return stage_.model.DeleteAnswered(name, deleted);
  }
  stage_.Say("make {}", name.text());
  stage_.model.CreateAsked(name);
  Status made = stage_.log->CreatePartition(name);
  stage_.Say("make {}: {}", name.text(), made.ok() ? "made" : made.error().message());
  stage_.model.CreateAnswered(name, made);
}

void Client::WatchOrForget() {
  if (stage_.watches.empty() || stage_.OneIn(2)) return Watch();
  auto& chosen = stage_.watches[stage_.Below(stage_.watches.size())];
  const std::shared_ptr<Watching> watching = chosen;
  std::swap(chosen, stage_.watches.back());
  stage_.watches.pop_back();
  watching->handle.reset();
  watching->given_up = true;
}

void Client::Watch() {
  auto watching = std::make_shared<Watching>();
  watching->look = stage_.model.LookAt(AnyName());
  watching->from = {watching->look.known.end.value + stage_.Between(-1, 3)};
  auto wake = [&stage = stage_, watching] {
    if (++watching->woken > 1) stage.model.Break("a watcher was woken twice");
    if (watching->given_up) stage.model.Break("a watcher was woken after it went");
    stage.schedule.Point();
  };
  auto handle = stage_.log->OnPast(watching->look.name, watching->from, std::move(wake));
  if (handle.ok()) {
    watching->handle = std::move(*handle);
    stage_.watches.push_back(std::move(watching));
  } else if (stage_.model.Counts(watching->look)) {
    stage_.model.Break("no watching: " + handle.error().message());
  }
}

void Client::WaitPast() {
  const auto look = stage_.model.LookAt(AnyName());
  const auto began = stage_.schedule.now();
  const milliseconds wait_max(stage_.Between(0, 50));
  auto bounds = stage_.log->WaitPast(look.name, look.known.end, wait_max);
  if (!bounds.ok()) {
    if (stage_.model.Counts(look)) stage_.model.Break("no waiting: " + bounds.error().message());
    return;
  }
  stage_.model.Saw(look, *bounds);
  const bool early = stage_.schedule.now() - began < wait_max;
  const bool reason =
      bounds->end > look.known.end || stage_.model.excuses.stopping || !stage_.model.Counts(look);
  if (early && !reason) stage_.model.Break("waiting for " + look.name.text() + " ended early");
}

}  // namespace weft::log
