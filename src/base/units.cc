// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <array>
#include <charconv>

namespace weft {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr std::array kSizes = {
    Unit{"B", 1},
    Unit{"KiB", int64_t{1} << 10},
    Unit{"MiB", int64_t{1} << 20},
    Unit{"GiB", int64_t{1} << 30},
    Unit{"TiB", int64_t{1} << 40},
    Unit{"KB", 1'000},
    Unit{"kB", 1'000},
    Unit{"MB", 1'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"TB", 1'000'000'000'000},
};

constexpr std::array kDurations = {
    Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000},
};

template <size_t N>
Result<int64_t> Parse(std::string_view text, const std::array<Unit, N>& units,
                      std::string_view what, std::string_view example) {
  auto wrong = [&] {
    return Fail(Code::kInvalid,
                fmt::format("not a {}: '{}' (write it as {})", what, text, example));
  };
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return wrong();
  std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  for (const Unit& unit : units) {
    if (unit.name != rest) continue;
    int64_t product = 0;
    if (__builtin_mul_overflow(value, unit.factor, &product)) return wrong();
    return product;
  }
  return wrong();
}

}  // namespace

Result<int64_t> ParseSize(std::string_view text) {
  return Parse(text, kSizes, "size", "'64 MiB' or '10 MB'");
}

std::string FormatSize(int64_t bytes) {
  constexpr std::array kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  double value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return fmt::format("{} {}", text, kNames[unit]);
}

Result<milliseconds> ParseDuration(std::string_view text) {
  return milliseconds(TRY(Parse(text, kDurations, "duration", "'60 s', '24h' or '7d'")));
}

std::string FormatDuration(milliseconds duration) {
  const int64_t count = duration.count();
  const Unit* best = &kDurations.front();
  for (const Unit& unit : kDurations) {
    if (count != 0 && count % unit.factor == 0) best = &unit;
  }
  return fmt::format("{} {}", count / best->factor, best->name);
}

}  // namespace weft
