// SPDX-License-Identifier: Apache-2.0
// The one traversal of a record, for checking and for appending alike, so that the two cannot
// disagree. Every byte of a record is judged on the way, also of values that nothing is made of.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "contract/checker.h"
#include "contract/part.h"
#include "contract/scalars.h"

namespace weft::contract {

using Node = iceberg::ColumnBuilder::Node;
namespace ondemand = simdjson::ondemand;

// What the walks of one session share and reuse.
struct WalkState {
  ondemand::parser parser;
  std::unique_ptr<char[]> buffer;
  size_t capacity = 0;
  const char* end = nullptr;  // of the record in the buffer
  Scalars scalars;

  // Copies the record to where simdjson may read beyond it.
  simdjson::padded_string_view Load(std::string_view record);

  // One step for each object or array that is open: which of its values is looked at.
  struct Step {
    std::string_view name;
    int64_t index = -1;
  };
  std::vector<Step> path;
  std::vector<std::string_view> keys;  // of open objects, where they are watched for doubles
  std::vector<uint64_t> seen;          // bits of open structs, by part
};

inline constexpr int kDepthMax = 128;

// kAppend: the first fault ends the walk, and values go to the nodes; else faults are gathered.
template <bool kAppend>
class Walk {
 public:
  Walk(WalkState& state, UnknownFields unknown, int errors_max, std::vector<FieldError>* errors)
      : s_(state),
        unknown_(unknown),
        errors_max_(errors_max),
        errors_(errors),
        errors_before_(errors == nullptr ? 0 : errors->size()) {}

  // Whether the record is good. When kAppend, the row goes to `builder`.
  bool Run(const Part& root, std::string_view record, iceberg::ColumnBuilder* builder);
  // What was wrong first, when kAppend.
  const std::string& fault() const { return fault_; }

 private:
  // These return whether the walk goes on.
  bool Struct(const Part& part, ondemand::object object, Node* node, int depth);
  bool Value(const Part& part, ondemand::value& value, Node* node, int depth);
  bool Scalar(const Part& part, std::string_view token, Node* node);
  bool List(const Part& part, ondemand::value& value, Node* node, int depth);
  bool Map(const Part& part, ondemand::value& value, Node* node, int depth);
  bool JsonText(const Part& part, ondemand::value& value, Node* node, int depth);
  bool Null(const Part& part, Node* node);
  bool Missing(const Part& part, Node* node, size_t seen_at);
  // Judges a value without a type; `checks`, when it is an object or array with limits.
  bool Skip(ondemand::value& value, int depth, const Checks* checks = nullptr);
  bool SkipObject(ondemand::value& value, int depth, const Checks* checks);
  bool SkipArray(ondemand::value& value, int depth, const Checks* checks);

  bool TakeKey(ondemand::field& field, std::string_view& key);
  size_t FindChild(const Part& part, ondemand::field& field, size_t expected, std::string_view& key,
                   bool& going);
  bool CheckDoubles(size_t keys_at);
  bool CheckCount(const Checks& checks, int64_t count, std::string_view what);

  Node& ChildOf(Node* node, size_t index) {
    return node == nullptr ? builder_->column(index) : node->child(index);
  }
  bool Fault(Reason reason);
  bool Malformed(std::string_view why);
  bool Malformed(simdjson::error_code error) { return Malformed(simdjson::error_message(error)); }
  std::string PathText() const;

  WalkState& s_;
  UnknownFields unknown_;
  int errors_max_;
  std::vector<FieldError>* errors_;
  size_t errors_before_;
  bool good_ = true;
  std::string fault_;
  iceberg::ColumnBuilder* builder_ = nullptr;
  ondemand::document document_;
};

}  // namespace weft::contract
