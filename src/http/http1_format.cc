// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <iterator>

#include "http/http1_internal.h"

namespace weft::http {
namespace {

void AppendNumber(std::string& out, int64_t number) {
  char digits[24];
  auto end = std::to_chars(std::begin(digits), std::end(digits), number);
  out.append(digits, end.ptr);
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

void AppendHead(std::string& out, const Response& response, const HeadOut& how) {
  out += "HTTP/1.1 ";
  AppendNumber(out, response.status);
  out.append(" ").append(ReasonOf(response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers) {
    if (IsServersOwn(name)) continue;
    AppendCleanly(out, name);
    out += ": ";
    AppendCleanly(out, value);
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

}  // namespace weft::http
