// SPDX-License-Identifier: Apache-2.0
#include "ingest/ingest.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/units.h"
#include "codec/uuid.h"
#include "ingest/answers.h"
#include "ingest/gates.h"
#include "ingest/keyed_records.h"
#include "ingest/limits.h"
#include "ingest/pieces.h"
#include "ingest/quarantine_record.h"
#include "ingest/record_budget.h"
#include "log/limits.h"

namespace weft::ingest {
namespace {

constexpr size_t kErrorsListedMax = 1'000;
constexpr size_t kRecordsMax =
    2'000'000;  // of one request: what is kept of each beside its bytes is bounded
constexpr int64_t kRecordsInWorkMax = 4'000'000;  // of all requests
constexpr size_t kHeadBytesMax = size_t{64} << 10;
constexpr std::string_view kBrokenCsv = "!csv ";
constexpr std::string_view kBlanks = " \t\r\n";
// Up to here the records of a JSON array are found and checked in one pass; the memory for it is
// several times as much.
constexpr size_t kArrayBytesMax = size_t{256} << 10;
// Below, the rows of a request cost less when those of many are made together, from the log.
constexpr size_t kDraftBytesMin = size_t{4} << 10;
constexpr size_t kRecordsBetweenAsking = 64;
constexpr size_t kRecordBytesUsual = 64;

// A request on its way to the disk. The batches' views point into it.
struct Job {
  Submission submission;
  Ingest::Done done;
  std::shared_ptr<Gate> gate;
  RecordBudget::Share share;
  Bytes text;      // what SplitRecords made beyond the body
  Pieces typed;    // rows of CSV with typed values
  Pieces entries;  // for quarantine
  std::vector<log::Record> good, bad;
  size_t records = 0;
  int64_t good_bytes = 0;
  // The rows of `good`; nullptr: they are made from the log.
  std::unique_ptr<tail::Draft> draft;
  int shard = 0;                          // of the good ones
  std::shared_ptr<Answers::Claim> claim;  // of a request with an idempotency key
  Outcome outcome;
  microseconds begun{0};
};

std::string_view HeadOf(const Submission& submission,
                        const std::vector<codec::RawRecord>& records) {
  if (submission.format != codec::RecordFormat::kCsv || records.empty()) return {};
  const char* begin = submission.records.data();
  std::string_view head(begin, static_cast<size_t>(records.front().original.data() - begin));
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  while (!head.empty() && (head.back() == '\n' || head.back() == '\r')) head.remove_suffix(1);
  return head.size() > kHeadBytesMax ? std::string_view() : head;
}

// How many octets may be read behind `part`, a piece of the body.
size_t ReadableAfter(const Bytes& body, std::string_view part) {
  return static_cast<size_t>(body.data() + body.capacity() - (part.data() + part.size()));
}

// Checks one raw record. True: `value` is what the log shall keep.
bool CheckOne(Gate& gate, Gate::Pass& pass, codec::RecordFormat format, const codec::RawRecord& raw,
              Pieces& typed, std::string_view& value, std::vector<contract::FieldError>& errors,
              const Gate::Pass::Taking& taking) {
  if (static_cast<int64_t>(raw.original.size()) > gate.record_bytes_max()) {
    errors.push_back({"", "is larger than " + FormatSize(gate.record_bytes_max())});
    return false;
  }
  if (format != codec::RecordFormat::kCsv) {
    value = raw.json;
    return pass.Check(raw.json, errors, taking);
  }
  if (raw.json.starts_with(kBrokenCsv)) {
    errors.push_back({"", std::string(raw.json.substr(kBrokenCsv.size()))});
    return false;
  }
  std::string_view row;
  if (!pass.CheckTexts(raw.json, row, errors, taking)) return false;
  value = typed.Add(row);
  return true;
}

// Numbers for ids, which need to differ and not to be secret: two runs from beginnings that are
// random. Safe from any thread.
class Drawn {
 public:
  explicit Drawn(Random& random) : first_(random.Next()), second_(random.Next()) {}
  std::pair<uint64_t, uint64_t> Next() {
    const uint64_t step = step_.fetch_add(kScatterStep, std::memory_order_relaxed);
    return {Scatter(first_ + step), Scatter(second_ + step)};
  }

 private:
  const uint64_t first_, second_;
  std::atomic<uint64_t> step_ = 0;
};

}  // namespace

struct Ingest::State {
  State(const contract::Contracts& c, const Intakes& i, stream::Streams& s, const Clock& k,
        Random& r, Metrics& m, tail::Tail* t)
      : gates(c, m),
        streams(s),
        tail(t),
        clock(k),
        drawn(r),
        bytes_total(
            m.AddCounter("weft_ingest_bytes_total", "Octets of records that reached a door.")),
        ack_seconds(m.AddHistogram(
            "weft_ingest_ack_seconds", "From a request's records to their being on disk.",
            {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})),
        limits(k),
        answers(s, k),
        keyed({.intakes = i,
               .streams = s,
               .clock = k,
               .gates = gates,
               .limits = limits,
               .budget = budget,
               .bytes_total = bytes_total,
               .ack_seconds = ack_seconds}) {}

  Status Prepare(Job& job);
  Status Admit(Job& job, size_t records);
  // These take what one pass can, and return false for what has to be split first: one good JSON
  // record, and the records of a JSON array.
  Result<bool> SortOne(Job& job, std::string_view record);
  Result<bool> SortArray(Job& job);
  Status SortSplit(Job& job);
  void Take(Job& job, std::string_view value);
  Status Refuse(Job& job, size_t index, std::string_view head, const codec::RawRecord& raw,
                contract::FieldError* errors, size_t count);
  Status Store(const std::shared_ptr<Job>& job);
  void Answered(Job& job, const Result<std::vector<log::Appended>>& appended);

  Gates gates;
  stream::Streams& streams;
  tail::Tail* const tail;
  const Clock& clock;
  Drawn drawn;
  RecordBudget budget{kRecordsInWorkMax};
  Counter& bytes_total;
  Histogram& ack_seconds;
  ProductLimits limits;
  Answers answers;
  KeyedRecords keyed;
};

Status Ingest::State::Prepare(Job& job) {
  const auto& submission = job.submission;
  job.gate = TRY(gates.Find(*submission.intake, submission.object));
  const size_t first = submission.records.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  bytes_total.Add(static_cast<double>(submission.records.size()));
  if (tail != nullptr && submission.records.size() >= kDraftBytesMin) {
    job.draft = tail->Begin(submission.intake->stream, job.gate->object(),
                            static_cast<int64_t>(submission.records.size()));
  }
  const bool small =
      submission.format == codec::RecordFormat::kJson &&
      submission.records.size() <= kArrayBytesMax &&
      static_cast<int64_t>(submission.records.size()) <= job.gate->record_bytes_max();
  bool sorted = false;
  if (small && submission.records[first] == '[') {
    sorted = TRY(SortArray(job));
  } else if (small && submission.records[first] == '{' && job.draft == nullptr) {
    const size_t last = submission.records.find_last_not_of(kBlanks);
    sorted = TRY(SortOne(job, submission.records.substr(first, last + 1 - first)));
  }
  if (!sorted) TRY(SortSplit(job));
  if (submission.intake->mode == Mode::kAtomic && job.outcome.errors_total > 0) {
    job.outcome.refused = true;
    job.gate->refused.Add(static_cast<double>(job.records));
    job.good.clear();
  }
  job.outcome.accepted = static_cast<int64_t>(job.good.size());
  job.outcome.quarantined = static_cast<int64_t>(job.bad.size());
  return {};
}

Status Ingest::State::Admit(Job& job, size_t records) {
  job.records = records;
  if (records > kRecordsMax) {
    return Fail(Code::kInvalid,
                fmt::format("{} records in one request: {} at most", records, kRecordsMax));
  }
  job.share = budget.Take(static_cast<int64_t>(records));
  if (job.share == nullptr) {
    return Fail(Code::kThrottled,
                fmt::format("too many records are in work at once; these are {}", records));
  }
  return limits.Admit(*job.submission.intake, static_cast<int64_t>(job.submission.records.size()),
                      static_cast<int64_t>(records));
}

Result<bool> Ingest::State::SortOne(Job& job, std::string_view record) {
  Gate::Pass pass(job.gate);
  std::vector<contract::FieldError> errors;
  if (!pass.Check(record, errors,
                  {.readable_after = ReadableAfter(*job.submission.body, record)})) {
    return false;
  }
  TRY(Admit(job, 1));
  Take(job, record);
  return true;
}

Result<bool> Ingest::State::SortArray(Job& job) {
  const auto& submission = job.submission;
  Gate::Pass pass(job.gate, job.draft == nullptr ? nullptr : job.draft->schema());
  if (!pass.makes_rows()) job.draft.reset();
  Gate::Pass::Taking taking{.readable_after = ReadableAfter(*submission.body, submission.records)};
  if (job.draft != nullptr) {
    taking.rows = &job.draft->rows();
    taking.rows_bytes_max = job.draft->bytes_max();
  }
  std::vector<contract::Checker::Session::Judged> judged;
  std::vector<contract::FieldError> errors;
  judged.reserve(submission.records.size() / kRecordBytesUsual);
  if (!pass.CheckArray(submission.records, judged, errors, taking)) {
    job.draft.reset();
    return false;
  }
  TRY(Admit(job, judged.size()));
  job.good.resize(judged.size());
  log::Record* good = job.good.data();
  size_t at = 0;
  for (size_t i = 0; i < judged.size(); ++i) {
    const auto& [record, count] = judged[i];
    if (count == 0) {
      *good++ = {job.gate->key(), record};
      job.good_bytes += static_cast<int64_t>(record.size());
    } else {
      TRY(Refuse(job, i, {}, {record, record}, &errors[at], count));
    }
    at += count;
  }
  job.good.resize(static_cast<size_t>(good - job.good.data()));
  return true;
}

Status Ingest::State::SortSplit(Job& job) {
  const auto& submission = job.submission;
  const auto records = TRY(codec::SplitRecords(submission.format, submission.records, job.text));
  TRY(Admit(job, records.size()));
  const std::string_view head = HeadOf(submission, records);
  Gate::Pass pass(job.gate, job.draft == nullptr ? nullptr : job.draft->schema());
  if (!pass.makes_rows()) job.draft.reset();
  const bool in_place = submission.format != codec::RecordFormat::kCsv;
  std::vector<contract::FieldError> errors;
  job.good.reserve(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    if (i % kRecordsBetweenAsking == 0 && job.draft != nullptr && !job.draft->Fits()) {
      job.draft.reset();
    }
    const Gate::Pass::Taking taking{
        .readable_after = in_place ? ReadableAfter(*submission.body, records[i].json) : 0,
        .rows = job.draft == nullptr ? nullptr : &job.draft->rows()};
    std::string_view value;
    errors.clear();
    if (CheckOne(*job.gate, pass, submission.format, records[i], job.typed, value, errors,
                 taking)) {
      Take(job, value);
    } else {
      if (errors.empty()) errors.push_back({"", "is not right"});
      TRY(Refuse(job, i, head, records[i], errors.data(), errors.size()));
    }
  }
  return {};
}

void Ingest::State::Take(Job& job, std::string_view value) {
  job.good.push_back({job.gate->key(), value});
  job.good_bytes += static_cast<int64_t>(value.size());
}

Status Ingest::State::Refuse(Job& job, size_t index, std::string_view head,
                             const codec::RawRecord& raw, contract::FieldError* errors,
                             size_t count) {
  std::vector<RecordError> own;
  own.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    own.push_back(
        {static_cast<int64_t>(index), std::move(errors[i].field), std::move(errors[i].reason)});
  }
  auto& outcome = job.outcome;
  outcome.errors_total += static_cast<int64_t>(own.size());
  const size_t room = kErrorsListedMax - std::min(kErrorsListedMax, outcome.errors.size());
  outcome.errors.insert(outcome.errors.end(), own.begin(),
                        own.begin() + static_cast<std::ptrdiff_t>(std::min(room, own.size())));
  if (job.submission.intake->mode == Mode::kAtomic) return {};
  if (raw.original.size() > kQuarantineOriginalBytesMax) {
    return Fail(Code::kInvalid,
                fmt::format("record {} has {}, more than quarantine can keep: nothing was stored",
                            index, FormatSize(static_cast<int64_t>(raw.original.size()))));
  }
  job.bad.push_back(
      {{},
       job.entries.Add(EncodeQuarantineEntry(job.gate->object(), job.submission.format, head,
                                             raw.original, own.data(), own.size()))});
  return {};
}

// The good, the bad and the answer to an idempotency key become durable together, so that who sends
// a failed request again has no record twice.
Status Ingest::State::Store(const std::shared_ptr<Job>& job) {
  const Intake& intake = *job->submission.intake;
  std::vector<stream::Streams::Part> unit;
  // What tells of a sealed stream's records is sealed as they are.
  bool seal = false;
  if (!job->bad.empty() || job->claim != nullptr) {
    const auto info = TRY(streams.Find(intake.stream));
    seal = !info->settings.key_id.empty();
  }
  auto add = [&](const stream::StreamName& name, std::vector<log::Record>& records) -> Status {
    if (records.empty()) return {};
    auto route = TRY(streams.RouteOf(name));
    const int shard = route.ShardOfBatch(job->outcome.id);
    unit.push_back(
        {.stream = name,
         .route = std::move(route),
         .shard = shard,
         .batch = {
             .id = job->outcome.id, .records = std::move(records), .owner = job, .seal = seal}});
    return {};
  };
  TRY(add(intake.stream, job->good));
  if (!unit.empty()) job->shard = unit.front().shard;
  TRY(add(intake.quarantine, job->bad));
  if (job->claim != nullptr) unit.push_back(TRY(job->claim->PartOf(job->outcome, seal)));
  streams.Append(std::move(unit), [this, job](Result<std::vector<log::Appended>> appended) {
    Answered(*job, appended);
  });
  return {};
}

void Ingest::State::Answered(Job& job, const Result<std::vector<log::Appended>>& appended) {
  ack_seconds.Observe(std::chrono::duration<double>(clock.Elapsed() - job.begun).count());
  // The log may keep the job longer, for its bytes; who waits for the answer shall not be kept.
  auto done = std::move(job.done);
  job.done = nullptr;
  auto draft = std::move(job.draft);
  if (!appended.ok()) return done(Fail(appended.error()));
  if (job.claim != nullptr) job.claim->Stored(appended->back());
  if (draft != nullptr && job.outcome.accepted > 0) {
    tail->Offer(std::move(draft), job.shard, appended->front(), job.good_bytes);
  }
  if (job.outcome.accepted > 0) job.gate->accepted.Add(static_cast<double>(job.outcome.accepted));
  if (job.outcome.quarantined > 0)
    job.gate->quarantined.Add(static_cast<double>(job.outcome.quarantined));
  done(std::move(job.outcome));
}

Ingest::Ingest(const contract::Contracts& contracts, const Intakes& intakes,
               stream::Streams& streams, const Clock& clock, Random& random, Metrics& metrics,
               tail::Tail* tail)
    : state_(std::make_unique<State>(contracts, intakes, streams, clock, random, metrics, tail)) {}
Ingest::~Ingest() = default;

Status Ingest::Recover(meta::Database& database, int64_t idempotency_keys_max) {
  return state_->answers.Recover(database, idempotency_keys_max);
}

void Ingest::Accept(Submission submission, Done done) {
  auto job = std::make_shared<Job>();
  if (!submission.idempotency_key.empty()) {
    job->claim = state_->answers.Take(submission, done);
    if (job->claim == nullptr) return;
    done = [claim = job->claim, first = std::move(done)](Result<Outcome> outcome) {
      claim->Settle(outcome);
      first(std::move(outcome));
    };
  }
  job->submission = std::move(submission);
  job->done = std::move(done);
  job->begun = state_->clock.Elapsed();
  job->outcome.id = NewBatchId();
  if (auto prepared = state_->Prepare(*job); !prepared.ok())
    return job->done(Fail(prepared.error()));
  const bool nothing = job->good.empty() && job->bad.empty();
  if (nothing && (job->claim == nullptr || job->outcome.refused)) {
    return job->done(std::move(job->outcome));
  }
  if (auto stored = state_->Store(job); !stored.ok()) return job->done(Fail(stored.error()));
}

void Ingest::AcceptRecords(StreamSubmission submission, RecordsDone done) {
  state_->keyed.Accept(NewBatchId(), std::move(submission), std::move(done));
}

Result<Ingest::Judged> Ingest::Judge(const Intake& intake, const std::string& object,
                                     codec::RecordFormat format, BytesView head, BytesView record) {
  auto gate = TRY(state_->gates.Find(intake, object));
  Judged judged;
  codec::RawRecord raw{record, record};
  Bytes body, text;
  if (format == codec::RecordFormat::kCsv) {
    if (head.empty())
      return Fail(Code::kInvalid,
                  "the row's header was too large to be kept: send it again from its source");
    body = fmt::format("{}\n{}\n", head, record);
    auto split = TRY(codec::SplitRecords(format, body, text));
    if (split.size() != 1)
      return Fail(Code::kCorrupt, fmt::format("a quarantined row reads as {} rows", split.size()));
    raw = {split[0].json, record};
  }
  std::vector<contract::FieldError> errors;
  Pieces typed;
  std::string_view value;
  Gate::Pass pass(gate);
  judged.good = CheckOne(*gate, pass, format, raw, typed, value, errors, {});
  if (judged.good) {
    judged.key = gate->key();
    judged.value = Bytes(value);
  }
  for (auto& error : errors)
    judged.errors.push_back({0, std::move(error.field), std::move(error.reason)});
  return judged;
}

std::string Ingest::NewBatchId() {
  // Milliseconds, then random: a version 7 UUID.
  const auto now =
      std::chrono::duration_cast<milliseconds>(state_->clock.Now().time_since_epoch()).count();
  const auto [high, low] = state_->drawn.Next();
  const codec::UuidText text =
      codec::ToUuidText(static_cast<uint64_t>(now) << 16 | 0x7000 | (high & 0xfff),
                        (low & 0x3fff'ffff'ffff'ffffULL) | 0x8000'0000'0000'0000ULL);
  return {text.data(), text.size()};
}

}  // namespace weft::ingest
