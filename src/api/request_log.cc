// SPDX-License-Identifier: Apache-2.0
#include "api/request_log.h"

#include "base/logging.h"

namespace weft::api {
namespace {

class LoggedSink final : public http::Reply::Sink {
 public:
  LoggedSink(const http::Request& request, http::Reply reply, const Clock& clock)
      : method_(request.method),
        path_(request.path),
        id_(request.id),
        remote_(request.remote_address),
        reply_(std::move(reply)),
        clock_(clock),
        began_(clock.Elapsed()) {}

  void Send(http::Response response) override {
    Tell(response.status);
    reply_.Send(std::move(response));
  }

  std::unique_ptr<http::BodyWriter> Stream(http::Response head) override {
    Tell(head.status);
    return reply_.Stream(std::move(head));
  }

 private:
  LogLevel LevelOf(int status) const {
    if (status >= 500) return LogLevel::kWarning;
    if (status >= 400) return LogLevel::kInfo;
    const bool records = path_.ends_with("/records") || path_.starts_with("/sink_data");
    const bool reads = method_ == "GET" || method_ == "HEAD" || path_.ends_with("/sql");
    return records || reads ? LogLevel::kDebug : LogLevel::kInfo;
  }

  void Tell(int status) const {
    const LogLevel level = LevelOf(status);
    if (!WouldLog(level)) return;
    Log(level, "api", fmt::format("{} {}", method_, path_),
        {{"status", std::to_string(status)},
         {"request_id", id_},
         {"remote", remote_},
         {"us", std::to_string((clock_.Elapsed() - began_).count())}});
  }

  const std::string method_, path_, id_, remote_;
  const http::Reply reply_;
  const Clock& clock_;
  const microseconds began_;
};

}  // namespace

http::Reply Logged(const http::Request& request, http::Reply reply, const Clock& clock) {
  return http::Reply(std::make_shared<LoggedSink>(request, std::move(reply), clock));
}

}  // namespace weft::api
