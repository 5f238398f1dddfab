// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "http/http1_internal.h"

namespace weft::http {
namespace {

constexpr size_t kHeadersMax = 256;
constexpr size_t kChunkLineMax = 1024;

constexpr std::array<bool, 256> kToken = [] {
  std::array<bool, 256> set{};
  for (char c = 'a'; c <= 'z'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) set[static_cast<unsigned char>(c)] = true;
  return set;
}();

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

bool IsControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool EqualIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(),
                                                   [](char a, char b) { return Lower(a) == b; });
}

bool ListHas(std::string_view list, std::string_view lower) {
  for (size_t at = 0; at <= list.size();) {
    size_t end = std::min(list.find(',', at), list.size());
    if (EqualIgnoringCase(Trim(list.substr(at, end - at)), lower)) return true;
    at = end + 1;
  }
  return false;
}

Refusal Bad(std::string message) { return {400, std::move(message)}; }

// "/path?query", "*", or "http://host/path?query", whose host then counts.
std::optional<Refusal> ParseTarget(std::string_view target, Head& head, std::string_view& host) {
  for (char c : target) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '#') {
      return Bad("the request target has a character that may not be in it");
    }
  }
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!EqualIgnoringCase(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    size_t end = std::min(target.find_first_of("/?"), target.size());
    host = target.substr(0, end);
    if (host.empty() || host.find('@') != std::string_view::npos)
      return Bad("the request target's host is not one");
    target.remove_prefix(end);
    break;
  }
  size_t mark = std::min(target.find('?'), target.size());
  head.request.path = target.substr(0, mark);
  if (mark < target.size()) head.request.query = target.substr(mark + 1);
  if (head.request.path.empty() && !host.empty()) head.request.path = "/";
  bool asterisk = head.request.path == "*" && head.request.method == "OPTIONS";
  if (head.request.path.starts_with('/') || asterisk) return std::nullopt;
  return Bad("the request target must begin with a slash");
}

std::optional<Refusal> ParseRequestLine(std::string_view line, Head& head, std::string_view& host) {
  size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return Bad("the request line is not one of HTTP/1.1");
  std::string_view method = line.substr(0, first), version = line.substr(last + 1);
  if (!IsToken(method) || method.size() > 32) return Bad("the method is not a token");
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') {
    return Bad("the request line is not one of HTTP/1.1");
  }
  if (version[5] != '1' || version[7] < '0' || version[7] > '9') {
    return Refusal{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  head.http10 = version[7] == '0';
  head.keep_alive = !head.http10;
  head.request.method = method;
  return ParseTarget(line.substr(first + 1, last - first - 1), head, host);
}

std::optional<Refusal> ParseField(std::string_view line, HeaderList& headers) {
  if (line.front() == ' ' || line.front() == '\t') return Bad("a folded header line is not taken");
  size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    return Bad("a header line has no proper name");
  }
  if (headers.size() == kHeadersMax)
    return Refusal{431, fmt::format("more than {} headers", kHeadersMax)};
  auto& [name, value] = headers.emplace_back();
  name.assign(line.substr(0, colon));
  for (char& c : name) c = Lower(c);
  std::string_view text = Trim(line.substr(colon + 1));
  if (std::any_of(text.begin(), text.end(), IsControl)) {
    return Bad(fmt::format("the header {} has a control character", name));
  }
  value.assign(text);
  return std::nullopt;
}

std::optional<Refusal> ReadLength(std::string_view text, int64_t& length) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return Bad("Content-Length is not a number");
  }
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  if (text.size() > 18) return Refusal{413, "the body is longer than anything taken here"};
  length = 0;
  for (char c : text) length = length * 10 + (c - '0');
  return std::nullopt;
}

// What the headers say about the message and the connection.
std::optional<Refusal> Interpret(Head& head, std::string_view target_host) {
  int hosts = 0, lengths = 0, codings = 0;
  for (auto& [name, value] : head.request.headers) {
    if (name == "host") {
      if (++hosts > 1) return Bad("more than one Host header");
      if (!target_host.empty()) value = target_host;
    } else if (name == "content-length") {
      if (++lengths > 1) return Bad("more than one Content-Length");
      if (auto refusal = ReadLength(value, head.content_length)) return refusal;
    } else if (name == "transfer-encoding") {
      if (++codings > 1) return Bad("more than one Transfer-Encoding");
      if (!EqualIgnoringCase(value, "chunked")) {
        return Refusal{501, "no Transfer-Encoding but chunked is taken"};
      }
      head.chunked = true;
    } else if (name == "connection") {
      if (ListHas(value, "close"))
        head.keep_alive = false;
      else if (head.http10 && ListHas(value, "keep-alive"))
        head.keep_alive = true;
    } else if (name == "expect") {
      if (!EqualIgnoringCase(value, "100-continue")) {
        return Refusal{417, "no expectation but 100-continue can be met"};
      }
      head.expects_continue = !head.http10;
    }
  }
  if (head.chunked && lengths > 0) return Bad("both Content-Length and Transfer-Encoding");
  if (head.chunked && head.http10) return Bad("Transfer-Encoding in HTTP/1.0");
  if (hosts == 0 && !head.http10) return Bad("no Host header");
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> ParseHead(std::string_view text, Head& head) {
  std::string_view target_host;
  head.request.headers.reserve(12);
  for (bool first = true;; first = false) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r') {
      return Bad("a line of the head does not end in CR LF");
    }
    std::string_view line = text.substr(0, end - 1);
    text.remove_prefix(end + 1);
    if (line.empty() && !first) break;
    auto refusal =
        first ? ParseRequestLine(line, head, target_host) : ParseField(line, head.request.headers);
    if (refusal) return refusal;
  }
  return Interpret(head, target_host);
}

void BodyDecoder::StartLength(int64_t bytes) {
  chunked_ = false;
  part_ = Part::kData;
  left_ = bytes;
}

void BodyDecoder::StartChunked(int64_t trailer_bytes_max) {
  chunked_ = true;
  part_ = Part::kSize;
  left_ = 0;
  trailer_left_ = trailer_bytes_max;
  line_.clear();
}

// A line up to CR LF, which may come in parts; kEnd when `line` is whole.
BodyDecoder::State BodyDecoder::TakeLine(std::string_view& input, std::string_view& line) {
  size_t end = input.find('\n');
  size_t taken = end == std::string_view::npos ? input.size() : end + 1;
  if (line_.size() + taken > kChunkLineMax) return State::kBad;
  line_.append(input.substr(0, taken));
  input.remove_prefix(taken);
  if (end == std::string_view::npos) return State::kMore;
  if (line_.size() < 2 || line_[line_.size() - 2] != '\r') return State::kBad;
  line = std::string_view(line_).substr(0, line_.size() - 2);
  return std::any_of(line.begin(), line.end(), IsControl) ? State::kBad : State::kEnd;
}

BodyDecoder::State BodyDecoder::TakeSize(std::string_view& input) {
  std::string_view line;
  if (State state = TakeLine(input, line); state != State::kEnd) return state;
  size_t digits = 0;
  left_ = 0;
  for (; digits < line.size(); ++digits) {
    char c = Lower(line[digits]);
    int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (value < 0) break;
    if (digits == 15) return State::kBad;
    left_ = left_ * 16 + value;
  }
  // After the size only an extension may come, which says nothing to us.
  std::string_view rest = Trim(line.substr(digits));
  if (digits == 0 || (!rest.empty() && rest.front() != ';')) return State::kBad;
  line_.clear();
  part_ = left_ == 0 ? Part::kTrailer : Part::kData;
  return State::kMore;
}

BodyDecoder::State BodyDecoder::Feed(std::string_view& input, std::string_view& piece) {
  piece = {};
  if (!chunked_) {
    piece = input.substr(
        0, static_cast<size_t>(std::min<int64_t>(left_, static_cast<int64_t>(input.size()))));
    input.remove_prefix(piece.size());
    left_ -= static_cast<int64_t>(piece.size());
    return left_ == 0 ? State::kEnd : State::kMore;
  }
  if (input.empty()) return State::kMore;
  std::string_view line;
  State state = State::kMore;
  switch (part_) {
    case Part::kSize:
      return TakeSize(input);
    case Part::kData:
      piece = input.substr(
          0, static_cast<size_t>(std::min<int64_t>(left_, static_cast<int64_t>(input.size()))));
      input.remove_prefix(piece.size());
      left_ -= static_cast<int64_t>(piece.size());
      if (left_ == 0) part_ = Part::kDataEnd;
      return State::kMore;
    case Part::kDataEnd:
      if (state = TakeLine(input, line); state == State::kMore && line_ != "\r") return State::kBad;
      if (state != State::kEnd) return state;
      if (!line.empty()) return State::kBad;
      line_.clear();
      part_ = Part::kSize;
      return State::kMore;
    case Part::kTrailer:
      if (state = TakeLine(input, line); state != State::kEnd) return state;
      if (line.empty()) return State::kEnd;
      trailer_left_ -= static_cast<int64_t>(line.size()) + 2;
      if (trailer_left_ < 0 || line.find(':') == std::string_view::npos) return State::kBad;
      line_.clear();
      return State::kMore;
  }
  return State::kBad;
}

}  // namespace weft::http
