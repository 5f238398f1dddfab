// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "http/wire_internal.h"

namespace weft::http {

std::unique_ptr<Wire> MakePlainWire(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Wire> MakeTlsWire(boost::asio::ip::tcp::socket socket,
                                  boost::asio::ssl::context& context);

}  // namespace weft::http
