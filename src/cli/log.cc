// SPDX-License-Identifier: Apache-2.0
// log verify, log inspect, log accept-loss: what the owner of a data folder sees of its record log
// while the server is stopped.
#include <algorithm>
#include <optional>

#include "base/units.h"
#include "cli/commands.h"
#include "log/inspect.h"

namespace weft::cli {
namespace {

using nlohmann::json;

constexpr int64_t kFramesShown = 1'000;

std::string FolderOfLog(const Context& context) {
  return DataFolderOf(context.data_folder) + "/journal";
}

json LostToJson(const log::LostRecords& lost) {
  return {{"partition", lost.partition.text()},
          {"first", lost.from.value},
          {"last", lost.to.value - 1},
          {"accepted", lost.accepted}};
}

json ToJson(const log::Verification& found) {
  json damaged = json::array(), lost = json::array();
  for (const auto& part : found.damaged) {
    damaged.push_back({{"file", part.file}, {"from", part.from}, {"to", part.to}});
  }
  for (const auto& records : found.lost) lost.push_back(LostToJson(records));
  json out = {{"good", found.good()},
              {"segments", found.segments},
              {"batches", found.frames},
              {"encrypted_batches", found.sealed_frames},
              {"records", found.records},
              {"bytes", found.bytes},
              {"damaged", damaged},
              {"lost", lost},
              {"damaged_indexes", found.damaged_indexes},
              {"unreadable", found.unreadable},
              {"torn", nullptr}};
  if (found.torn) out["torn"] = {{"file", found.torn->file}, {"position", found.torn->position}};
  return out;
}

std::string ToText(const log::Verification& found) {
  std::string out =
      fmt::format("{} segments, {} batches ({} encrypted), {} records, {}\n", found.segments,
                  found.frames, found.sealed_frames, found.records, FormatSize(found.bytes));
  for (const auto& part : found.damaged) {
    out += fmt::format("damaged: {}, octets {} to {}\n", part.file, part.from, part.to - 1);
  }
  for (const auto& file : found.unreadable) out += fmt::format("damaged: {}, all of it\n", file);
  for (const auto& records : found.lost) {
    out += fmt::format("lost: {} from {} to {}{}\n", records.partition.text(), records.from.value,
                       records.to.value - 1, records.accepted ? " (accepted)" : "");
  }
  for (const auto& file : found.damaged_indexes) {
    out += fmt::format("note: {} is damaged and is made again at the next start\n", file);
  }
  if (found.torn) {
    out += fmt::format("note: a write that was never acknowledged ends {} at octet {}\n",
                       found.torn->file, found.torn->position);
  }
  return out + (found.good() ? "good" : "damaged");
}

Status InspectPartition(const Context& context, const InspectOptions& options) {
  const auto frames = TRY(log::InspectFrames(FolderOfLog(context), SystemDisk(),
                                             log::PartitionName(options.partition),
                                             log::Offset{options.from}, kFramesShown));
  json list = json::array();
  TextTable table({"first", "records", "bytes", "arrival", "file", "position", "id"});
  for (const auto& frame : frames) {
    const std::string arrival = frame.damaged ? "" : FormatTimestamp(frame.arrival);
    list.push_back({{"first", frame.first.value},
                    {"records", frame.records},
                    {"bytes", frame.bytes},
                    {"arrival", arrival},
                    {"file", frame.file},
                    {"position", frame.position},
                    {"id", frame.id},
                    {"encrypted", frame.sealed},
                    {"continued", frame.continued},
                    {"damaged", frame.damaged}});
    const std::string id = frame.damaged ? "DAMAGED" : frame.sealed ? "(encrypted)" : frame.id;
    table.Add({std::to_string(frame.first.value), std::to_string(frame.records),
               std::to_string(frame.bytes), arrival, frame.file, std::to_string(frame.position),
               Printable(id)});
  }
  context.output.Result(context.output.json ? json{{"batches", list}}.dump() : table.Text());
  if (static_cast<int64_t>(frames.size()) == kFramesShown) {
    context.output.Note(fmt::format("these are the first {}; go on with --from {}", kFramesShown,
                                    frames.back().first.value + frames.back().records));
  }
  return {};
}

}  // namespace

Status VerifyLog(const Context& context) {
  std::optional<Progress> progress;
  int64_t before = 0;
  auto found =
      TRY(log::VerifyJournal(FolderOfLog(context), SystemDisk(), [&](int64_t read, int64_t all) {
        if (!progress) progress.emplace("log", all, context.output.json);
        progress->Advance(read - before);
        before = read;
      }));
  progress.reset();
  if (found.good()) {
    context.output.Result(context.output.json ? ToJson(found).dump() : ToText(found));
    return {};
  }
  const bool lost = std::any_of(found.lost.begin(), found.lost.end(),
                                [](const log::LostRecords& records) { return !records.accepted; });
  return Fail(
      Code::kCorrupt,
      fmt::format("the log is damaged\n{}{}",
                  context.output.json ? ToJson(found).dump() : ToText(found),
                  lost ? "\nfix: put the files back from a backup; or, to let readers go on "
                         "behind what is lost: weft log accept-loss PARTITION FIRST LAST"
                       : ""));
}

Status InspectLog(const Context& context, const InspectOptions& options) {
  if (!options.partition.empty()) return InspectPartition(context, options);
  const auto partitions = TRY(log::InspectJournal(FolderOfLog(context), SystemDisk()));
  json list = json::array();
  TextTable table({"partition", "first", "end", "bytes", "segments"});
  for (const auto& partition : partitions) {
    json accepted = json::array();
    for (const auto& lost : partition.accepted) accepted.push_back(LostToJson(lost));
    list.push_back({{"partition", partition.name.text()},
                    {"first", partition.bounds.begin.value},
                    {"end", partition.bounds.end.value},
                    {"bytes", partition.bounds.bytes},
                    {"segments", partition.segments},
                    {"accepted_losses", accepted}});
    table.Add({partition.name.text(), std::to_string(partition.bounds.begin.value),
               std::to_string(partition.bounds.end.value), FormatSize(partition.bounds.bytes),
               std::to_string(partition.segments)});
  }
  context.output.Result(context.output.json ? json{{"partitions", list}}.dump() : table.Text());
  return {};
}

Status AcceptLogLoss(const Context& context, const LossOptions& options) {
  if (options.first < 0 || options.last < options.first) {
    return Fail(Code::kInvalid,
                "usage: FIRST and LAST are offsets, as `weft log verify` tells them");
  }
  TRY(log::AcceptLoss(FolderOfLog(context), SystemDisk(), log::PartitionName(options.partition),
                      log::Offset{options.first}, log::Offset{options.last + 1}));
  context.output.Result(
      context.output.json
          ? json{{"accepted", options.last - options.first + 1}}.dump()
          : fmt::format("readers of {} go on behind {}", options.partition, options.last));
  return {};
}

}  // namespace weft::cli
