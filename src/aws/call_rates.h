// SPDX-License-Identifier: Apache-2.0
// How often an operation may be called, as AWS bounds the calls of its own service. What was
// counted is forgotten when the server stops.
#pragma once

#include <string>

#include "aws/fault.h"
#include "aws/rolling_counts.h"
#include "base/clock.h"

namespace weft::aws {

struct Call;
struct Operation;

// At most `calls_max` in any `window`, of the operation's calls that have one scope.
struct CallRate {
  int calls_max = 0;  // 0: no bound
  seconds window{1};
  // Who shares it, in words that a fault tells: "account 000000000000".
  std::string (*scope)(const Call& call) = nullptr;
  const char* fault = "LimitExceededException";
  // Only for operations that answer at once: calls that failed do not count.
  bool successes_only = false;
};

// Counts calls by Operation::rates. Safe to call from any thread.
class CallRates {
 public:
  // Where they are not enforced nothing is counted and every call is admitted.
  CallRates(bool enforced, const Clock& clock) : enforced_(enforced), counts_(clock) {}

  // Counts the call, or refuses it with the fault of the rate that it is past.
  Outcome<void> Admit(const Operation& operation, const Call& call);
  // The call that was admitted has failed.
  void Failed(const Operation& operation, const Call& call);

 private:
  const bool enforced_;
  RollingCounts counts_;
};

}  // namespace weft::aws
