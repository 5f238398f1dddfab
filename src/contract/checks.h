// SPDX-License-Identifier: Apache-2.0
// A column's limits, made ready to be compared with values.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/contract.h"
#include "contract/decimal.h"
#include "contract/moment.h"
#include "contract/pattern.h"
#include "contract/text_format.h"

namespace weft::contract {

struct Checks {
  // Bounds of what is exact, in the units of the stored value: integers, unscaled decimals, days,
  // microseconds.
  std::optional<Int128> low, high, multiple;
  // Bounds of floats and doubles; an excluded bound is moved to the next double.
  std::optional<double> double_low, double_high;
  std::string multiple_text;  // of a double, compared exactly with the number's own text
  std::string low_reason, high_reason, multiple_reason;

  int64_t length_min = 0, length_max = std::numeric_limits<int64_t>::max();
  std::shared_ptr<const Pattern> pattern;
  std::string pattern_reason;
  TextFormat format = TextFormat::kAny;
  std::string format_reason;
  bool text_limited = false;  // any of the five above

  int64_t items_min = 0, items_max = std::numeric_limits<int64_t>::max();
  bool items_unique = false;
  std::vector<std::string> keys_required;

  std::optional<MomentFormat> moment_format;
  bool zone_required = false;
  bool whole = false;  // an integer by its kind or by integer_format
};

// kInvalid: a limit that does not fit the column's type, a pattern that cannot be held.
// kNotOffered: a format.
Result<Checks> CompileChecks(const Column& column);

}  // namespace weft::contract
