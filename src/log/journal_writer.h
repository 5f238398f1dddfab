// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/metrics.h"
#include "base/random.h"
#include "log/answerer.h"
#include "log/frame.h"
#include "log/frame_seal.h"
#include "log/journal_state.h"
#include "log/key_ring.h"
#include "log/record_log.h"
#include "log/segment_writer.h"
#include "log/tail_cache.h"

namespace weft::log {

// Makes units durable, many with one sync, publishes them and has them answered. Safe from any
// thread; `mutex` guards `state`.
class JournalWriter {
 public:
  struct Options {
    std::string folder;
    int64_t segment_bytes = 0;
    int64_t pending_bytes_max = 0;
    int64_t free_bytes_min = 0;
  };
  struct Shared {
    std::mutex& mutex;
    JournalState& state;
    TailCache& cache;
    KeyRing& keys;
    std::function<void()> segment_complete;  // called without the mutex
  };
  // A batch of a unit: its frame has the body already.
  struct Piece {
    std::shared_ptr<Partition> partition;
    FrameHead head;
    FrameBytesOwner frame;
  };
  struct Unit {
    std::vector<Piece> pieces;
    RecordLog::OnUnitDurable done;
    int64_t bytes = 0;
    bool gone = false;  // a partition was deleted before it was written
    Result<std::vector<Appended>> answer = Fail(Code::kInternal, "not answered");
  };

  JournalWriter(const Options& options, Disk& disk, const Clock& clock, Random& random,
                Metrics& metrics, Shared shared);
  ~JournalWriter() { Stop(); }

  // Takes the unit for the partitions that `parts` names. On a failure it is left to the caller.
  Status Take(const std::vector<Part>& parts, Unit& unit);
  // Makes durable and answers what was taken; the caller has made sure that no more comes.
  void Stop();

 private:
  struct Meters {
    explicit Meters(Metrics& metrics);
    Counter& batches;
    Counter& bytes;
    Counter& failed;
    Gauge& pending;
    Histogram& sync_seconds;
  };

  void WriteGroups();
  void WriteGroup(std::span<Unit> group);
  Status WriteFrames(std::span<Unit> group);
  Status PrepareSealer(std::span<const Unit> group);
  int64_t AssignOffsets(std::span<Unit> group, int64_t position);
  void FinishFrame(Piece& piece, uint64_t salt);
  void Publish(std::span<Unit> group, const std::shared_ptr<const WrittenGroup>& written);
  void PublishUnit(Unit& unit);
  void PublishPiece(const Piece& piece);
  void Refuse(std::span<Unit> group, const Error& error);
  void AnswerAll(std::span<Unit> group);
  Status CheckRoom();
  void NoteSegment();
  void MakeRoom(int64_t bytes);

  const Options options_;
  Disk& disk_;
  const Clock& clock_;
  Meters meters_;
  const Shared shared_;
  std::mutex& mutex_;
  // Guarded by the mutex, as the state is:
  std::vector<Unit> queue_;
  int64_t pending_bytes_ = 0;  // taken and not about to be answered
  bool ending_ = false;
  std::condition_variable wake_;
  // The writer thread's own:
  SegmentWriter segments_;
  std::optional<FrameSealer> sealer_;
  std::shared_ptr<Segment> current_;  // the one that the state knows as being written

  Answerer answerer_;
  std::mutex stop_mutex_;  // held by whoever stops
  std::thread thread_;
};

}  // namespace weft::log
