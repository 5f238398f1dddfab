// SPDX-License-Identifier: Apache-2.0
// A walk over one record: its beginning, its end, and what it says of faults.
#include <cstring>

#include "contract/walk_internal.h"

namespace weft::contract {
namespace {

bool Blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

simdjson::padded_string_view WalkState::Load(std::string_view record) {
  size_t needed = record.size() + simdjson::SIMDJSON_PADDING;
  if (needed > capacity) {
    capacity = needed * 2;
    buffer = std::make_unique<char[]>(capacity);
  }
  if (!record.empty()) std::memcpy(buffer.get(), record.data(), record.size());
  std::memset(buffer.get() + record.size(), 0, simdjson::SIMDJSON_PADDING);
  end = buffer.get() + record.size();
  scalars.Reset(record.size());
  path.clear();
  keys.clear();
  seen.clear();
  return simdjson::padded_string_view(buffer.get(), record.size(), capacity);
}

template <bool kAppend>
bool Walk<kAppend>::Run(const Part& root, std::string_view record,
                        iceberg::ColumnBuilder* builder) {
  builder_ = builder;
  auto text = s_.Load(record);
  if (auto error = s_.parser.iterate(text).get(document_)) {
    Malformed(record.empty() ? "is empty" : simdjson::error_message(error));
    return false;
  }
  const char* first = s_.buffer.get();
  while (Blank(*first)) ++first;
  ondemand::object object;
  if (auto error = document_.get_object().get(object)) {
    if (*first == '{') {
      Malformed(error);
    } else {
      Malformed("is not a JSON object");
    }
    return false;
  }
  if (!Struct(root, object, nullptr, 1)) return false;
  const char* rest = nullptr;
  if (document_.current_location().get(rest) == simdjson::SUCCESS)
    Malformed("something follows its object");
  return good_;
}

template <bool kAppend>
bool Walk<kAppend>::Fault(Reason reason) {
  good_ = false;
  if constexpr (kAppend) {
    fault_ = fmt::format("{} {}", PathText(), reason);
    return false;
  }
  errors_->push_back({PathText(), std::string(reason)});
  return errors_->size() - errors_before_ < static_cast<size_t>(errors_max_);
}

// The faults found before say nothing of a record that is none.
template <bool kAppend>
bool Walk<kAppend>::Malformed(std::string_view why) {
  good_ = false;
  std::string reason(why);
  if (why.substr(0, 3) != "is " && why.substr(0, 4) != "has ")
    reason = fmt::format("{}: {}", kNotJson, why);
  if constexpr (kAppend) {
    fault_ = reason;
  } else {
    errors_->resize(errors_before_);
    errors_->push_back({"", reason});
  }
  return false;
}

template <bool kAppend>
std::string Walk<kAppend>::PathText() const {
  std::string text;
  for (const auto& step : s_.path) {
    if (step.index >= 0) {
      text += fmt::format("[{}]", step.index);
    } else {
      if (!text.empty()) text += '.';
      text += step.name;
    }
  }
  return text;
}

template <bool kAppend>
bool Walk<kAppend>::CheckCount(const Checks& checks, int64_t count, std::string_view what) {
  if (count >= checks.items_min && count <= checks.items_max) return true;
  return Fault(fmt::format("has {} {}, {} {}", count, what,
                           count < checks.items_min ? "fewer than" : "more than",
                           count < checks.items_min ? checks.items_min : checks.items_max));
}

template class Walk<false>;
template class Walk<true>;

}  // namespace weft::contract
