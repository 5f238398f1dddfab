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
  const char* begin = nullptr;  // of what was loaded
  const char* end = nullptr;
  Scalars scalars;

  // The text where simdjson may read beyond it: in its place when so many octets after it are
  // readable, else copied.
  simdjson::padded_string_view Load(std::string_view text, size_t readable_after);
  // Forgets what the last record left.
  void Forget();

  // One step for each object or array that is open: which of its values is looked at.
  struct Step {
    std::string_view name;
    int64_t index = -1;
  };
  std::vector<Step> path;
  std::vector<std::string_view> keys;  // of open objects, where they are watched for doubles
  std::vector<uint64_t> seen;          // bits of open structs, by part
  std::vector<Node*> nodes;            // of the columns of a flat contract
};

inline constexpr int kDepthMax = 128;

// Appends the value of a token that is neither null, an object nor an array, or says why not.
template <bool kAppend>
Reason TakeScalar(Scalars& scalars, const Part& part, std::string_view token, Node* node);

// kAppend: values go to the nodes, also behind a fault, for the caller to drop.
template <bool kAppend>
class Walk {
 public:
  Walk(WalkState& state, const Checker::Options& options, std::vector<FieldError>& errors,
       iceberg::ColumnBuilder* builder)
      : s_(state),
        unknown_(options.unknown_fields),
        errors_max_(options.errors_max),
        errors_(errors),
        errors_before_(errors.size()),
        builder_(builder) {}

  // Whether the record is good. When kAppend and it is, its values are in the builder.
  bool Run(const Part& root, std::string_view record, size_t readable_after);
  // Checker::Session::CheckArray.
  bool RunArray(const Part& root, std::string_view text, const Checker::Session::Taking& taking,
                std::vector<Checker::Session::Judged>& judged);

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
  std::vector<FieldError>& errors_;
  size_t errors_before_;
  iceberg::ColumnBuilder* builder_;
  bool good_ = true;
  ondemand::document document_;
};

}  // namespace weft::contract
