// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "http/body_intake_internal.h"

namespace weft::http {
namespace {

constexpr int64_t kRoomBytesMax = 256 << 10;

}  // namespace

std::optional<Refusal> BodyIntake::Start(BodyPlan plan, int64_t bytes_said) {
  plan_ = plan;
  bytes_ = 0;
  full_ = in_place_ = false;
  stream_.reset();
  if (bytes_said > plan_.bytes_max) return TooLong();
  return std::nullopt;
}

Refusal BodyIntake::TooLong() const {
  return {413,
          fmt::format("the body is longer than {} bytes{}", plan_.bytes_max, plan_.too_long_hint)};
}

std::optional<Refusal> BodyIntake::Take(BytesView piece, Bytes& whole) {
  if (piece.empty()) return std::nullopt;
  bytes_ += static_cast<int64_t>(piece.size());
  if (bytes_ > plan_.bytes_max) return TooLong();
  if (stream_) {
    full_ = !stream_->Push(piece);
  } else {
    whole.append(piece);
  }
  return std::nullopt;
}

std::span<char> BodyIntake::Room(Bytes& whole, int64_t left) {
  const auto taken = static_cast<size_t>(bytes_);
  if (whole.size() == taken)
    whole.resize(taken + static_cast<size_t>(std::min(left, kRoomBytesMax)));
  in_place_ = true;
  return std::span(whole).subspan(taken);
}

void BodyIntake::End(Bytes& whole) {
  if (auto stream = std::exchange(stream_, nullptr)) return stream->End(std::nullopt);
  if (whole.capacity() < whole.size() + kBodyPaddingBytes) {
    whole.reserve(whole.size() + kBodyPaddingBytes);
  }
}

void BodyIntake::Fail(Error error) {
  if (auto stream = std::exchange(stream_, nullptr)) stream->End(std::move(error));
}

}  // namespace weft::http
