// SPDX-License-Identifier: Apache-2.0
#include "aws/call_rates.h"

#include "aws/operation.h"
#include "base/units.h"

namespace weft::aws {
namespace {

std::string KeyOf(const Operation& operation, const CallRate& rate, const std::string& scope) {
  return fmt::format("{} {} {}", operation.name, rate.window.count(), scope);
}

}  // namespace

Outcome<void> CallRates::Admit(const Operation& operation, const Call& call) {
  if (!enforced_) return {};
  std::vector<std::string> taken;
  for (const CallRate& rate : operation.rates) {
    if (rate.calls_max == 0) continue;
    const std::string scope = rate.scope(call);
    std::string key = KeyOf(operation, rate, scope);
    if (!counts_.Take(key, rate.window, rate.calls_max)) {
      for (const std::string& other : taken) counts_.GiveBack(other);
      return Refuse(rate.fault,
                    fmt::format("Rate exceeded for {}. {} is bounded to {} calls in {}.", scope,
                                operation.name, rate.calls_max, FormatDuration(rate.window)));
    }
    taken.push_back(std::move(key));
  }
  return {};
}

void CallRates::Failed(const Operation& operation, const Call& call) {
  if (!enforced_) return;
  for (const CallRate& rate : operation.rates) {
    if (rate.successes_only) counts_.GiveBack(KeyOf(operation, rate, rate.scope(call)));
  }
}

}  // namespace weft::aws
