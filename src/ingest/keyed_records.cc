// SPDX-License-Identifier: Apache-2.0
#include "ingest/keyed_records.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/units.h"
#include "codec/kpl.h"
#include "ingest/pieces.h"
#include "ingest/quarantine_record.h"
#include "stream/record_head.h"

namespace weft::ingest {
namespace {

constexpr size_t kPartitionKeyBytesMax = 1'024;  // 256 characters

std::string_view WithoutBlanksAround(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// What becomes of one record of the submission.
struct Item {
  int shard = 0;
  std::vector<codec::UserRecord> users;  // of an aggregate put to a product, else empty
  std::vector<bool> taken;               // for each of them whether it is a row
  bool bad = false;                      // nothing of it goes into the stream
  std::optional<Error> failure;
  // Where its shard's batch is in the unit, and its place there: of a bad one that of the record
  // behind it. A bad one whose shard had no batch yet lies behind `end`.
  std::optional<size_t> part;
  int64_t place = 0;
  int64_t end = 0;
  int64_t quarantine_place = 0;  // of a bad one, or the first bad one in it

  int64_t records() const { return users.empty() ? 1 : static_cast<int64_t>(users.size()); }
};

}  // namespace

// A submission on its way to the disk. The batches' views point into it.
struct KeyedRecords::Job {
  std::string batch_id;
  StreamSubmission submission;
  Ingest::RecordsDone done;
  microseconds begun{0};
  std::shared_ptr<const stream::StreamInfo> info;
  std::shared_ptr<const Intake> product;
  std::shared_ptr<Gate> gate;  // of a product's stream
  RecordBudget::Share share;
  stream::Route route;
  std::vector<Item> items;
  Pieces kept;  // keys, and entries for quarantine
  std::vector<log::Record> bad;
  std::vector<stream::Streams::Part> unit;
  int64_t accepted = 0;
};

void KeyedRecords::Accept(std::string batch_id, StreamSubmission submission,
                          Ingest::RecordsDone done) {
  auto job = std::make_shared<Job>();
  job->batch_id = std::move(batch_id);
  job->submission = std::move(submission);
  job->done = std::move(done);
  job->begun = use_.clock.Elapsed();
  if (auto prepared = Prepare(*job); !prepared.ok()) return job->done(Fail(prepared.error()));
  Store(job);
}

Status KeyedRecords::Prepare(Job& job) {
  const auto& submission = job.submission;
  job.info = TRY(use_.streams.Find(submission.stream));
  if (job.info->use == stream::Use::kInternal) {
    return Fail(Code::kNotFound, fmt::format("no such stream: {}", submission.stream.text()));
  }
  if (job.info->use == stream::Use::kProduct) TRY(FindProduct(job));
  job.route = TRY(use_.streams.RouteOf(submission.stream));
  job.items.resize(submission.records.size());
  for (size_t i = 0; i < job.items.size(); ++i) {
    const KeyedRecord& record = submission.records[i];
    if (record.partition_key.size() > kPartitionKeyBytesMax) {
      return Fail(Code::kInvalid,
                  fmt::format("record {}: its partition key has more than {} octets", i,
                              kPartitionKeyBytesMax));
    }
    job.items[i].shard = job.route.ShardOf(
        record.explicit_hash ? *record.explicit_hash : stream::HashOf(record.partition_key));
  }
  if (job.product) TakeApart(job);
  TRY(Admit(job));
  if (job.product) TRY(Judge(job));
  return Arrange(job);
}

Status KeyedRecords::FindProduct(Job& job) {
  auto intake = TRY(use_.intakes.Find(job.info->short_name));
  if (intake->stream != job.info->name) {
    return Fail(Code::kNotFound, fmt::format("no such stream: {}", job.info->name.text()));
  }
  auto gate = use_.gates.Find(*intake, "");
  if (!gate.ok()) return Fail(gate.error().In("a record put to a stream can name no schema"));
  job.gate = std::move(*gate);
  job.product = std::move(intake);
  return {};
}

void KeyedRecords::TakeApart(Job& job) {
  for (size_t i = 0; i < job.items.size(); ++i) {
    auto users = codec::SplitAggregate(job.submission.records[i].data);
    if (users) job.items[i].users = *std::move(users);
  }
}

// Room in memory for all, and in the limits for each.
Status KeyedRecords::Admit(Job& job) {
  int64_t records = 0, bytes = 0;
  for (size_t i = 0; i < job.items.size(); ++i) {
    Item& item = job.items[i];
    const auto size = static_cast<int64_t>(job.submission.records[i].data.size());
    records += item.records();
    bytes += size;
    if (!job.product) continue;
    auto admitted = use_.limits.Admit(*job.product, size, item.records());
    if (!admitted.ok()) item.failure = admitted.error();
  }
  job.share = use_.budget.Take(records);
  if (job.share == nullptr) {
    return Fail(Code::kThrottled,
                fmt::format("too many records are in work at once; these are {}", records));
  }
  use_.bytes_total.Add(static_cast<double>(bytes));
  AdmitToShards(job);
  return {};
}

// All records of a shard at once where a second's worth covers them; else as many as there is room
// for.
void KeyedRecords::AdmitToShards(Job& job) {
  auto bytes_of = [&](size_t i) {
    const KeyedRecord& record = job.submission.records[i];
    return static_cast<int64_t>(record.data.size() + record.partition_key.size());
  };
  std::map<int, std::vector<size_t>> shards;
  for (size_t i = 0; i < job.items.size(); ++i) {
    if (!job.items[i].failure) shards[job.items[i].shard].push_back(i);
  }
  for (const auto& [number, indexes] : shards) {
    const stream::ShardId shard{job.info->name, number};
    int64_t bytes = 0;
    for (const size_t i : indexes) bytes += bytes_of(i);
    if (bytes <= stream::ShardThroughput::kBytesIn &&
        use_.streams.AdmitWrite(shard, bytes, static_cast<int>(indexes.size())).ok()) {
      continue;
    }
    for (const size_t i : indexes) {
      auto admitted = use_.streams.AdmitWrite(shard, bytes_of(i), 1);
      if (!admitted.ok()) job.items[i].failure = admitted.error();
    }
  }
}

Status KeyedRecords::Judge(Job& job) {
  Gate::Pass pass(job.gate);
  std::vector<contract::FieldError> errors;
  auto good = [&](BytesView data) {
    errors.clear();
    if (static_cast<int64_t>(data.size()) > job.gate->record_bytes_max()) {
      errors.push_back({"", "is larger than " + FormatSize(job.gate->record_bytes_max())});
      return false;
    }
    return pass.Check(WithoutBlanksAround(data), errors);
  };
  for (size_t i = 0; i < job.items.size(); ++i) {
    Item& item = job.items[i];
    const KeyedRecord& record = job.submission.records[i];
    if (item.failure) continue;
    item.quarantine_place = static_cast<int64_t>(job.bad.size());
    if (item.users.empty()) {
      item.bad = !good(record.data);
      if (item.bad) TRY(Quarantine(job, i, -1, record, errors));
    }
    int64_t rows = item.users.empty() && !item.bad ? 1 : 0;
    for (size_t u = 0; u < item.users.size(); ++u) {
      const codec::UserRecord& user = item.users[u];
      item.taken.push_back(good(user.data));
      if (item.taken.back()) {
        ++rows;
        continue;
      }
      TRY(Quarantine(job, i, static_cast<int>(u),
                     {.data = user.data,
                      .partition_key = user.partition_key,
                      .explicit_hash = stream::ParseHashKey(user.explicit_hash)},
                     errors));
    }
    item.bad = rows == 0;
    job.accepted += rows;
  }
  return {};
}

// Keeps a bad record for quarantine; in mode atomic the failure of the whole.
Status KeyedRecords::Quarantine(Job& job, size_t index, int user_record, const KeyedRecord& record,
                                std::vector<contract::FieldError>& errors) {
  if (errors.empty()) errors.push_back({"", "is not right"});
  std::string name = fmt::format("record {}", index);
  if (user_record >= 0) name += fmt::format(", user record {}", user_record);
  if (job.product->mode == Mode::kAtomic) {
    int64_t records = 0;
    for (const Item& item : job.items) records += item.records();
    job.gate->refused.Add(static_cast<double>(records));
    const auto& error = errors.front();
    return Fail(Code::kInvalid,
                fmt::format("{} does not match the contract, so nothing was stored: {}{}{}", name,
                            error.field, error.field.empty() ? "" : " ", error.reason));
  }
  if (record.data.size() > kQuarantineOriginalBytesMax) {
    return Fail(Code::kInvalid,
                fmt::format("{} has {}, more than quarantine can keep: nothing was stored", name,
                            FormatSize(static_cast<int64_t>(record.data.size()))));
  }
  std::vector<RecordError> own;
  own.reserve(errors.size());
  for (auto& error : errors) {
    own.push_back({static_cast<int64_t>(index), std::move(error.field), std::move(error.reason)});
  }
  const auto key = job.kept.Add(stream::EncodeRecordHead({.partition_key = record.partition_key,
                                                          .explicit_hash = record.explicit_hash,
                                                          .taken = {},
                                                          .rest = {}}));
  job.bad.push_back(
      {key, job.kept.Add(EncodeQuarantineEntry(job.gate->object(), codec::RecordFormat::kJson, {},
                                               record.data, own.data(), own.size()))});
  return {};
}

// Makes the unit: a batch for each shard, and one for quarantine.
Status KeyedRecords::Arrange(Job& job) {
  const bool seal = !job.info->settings.key_id.empty();
  std::map<int, size_t> parts;
  for (size_t i = 0; i < job.items.size(); ++i) {
    Item& item = job.items[i];
    if (item.failure) continue;
    auto found = parts.find(item.shard);
    if (item.bad && found == parts.end()) {
      const stream::ShardId shard{job.info->name, item.shard};
      item.end = TRY(use_.streams.BoundsOf(shard)).end.value;
      continue;
    }
    if (found == parts.end()) {
      found = parts.emplace(item.shard, job.unit.size()).first;
      job.unit.push_back({.stream = job.info->name,
                          .route = job.route,
                          .shard = item.shard,
                          .batch = {.id = job.batch_id, .records = {}, .owner = {}, .seal = seal}});
    }
    auto& records = job.unit[found->second].batch.records;
    item.part = found->second;
    item.place = static_cast<int64_t>(records.size());
    if (item.bad) continue;
    const KeyedRecord& record = job.submission.records[i];
    const auto key = job.kept.Add(stream::EncodeRecordHead(
        {.partition_key = record.partition_key,
         .explicit_hash = record.explicit_hash,
         .taken = item.taken,
         .rest = job.gate == nullptr ? std::string_view() : job.gate->key()}));
    records.push_back({key, record.data});
  }
  job.route = {};
  if (job.bad.empty()) return {};
  auto route = TRY(use_.streams.RouteOf(job.product->quarantine));
  const int shard = route.ShardOfBatch(job.batch_id);
  job.unit.push_back({.stream = job.product->quarantine,
                      .route = std::move(route),
                      .shard = shard,
                      .batch = {.id = job.batch_id, .records = {}, .owner = {}, .seal = seal}});
  job.unit.back().batch.records = job.bad;
  return {};
}

void KeyedRecords::Store(const std::shared_ptr<Job>& job) {
  auto unit = std::move(job->unit);
  if (unit.empty()) return Answered(*job, std::vector<log::Appended>());
  for (auto& part : unit) part.batch.owner = job;
  use_.streams.Append(std::move(unit), [this, job](Result<std::vector<log::Appended>> appended) {
    Answered(*job, std::move(appended));
  });
}

void KeyedRecords::Answered(Job& job, Result<std::vector<log::Appended>> appended) {
  use_.ack_seconds.Observe(std::chrono::duration<double>(use_.clock.Elapsed() - job.begun).count());
  // The log may keep the job longer, for its bytes; who waits for the answer shall not be kept.
  auto done = std::exchange(job.done, nullptr);
  if (!appended.ok()) {
    const Error& error = appended.error();
    // Each may be sent again by itself.
    if (error.code() != Code::kThrottled && error.code() != Code::kUnavailable) {
      return done(Fail(error));
    }
    for (Item& item : job.items) {
      if (!item.failure) item.failure = error;
    }
  } else if (job.gate != nullptr) {
    job.gate->accepted.Add(static_cast<double>(job.accepted));
    job.gate->quarantined.Add(static_cast<double>(job.bad.size()));
  }
  std::vector<Result<Placed>> answers;
  answers.reserve(job.items.size());
  for (const Item& item : job.items) {
    if (item.failure) {
      answers.emplace_back(Fail(*item.failure));
      continue;
    }
    stream::SequenceNumber number{.stream = job.info->number, .shard = item.shard};
    number.offset.value = item.part ? (*appended)[*item.part].first.value + item.place : item.end;
    if (item.bad) {
      --number.offset.value;  // behind the record before
      number.quarantined = appended->back().first.value + item.quarantine_place + 1;
    }
    answers.emplace_back(
        Placed{.shard = item.shard, .sequence_number = number.Text(), .quarantined = item.bad});
  }
  done(std::move(answers));
}

}  // namespace weft::ingest
