// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace weft::http {

// What is to be written to a connection: small answers side by side in one piece, large ones as
// they are.
class Output {
 public:
  // Where to append a head or a small body.
  std::string& Tail();
  // Call after appending to Tail().
  void Appended(size_t bytes) { bytes_ += bytes; }
  void Append(std::string bytes);
  bool empty() const { return bytes_ == 0; }
  size_t bytes() const { return bytes_; }
  // The front, as much as one write should take. Nothing is appended to these pieces until Consume.
  const std::vector<std::string_view>& Front();
  void Consume(size_t bytes);

 private:
  std::deque<std::string> pieces_;
  size_t written_ = 0;       // of the first piece
  size_t fixed_pieces_ = 0;  // given out by Front
  size_t bytes_ = 0;
  std::vector<std::string_view> front_;
  std::string spare_;  // storage of the last piece written
};

}  // namespace weft::http
