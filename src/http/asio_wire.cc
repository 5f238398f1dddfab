// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "http/asio_wire_internal.h"

namespace weft::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

WireEvent EventOf(const ErrorCode& error) {
  if (!error) return WireEvent::kDone;
  return error == asio::error::eof ? WireEvent::kEnded : WireEvent::kFailed;
}

std::string AddressOf(const tcp::socket& socket) {
  ErrorCode error;
  tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) return "";
  std::string host = endpoint.address().to_string();
  if (endpoint.address().is_v6()) host = "[" + host + "]";
  return fmt::format("{}:{}", host, endpoint.port());
}

template <class Stream>
class AsioWire : public Wire {
 public:
  template <class... Arguments>
  explicit AsioWire(tcp::socket socket, Arguments&... arguments)
      : address_(AddressOf(socket)), stream_(std::move(socket), arguments...) {
    ErrorCode ignored;
    stream_.lowest_layer().set_option(tcp::no_delay(true), ignored);
  }

  std::string remote_address() const override { return address_; }

  void Read(std::shared_ptr<WireUser> user, char* to, size_t bytes_max) override {
    stream_.async_read_some(asio::buffer(to, bytes_max),
                            [user = std::move(user)](const ErrorCode& error, size_t bytes) {
                              user->OnRead(EventOf(error), bytes);
                            });
  }

  void Write(std::shared_ptr<WireUser> user, const std::vector<std::string_view>& pieces) override {
    auto written = [user = std::move(user)](const ErrorCode& error, size_t bytes) {
      user->OnWritten(EventOf(error), bytes);
    };
    // The kernel is told of a single piece more cheaply than of a list.
    if (pieces.size() == 1) {
      asio::const_buffer buffer(pieces[0].data(), pieces[0].size());
      return stream_.async_write_some(buffer, std::move(written));
    }
    buffers_.clear();
    for (std::string_view piece : pieces) buffers_.emplace_back(piece.data(), piece.size());
    stream_.async_write_some(buffers_, std::move(written));
  }

  void Close() override {
    ErrorCode ignored;
    stream_.lowest_layer().close(ignored);
  }

  void Reset() override {
    ErrorCode ignored;
    stream_.lowest_layer().set_option(asio::socket_base::linger(true, 0), ignored);
    Close();
  }

 protected:
  std::string address_;
  Stream stream_;
  std::vector<asio::const_buffer> buffers_;
};

class PlainWire final : public AsioWire<tcp::socket> {
 public:
  using AsioWire::AsioWire;
  bool secure() const override { return false; }
  std::string_view protocol() const override { return ""; }
  void Handshake(std::shared_ptr<WireUser> user) override { user->OnHandshake(WireEvent::kDone); }
  void EndWriting(std::shared_ptr<WireUser>) override {
    ErrorCode ignored;
    stream_.shutdown(tcp::socket::shutdown_send, ignored);
  }
};

class TlsWire final : public AsioWire<asio::ssl::stream<tcp::socket>> {
 public:
  using AsioWire::AsioWire;
  bool secure() const override { return true; }
  std::string_view protocol() const override {
    const unsigned char* name = nullptr;
    unsigned bytes = 0;
    SSL_get0_alpn_selected(const_cast<TlsWire*>(this)->stream_.native_handle(), &name, &bytes);
    return {reinterpret_cast<const char*>(name), bytes};
  }
  void Handshake(std::shared_ptr<WireUser> user) override {
    stream_.async_handshake(
        asio::ssl::stream_base::server,
        [user = std::move(user)](const ErrorCode& error) { user->OnHandshake(EventOf(error)); });
  }
  // Sends the farewell and waits for the peer's, which then counts as the end of a read.
  void EndWriting(std::shared_ptr<WireUser> user) override {
    stream_.async_shutdown(
        [user = std::move(user)](const ErrorCode&) { user->OnRead(WireEvent::kEnded, 0); });
  }
};

}  // namespace

std::unique_ptr<Wire> MakePlainWire(tcp::socket socket) {
  return std::make_unique<PlainWire>(std::move(socket));
}

std::unique_ptr<Wire> MakeTlsWire(tcp::socket socket, asio::ssl::context& context) {
  return std::make_unique<TlsWire>(std::move(socket), context);
}

}  // namespace weft::http
