// SPDX-License-Identifier: Apache-2.0
#include "log/simulation/offline.h"

#include "log/inspect.h"
#include "log/key_ring.h"

namespace weft::log {

void Offline::Look() {
  if (!stage_.OneIn(3)) return;
  const int64_t changes = stage_.disk.changes();
  auto found = VerifyJournal(kFolder, stage_.disk);
  if (!found.ok()) return stage_.model.Break("verifying failed: " + found.error().message());
  stage_.Say("verified {} frames, {} damaged stretches", found->frames, found->damaged.size());
  if (!found->good() && !stage_.model.rotten()) {
    stage_.model.Break("verifying finds damage where none is");
  }
  auto summaries = InspectJournal(kFolder, stage_.disk);
  if (!summaries.ok()) return stage_.model.Break("no look: " + summaries.error().message());
  if (stage_.disk.changes() != changes) stage_.model.Break("looking changes the journal");
  for (const PartitionSummary& summary : *summaries) stage_.expected[summary.name] = summary.bounds;
}

void Offline::AcceptLosses() {
  if (!stage_.model.rotten() || !stage_.OneIn(2)) return;
  auto found = VerifyJournal(kFolder, stage_.disk);
  if (!found.ok()) return stage_.model.Break("verifying failed: " + found.error().message());
  for (const LostRecords& lost : found->lost) {
    if (lost.accepted) continue;
    Status accepted = AcceptLoss(kFolder, stage_.disk, lost.partition, lost.from, lost.to);
    stage_.Say("do without {}..{} of {}: {}", lost.from.value, lost.to.value, lost.partition.text(),
               accepted.ok() ? "ok" : accepted.error().message());
    if (!accepted.ok()) {
      return stage_.model.Break("a loss is not accepted: " + accepted.error().message());
    }
    stage_.model.LossAccepted(lost.partition, lost.from, lost.to);
  }
}

void Offline::ChangeMasterKey() {
  if (stage_.master_key.empty() || !stage_.OneIn(4)) return;
  const Bytes fresh = stage_.random.NextBytes(32);
  if (stage_.OneIn(2)) stage_.disk.CutPowerAtChange(stage_.Between(1, 6));
  Status changed = RewrapKeys(kFolder, stage_.disk, stage_.master_key, fresh, stage_.random);
  stage_.Say("another master key: {}", changed.ok() ? "ok" : changed.error().message());
  stage_.disk.CutPowerAtChange(kNever);
  if (changed.ok()) {
    stage_.master_key = fresh;
    return;
  }
  if (stage_.disk.powered()) return stage_.model.Break(changed.error().message());
  stage_.disk.Restart();
  // Whichever it is, wrapping the keys under it once more works with that one alone.
  if (RewrapKeys(kFolder, stage_.disk, fresh, fresh, stage_.random).ok()) stage_.master_key = fresh;
}

}  // namespace weft::log
