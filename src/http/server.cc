// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <openssl/ssl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <vector>

#include "base/logging.h"
#include "http/asio_wire_internal.h"
#include "http/connection_internal.h"
#include "http/http1_internal.h"
#include "http/loop_internal.h"
#include "http/service_internal.h"

namespace weft::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// How long to wait after accept has failed: for want of descriptors it would fail again at once.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

// Of the protocols that a client offers over TLS, the newest that is spoken here; a client that
// offers none of them is told nothing, and looked at by what it sends.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes,
                   const unsigned char* offered, unsigned offered_bytes, void*) {
  static constexpr unsigned char kSpoken[] = "\x02h2\x08http/1.1";
  unsigned char* found = nullptr;
  int outcome = SSL_select_next_proto(&found, chosen_bytes, kSpoken, sizeof kSpoken - 1, offered,
                                      offered_bytes);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

class AsioServer final : public Server {
 public:
  AsioServer(Options options, Handler handler, Random& random, Metrics& metrics)
      : service_(std::move(options), std::move(handler), metrics) {
    for (int i = 0; i < service_.options.io_threads; ++i) {
      loops_.push_back(std::make_shared<Loop>(i, service_.options.io_threads, random));
    }
    acceptor_ = std::make_unique<tcp::acceptor>(loops_[0]->io());
    accept_pause_ = std::make_unique<asio::steady_timer>(loops_[0]->io());
  }
  ~AsioServer() override { Stop(seconds(0)); }

  Status Start() {
    TRY(ReadCertificate());
    TRY(Listen());
    for (auto& loop : loops_) loop->Start();
    asio::post(loops_[0]->io(), [this] { Accept(); });
    return {};
  }

  int port() const override { return port_; }

  void Stop(seconds grace) override {
    std::lock_guard only_once(stop_mutex_);
    if (stopped_) return;
    stopped_ = true;
    stopping_ = true;
    if (!started_) return;
    OnLoop(0, [this] {
      ErrorCode ignored;
      acceptor_->close(ignored);
      accept_pause_->cancel();
    });
    auto deadline = std::chrono::steady_clock::now() + grace;
    for (size_t i = 0; i < loops_.size(); ++i) OnLoop(i, [this, i] { loops_[i]->DrainAll(); });
    while (service_.metrics.connections() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    service_.cut = true;
    for (size_t i = 0; i < loops_.size(); ++i) OnLoop(i, [this, i] { loops_[i]->CutAll(); });
    service_.pool.Stop();
    for (auto& loop : loops_) loop->Finish();
  }

 private:
  void OnLoop(size_t index, const std::function<void()>& work) {
    std::promise<void> done;
    asio::post(loops_[index]->io(), [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  Status ReadCertificate() {
    const Options& options = service_.options;
    if (options.certificate_file.empty() != options.key_file.empty()) {
      return Fail(Code::kInvalid, "TLS needs both a certificate file and a key file");
    }
    if (options.certificate_file.empty()) return {};
    tls_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    ErrorCode error;
    tls_->use_certificate_chain_file(options.certificate_file, error);
    if (error)
      return Fail(Code::kInvalid, fmt::format("certificate file {}: {}", options.certificate_file,
                                              error.message()));
    tls_->use_private_key_file(options.key_file, asio::ssl::context::pem, error);
    if (error)
      return Fail(Code::kInvalid,
                  fmt::format("key file {}: {}", options.key_file, error.message()));
    SSL_CTX* native = tls_->native_handle();
    if (SSL_CTX_check_private_key(native) != 1)
      return Fail(Code::kInvalid, "the TLS key is not the certificate's");
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(native, ChooseProtocol, nullptr);
    return {};
  }

  Status Listen() {
    const Options& options = service_.options;
    ErrorCode error;
    tcp::resolver resolver(loops_[0]->io());
    auto found = resolver.resolve(options.host, std::to_string(options.port),
                                  tcp::resolver::passive | tcp::resolver::numeric_service, error);
    if (error || found.empty()) {
      return Fail(Code::kUnavailable,
                  fmt::format("cannot listen on {}: {}", options.host, error.message()));
    }
    tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return Fail(Code::kUnavailable, fmt::format("cannot listen on {}:{}: {}", options.host,
                                                  options.port, error.message()));
    }
    port_ = acceptor_->local_endpoint().port();
    started_ = true;
    return {};
  }

  // Connections go to the io threads in turn.
  void Accept() {
    if (!acceptor_->is_open()) return;
    size_t index = next_loop_++ % loops_.size();
    acceptor_->async_accept(loops_[index]->io(),
                            [this, index](const ErrorCode& error, tcp::socket socket) {
                              if (error == asio::error::operation_aborted || !acceptor_->is_open())
                                return;
                              if (error) {
                                // A client that left while it waited costs nothing; else the
                                // machine lacks something.
                                if (error == asio::error::connection_aborted) return Accept();
                                if (!accept_failing_) {
                                  Log(LogLevel::kWarning, "http", "cannot accept connections",
                                      {{"error", error.message()}});
                                }
                                accept_failing_ = true;
                                accept_pause_->expires_after(kAcceptPause);
                                accept_pause_->async_wait([this](const ErrorCode& stopped) {
                                  if (!stopped) Accept();
                                });
                                return;
                              }
                              accept_failing_ = false;
                              Take(index, std::move(socket));
                              Accept();
                            });
  }

  void Take(size_t index, tcp::socket socket) {
    if (waiting_ + service_.metrics.connections() >= service_.options.connections_max) {
      return Refuse(std::move(socket));
    }
    ++waiting_;
    auto shared = std::make_shared<tcp::socket>(std::move(socket));
    asio::post(loops_[index]->io(), [this, index, shared] {
      auto wire = tls_ ? MakeTlsWire(std::move(*shared), *tls_) : MakePlainWire(std::move(*shared));
      auto opening = MakeOpening({.service = service_,
                                  .loop = loops_[index],
                                  .wire = std::move(wire),
                                  .count = ConnectionCount(service_.metrics)});
      loops_[index]->Add(opening);
      opening->Start();
      --waiting_;
      if (stopping_) opening->Drain();
    });
  }

  // Says why, as far as that goes without waiting.
  void Refuse(tcp::socket socket) {
    if (!tls_) {
      RequestId id = loops_[0]->NextId();
      std::string_view name(id.data(), id.size());
      Response response = RefusalResponse({503, "too many connections: try again soon"}, name);
      std::string out;
      AppendHead(out, response,
                 {.id = name,
                  .date = loops_[0]->date(),
                  .content_length = static_cast<int64_t>(response.body.size()),
                  .keep_alive = false});
      out += response.body;
      ErrorCode ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(out), ignored);
      socket.shutdown(tcp::socket::shutdown_send, ignored);
    }
  }

  Service service_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::unique_ptr<asio::ssl::context> tls_;
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::unique_ptr<asio::steady_timer> accept_pause_;
  size_t next_loop_ = 0;
  bool accept_failing_ = false;
  std::atomic<int> waiting_ = 0;  // accepted and not yet counted
  std::atomic<bool> stopping_ = false;
  int port_ = 0;
  bool started_ = false;
  std::mutex stop_mutex_;  // guards what follows
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Open(Options options, Handler handler, Random& random,
                                             Metrics& metrics) {
  auto server =
      std::make_unique<AsioServer>(std::move(options), std::move(handler), random, metrics);
  TRY(server->Start());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace weft::http
