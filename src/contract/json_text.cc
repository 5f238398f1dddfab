// SPDX-License-Identifier: Apache-2.0
#include "contract/json_text.h"

#include <algorithm>
#include <map>
#include <vector>

#include "contract/decimal.h"

namespace weft::contract {
namespace {

constexpr Reason kLoneSurrogate = "has a lone surrogate";

bool ReadHex4(std::string_view text, uint32_t& out) {
  if (text.size() < 4) return false;
  out = 0;
  for (size_t i = 0; i < 4; ++i) {
    char c = text[i];
    uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      digit = static_cast<uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      return false;
    }
    out = out << 4 | digit;
  }
  return true;
}

size_t PutUtf8(uint32_t point, char* out) {
  auto octet = [](uint32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
  if (point < 0x80) {
    out[0] = octet(point);
    return 1;
  }
  if (point < 0x800) {
    out[0] = octet(0xc0 | point >> 6);
    out[1] = octet(0x80 | (point & 0x3f));
    return 2;
  }
  if (point < 0x10000) {
    out[0] = octet(0xe0 | point >> 12);
    out[1] = octet(0x80 | (point >> 6 & 0x3f));
    out[2] = octet(0x80 | (point & 0x3f));
    return 3;
  }
  out[0] = octet(0xf0 | point >> 18);
  out[1] = octet(0x80 | (point >> 12 & 0x3f));
  out[2] = octet(0x80 | (point >> 6 & 0x3f));
  out[3] = octet(0x80 | (point & 0x3f));
  return 4;
}

// `text` begins behind "\u"; it is moved on behind the digits.
Reason TakeUnicode(std::string_view& text, uint32_t& point) {
  if (!ReadHex4(text, point)) return kNotJson;
  text.remove_prefix(4);
  if (point < 0xd800 || point >= 0xe000) return {};
  if (point >= 0xdc00) return kLoneSurrogate;
  uint32_t low = 0;
  if (text.substr(0, 2) != "\\u" || !ReadHex4(text.substr(2), low)) return kLoneSurrogate;
  if (low < 0xdc00 || low >= 0xe000) return kLoneSurrogate;
  text.remove_prefix(6);
  point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  return {};
}

bool Blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void SkipBlanks(const char*& at) {
  while (Blank(*at)) ++at;
}

std::string TakeString(const char*& at) {
  const char* begin = ++at;
  while (*at != '"') at += *at == '\\' ? 2 : 1;
  std::string text(static_cast<size_t>(at - begin), '\0');
  size_t size = 0;
  Unescape({begin, text.size()}, text.data(), size);
  text.resize(size);
  ++at;
  return text;
}

// The digits without zeros at either end, and the power of ten of the last.
void AppendNumber(std::string_view token, std::string& out) {
  auto number = ScanNumber(token);
  if (!number) return;
  std::string digits = std::string(number->whole) + std::string(number->fraction);
  int64_t power = number->exponent - static_cast<int64_t>(number->fraction.size());
  size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) {
    out += '0';
    return;
  }
  size_t last = digits.find_last_not_of('0');
  power += static_cast<int64_t>(digits.size() - 1 - last);
  out += number->negative ? "-" : "";
  out += digits.substr(first, last - first + 1);
  out += 'e';
  out += std::to_string(power);
}

void AppendText(std::string_view text, std::string& out) {
  out += 's';
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

}  // namespace

std::string_view TrimRight(std::string_view token) {
  while (!token.empty() && Blank(token.back())) token.remove_suffix(1);
  return token;
}

Reason Unescape(std::string_view inside, char* out, size_t& size) {
  char* to = out;
  while (!inside.empty()) {
    char c = inside.front();
    inside.remove_prefix(1);
    if (c != '\\') {
      *to++ = c;
      continue;
    }
    if (inside.empty()) return kNotJson;
    c = inside.front();
    inside.remove_prefix(1);
    switch (c) {
      case '"':
      case '\\':
      case '/':
        *to++ = c;
        break;
      case 'b':
        *to++ = '\b';
        break;
      case 'f':
        *to++ = '\f';
        break;
      case 'n':
        *to++ = '\n';
        break;
      case 'r':
        *to++ = '\r';
        break;
      case 't':
        *to++ = '\t';
        break;
      case 'u': {
        uint32_t point = 0;
        if (Reason reason = TakeUnicode(inside, point); !reason.empty()) return reason;
        to += PutUtf8(point, to);
        break;
      }
      default:
        return kNotJson;
    }
  }
  size = static_cast<size_t>(to - out);
  return {};
}

void AppendCanonical(const char*& at, std::string& out) {
  SkipBlanks(at);
  if (*at == '"') {
    AppendText(TakeString(at), out);
  } else if (*at == '[') {
    out += *at++;
    for (SkipBlanks(at); *at != ']'; SkipBlanks(at)) {
      AppendCanonical(at, out);
      SkipBlanks(at);
      out += ',';
      if (*at == ',') ++at;
    }
    out += *at++;
  } else if (*at == '{') {
    std::map<std::string, std::string> entries;
    ++at;
    for (SkipBlanks(at); *at != '}'; SkipBlanks(at)) {
      std::string key = TakeString(at);
      SkipBlanks(at);
      ++at;  // the colon
      AppendCanonical(at, entries[key]);
      SkipBlanks(at);
      if (*at == ',') ++at;
      SkipBlanks(at);
    }
    ++at;
    out += '{';
    for (const auto& [key, value] : entries) {
      AppendText(key, out);
      out += value;
    }
    out += '}';
  } else {
    const char* begin = at;
    while (*at != ',' && *at != ']' && *at != '}' && !Blank(*at)) ++at;
    std::string_view token(begin, static_cast<size_t>(at - begin));
    if (*begin == '-' || (*begin >= '0' && *begin <= '9')) {
      AppendNumber(token, out);
    } else {
      out += token;
    }
  }
}

bool ItemsDiffer(const char* array) {
  const char* at = array + 1;
  std::vector<std::string> items;
  for (SkipBlanks(at); *at != ']'; SkipBlanks(at)) {
    AppendCanonical(at, items.emplace_back());
    SkipBlanks(at);
    if (*at == ',') ++at;
  }
  std::sort(items.begin(), items.end());
  return std::adjacent_find(items.begin(), items.end()) == items.end();
}

}  // namespace weft::contract
