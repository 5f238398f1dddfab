// SPDX-License-Identifier: Apache-2.0
#include "api/request_log.h"

#include "base/logging.h"

namespace weft::api {
namespace {

// What an answer of success is told at: the many are for who looks closely.
LogLevel LevelOf(const http::Request& request) {
  const std::string& path = request.path;
  const bool records = path.ends_with("/records") || path.starts_with("/sink_data");
  const bool reads = request.method == "GET" || request.method == "HEAD" || path.ends_with("/sql");
  return records || reads ? LogLevel::kDebug : LogLevel::kInfo;
}

class LoggedSink final : public http::Reply::Sink {
 public:
  LoggedSink(const http::Request& request, http::Reply reply, const Clock& clock)
      : level_(LevelOf(request)),
        reply_(std::move(reply)),
        clock_(clock),
        began_(clock.Elapsed()),
        line_bytes_(request.method.size() + 1 + request.path.size()),
        id_bytes_(request.id.size()) {
    texts_.reserve(line_bytes_ + id_bytes_ + request.remote_address.size());
    texts_.append(request.method).append(" ").append(request.path);
    texts_.append(request.id).append(request.remote_address);
  }

  void Send(http::Response&& response) override {
    Tell(response.status);
    reply_.Send(std::move(response));
  }

  std::unique_ptr<http::BodyWriter> Stream(http::Response head) override {
    Tell(head.status);
    return reply_.Stream(std::move(head));
  }

 private:
  void Tell(int status) const {
    const LogLevel level = status >= 500   ? LogLevel::kWarning
                           : status >= 400 ? LogLevel::kInfo
                                           : level_;
    if (!WouldLog(level)) return;
    Log(level, "api", texts_.substr(0, line_bytes_),
        {{"status", std::to_string(status)},
         {"request_id", texts_.substr(line_bytes_, id_bytes_)},
         {"remote", texts_.substr(line_bytes_ + id_bytes_)},
         {"us", std::to_string((clock_.Elapsed() - began_).count())}});
  }

  const LogLevel level_;
  const http::Reply reply_;
  const Clock& clock_;
  const microseconds began_;
  // One behind the other: "METHOD PATH", the request's id, the client's address.
  std::string texts_;
  const size_t line_bytes_, id_bytes_;
};

}  // namespace

http::Reply Logged(const http::Request& request, http::Reply reply, const Clock& clock) {
  return http::Reply(std::make_shared<LoggedSink>(request, std::move(reply), clock));
}

}  // namespace weft::api
