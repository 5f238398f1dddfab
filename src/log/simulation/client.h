// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "log/simulation/stage.h"

namespace weft::log {

// Uses the log as the rest of Weft does, each in a thread of its own, and tells the model.
class Client {
 public:
  Client(Stage& stage, int number) : stage_(stage), number_(number) {}
  // Until the life is over.
  void Run(int steps);
  // One batch; not before its answer. Whether it was taken.
  bool AppendOne(const PartitionName& name);

 private:
  void Step();
  void Append();
  void Send(Model::Form form, const std::vector<PartitionName>& names,
            std::vector<Content> contents);
  void Read();
  void ReadFailed(const Model::Look& look, Offset from, const Error& error);
  void LookAround();
  void Trim();
  void CreateOrDelete();
  void WatchOrForget();
  void Watch();
  void WaitPast();
  void AwaitAnswers();
  PartitionName AnyName();

  Stage& stage_;
  const int number_;
  int waiting_ = 0;
  bool last_taken_ = false;
};

}  // namespace weft::log
