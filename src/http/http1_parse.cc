// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>

#include "http/control_internal.h"
#include "http/http1_internal.h"
#include "http/request_head_internal.h"

namespace weft::http {
namespace {

constexpr size_t kChunkLineMax = 1024;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool ListHas(std::string_view list, std::string_view lower) {
  for (size_t at = 0; at <= list.size();) {
    size_t end = std::min(list.find(',', at), list.size());
    if (EqualIgnoringCase(Trim(list.substr(at, end - at)), lower)) return true;
    at = end + 1;
  }
  return false;
}

Refusal LineEndsBadly() { return Malformed("a line of the head does not end in CR LF"); }

// "/path?query", "*", or "http://host/path?query", whose host then counts.
std::optional<Refusal> ParseTarget(std::string_view target, Head& head, std::string_view& host) {
  if (target.starts_with('/')) return TakeTarget(target, head.request);
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!EqualIgnoringCase(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    size_t end = std::min(target.find_first_of("/?"), target.size());
    host = target.substr(0, end);
    if (host.empty() || host.find_first_of("@#") != std::string_view::npos)
      return Malformed("the request target's host is not one");
    target.remove_prefix(end);
    if (!target.starts_with('/')) return TakeTarget("/" + std::string(target), head.request);
    break;
  }
  return TakeTarget(target, head.request);
}

std::optional<Refusal> ParseRequestLine(std::string_view line, Head& head, std::string_view& host) {
  size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return Malformed("the request line is not one of HTTP/1.1");
  std::string_view method = line.substr(0, first), version = line.substr(last + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') {
    return Malformed("the request line is not one of HTTP/1.1");
  }
  if (version[5] != '1' || version[7] < '0' || version[7] > '9') {
    return Refusal{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  head.http10 = version[7] == '0';
  head.keep_alive = !head.http10;
  if (auto refusal = TakeMethod(method, head.request)) return refusal;
  return ParseTarget(line.substr(first + 1, last - first - 1), head, host);
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// The header line that begins at `at` of a head, which `headers` has taken; goes on behind it.
std::optional<Refusal> ParseField(std::span<char> head, size_t& at, HeaderList& headers) {
  const std::string_view text(head.data(), head.size());
  if (IsBlank(head[at])) return Malformed("a folded header line is not taken");
  const size_t name = at;
  for (char lower = 0; at < head.size() && (lower = LowerOfToken(head[at])) != 0; ++at) {
    head[at] = lower;
  }
  const size_t colon = at;
  if (colon == name || colon == head.size() || head[colon] != ':')
    return Malformed("a header line has no proper name");
  if (headers.size() == kHeadersMax) return TooManyHeaders();
  const size_t line_end = FindControl(text, colon + 1);
  at = line_end + 2;
  if (!text.substr(line_end).starts_with("\r\n")) {
    if (line_end == text.size() || text[line_end] == '\n') return LineEndsBadly();
    return Malformed(
        fmt::format("the header {} has a control character", text.substr(name, colon - name)));
  }
  size_t begin = colon + 1, end = line_end;
  while (begin < end && IsBlank(head[begin])) ++begin;
  while (begin < end && IsBlank(head[end - 1])) --end;
  headers.AddPart(name, colon - name, begin, end - begin);
  return std::nullopt;
}

void ReplaceHost(HeaderList& headers, std::string_view host) {
  HeaderList replaced;
  for (const auto& [name, value] : headers) {
    replaced.emplace_back(name, name == "host" ? host : value);
  }
  headers = std::move(replaced);
}

// What the headers say about the message and the connection.
std::optional<Refusal> Interpret(Head& head, std::string_view target_host) {
  int hosts = 0, lengths = 0, codings = 0;
  for (const auto& [name, value] : head.request.headers) {
    if (name == "host") {
      if (++hosts > 1) return Malformed("more than one Host header");
    } else if (name == "content-length") {
      if (++lengths > 1) return Malformed("more than one Content-Length");
      if (auto refusal = ReadLength(value, head.content_length)) return refusal;
    } else if (name == "transfer-encoding") {
      if (++codings > 1) return Malformed("more than one Transfer-Encoding");
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
      if (auto refusal = CheckExpect(value)) return refusal;
      head.expects_continue = !head.http10;
    }
  }
  if (head.chunked && lengths > 0) return Malformed("both Content-Length and Transfer-Encoding");
  if (head.chunked && head.http10) return Malformed("Transfer-Encoding in HTTP/1.0");
  if (hosts == 0 && !head.http10) return Malformed("no Host header");
  if (hosts > 0 && !target_host.empty()) ReplaceHost(head.request.headers, target_host);
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> ParseHead(std::string_view text, Head& head) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r') return LineEndsBadly();
  std::string_view target_host;
  if (auto refusal = ParseRequestLine(text.substr(0, end - 1), head, target_host)) return refusal;
  text.remove_prefix(end + 1);
  HeaderList& headers = head.request.headers;
  const std::span<char> taken(headers.Take(text), text.size());
  for (size_t at = 0; !text.substr(at).starts_with("\r\n");) {
    if (at == text.size()) return LineEndsBadly();
    if (auto refusal = ParseField(taken, at, headers)) return refusal;
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
  return FindControl(line, 0) < line.size() ? State::kBad : State::kEnd;
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
