// SPDX-License-Identifier: Apache-2.0
// put: sends files of any size in parts, each its own unit, and counts.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "cli/commands.h"
#include "cli/record_parts.h"
#include "cli/upload.h"
#include "codec/url.h"
#include "engine/duckdb_engine.h"

namespace weft::cli {
namespace {

using nlohmann::json;

constexpr int64_t kPartBytes = int64_t{8} << 20;
constexpr size_t kErrorsShown = 10;
constexpr int kTriesMax = 60;       // of one part that the server throttles
constexpr int kBrokenTriesMax = 5;  // of one part whose answer did not come

struct Totals {
  int64_t accepted = 0, quarantined = 0;
  json errors = json::array();
  int64_t errors_total = 0;
};

class Sender {
 public:
  Sender(Connection& connection, const PutOptions& options, const Upload& upload)
      : connection_(connection), upload_(upload) {
    path_ = "/api/v1/products/" + Segment(options.product) + "/records";
    if (!options.schema.empty()) query_ = "schema=" + codec::PercentEncode(options.schema);
  }

  Status Send(RecordParts::Part part, Progress& progress) {
    http::Response response = TRY(SendUntilAnswered(part));
    json answer = json::parse(response.body, nullptr, false);
    if (answer.is_object() && answer.contains("errors")) Count(answer, part.first_record);
    if (response.status >= 400) return Fail(ErrorOf(response));
    ++part_;
    progress.Advance(part.source_bytes);
    return {};
  }

  const Totals& totals() const { return totals_; }

 private:
  // The part has a key, so that sending it again never doubles a record.
  Result<http::Response> SendUntilAnswered(const RecordParts::Part& part) {
    for (int broken = 0, throttled = 0;;) {
      auto response = SendOnce(part);
      const bool lost = !response.ok() && response.error().code() == Code::kUnavailable;
      if (lost || (response.ok() && response->status == 503)) {
        // A server that never answered is not there at all.
        if (!answered_ || ++broken >= kBrokenTriesMax) return response;
        std::this_thread::sleep_for(seconds(broken));
        continue;
      }
      answered_ = true;
      if (!response.ok() || response->status != 429 || ++throttled >= kTriesMax) return response;
      const std::string wait(http::FindHeader(response->headers, "retry-after"));
      std::this_thread::sleep_for(seconds(std::clamp(std::atoi(wait.c_str()), 1, 10)));
    }
  }

  Result<http::Response> SendOnce(const RecordParts::Part& part) {
    return connection_.Send({.method = "POST",
                             .path = path_,
                             .query = query_,
                             .content_type = part.content_type,
                             .accept = "",
                             .idempotency_key = upload_.KeyOf(part_),
                             .body = part.body});
  }

  void Count(json& answer, int64_t first_record) {
    totals_.accepted += answer.value("accepted", int64_t{0});
    totals_.quarantined += answer.value("quarantined", int64_t{0});
    totals_.errors_total += answer.value("errors_total", int64_t{0});
    for (auto& error : answer["errors"]) {
      if (totals_.errors.size() >= kErrorsShown) break;
      error["index"] = first_record + error.value("index", int64_t{0});
      totals_.errors.push_back(error);
    }
  }

  Connection& connection_;
  const Upload& upload_;
  std::string path_, query_;
  int64_t part_ = 0;
  bool answered_ = false;
  Totals totals_;
};

Status SendDescriptor(int descriptor, const std::string& name, FileFormat format, Sender& sender,
                      bool quiet) {
  struct stat status {};
  int64_t total = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
  Progress progress(name, total, quiet);
  RecordParts parts(format, kPartBytes,
                    [&](RecordParts::Part part) { return sender.Send(std::move(part), progress); });
  Bytes buffer(size_t{1} << 20, '\0');
  for (;;) {
    ssize_t got = read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(SystemError("read " + name, errno));
    if (got == 0) return parts.Finish();
    TRY(parts.Feed(std::string_view(buffer.data(), static_cast<size_t>(got))));
  }
}

Status SendParquet(const std::string& file, Sender& sender, bool quiet) {
  Progress progress(file, 0, quiet);
  RecordParts parts(FileFormat::kNdjson, kPartBytes,
                    [&](RecordParts::Part part) { return sender.Send(std::move(part), progress); });
  TRY(engine::ReadParquetFile(file, [&](BytesView lines, int64_t) { return parts.Feed(lines); }));
  return parts.Finish();
}

Result<FileFormat> FormatOf(const std::string& file, const std::string& given) {
  if (given.empty())
    return file == "-" ? Result<FileFormat>(FileFormat::kNdjson) : FormatOfName(file);
  FileFormat format = TRY(ParseFileFormat(given));
  if (format == FileFormat::kParquet && file == "-") {
    return Fail(Code::kInvalid, "usage: Parquet is read from a file, not from standard input");
  }
  return format;
}

Status SendFile(const std::string& file, FileFormat format, Sender& sender, bool quiet) {
  if (format == FileFormat::kParquet) return SendParquet(file, sender, quiet);
  if (file == "-") return SendDescriptor(STDIN_FILENO, "-", format, sender, quiet);
  int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Fail(SystemError("open " + file, errno));
  Status sent = SendDescriptor(descriptor, file, format, sender, quiet);
  close(descriptor);
  return sent;
}

std::string ErrorLines(const Totals& totals) {
  std::string out;
  for (const auto& error : totals.errors) {
    out += fmt::format("\n  record {}: {} {}", error.value("index", int64_t{0}),
                       Printable(error.value("field", "")), Printable(error.value("reason", "")));
  }
  const int64_t more = totals.errors_total - static_cast<int64_t>(totals.errors.size());
  if (more > 0) out += fmt::format("\n  and {} more", more);
  return out;
}

// The same words for the same files at the same server, which the key tells from others, are the
// same upload: a server may come back under another address.
Result<Upload> OpenUpload(const Context& context, const PutOptions& options) {
  const Access access = TRY(FindAccess(context.data_folder));
  json what = {access.key.access_key_id, options.product, options.schema, options.format};
  for (const auto& file : options.files) {
    if (file == "-") return Upload::Unnamed();
    std::unique_ptr<char, decltype(&std::free)> path(realpath(file.c_str(), nullptr), &std::free);
    what.push_back(path == nullptr ? file : std::string(path.get()));
  }
  return Upload::Open(what.dump(), options.restart);
}

}  // namespace

Status Put(const Context& context, const PutOptions& options) {
  // What is wrong with the words is said before anything is sent.
  std::vector<FileFormat> formats;
  for (const auto& file : options.files) formats.push_back(TRY(FormatOf(file, options.format)));
  auto connection = TRY(context.Connect());
  Upload upload = TRY(OpenUpload(context, options));
  if (upload.continues()) {
    context.output.Note("this upload was broken off before: what was taken is not stored again");
  }
  Sender sender(connection, options, upload);
  for (size_t i = 0; i < options.files.size(); ++i) {
    const std::string& file = options.files[i];
    Status sent = SendFile(file, formats[i], sender, context.output.json);
    if (sent.ok()) continue;
    const Totals& totals = sender.totals();
    return Fail(
        sent.error().code(),
        fmt::format("{}: {}{}\naccepted before that: {}, quarantined: {}{}", file,
                    sent.error().message(), ErrorLines(totals), totals.accepted, totals.quarantined,
                    upload.kept() ? "; the same command goes on from there" : ""));
  }
  upload.Finish();
  const Totals& totals = sender.totals();
  if (context.output.json) {
    context.output.Result(json{
        {"accepted", totals.accepted},
        {"quarantined", totals.quarantined},
        {"errors", totals.errors},
        {"errors_total",
         totals.errors_total}}.dump());
  } else {
    context.output.Result(
        fmt::format("accepted {}, quarantined {}", totals.accepted, totals.quarantined));
    if (totals.quarantined > 0) {
      context.output.Note(fmt::format("bad records:{}\nsee: weft quarantine ls {}",
                                      ErrorLines(totals), options.product));
    }
  }
  return {};
}

}  // namespace weft::cli
