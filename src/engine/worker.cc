// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <atomic>
#include <map>
#include <optional>

#include "duckdb/main/pending_query_result.hpp"
#include "engine/duckdb_engine.h"
#include "engine/mesh_catalog_internal.h"
#include "engine/mesh_database_internal.h"
#include "engine/result_text_internal.h"
#include "engine/statement_check_internal.h"
#include "engine/worker_confinement_internal.h"
#include "engine/worker_messages_internal.h"
#include "objects/local_store.h"

namespace weft::engine {
namespace {

constexpr int kSocket = 3;  // where the pool puts it

// What DuckDB may count for itself, of what the kernel allows the process: the rest is for text
// that functions build, stacks and the program.
int64_t DatabaseShare(int64_t memory_bytes_max) { return memory_bytes_max / 4 * 3; }

class Worker {
 public:
  Worker(MeshDatabase& database, Socket& socket) : database_(database), socket_(socket) {}

  // Serves statements until the connection closes.
  void Serve() {
    for (;;) {
      auto message = socket_.Receive(SystemClock(), std::nullopt);
      if (!message.ok()) return;
      if (message->kind != MessageKind::kStatement) {
        if (!Keep(*message).ok()) return;
        continue;
      }
      auto request = UnpackStatement(message->bytes);
      auto done = request.ok() ? Run(*request) : Status(Fail(request.error()));
      if (!socket_.Send(MessageKind::kDone, PackStatus(done)).ok()) return;
      // After a failure of the engine's own nothing of it is to be trusted.
      if (!done.ok() &&
          (done.error().code() == Code::kInternal || done.error().code() == Code::kThrottled))
        return;
    }
  }

 private:
  // What the other side sends ahead: chunks and lists of files, each once.
  Status Keep(Message& message) {
    Unpacker from(message.bytes);
    switch (message.kind) {
      case MessageKind::kChunk: {
        auto id = from.Number();
        chunks_[id] = TRY(iceberg::MapTrustedChunk(message.descriptor));
        return {};
      }
      case MessageKind::kFiles: {
        auto id = from.Number();
        auto files = TRY(UnpackFiles(BytesView(message.bytes).substr(sizeof(int64_t))));
        files_[id] = std::make_shared<const std::vector<iceberg::DataFile>>(std::move(files));
        return {};
      }
      case MessageKind::kForget: {
        for (auto left = from.Number(); left > 0 && from.ok(); --left) {
          auto id = from.Number();
          chunks_.erase(id);
          files_.erase(id);
        }
        return {};
      }
      default:
        return Fail(Code::kInternal, "a message that was not expected");
    }
  }

  // The answer to a question, past what is to be kept.
  Result<Message> Ask(MessageKind question, BytesView bytes, MessageKind answer) {
    TRY(socket_.Send(question, bytes));
    for (;;) {
      auto message = TRY(socket_.Receive(SystemClock(), std::nullopt));
      if (message.kind == answer) return message;
      if (message.kind == MessageKind::kFailure) {
        TRY(UnpackStatus(message.bytes));
        return Fail(Code::kInternal, "a failure without an error");
      }
      TRY(Keep(message));
    }
  }

  Result<Relation> Find(const RelationSource::Name& name) {
    auto message = TRY(Ask(MessageKind::kFind, PackNames({name}), MessageKind::kRelation));
    RelationIds ids;
    auto relation = TRY(UnpackRelation(message.bytes, ids));
    if (ids.files != 0) relation.files = files_[ids.files];
    for (size_t i = 0; i < relation.tail.size(); ++i) {
      relation.tail[i].chunk = chunks_[ids.chunks[i]];
      if (relation.tail[i].chunk == nullptr) return Fail(Code::kInternal, "a chunk did not arrive");
    }
    return relation;
  }

  Result<std::vector<RelationSource::Name>> List() {
    auto message = TRY(Ask(MessageKind::kList, "", MessageKind::kNames));
    return UnpackNames(message.bytes);
  }

  Status Run(const QueryRequest& request) {
    BoundMemory(request.memory_bytes_max);
    try {
      database_.SetMemory(DatabaseShare(request.memory_bytes_max));
      duckdb::Connection connection(database_.database());
      connection.context->config.use_replacement_scans = false;
      auto& tables = StatementTables::Attach(*connection.context, database_.paths());
      StatementNames names{.find = [this](const RelationSource::Name& name) { return Find(name); },
                           .list = [this] { return List(); },
                           .default_database = request.default_database};
      auto statement = TRY(CheckStatement(request.sql, *connection.context, names, tables));
      return Execute(request, connection, std::move(statement));
    } catch (const std::exception& error) {
      return Fail(StatementError(duckdb::ErrorData(error), database_.paths()));
    }
  }

  Status Execute(const QueryRequest& request, duckdb::Connection& connection,
                 duckdb::unique_ptr<duckdb::SQLStatement> statement) {
    auto pending = connection.PendingQuery(std::move(statement), true);
    if (pending->HasError())
      return Fail(StatementError(pending->GetErrorObject(), database_.paths()));
    auto result = pending->Execute();
    if (result->HasError())
      return Fail(StatementError(result->GetErrorObject(), database_.paths()));
    int64_t rows = 0;
    ResultText text(request.format, result->names, result->types,
                    [this](BytesView piece, int64_t count) {
                      Bytes bytes = Packer().Add(count).bytes();
                      bytes += piece;
                      return socket_.Send(MessageKind::kRows, bytes);
                    });
    TRY(socket_.Send(MessageKind::kBegin, PackColumns(text.columns())));
    for (;;) {
      auto chunk = result->Fetch();
      if (result->HasError())
        return Fail(StatementError(result->GetErrorObject(), database_.paths()));
      if (!chunk || chunk->size() == 0) break;
      rows += static_cast<int64_t>(chunk->size());
      if (request.rows_max > 0 && rows > request.rows_max) {
        return Fail(Code::kInvalid,
                    fmt::format("the result has more than {} rows", request.rows_max));
      }
      TRY(text.Append(*connection.context, *chunk));
    }
    return text.Finish();
  }

  MeshDatabase& database_;
  Socket& socket_;
  std::map<int64_t, std::shared_ptr<const iceberg::ColumnChunk>> chunks_;
  std::map<int64_t, std::shared_ptr<const std::vector<iceberg::DataFile>>> files_;
};

// Stands where no objects are: every read fails.
class NoObjects : public objects::ObjectStore {
 public:
  Status Put(const objects::ObjectKey&, BytesView) override { return None(); }
  Status PutIfAbsent(const objects::ObjectKey&, BytesView) override { return None(); }
  Result<std::unique_ptr<objects::ObjectWriter>> Create(const objects::ObjectKey&) override {
    return Error_();
  }
  Result<Bytes> Get(const objects::ObjectKey&) override { return Error_(); }
  Result<Bytes> GetRange(const objects::ObjectKey&, int64_t, int64_t) override { return Error_(); }
  Result<objects::ObjectInfo> Head(const objects::ObjectKey&) override { return Error_(); }
  Status Delete(const objects::ObjectKey&) override { return None(); }
  Result<std::vector<objects::ObjectInfo>> List(const std::string&, const std::string&,
                                                const std::string&, int) override {
    return Error_();
  }

 private:
  static tl::unexpected<Error> Error_() { return Fail(Code::kNotFound, "there are no objects"); }
  static Status None() { return Error_(); }
};

Result<std::unique_ptr<objects::ObjectStore>> OpenObjects(const std::string& root) {
  if (root.empty()) return std::unique_ptr<objects::ObjectStore>(std::make_unique<NoObjects>());
  return objects::OpenLocalStore({.root = root, .reader = true}, SystemDisk(), SystemClock());
}

}  // namespace

int RunWorker(int, char**) {
  ConfineProcess(kSocket);
  Socket socket(kSocket);
  auto first = socket.Receive(SystemClock(), std::nullopt);
  if (!first.ok() || first->kind != MessageKind::kSetup) return 1;
  auto setup = UnpackSetup(first->bytes);
  if (!setup.ok()) return 1;
  EndWithConnection(kSocket);
  auto store = OpenObjects(setup->objects_root);
  if (!store.ok()) return 1;
  try {
    MeshDatabase database({.threads = setup->threads,
                           .memory_bytes = int64_t{1} << 30,
                           .temporary_folder = setup->temporary_folder,
                           .local_root = setup->objects_root,
                           .locked = true},
                          **store);
    Worker(database, socket).Serve();
  } catch (const std::exception&) {
    ::_exit(1);
  }
  // Nothing is worth an orderly end: the state is this process's alone.
  ::_exit(0);
}

}  // namespace weft::engine
