// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/disk.h"

namespace weft {

enum class DiskCall {
  kOpen,
  kWrite,
  kRead,
  kSync,
  kTruncate,
  kRename,
  kLink,
  kRemove,
  kMakeFolders,
  kSyncFolder,
  kList,
  kFreeBytes
};

// A disk in memory that keeps apart what was synced from what was only written, and loses power,
// fills up and fails when it is told to. What a loss of power leaves of the rest, and how much of a
// failed write arrives, follows from the seed: any subset of the writes, torn at sectors of 512
// octets, and any subset of the changes of names. Safe to call from any thread.
class SimDisk final : public Disk {
 public:
  explicit SimDisk(uint64_t seed = 1);

  // The n-th call of that kind from now on (1: the next) fails; once, or ever after. A failed write
  // leaves a part of itself. After a failed sync it is open which of the writes before it will be
  // there, whatever later syncs say.
  enum class Then { kRecover, kKeepFailing };
  void FailCall(DiskCall call, int64_t n, Error error, Then then = Then::kRecover);
  void StopFailing();

  // Counts what changes something, syncs included; the n-th from now on is interrupted half way,
  // and nothing works from then on until Restart.
  void CutPowerAtChange(int64_t n);
  void CutPower();
  bool powered() const { return powered_; }
  int64_t changes() const;  // so far

  // As after the machine lost power, or as after only the process died, which loses nothing. Files
  // opened before stay dead.
  enum class After { kPowerLoss, kProcessEnd };
  void Restart(After after = After::kPowerLoss);

  // Called as each call begins and again as it ends, from its thread: to let others go first, to
  // take its time, to count.
  void OnCall(std::function<void(DiskCall)> call);

  // What is in memory only because it was read or written once is dropped, as when memory is short:
  // where a sync failed, what it should have written may be gone from now on.
  void DropCaches();
  // From now on says that it was done and does nothing: what a broken disk, or a store that leaves
  // the call out, would do. Of the lies about failures, the call fails in truth and says it did
  // not.
  enum class Lie { kNone, kSync, kSyncFolder, kFailedSync, kFailedWrite };
  void Tell(Lie lie);

  // How many octets of content fit.
  void SetCapacity(int64_t bytes);
  int64_t used() const;
  // Damages the octet, in memory and for good. CHECKs that it exists.
  void Damage(const std::string& path, int64_t position);
  // The files there are now.
  std::vector<std::string> Paths() const;
  // What is in one of them; without asking the disk, so it never fails and nothing is counted.
  Bytes ContentOf(const std::string& path) const;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status MakeFolders(const std::string& path) override;
  Status SyncFolder(const std::string& path) override;
  Result<std::vector<Entry>> List(const std::string& folder) override;
  Result<int64_t> FreeBytes(const std::string& path) override;

 private:
  friend class SimFile;
  struct Change {
    int64_t offset = 0;  // of a write; or the size to cut to
    Bytes bytes;
    bool cut = false;
    bool doubtful = false;  // a sync after it failed
  };
  struct Content {
    Bytes now;
    Bytes synced;
    std::vector<Change> changes;  // since
  };
  struct NameChange {
    std::string gone;  // "" when none goes
    std::string made;  // "" when none is made
    std::shared_ptr<Content> content;
  };
  using Names = std::map<std::string, std::shared_ptr<Content>>;
  struct Plan {
    int64_t at = 0;
    Error error;
    Then then;
  };

  // Lets OnCall know of the begin and the end of a call; made before the mutex is taken.
  class Visit;

  // These are called with the mutex held.
  Status Begin(DiskCall call, bool changes);
  bool CountChange();
  Status WriteContent(Content& content, int64_t offset, BytesView bytes);
  Status SyncContent(Content& content);
  int64_t Used() const;
  bool Flip();
  uint64_t Below(uint64_t limit);
  void Apply(Bytes& to, const Change& change, bool torn);
  static void Apply(Names& names, const NameChange& change);

  mutable std::mutex mutex_;  // guards what follows
  std::mt19937_64 random_;
  Names names_;
  Names synced_names_;
  std::vector<NameChange> name_changes_;
  std::set<std::string> folders_;
  std::map<DiskCall, int64_t> calls_;
  std::map<DiskCall, Plan> plans_;
  std::atomic<bool> powered_{true};  // read without the mutex
  int64_t life_ = 0;                 // rises with each restart
  int64_t changes_ = 0;
  int64_t cut_at_ = -1;
  int64_t capacity_ = INT64_MAX;
  Lie lie_ = Lie::kNone;
  std::function<void(DiskCall)> on_call_;  // set before the disk is used
};

}  // namespace weft
