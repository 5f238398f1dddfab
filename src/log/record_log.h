// SPDX-License-Identifier: Apache-2.0
// The seam of the record log: named partitions, each an ordered run of records that only grows at
// its end and is freed at its beginning. The one durable point of Weft. Back ends: OpenJournal
// (journal.h), and the fake in testing/. Every back end passes testing/record_log_contract.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"

namespace weft::log {

using PartitionName = Name<struct PartitionTag>;  // A-Z a-z 0-9 - _ . / , 200 octets at most
using Offset = Number<struct OffsetTag>;          // of a record in its partition: 0, 1, 2, …

struct Record {
  BytesView key;    // the writer's own, up to 64 KiB
  BytesView value;  // up to 10 MiB
};

// Records that become durable together or not at all. The views must stay valid as long as `owner`
// lives.
struct Batch {
  std::string id;  // the writer's, up to 255 octets, kept with the batch; may be empty
  std::vector<Record> records;
  std::shared_ptr<const void> owner;
  // Kept encrypted on disk, also where the log as a whole is not. kNotOffered by a log that has no
  // master key.
  bool seal = false;
};

// A batch and where it goes.
struct Part {
  PartitionName partition;
  Batch batch;
};

// A batch as it was stored.
struct StoredBatch {
  Offset first;
  Timestamp arrival;  // when the log took it; never earlier than that of the batch before
  std::string id;
  std::vector<Record> records;  // views into `owner`
  std::shared_ptr<const void> owner;
  bool sealed = false;  // it lies encrypted on disk
  Offset next() const { return {first.value + static_cast<int64_t>(records.size())}; }
};

struct Appended {
  Offset first;
  Timestamp arrival;
};

struct Bounds {
  Offset begin;  // the first record still kept
  Offset end;    // one past the last durable record
  // Octets on disk of the batches that hold them, whole.
  int64_t bytes = 0;
};

struct ReadLimits {
  int64_t bytes_max = int64_t{4} << 20;  // stops after the batch that reaches it
};

// Safe to call from any thread.
class RecordLog {
 public:
  using OnDurable = std::function<void(Result<Appended>)>;
  using OnUnitDurable = std::function<void(Result<std::vector<Appended>>)>;

  virtual ~RecordLog() = default;  // as Stop()

  // Fine when it is there already. Durable on return.
  virtual Status CreatePartition(const PartitionName& partition) = 0;
  // Frees everything; appends not yet answered fail with kNotFound.
  virtual Status DeletePartition(const PartitionName& partition) = 0;
  virtual Result<std::vector<PartitionName>> Partitions() = 0;  // in order of name

  // Takes a unit: batches for different partitions that become durable together or not at all, each
  // partition at most once. Calls `done` once, from any thread, when they are durable (or never
  // will be: then nothing of the unit is in the log, now or after a restart, but after kInternal,
  // which leaves that open), with an answer for each part in its order. Units of one caller thread
  // keep their order. `done` must be quick and must not call the log. Failures: kInvalid (past a
  // limit, empty, a partition twice), kNotFound, kThrottled (the disk is behind: nothing queued),
  // kUnavailable (full disk, failed disk, stopping).
  virtual void Append(std::vector<Part> unit, OnUnitDurable done) = 0;
  // A unit of one part.
  void Append(const PartitionName& partition, Batch batch, OnDurable done);

  // Batches from the one that holds `from` on, durable ones only; none at the end. kNotFound when
  // there is no such partition or `from` lies before its begin; kInvalid past its end; kCorrupt
  // names the damaged part. Damaged records whose loss was accepted (inspect.h) are left out: a
  // batch begins later than where reading stands then, and none comes where they are the last, so
  // a reader that gets none goes on from the end that it knew of before.
  virtual Result<std::vector<StoredBatch>> Read(const PartitionName& partition, Offset from,
                                                ReadLimits limits) = 0;
  virtual Result<Bounds> BoundsOf(const PartitionName& partition) = 0;
  // The first offset from which on the kept batches have at most `bytes_max` octets on disk.
  virtual Result<Offset> OffsetWithin(const PartitionName& partition, int64_t bytes_max) = 0;

  // Calls `wake` once, from any thread, when the end is past `from`, the partition is deleted or
  // the log stops; before it returns when that is so already. A call that is not under way when the
  // handle goes does not come any more. `wake` must be quick and must not call the log. However
  // many wait, an append to another partition costs the same.
  using Watch = std::shared_ptr<const void>;
  virtual Result<Watch> OnPast(const PartitionName& partition, Offset from,
                               std::function<void()> wake) = 0;
  // Waits until the end is past `from`, `wait_max` is over, or the log stops.
  Result<Bounds> WaitPast(const PartitionName& partition, Offset from, milliseconds wait_max);

  // Gives up the records before `before` (capped at the end); their space comes back soon after.
  // Never goes back. Durable lazily: after a crash the begin may be an earlier one.
  virtual Status Trim(const PartitionName& partition, Offset before) = 0;

  // Appends fail from now on with kUnavailable; those taken are made durable and answered.
  virtual void Stop() = 0;
};

}  // namespace weft::log
