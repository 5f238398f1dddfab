// SPDX-License-Identifier: Apache-2.0
#include "log/simulation/model.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::log {
namespace {

// What was answered may count as waiting for so long.
constexpr auto kSettled = milliseconds(10);

}  // namespace

void Model::Break(std::string what) {
  if (broken_.empty()) broken_ = std::move(what);
}

void Model::Rot(Hit hit) {
  ++rotten_;
  if (hit == Hit::kAnything) ++forgettable_;
}

bool Model::CanChange(const PartitionName& name) const {
  auto known = partitions_.find(name);
  if (known == partitions_.end()) return true;
  const Partition& partition = known->second;
  return !partition.changing &&
         (partition.generations.empty() || partition.generations.back().state != State::kOpen);
}

bool Model::IsLive(const PartitionName& name) const {
  auto known = partitions_.find(name);
  return known != partitions_.end() && known->second.live();
}

void Model::CreateAsked(const PartitionName& name) {
  Partition& partition = partitions_[name];
  partition.changing = true;
  auto& generations = partition.generations;
  if (!generations.empty() && generations.back().state == State::kLive) return;
  ++partition.doubts;
  generations.emplace_back().state = State::kOpen;
  if (!partition.trims.empty()) generations.back().trim_asked = *partition.trims.rbegin();
}

void Model::CreateAnswered(const PartitionName& name, const Status& status) {
  partitions_[name].changing = false;
  if (status.ok()) {
    Newest(name).state = State::kLive;
  } else if (!excuses.faults && !excuses.stopping && !excuses.dead) {
    Break(fmt::format("{} was not made: {}", name.text(), status.error().message()));
  }
}

void Model::DeleteAsked(const PartitionName& name) {
  Partition& partition = partitions_[name];
  partition.changing = true;
  ++partition.doubts;
}

void Model::DeleteAnswered(const PartitionName& name, const Status& status) {
  partitions_[name].changing = false;
  Newest(name).state = status.ok() ? State::kGone : State::kOpen;
  if (!status.ok() && !excuses.faults && !excuses.stopping && !excuses.dead) {
    Break(fmt::format("{} was not deleted: {}", name.text(), status.error().message()));
  }
}

void Model::AppendAsked(int client, Form form, const std::vector<PartitionName>& partitions,
                        std::vector<Content> contents, microseconds now) {
  const bool alone = waiting_ == 0 && now - answered_ >= kSettled;
  Unit unit{.client = client, .form = form, .alone = alone, .parts = {}};
  for (size_t i = 0; i < partitions.size(); ++i) {
    Part part;
    part.partition = partitions[i];
    part.content = std::move(contents[i]);
    const Partition& partition = partitions_[partitions[i]];
    const auto count = static_cast<int>(partition.generations.size());
    const bool gone = count == 0 || partition.generations.back().state == State::kGone;
    part.generation_min = gone ? count : count - 1;
    part.doubts = partition.doubts;
    part.sure = partition.live();
    if (part.sure) {
      part.end_min = partition.generations.back().end;
      part.arrival_min = partition.generations.back().arrival;
    }
    unit.parts.push_back(std::move(part));
  }
  units_.push_back(std::move(unit));
  ++waiting_;
}

void Model::AppendAnswered(int number, const Result<std::vector<Appended>>& answer,
                           microseconds now) {
  answered_ = now;
  Unit& unit = units_[static_cast<size_t>(number)];
  if (unit.fate != Fate::kWaiting) return Break(fmt::format("unit {} was answered twice", number));
  --waiting_;
  for (Part& part : unit.parts) {
    const Partition& partition = partitions_[part.partition];
    part.generation_max = static_cast<int>(partition.generations.size()) - 1;
    part.sure = part.sure && partition.live() && part.doubts == partition.doubts;
  }
  answer.ok() ? Acknowledge(number, *answer) : Refuse(number, answer.error());
}

void Model::Acknowledge(int number, const std::vector<Appended>& answer) {
  Unit& unit = units_[static_cast<size_t>(number)];
  unit.fate = Fate::kAcknowledged;
  if (unit.form == Form::kMalformed) return Break(fmt::format("unit {} is malformed", number));
  if (answer.size() != unit.parts.size()) {
    return Break(fmt::format("unit {} has {} parts, answered were {}", number, unit.parts.size(),
                             answer.size()));
  }
  for (size_t i = 0; i < answer.size(); ++i) {
    Part& part = unit.parts[i];
    if (part.generation_min > part.generation_max) {
      return Break(
          fmt::format("unit {} went into {}, which was not there", number, part.partition.text()));
    }
    const bool known = part.generation_min == part.generation_max;
    if (!known || Newest(part.partition).state == State::kGone) continue;
    Place(part.generation_min, {number, static_cast<int>(i)}, answer[i].first.value,
          answer[i].arrival);
  }
}

void Model::Refuse(int number, const Error& error) {
  Unit& unit = units_[static_cast<size_t>(number)];
  const bool open = error.code() == Code::kInternal || excuses.dead;
  unit.fate = open ? Fate::kOpen : Fate::kRefused;
  if (!excuses.dead && !MayRefuse(unit, number, error.code())) {
    return Break(fmt::format("unit {} was refused without a reason: {}", number, error.message()));
  }
  for (const Part& part : unit.parts) {
    if (part.seen && !open) Break(fmt::format("unit {} was read and then refused", number));
  }
}

bool Model::MayRefuse(const Unit& unit, int number, Code code) const {
  switch (code) {
    case Code::kInvalid:
      return unit.form == Form::kMalformed;
    case Code::kNotFound:
      return std::any_of(unit.parts.begin(), unit.parts.end(),
                         [](const Part& part) { return !part.sure; });
    case Code::kThrottled:
      // One is always taken, or it could wait for ever.
      return !unit.alone || number + 1 < static_cast<int>(units_.size());
    case Code::kUnavailable:
      return excuses.faults || excuses.stopping;
    case Code::kInternal:
      return excuses.faults;
    default:
      return false;
  }
}

void Model::Place(int generation, std::pair<int, int> place, int64_t first, Timestamp arrival) {
  Part& part = PartAt(place);
  const auto what = [&] {
    return fmt::format("unit {} part {} at {} of {}", place.first, place.second, first,
                       part.partition.text());
  };
  if (part.first && (*part.first != first || part.arrival != arrival)) {
    return Break(what() + fmt::format(" was at {}, or of another time", *part.first));
  }
  Generation& there = partitions_[part.partition].generations[static_cast<size_t>(generation)];
  const auto end = first + static_cast<int64_t>(part.content.value_bytes.size());
  auto next = there.placed.lower_bound(first);
  bool free = true;
  if (next != there.placed.end()) {
    free = next->second == place || next->first >= end;
  }
  if (free && next != there.placed.begin()) {
    auto before = std::prev(next);
    free =
        before->first + static_cast<int64_t>(PartAt(before->second).content.value_bytes.size()) <=
        first;
  }
  if (!free) return Break(what() + " takes offsets that another has");
  if (generation == part.generation_min && (first < part.end_min || arrival < part.arrival_min)) {
    return Break(what() + " lies before what was there when it was sent");
  }
  there.placed[first] = place;
  there.end = std::max(there.end, end);
  there.arrival = std::max(there.arrival, arrival);
  part.first = first;
  part.arrival = arrival;
}

Model::Look Model::LookAt(const PartitionName& name) const {
  Look look;
  look.name = name;
  auto known = partitions_.find(name);
  if (known == partitions_.end()) return look;
  const Partition& partition = known->second;
  look.live = partition.live();
  look.doubts = partition.doubts;
  if (!look.live) return look;
  const Generation& generation = partition.generations.back();
  look.generation = static_cast<int>(partition.generations.size()) - 1;
  look.known.begin = {std::max(generation.begin, generation.trim_done)};
  look.known.end = {generation.end};
  return look;
}

bool Model::Counts(const Look& look) const {
  auto known = partitions_.find(look.name);
  return look.live && known != partitions_.end() && known->second.live() &&
         known->second.doubts == look.doubts;
}

void Model::TrimAsked(const Look& look, Offset before) {
  auto& generation = Newest(look.name);
  generation.trim_asked = std::max(generation.trim_asked, before.value);
  partitions_.at(look.name).trims.insert(before.value);
}

void Model::TrimAnswered(const Look& look, Offset before, const Status& status) {
  auto& trims = partitions_.at(look.name).trims;
  trims.erase(trims.find(before.value));
  if (!Counts(look)) return;
  auto& generation = Newest(look.name);
  if (status.ok()) {
    generation.trim_done =
        std::max(generation.trim_done, std::min(before.value, look.known.end.value));
  } else if (!excuses.faults && !excuses.stopping && !excuses.dead) {
    Break(fmt::format("{} was not trimmed: {}", look.name.text(), status.error().message()));
  }
}

bool Model::MayBeTrimmed(const Look& look, Offset offset) const {
  return offset.value < partitions_.at(look.name).generations.back().trim_asked;
}

void Model::Saw(const Look& look, const Bounds& bounds) {
  if (!Counts(look)) return;
  Generation& generation = Newest(look.name);
  if (bounds.begin < look.known.begin || bounds.end < look.known.end || bounds.begin > bounds.end ||
      bounds.begin.value > generation.trim_asked) {
    return Break(fmt::format("{} went from {}..{} to {}..{}, trimmed up to {}", look.name.text(),
                             look.known.begin.value, look.known.end.value, bounds.begin.value,
                             bounds.end.value, generation.trim_asked));
  }
  generation.begin = std::max(generation.begin, bounds.begin.value);
  generation.end = std::max(generation.end, bounds.end.value);
}

void Model::Saw(const Look& look, Offset from, const std::vector<StoredBatch>& batches) {
  if (!Counts(look)) return;
  const bool nothing = batches.empty() && from < look.known.end;
  if (nothing && !GivenUp(Newest(look.name), from, look.known.end)) {
    return Break(fmt::format("{} has nothing at {}, its end was {}", look.name.text(), from.value,
                             look.known.end.value));
  }
  Offset at = from;
  for (const StoredBatch& batch : batches) {
    const bool joins = at == from ? batch.first <= at && at < batch.next() : batch.first == at;
    if (!joins && !GivenUp(Newest(look.name), at, batch.first)) {
      return Break(fmt::format("{} gave {}..{} where {} was due", look.name.text(),
                               batch.first.value, batch.next().value, at.value));
    }
    SawBatch(look.name, look.generation, batch);
    at = batch.next();
  }
}

void Model::SawBatch(const PartitionName& name, int generation, const StoredBatch& batch) {
  const auto place = PlaceOf(batch.id);
  const bool sent =
      place && place->unit >= 0 && place->unit < NextUnit() && place->part >= 0 &&
      place->part < static_cast<int>(units_[static_cast<size_t>(place->unit)].parts.size());
  if (!sent) return Break(fmt::format("{} holds what was never sent", name.text()));
  const Unit& unit = units_[static_cast<size_t>(place->unit)];
  Part& part = PartAt({place->unit, place->part});
  const auto what = fmt::format("unit {} part {} in {}", place->unit, place->part, name.text());
  if (part.partition != name || generation < part.generation_min ||
      (unit.fate != Fate::kWaiting && generation > part.generation_max)) {
    return Break(what + " was sent elsewhere");
  }
  if (unit.fate == Fate::kRefused) return Break(what + " was refused");
  const std::string difference = Difference(part.content, batch);
  if (!difference.empty()) return Break(what + " is not as it was sent: " + difference);
  Place(generation, {place->unit, place->part}, batch.first.value, batch.arrival);
  part.seen = true;
}

void Model::LossAccepted(const PartitionName& name, Offset from, Offset to) {
  for (int64_t at = from.value; at < to.value; ++at) Newest(name).given_up.insert(at);
}

bool Model::GivenUp(const Generation& generation, Offset from, Offset to) const {
  if (to <= from) return false;
  for (int64_t at = from.value; at < to.value; ++at) {
    if (!generation.given_up.contains(at)) return false;
  }
  return true;
}

void Model::Reopened(const std::vector<PartitionName>& names, End end) {
  end_ = end;
  const std::set<PartitionName> listed(names.begin(), names.end());
  for (const PartitionName& name : listed) {
    if (!partitions_.contains(name)) return Break(name.text() + " was never made");
  }
  for (auto& [name, partition] : partitions_) {
    if (partition.generations.empty()) continue;
    ++partition.doubts;
    State& state = partition.generations.back().state;
    const bool there = listed.contains(name);
    if (there && state == State::kGone) return Break(name.text() + " came back");
    if (!there && state == State::kLive) return Break(name.text() + " is gone");
    state = there ? State::kLive : State::kGone;
  }
  if (waiting_ > 0) Break(fmt::format("{} units were never answered", waiting_));
}

void Model::Check(const std::map<PartitionName, Whole>& whole, bool just_opened) {
  for (const auto& [name, all] : whole) {
    CheckBounds(name, all.bounds, just_opened);
    CheckPartition(name, all);
    CheckOrder(name, all);
  }
  if (broken_.empty()) CheckUnits(whole, just_opened);
}

// Rot in the head of a partition's newest batch leaves nothing that says how far the partition
// went.
void Model::ForgetRotten(const PartitionName& name, const Bounds& bounds) {
  Generation& generation = Newest(name);
  while (forgettable_ > 0 && bounds.end.value < generation.end && !generation.placed.empty()) {
    auto last = std::prev(generation.placed.end());
    if (last->first < bounds.end.value) break;
    Hide(last->second, name);
    generation.placed.erase(last);
    generation.end = bounds.end.value;
    generation.arrival = generation.placed.empty()
                             ? Timestamp()
                             : PartAt(generation.placed.rbegin()->second).arrival;
    generation.bytes.clear();
  }
}

void Model::Hide(std::pair<int, int> place, const PartitionName& name) {
  hidden_.insert(place.first);
  if (static_cast<int>(hidden_.size()) <= rotten_) return;
  Break(fmt::format("unit {} part {} at {} of {} is lost", place.first, place.second,
                    *PartAt(place).first, name.text()));
}

void Model::CheckBounds(const PartitionName& name, const Bounds& bounds, bool just_opened) {
  if (just_opened) ForgetRotten(name, bounds);
  Generation& generation = Newest(name);
  const int64_t begin = bounds.begin.value;
  const bool may_go_back = just_opened && end_ == End::kCrash;
  const int64_t begin_min =
      may_go_back ? generation.begin_min : std::max(generation.begin, generation.trim_done);
  if (bounds.end.value < generation.end || begin < begin_min || begin > generation.trim_asked) {
    Break(fmt::format("{} is {}..{}; its end was {}, its begin {} at least and {} at most",
                      name.text(), begin, bounds.end.value, generation.end, begin_min,
                      generation.trim_asked));
  }
  if (just_opened) {
    generation.begin_min = generation.trim_asked = generation.trim_done = begin;
  }
  generation.begin = begin;
  generation.end = bounds.end.value;
}

void Model::CheckPartition(const PartitionName& name, const Whole& whole) {
  const int generation = static_cast<int>(partitions_.at(name).generations.size()) - 1;
  Generation& known = Newest(name);
  const std::set<Offset> holes(whole.holes.begin(), whole.holes.end());
  int64_t bytes_min = 0;
  std::set<int64_t> there;
  Offset at = whole.bounds.begin;
  for (const StoredBatch& batch : whole.batches) {
    if (batch.first > at && !holes.contains(at) && !GivenUp(known, at, batch.first)) {
      return Break(fmt::format("{} has a gap at {}", name.text(), at.value));
    }
    SawBatch(name, generation, batch);
    there.insert(batch.first.value);
    at = batch.next();
    for (const Record& record : batch.records) {
      bytes_min += static_cast<int64_t>(record.key.size() + record.value.size());
    }
  }
  if (at < whole.bounds.end && !holes.contains(at) && !GivenUp(known, at, whole.bounds.end)) {
    return Break(
        fmt::format("{} ends at {} and not at {}", name.text(), at.value, whole.bounds.end.value));
  }
  if (at > whole.bounds.end) return Break(name.text() + " holds more than its end says");
  for (const auto& [first, place] : known.placed) {
    const auto records = static_cast<int64_t>(PartAt(place).content.value_bytes.size());
    if (first + records <= whole.bounds.begin.value || there.contains(first)) continue;
    Hide(place, name);
  }
  if (!holes.empty() && rotten_ == 0) return Break(name.text() + " is said to be damaged");
  if (rotten() || !whole.exact) return;
  auto [before, fresh] = known.bytes.try_emplace({whole.bounds.begin.value, whole.bounds.end.value},
                                                 whole.bounds.bytes);
  if (whole.bounds.bytes < bytes_min || (!fresh && before->second != whole.bounds.bytes)) {
    Break(fmt::format("{} says {} octets, holds {} and said {}", name.text(), whole.bounds.bytes,
                      bytes_min, before->second));
  }
}

void Model::CheckOrder(const PartitionName& name, const Whole& whole) {
  std::map<int, int> last_of;  // the newest unit of each client
  Timestamp arrival;
  for (const StoredBatch& batch : whole.batches) {
    const auto place = PlaceOf(batch.id);
    if (!place || !broken_.empty()) return;
    const int client = units_[static_cast<size_t>(place->unit)].client;
    auto [last, first] = last_of.try_emplace(client, place->unit);
    if (!first && last->second >= place->unit) {
      return Break(
          fmt::format("{} has unit {} behind unit {}", name.text(), place->unit, last->second));
    }
    last->second = place->unit;
    if (batch.arrival < arrival) {
      return Break(fmt::format("in {} time goes back at {}", name.text(), batch.first.value));
    }
    arrival = batch.arrival;
  }
}

Model::Presence Model::PresenceOf(const Part& part,
                                  const std::map<PartitionName, Whole>& whole) const {
  auto found = whole.find(part.partition);
  if (found == whole.end()) return Presence::kUnknown;
  const int newest = static_cast<int>(partitions_.at(part.partition).generations.size()) - 1;
  if (part.generation_min != newest || part.generation_max != newest) return Presence::kUnknown;
  if (part.seen) return Presence::kThere;
  const bool could_hide = found->second.bounds.begin.value > part.end_min;
  if (could_hide || !found->second.holes.empty()) return Presence::kUnknown;
  return Presence::kMissing;
}

// All of a unit or nothing of it.
void Model::CheckUnits(const std::map<PartitionName, Whole>& whole, bool just_opened) {
  for (Unit& unit : units_) {
    if (unit.fate != Fate::kOpen) continue;
    size_t there = 0, missing = 0;
    for (const Part& part : unit.parts) {
      const Presence presence = PresenceOf(part, whole);
      if (presence == Presence::kThere) ++there;
      if (presence == Presence::kMissing) ++missing;
    }
    if (there > 0 && missing > 0) {
      return Break(
          fmt::format("a part of unit {} is there and another is not", &unit - units_.data()));
    }
    if (just_opened && missing == unit.parts.size()) unit.fate = Fate::kRefused;
  }
}

}  // namespace weft::log
