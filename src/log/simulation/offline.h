// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "log/simulation/stage.h"

namespace weft::log {

// What an administrator does with the journal while no process has it open.
class Offline {
 public:
  explicit Offline(Stage& stage) : stage_(stage) {}

  // Verifies it, and takes down the bounds that the next process must find.
  void Look();
  // Does without what is damaged.
  void AcceptLosses();
  // Also when the power goes meanwhile: one of both keys fits then.
  void ChangeMasterKey();

 private:
  Stage& stage_;
};

}  // namespace weft::log
