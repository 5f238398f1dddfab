// SPDX-License-Identifier: Apache-2.0
// One running server: every module, built bottom-up and torn down in reverse.
#pragma once

#include <memory>
#include <string>

#include "app/data_folder.h"
#include "app/settings.h"
#include "base/result.h"

namespace weft::app {

class Node {
 public:
  // Recovers what a crash left, then listens. On the first start `first_key` is set: to be shown
  // once.
  static Result<std::unique_ptr<Node>> Start(const Settings& settings);
  virtual ~Node() = default;
  virtual std::string endpoint() const = 0;          // "http://127.0.0.1:4566"
  virtual const std::string& first_key() const = 0;  // the new administrator's "KEY SECRET", or ""
  // Answers what it has, ends delivery after the commit under way, and closes everything.
  virtual void Stop() = 0;
};

// For the data folder of a server that is stopped: a fresh administrator's key, and another master
// key.
Result<DataFolder::AdminKey> ResetAdministratorKey(const Settings& settings);
Status RotateMasterKey(const Settings& settings);

}  // namespace weft::app
