// SPDX-License-Identifier: Apache-2.0
#include "engine/duckdb_engine.h"

#include "base/logging.h"
#include "engine/parquet_writer_internal.h"
#include "engine/worker_pool_internal.h"

namespace weft::engine {
namespace {

// A statement's conversation with its worker.
class Conversation {
 public:
  Conversation(WorkerProcess& worker, RelationSource& relations, ResultSink& sink)
      : worker_(worker), relations_(relations), sink_(sink) {}

  // The statement's outcome; nothing when the worker was lost on the way (`lost` says why).
  Result<Status> Run(const QueryRequest& request, const Clock& clock, microseconds deadline) {
    TRY(worker_.Forget());
    TRY(worker_.socket->Send(MessageKind::kStatement, PackStatement(request)));
    for (;;) {
      auto message = TRY(worker_.socket->Receive(clock, deadline));
      switch (message.kind) {
        case MessageKind::kFind:
          TRY(Find(message));
          break;
        case MessageKind::kList:
          TRY(List());
          break;
        case MessageKind::kBegin: {
          auto columns = UnpackColumns(message.bytes);
          auto taken = columns.ok() ? sink_.Begin(*columns) : Status(Fail(columns.error()));
          if (!taken.ok()) return Refused(taken);
          break;
        }
        case MessageKind::kRows: {
          Unpacker from(message.bytes);
          auto rows = from.Number();
          auto taken = sink_.Write(BytesView(message.bytes).substr(sizeof(int64_t)), rows);
          if (!taken.ok()) return Refused(taken);
          break;
        }
        case MessageKind::kDone:
          finished_ = true;
          return UnpackStatus(message.bytes);
        default:
          return Fail(Code::kUnavailable, "the worker spoke out of turn");
      }
    }
  }

  // Whether the worker waits for another statement.
  bool finished() const { return finished_; }

 private:
  // The sink's failure is the outcome; the worker, still at work, is of no more use.
  Result<Status> Refused(const Status& why) { return Status(Fail(why.error())); }

  Status Find(const Message& message) {
    auto names = TRY(UnpackNames(message.bytes));
    if (names.size() != 1) return Fail(Code::kUnavailable, "the worker asked for nothing");
    auto relation = relations_.Find(names[0]);
    if (!relation.ok())
      return worker_.socket->Send(MessageKind::kFailure, PackStatus(Fail(relation.error())));
    RelationIds ids;
    if (relation->files != nullptr && !relation->files->empty()) {
      auto [id, fresh] = worker_.sent.Number(relation->files);
      ids.files = id;
      if (fresh) {
        auto bytes = Packer().Add(id).bytes() + PackFiles(*relation->files);
        TRY(worker_.socket->Send(MessageKind::kFiles, bytes));
      }
    }
    for (const auto& slice : relation->tail) {
      auto [id, fresh] = worker_.sent.Number(slice.chunk);
      ids.chunks.push_back(id);
      if (!fresh) continue;
      TRY(worker_.socket->Send(MessageKind::kChunk, Packer().Add(id).bytes(),
                               slice.chunk->descriptor()));
    }
    return worker_.socket->Send(MessageKind::kRelation, PackRelation(*relation, ids));
  }

  Status List() {
    auto names = relations_.List();
    if (!names.ok())
      return worker_.socket->Send(MessageKind::kFailure, PackStatus(Fail(names.error())));
    return worker_.socket->Send(MessageKind::kNames, PackNames(*names));
  }

  WorkerProcess& worker_;
  RelationSource& relations_;
  ResultSink& sink_;
  bool finished_ = false;
};

class DuckDbEngine : public Engine {
 public:
  DuckDbEngine(const DuckDbOptions& options, objects::ObjectStore& store, const Clock& clock,
               Metrics& metrics)
      : clock_(clock),
        pool_(options),
        writer_(options, store),
        lost_(metrics.AddCounter("weft_engine_workers_lost_total",
                                 "Worker processes that ended in the middle of a statement")),
        seconds_(metrics.AddHistogram("weft_engine_query_seconds", "Time of users' statements",
                                      {0.005, 0.02, 0.1, 0.5, 2, 10, 60})) {}
  ~DuckDbEngine() override { Stop(); }

  Status Query(const QueryRequest& request, RelationSource& relations, ResultSink& sink) override {
    auto begin = clock_.Elapsed();
    auto deadline = begin + request.time_max;
    auto worker = TRY(pool_.Take(clock_, deadline));
    Conversation conversation(*worker, relations, sink);
    auto outcome = conversation.Run(request, clock_, deadline);
    bool healthy = conversation.finished();
    if (outcome.ok() && !outcome->ok()) {
      // The worker ends itself after these.
      auto code = outcome->error().code();
      healthy = healthy && code != Code::kInternal && code != Code::kThrottled;
    }
    bool stopping = pool_.stopping();
    if (!outcome.ok() && !stopping && outcome.error().code() != Code::kThrottled) {
      Log(LogLevel::kWarning, "engine", "a worker ended in the middle of a statement",
          {{"how", worker->HowItEnded()}, {"error", outcome.error().message()}});
    }
    pool_.Give(std::move(worker), healthy);
    seconds_.Observe(static_cast<double>((clock_.Elapsed() - begin).count()) / 1e6);
    if (outcome.ok()) return *outcome;
    if (stopping) return Fail(Code::kUnavailable, "the server stops");
    if (outcome.error().code() == Code::kThrottled) {
      return Fail(Code::kThrottled,
                  fmt::format("the query ran longer than {} ms", request.time_max.count()));
    }
    lost_.Add(1);
    return Fail(Code::kThrottled, fmt::format("the query's worker died: most likely the query "
                                              "needs more than the {} MiB of memory it may have",
                                              request.memory_bytes_max >> 20));
  }

  Result<std::vector<iceberg::DataFile>> WriteParquet(const WriteRequest& request) override {
    return writer_.Write(request);
  }

  void Stop() override { pool_.Stop(); }

 private:
  const Clock& clock_;
  WorkerPool pool_;
  ParquetWriter writer_;
  Counter& lost_;
  Histogram& seconds_;
};

}  // namespace

Result<std::unique_ptr<Engine>> OpenDuckDb(const DuckDbOptions& options,
                                           objects::ObjectStore& store, const Clock& clock,
                                           Metrics& metrics) {
  if (options.workers < 1 || options.worker_threads < 1 || options.writer_threads < 1) {
    return Fail(Code::kInvalid, "an engine needs at least one worker and one thread");
  }
  return std::make_unique<DuckDbEngine>(options, store, clock, metrics);
}

}  // namespace weft::engine
