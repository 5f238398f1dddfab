// SPDX-License-Identifier: Apache-2.0
#include "sample_records.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace weft::bench {
namespace {

constexpr std::array<const char*, 8> kCountries = {"CH", "DE", "FR", "IT", "AT", "ES", "NL", "PL"};
constexpr std::array<const char*, 4> kStatuses = {"paid", "open", "sent", "returned"};
constexpr std::array<const char*, 3> kChannels = {"web", "shop", "partner"};

// The finaliser of SplitMix64.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

void AppendRecord(std::string& to, uint64_t number) {
  const uint64_t r = Mix(number);
  const uint64_t millis = number * 7 % (uint64_t{28} * 86'400'000);
  const uint64_t second = millis / 1000;
  fmt::format_to(std::back_inserter(to),
                 R"({{"event_id":"EV{:010}","at":"2026-10-{:02}T{:02}:{:02}:{:02}.{:03}Z",)"
                 R"("country":"{}","customer":{},"amount":{}.{:02},"status":"{}",)"
                 R"("channel":"{}","quantity":{}}})",
                 number, 1 + second / 86'400, second / 3600 % 24, second / 60 % 60, second % 60,
                 millis % 1000, kCountries[r % 8], 100'000 + (r >> 8) % 900'000,
                 10 + (r >> 28) % 2000, (r >> 40) % 100, kStatuses[(r >> 48) % 4],
                 kChannels[(r >> 52) % 3], 1 + (r >> 56) % 20);
}

std::string MakeBody(uint64_t first, uint64_t count) {
  std::string body;
  body.reserve(count * 170 + 2);
  if (count == 1) {
    AppendRecord(body, first);
    return body;
  }
  for (uint64_t i = 0; i < count; ++i) {
    body += i == 0 ? '[' : ',';
    AppendRecord(body, first + i);
  }
  body += ']';
  return body;
}

}  // namespace weft::bench
