// SPDX-License-Identifier: Apache-2.0
#include "http/connection_internal.h"

namespace weft::http {

LiveConnection::LiveConnection(Connection connection)
    : service_(connection.service),
      loop_(std::move(connection.loop)),
      wire_(std::move(connection.wire)),
      count_(std::move(connection.count)),
      remote_address_(wire_->remote_address()),
      now_(std::chrono::steady_clock::now()) {}

void LiveConnection::StartWrite() {
  if (write_pending_ || out_.empty() || closed_) return;
  write_pending_ = true;
  write_deadline_ = now_ + service_.options.body_time_max;
  wire_->Write(shared_from_this(), out_.Front());
}

void LiveConnection::OnWritten(WireEvent event, size_t bytes) {
  write_pending_ = false;
  write_deadline_ = SteadyTime::max();
  if (closed_) return;
  if (event != WireEvent::kDone) return Close(false);
  out_.Consume(bytes);
  now_ = std::chrono::steady_clock::now();
  Pump();
}

void LiveConnection::Close(bool reset) {
  if (closed_) return;
  closed_ = true;
  if (reset) {
    wire_->Reset();
  } else {
    wire_->Close();
  }
  DropRequests();
  count_.Release();
  loop_->Remove(this);
}

}  // namespace weft::http
