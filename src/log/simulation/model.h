// SPDX-License-Identifier: Apache-2.0
// What a simulated run has asked of the log and heard from it, and from that what the log must, may
// and must not hold. It knows the promises of record_log.h and nothing of how a log keeps them.
//
// For one thread at a time. The first promise that is broken is kept as a sentence.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "log/record_log.h"
#include "log/simulation/content.h"

namespace weft::log {

class Model {
 public:
  const std::string& broken() const { return broken_; }  // "" while all is well
  void Break(std::string what);

  // What could go wrong since the log was opened, outside of it.
  struct Excuses {
    bool faults = false;  // the disk failed or filled up
    bool stopping = false;
    bool dead = false;  // no power: nobody hears an answer that is not yes
  };
  Excuses excuses;
  // An octet that was durable is another now. Where it is in a record's value, the log still knows
  // whose it was.
  enum class Hit { kValue, kAnything };
  void Rot(Hit hit);
  bool rotten() const { return rotten_ > 0; }

  // Partitions. Of one name only one change is under way at a time.
  bool CanChange(const PartitionName& name) const;
  bool IsLive(const PartitionName& name) const;  // for sure, and no change is under way
  void CreateAsked(const PartitionName& name);
  void CreateAnswered(const PartitionName& name, const Status& status);
  void DeleteAsked(const PartitionName& name);
  void DeleteAnswered(const PartitionName& name, const Status& status);
  // Units. Returns the number of the next one; a unit's contents carry it.
  int NextUnit() const { return static_cast<int>(units_.size()); }
  enum class Form { kGood, kMalformed };
  void AppendAsked(int client, Form form, const std::vector<PartitionName>& partitions,
                   std::vector<Content> contents, microseconds now);
  void AppendAnswered(int unit, const Result<std::vector<Appended>>& answer, microseconds now);
  int waiting() const { return waiting_; }

  // What a reader meets in a partition. The look is taken before it asks; what it met counts when
  // the partition was live all the time.
  struct Look {
    PartitionName name;
    bool live = false;
    int generation = 0;
    int64_t doubts = 0;
    Bounds known;  // at least
  };
  Look LookAt(const PartitionName& name) const;
  bool Counts(const Look& look) const;
  void TrimAsked(const Look& look, Offset before);
  void TrimAnswered(const Look& look, Offset before, const Status& status);
  bool MayBeTrimmed(const Look& look, Offset offset) const;
  void Saw(const Look& look, const Bounds& bounds);
  void Saw(const Look& look, Offset from, const std::vector<StoredBatch>& batches);

  // Somebody does without these records, which cannot be read: reading goes on behind them.
  void LossAccepted(const PartitionName& name, Offset from, Offset to);

  // The log was opened anew, after a crash or an orderly stop.
  enum class End { kCrash, kOrderly };
  void Reopened(const std::vector<PartitionName>& partitions, End end);
  // Everything that can be read of a live partition: each batch that was, from begin to end.
  struct Whole {
    Bounds bounds;
    std::vector<StoredBatch> batches;
    std::vector<Offset> holes;  // where reading said kCorrupt
    bool exact = true;          // its octets are told without a guess
  };
  // Nothing is under way and the disk is well. `whole` has every live partition.
  void Check(const std::map<PartitionName, Whole>& whole, bool just_opened);

 private:
  enum class Fate { kWaiting, kAcknowledged, kRefused, kOpen };
  struct Part {
    PartitionName partition;
    Content content;
    // Which lives of the partition it may be in.
    int generation_min = 0;
    int generation_max = 0;
    int64_t doubts = 0;
    bool sure = false;  // the partition was live when it was sent
    int64_t end_min = 0;
    Timestamp arrival_min;
    std::optional<int64_t> first;
    Timestamp arrival;
    bool seen = false;  // by a reader: it must stay
  };
  struct Unit {
    int client = 0;
    Form form = Form::kGood;
    Fate fate = Fate::kWaiting;
    bool alone = false;  // nothing else waited when it was sent, or a while before
    std::vector<Part> parts;
  };
  enum class State { kLive, kOpen, kGone };
  struct Generation {
    State state = State::kLive;
    int64_t begin_min = 0;
    int64_t trim_asked = 0;
    int64_t trim_done = 0;
    int64_t begin = 0;
    int64_t end = 0;
    Timestamp arrival;
    std::map<int64_t, std::pair<int, int>> placed;         // unit and part, by first offset
    std::set<int64_t> given_up;                            // offsets of accepted losses
    std::map<std::pair<int64_t, int64_t>, int64_t> bytes;  // of bounds
  };
  struct Partition {
    std::vector<Generation> generations;
    bool changing = false;
    int64_t doubts = 0;            // rises with each change of what is there
    std::multiset<int64_t> trims;  // not answered: they may meet a later generation
    bool live() const {
      return !changing && !generations.empty() && generations.back().state == State::kLive;
    }
  };

  Generation& Newest(const PartitionName& name) { return partitions_.at(name).generations.back(); }
  Part& PartAt(std::pair<int, int> place) {
    return units_[static_cast<size_t>(place.first)].parts[static_cast<size_t>(place.second)];
  }
  void Acknowledge(int number, const std::vector<Appended>& answer);
  void Refuse(int number, const Error& error);
  bool MayRefuse(const Unit& unit, int number, Code code) const;
  void Place(int generation, std::pair<int, int> place, int64_t first, Timestamp arrival);
  void SawBatch(const PartitionName& name, int generation, const StoredBatch& batch);
  bool GivenUp(const Generation& generation, Offset from, Offset to) const;
  void ForgetRotten(const PartitionName& name, const Bounds& bounds);
  void Hide(std::pair<int, int> place, const PartitionName& name);
  void CheckBounds(const PartitionName& name, const Bounds& bounds, bool just_opened);
  void CheckPartition(const PartitionName& name, const Whole& whole);
  void CheckOrder(const PartitionName& name, const Whole& whole);
  void CheckUnits(const std::map<PartitionName, Whole>& whole, bool just_opened);
  enum class Presence { kThere, kMissing, kUnknown };
  Presence PresenceOf(const Part& part, const std::map<PartitionName, Whole>& whole) const;

  std::string broken_;
  std::map<PartitionName, Partition> partitions_;
  std::vector<Unit> units_;
  End end_ = End::kOrderly;
  int waiting_ = 0;
  microseconds answered_{0};  // the last one
  int rotten_ = 0;
  int forgettable_ = 0;   // of those, where a partition's end may go with them
  std::set<int> hidden_;  // units that rot keeps from being read
};

}  // namespace weft::log
