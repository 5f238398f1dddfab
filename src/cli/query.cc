// SPDX-License-Identifier: Apache-2.0
// query: one statement, or on a terminal a prompt.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/units.h"
#include "cli/commands.h"

namespace weft::cli {
namespace {

using nlohmann::json;

constexpr size_t kWidthSample = 1000;  // rows that decide how wide a table's columns are

// Takes CSV apart as it comes: quoted fields may hold commas, quotes and line ends.
class CsvRows {
 public:
  using OnRow = std::function<void(std::vector<std::string>)>;
  explicit CsvRows(OnRow on_row) : on_row_(std::move(on_row)) {}

  void Feed(BytesView bytes) {
    for (char c : bytes) {
      if (quoted_) {
        if (c == '"') {
          quoted_ = false;
          after_quote_ = true;
        } else {
          field_ += c;
        }
        continue;
      }
      if (c == '"') {
        if (after_quote_) field_ += '"';
        quoted_ = true;
        after_quote_ = false;
        continue;
      }
      after_quote_ = false;
      if (c == ',') {
        EndField();
      } else if (c == '\n') {
        EndField();
        on_row_(std::exchange(row_, {}));
      } else if (c != '\r') {
        field_ += c;
      }
    }
  }

 private:
  void EndField() { row_.push_back(Printable(std::exchange(field_, {}))); }

  const OnRow on_row_;
  std::vector<std::string> row_;
  std::string field_;
  bool quoted_ = false, after_quote_ = false;
};

// Prints rows as tables of up to kWidthSample rows each.
class TablePrinter {
 public:
  explicit TablePrinter(const Output& output)
      : output_(output), rows_([this](std::vector<std::string> row) { Take(std::move(row)); }) {}
  void Feed(BytesView bytes) { rows_.Feed(bytes); }
  void Finish() {
    if (table_) Print();
    output_.Note(fmt::format("({} {})", count_, count_ == 1 ? "row" : "rows"));
  }

 private:
  void Take(std::vector<std::string> row) {
    if (!table_) {
      header_ = row;
      table_.emplace(std::move(row));
      return;
    }
    if (row.size() != header_.size()) return;
    ++count_;
    table_->Add(std::move(row));
    if (table_->size() >= kWidthSample) {
      Print();
      table_.emplace(header_);
      printed_ = true;
    }
  }
  void Print() {
    if (printed_ && table_->size() == 0) return;
    output_.Result(table_->Text());
  }

  const Output& output_;
  CsvRows rows_;
  std::vector<std::string> header_;
  std::optional<TextTable> table_;
  int64_t count_ = 0;
  bool printed_ = false;
};

Connection::Sent RequestOf(const json& body, const char* accept) {
  return {.method = "POST",
          .path = "/api/v1/sql",
          .query = "",
          .content_type = "application/json",
          .accept = accept,
          .body = body.dump()};
}

// All or nothing: the answer waits in a file without a name until it is whole.
Status PrintWhole(Connection& connection, const json& body) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  if (!file) return Fail(SystemError("make a temporary file", errno));
  auto response =
      TRY(connection.Send(RequestOf(body, "application/json"), [&](BytesView piece) -> Status {
        if (std::fwrite(piece.data(), 1, piece.size(), file.get()) == piece.size()) return {};
        return Fail(SystemError("write a temporary file", errno));
      }));
  if (response.status >= 400) return Fail(ErrorOf(response));
  std::rewind(file.get());
  char buffer[65536];
  char last = '\n';
  for (size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) {
    std::fwrite(buffer, 1, got, stdout);
    last = buffer[got - 1];
  }
  if (last != '\n') std::fputc('\n', stdout);
  return {};
}

Status PrintStream(Connection& connection, const json& body, const char* accept) {
  auto response = TRY(connection.Send(RequestOf(body, accept), [](BytesView piece) -> Status {
    if (std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size()) return {};
    return Fail(Code::kUnavailable, "standard output is closed");
  }));
  if (response.status >= 400) return Fail(ErrorOf(response));
  return {};
}

Status PrintTable(const Context& context, Connection& connection, const json& body) {
  TablePrinter printer(context.output);
  auto response = TRY(connection.Send(RequestOf(body, "text/csv"), [&](BytesView piece) -> Status {
    printer.Feed(piece);
    return {};
  }));
  if (response.status >= 400) return Fail(ErrorOf(response));
  printer.Finish();
  return {};
}

Status Prompt(const Context& context, Connection& connection, const json& limits) {
  std::fprintf(stderr, "SQL, each statement ended by ';'. Ctrl-D leaves.\n");
  std::string statement;
  for (;;) {
    std::fprintf(stderr, statement.empty() ? "weft> " : "  ... ");
    std::string line;
    if (!std::getline(std::cin, line)) break;
    statement += line + "\n";
    size_t last = statement.find_last_not_of(" \t\r\n");
    if (last == std::string::npos) {
      statement.clear();
      continue;
    }
    if (statement[last] != ';') continue;
    json body = limits;
    body["sql"] = statement.substr(0, last);
    statement.clear();
    Status done = PrintTable(context, connection, body);
    std::fflush(stdout);
    if (!done.ok()) (void)context.output.Failed(done.error());
  }
  std::fprintf(stderr, "\n");
  return {};
}

}  // namespace

Status Query(const Context& context, const QueryOptions& options) {
  if (context.output.json && (options.csv || options.ndjson)) {
    return Fail(Code::kInvalid, "usage: --json, --csv and --ndjson exclude each other");
  }
  if (options.rows_max < 0) return Fail(Code::kInvalid, "usage: --rows-max is 1 or more");
  json body = json::object();
  if (options.rows_max > 0) body["rows_max"] = options.rows_max;
  if (!options.time_max.empty()) {
    auto time_max = ParseDuration(options.time_max);
    if (!time_max.ok())
      return Fail(Code::kInvalid, "usage: --time-max: " + time_max.error().message());
    body["time_max_ms"] = time_max->count();
  }
  auto connection = TRY(context.Connect());
  if (options.sql.empty()) {
    if (isatty(STDIN_FILENO) == 1) return Prompt(context, connection, body);
    body["sql"] = std::string(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    body["sql"] = options.sql;
  }
  if (context.output.json) return PrintWhole(connection, body);
  if (options.csv) return PrintStream(connection, body, "text/csv");
  if (options.ndjson) return PrintStream(connection, body, "application/x-ndjson");
  return PrintTable(context, connection, body);
}

}  // namespace weft::cli
