// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "http/connection_internal.h"

namespace weft::http {
namespace {

constexpr size_t kInputBytes = 8 << 10;
// Where HTTP/2 begins without asking; no request of HTTP/1.x may begin so. What comes behind it is
// for HTTP/2's session to judge.
constexpr std::string_view kHttp2Begins = "PRI * HTTP/2.0";

class Opening final : public Session,
                      public WireUser,
                      public std::enable_shared_from_this<Opening> {
 public:
  explicit Opening(Connection connection) : connection_(std::move(connection)) {}

  void Start() override {
    Expect(options().header_time_max);
    connection_.wire->Handshake(shared_from_this());
  }

  void OnHandshake(WireEvent event) override {
    if (closed_) return;
    if (event != WireEvent::kDone) return Close();
    std::string_view protocol = connection_.wire->protocol();
    if (protocol == "h2") return HandOver(MakeHttp2);
    if (protocol == "http/1.1") return HandOver(MakeHttp1);
    Expect(options().idle_time_max);
    Read();
  }

  void OnRead(WireEvent event, size_t bytes) override {
    if (closed_) return;
    if (event == WireEvent::kFailed) return Close();
    if (in_bytes_ == 0) Expect(options().header_time_max);
    in_bytes_ += bytes;
    std::string_view input(input_.data(), std::min(in_bytes_, kHttp2Begins.size()));
    if (!kHttp2Begins.starts_with(input) || event == WireEvent::kEnded) return HandOver(MakeHttp1);
    if (input.size() == kHttp2Begins.size()) return HandOver(MakeHttp2);
    Read();
  }

  void OnWritten(WireEvent, size_t) override {}
  void Settle() override {}

  void Tick(SteadyTime now) override {
    if (now >= deadline_) Close();
  }
  void Drain() override { Close(); }
  void Cut() override { Close(); }

 private:
  const Server::Options& options() const { return connection_.service.options; }
  void Expect(seconds wait) { deadline_ = std::chrono::steady_clock::now() + wait; }

  void Read() {
    input_.resize(kInputBytes);
    connection_.wire->Read(shared_from_this(), input_.data() + in_bytes_,
                           input_.size() - in_bytes_);
  }

  void HandOver(std::shared_ptr<Session> (*make)(Connection, std::string)) {
    closed_ = true;
    input_.resize(in_bytes_);
    std::shared_ptr<Loop> loop = connection_.loop;
    std::shared_ptr<Session> session = make(std::move(connection_), std::move(input_));
    loop->Add(session);
    loop->Remove(this);
    session->Start();
  }

  void Close() {
    if (closed_) return;
    closed_ = true;
    connection_.wire->Close();
    connection_.count.Release();
    connection_.loop->Remove(this);
  }

  Connection connection_;
  std::string input_;
  size_t in_bytes_ = 0;
  SteadyTime deadline_ = SteadyTime::max();
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<Session> MakeOpening(Connection connection) {
  return std::make_shared<Opening>(std::move(connection));
}

}  // namespace weft::http
