// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace weft::ingest {

// Many small octet strings in few allocations. What was added stays where it is.
class Pieces {
 public:
  std::string_view Add(std::string_view bytes) {
    if (pieces_.empty() || pieces_.back().capacity() - pieces_.back().size() < bytes.size()) {
      pieces_.emplace_back().reserve(std::max(kPieceBytes, bytes.size()));
    }
    Bytes& piece = pieces_.back();
    const size_t at = piece.size();
    piece += bytes;
    return std::string_view(piece).substr(at);
  }

 private:
  static constexpr size_t kPieceBytes = size_t{1} << 20;
  // Never grown past their capacity, and so large that moving one leaves its octets in their place.
  std::vector<Bytes> pieces_;
};

}  // namespace weft::ingest
