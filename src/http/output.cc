// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "http/output_internal.h"

namespace weft::http {
namespace {

constexpr size_t kPieceBytes = 64 << 10;  // a piece that has grown so far is left alone
constexpr size_t kSmallBytes = 16 << 10;  // copying these costs less than a piece of their own
constexpr size_t kPiecesMax = 16;

}  // namespace

std::string& Output::Tail() {
  if (pieces_.size() <= fixed_pieces_ || pieces_.back().size() >= kPieceBytes) {
    pieces_.push_back(std::move(spare_));
    spare_ = {};
  }
  return pieces_.back();
}

void Output::Append(std::string bytes) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  if (bytes.size() <= kSmallBytes) {
    Tail().append(bytes);
  } else {
    pieces_.push_back(std::move(bytes));
  }
}

const std::vector<std::string_view>& Output::Front() {
  front_.clear();
  for (const std::string& piece : pieces_) {
    if (front_.size() == kPiecesMax) break;
    std::string_view view = piece;
    if (front_.empty()) view.remove_prefix(written_);
    front_.push_back(view);
  }
  fixed_pieces_ = front_.size();
  return front_;
}

void Output::Consume(size_t bytes) {
  fixed_pieces_ = 0;
  bytes_ -= bytes;
  while (bytes > 0) {
    std::string& piece = pieces_.front();
    size_t taken = std::min(bytes, piece.size() - written_);
    bytes -= taken;
    written_ += taken;
    if (written_ < piece.size()) return;
    written_ = 0;
    if (piece.capacity() <= kPieceBytes) {
      spare_ = std::move(piece);
      spare_.clear();
    }
    pieces_.pop_front();
  }
}

}  // namespace weft::http
