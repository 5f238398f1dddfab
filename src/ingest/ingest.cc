// SPDX-License-Identifier: Apache-2.0
#include "ingest/ingest.h"

#include <fmt/compile.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include "base/units.h"
#include "ingest/gates.h"
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
  Outcome outcome;
  microseconds begun{0};
  std::atomic<int> waiting = 0;
  std::mutex mutex;
  Status failure;  // guarded by the mutex: the first one
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

// Checks one raw record. True: `value` is what the log shall keep.
bool CheckOne(Gate& gate, Gate::Pass& pass, codec::RecordFormat format, const codec::RawRecord& raw,
              Pieces& typed, std::string_view& value, std::vector<contract::FieldError>& errors) {
  if (static_cast<int64_t>(raw.original.size()) > gate.record_bytes_max()) {
    errors.push_back({"", "is larger than " + FormatSize(gate.record_bytes_max())});
    return false;
  }
  if (format != codec::RecordFormat::kCsv) {
    value = raw.json;
    return pass.Check(raw.json, errors);
  }
  if (raw.json.starts_with(kBrokenCsv)) {
    errors.push_back({"", std::string(raw.json.substr(kBrokenCsv.size()))});
    return false;
  }
  std::string_view row;
  if (!pass.CheckTexts(raw.json, row, errors)) return false;
  value = typed.Add(row);
  return true;
}

}  // namespace

struct Ingest::State {
  State(const contract::Contracts& c, stream::Streams& s, const Clock& k, Random& r, Metrics& m)
      : gates(c, m),
        streams(s),
        clock(k),
        random(r),
        bytes_total(
            m.AddCounter("weft_ingest_bytes_total", "Octets of records that reached a door.")),
        ack_seconds(m.AddHistogram(
            "weft_ingest_ack_seconds", "From a request's records to their being on disk.",
            {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})) {}

  Status Prepare(Job& job);
  Status Sort(Job& job, const std::vector<codec::RawRecord>& records);
  Status Refuse(Job& job, size_t index, std::string_view head, const codec::RawRecord& raw,
                std::vector<contract::FieldError>& errors);
  void Store(const std::shared_ptr<Job>& job);
  void Answered(const std::shared_ptr<Job>& job, const Result<log::Appended>& appended);

  Gates gates;
  stream::Streams& streams;
  const Clock& clock;
  Random& random;
  RecordBudget budget{kRecordsInWorkMax};
  Counter& bytes_total;
  Histogram& ack_seconds;
};

Status Ingest::State::Prepare(Job& job) {
  const auto& submission = job.submission;
  job.gate = TRY(gates.Find(submission.intake, submission.object));
  if (submission.records.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
  auto records = TRY(codec::SplitRecords(submission.format, submission.records, job.text));
  if (records.size() > kRecordsMax) {
    return Fail(Code::kInvalid,
                fmt::format("{} records in one request: {} at most", records.size(), kRecordsMax));
  }
  job.share = budget.Take(static_cast<int64_t>(records.size()));
  if (job.share == nullptr) {
    return Fail(Code::kThrottled,
                fmt::format("too many records are in work at once; these are {}", records.size()));
  }
  bytes_total.Add(static_cast<double>(submission.records.size()));
  TRY(Sort(job, records));
  if (submission.intake.mode == Mode::kAtomic && job.outcome.errors_total > 0) {
    job.outcome.refused = true;
    job.gate->refused.Add(static_cast<double>(records.size()));
    job.good.clear();
  }
  job.outcome.accepted = static_cast<int64_t>(job.good.size());
  job.outcome.quarantined = static_cast<int64_t>(job.bad.size());
  return {};
}

Status Ingest::State::Sort(Job& job, const std::vector<codec::RawRecord>& records) {
  const auto format = job.submission.format;
  const std::string_view head = HeadOf(job.submission, records);
  Gate::Pass pass(job.gate);
  std::vector<contract::FieldError> errors;
  job.good.reserve(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    std::string_view value;
    errors.clear();
    if (CheckOne(*job.gate, pass, format, records[i], job.typed, value, errors)) {
      job.good.push_back({job.gate->key(), value});
    } else {
      TRY(Refuse(job, i, head, records[i], errors));
    }
  }
  return {};
}

Status Ingest::State::Refuse(Job& job, size_t index, std::string_view head,
                             const codec::RawRecord& raw,
                             std::vector<contract::FieldError>& errors) {
  std::vector<RecordError> own;
  own.reserve(errors.size());
  if (errors.empty()) errors.push_back({"", "is not right"});
  for (auto& error : errors) {
    own.push_back({static_cast<int64_t>(index), std::move(error.field), std::move(error.reason)});
  }
  auto& outcome = job.outcome;
  outcome.errors_total += static_cast<int64_t>(own.size());
  const size_t room = kErrorsListedMax - std::min(kErrorsListedMax, outcome.errors.size());
  outcome.errors.insert(outcome.errors.end(), own.begin(),
                        own.begin() + static_cast<std::ptrdiff_t>(std::min(room, own.size())));
  if (job.submission.intake.mode == Mode::kAtomic) return {};
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

void Ingest::State::Store(const std::shared_ptr<Job>& job) {
  const auto& intake = job->submission.intake;
  const bool good = !job->good.empty(), bad = !job->bad.empty();
  job->waiting = (good ? 1 : 0) + (bad ? 1 : 0);
  auto answered = [this, job](Result<log::Appended> appended) { Answered(job, appended); };
  // Quarantine first: where it is refused at once (the disk is behind), nothing is stored, so that
  // who sends the request again does not have the good records twice.
  if (bad) streams.Append(intake.quarantine, {job->outcome.id, std::move(job->bad), job}, answered);
  if (!good) return;
  Status failure;
  {
    std::lock_guard lock(job->mutex);
    failure = job->failure;
  }
  if (!failure.ok()) return answered(Fail(failure.error()));
  streams.Append(intake.stream, {job->outcome.id, std::move(job->good), job}, answered);
}

void Ingest::State::Answered(const std::shared_ptr<Job>& job,
                             const Result<log::Appended>& appended) {
  if (!appended.ok()) {
    std::lock_guard lock(job->mutex);
    if (job->failure.ok()) job->failure = Fail(appended.error());
  }
  if (job->waiting.fetch_sub(1) > 1) return;
  ack_seconds.Observe(std::chrono::duration<double>(clock.Elapsed() - job->begun).count());
  Status failure;
  {
    std::lock_guard lock(job->mutex);
    failure = job->failure;
  }
  // The log may keep the job longer, for its bytes; who waits for the answer shall not be kept.
  auto done = std::move(job->done);
  job->done = nullptr;
  if (!failure.ok()) return done(Fail(failure.error()));
  if (job->outcome.accepted > 0)
    job->gate->accepted.Add(static_cast<double>(job->outcome.accepted));
  if (job->outcome.quarantined > 0)
    job->gate->quarantined.Add(static_cast<double>(job->outcome.quarantined));
  done(std::move(job->outcome));
}

Ingest::Ingest(const contract::Contracts& contracts, stream::Streams& streams, const Clock& clock,
               Random& random, Metrics& metrics)
    : state_(std::make_unique<State>(contracts, streams, clock, random, metrics)) {}
Ingest::~Ingest() = default;

void Ingest::Accept(Submission submission, Done done) {
  auto job = std::make_shared<Job>();
  job->submission = std::move(submission);
  job->done = std::move(done);
  job->begun = state_->clock.Elapsed();
  job->outcome.id = NewBatchId();
  if (auto prepared = state_->Prepare(*job); !prepared.ok())
    return job->done(Fail(prepared.error()));
  if (job->good.empty() && job->bad.empty()) return job->done(std::move(job->outcome));
  state_->Store(job);
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
  judged.good = CheckOne(*gate, pass, format, raw, typed, value, errors);
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
  const uint64_t time = static_cast<uint64_t>(now) & 0xffff'ffff'ffffULL;
  // One call of the kernel for both.
  std::array<uint64_t, 2> drawn{};
  state_->random.Fill(drawn.data(), sizeof drawn);
  const uint64_t low = (drawn[0] & 0x3fff'ffff'ffff'ffffULL) | 0x8000'0000'0000'0000ULL;
  const uint64_t middle = (drawn[1] & 0xfff) | 0x7000;
  return fmt::format(FMT_COMPILE("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}"), time >> 16, time & 0xffff,
                     middle, low >> 48, low & 0xffff'ffff'ffffULL);
}

}  // namespace weft::ingest
