// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <iterator>

#include "http/http1_internal.h"

namespace weft::http {
namespace {

bool EqualIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

bool IsServersOwn(std::string_view name) {
  for (std::string_view own : {"connection", "keep-alive", "content-length", "transfer-encoding",
                               "date", "server", "x-request-id"}) {
    if (EqualIgnoringCase(name, own)) return true;
  }
  return false;
}

// A line break in a value would let whoever chose the value write headers of its own.
void AppendValue(std::string& out, std::string_view value) {
  size_t at = out.size();
  out.append(value);
  for (; at < out.size(); ++at) {
    if ((static_cast<unsigned char>(out[at]) < 0x20 && out[at] != '\t') || out[at] == 0x7f)
      out[at] = ' ';
  }
}

void AppendNumber(std::string& out, int64_t number) {
  char digits[24];
  auto end = std::to_chars(std::begin(digits), std::end(digits), number);
  out.append(digits, end.ptr);
}

void AppendJsonText(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  out += '"';
}

std::string_view CodeOf(int status) {
  if (status == 503 || status == 408) return CodeName(Code::kUnavailable);
  if (status == 501 || status == 505) return CodeName(Code::kNotOffered);
  return CodeName(status >= 500 ? Code::kInternal : Code::kInvalid);
}

}  // namespace

std::string_view ReasonOf(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

bool NeverHasBody(int status) { return status < 200 || status == 204 || status == 304; }

void AppendHead(std::string& out, const Response& response, const HeadOut& how) {
  out += "HTTP/1.1 ";
  AppendNumber(out, response.status);
  out.append(" ").append(ReasonOf(response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers) {
    if (IsServersOwn(name)) continue;
    AppendValue(out, name);
    out += ": ";
    AppendValue(out, value);
    out += "\r\n";
  }
  if (!NeverHasBody(response.status)) {
    if (how.framing == BodyFraming::kLength) {
      out += "content-length: ";
      AppendNumber(out, how.content_length);
      out += "\r\n";
    } else if (how.framing == BodyFraming::kChunked) {
      out += "transfer-encoding: chunked\r\n";
    }
  }
  if (!how.keep_alive) {
    out += "connection: close\r\n";
  } else if (how.http10) {
    out += "connection: keep-alive\r\n";
  }
  out.append("date: ").append(how.date).append("\r\nserver: weft\r\nx-request-id: ");
  out.append(how.id).append("\r\n\r\n");
}

Response RefusalResponse(const Refusal& refusal, std::string_view request_id) {
  Response response;
  response.status = refusal.status;
  response.headers.emplace_back("content-type", "application/json");
  if (refusal.status == 503) response.headers.emplace_back("retry-after", "1");
  response.body = "{\"code\":";
  AppendJsonText(response.body, CodeOf(refusal.status));
  response.body += ",\"message\":";
  AppendJsonText(response.body, refusal.message);
  response.body += ",\"request_id\":";
  AppendJsonText(response.body, request_id);
  response.body += "}";
  return response;
}

}  // namespace weft::http
