// SPDX-License-Identifier: Apache-2.0
// A walk over one record: its beginning, its end, and what it says of faults.
#include <cstring>

#include "contract/walk_internal.h"

namespace weft::contract {
namespace {

// How large the rows have become is asked now and then.
constexpr size_t kRecordsBetweenAsking = 64;

bool Blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

simdjson::padded_string_view WalkState::Load(std::string_view text, size_t readable_after) {
  scalars.Reset(text.size());
  Forget();
  size_t room = text.size() + readable_after;
  begin = text.data();
  if (readable_after < simdjson::SIMDJSON_PADDING) {
    const size_t needed = text.size() + simdjson::SIMDJSON_PADDING;
    if (needed > capacity) {
      capacity = needed * 2;
      buffer = std::make_unique<char[]>(capacity);
    }
    if (!text.empty()) std::memcpy(buffer.get(), text.data(), text.size());
    std::memset(buffer.get() + text.size(), 0, simdjson::SIMDJSON_PADDING);
    begin = buffer.get();
    room = capacity;
  }
  end = begin + text.size();
  return simdjson::padded_string_view(begin, text.size(), room);
}

void WalkState::Forget() {
  path.clear();
  keys.clear();
  seen.clear();
}

template <bool kAppend>
bool Walk<kAppend>::Run(const Part& root, std::string_view record, size_t readable_after) {
  auto text = s_.Load(record, readable_after);
  if (auto error = s_.parser.iterate(text).get(document_)) {
    Malformed(record.empty() ? "is empty" : simdjson::error_message(error));
    return false;
  }
  const char* first = s_.begin;
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
bool Walk<kAppend>::RunArray(const Part& root, std::string_view text,
                             const Checker::Session::Taking& taking,
                             std::vector<Checker::Session::Judged>& judged) {
  auto padded = s_.Load(text, taking.readable_after);
  // Views into the caller's text are given out, also when this is a copy of it.
  const std::ptrdiff_t moved = text.data() - s_.begin;
  ondemand::array array;
  if (s_.parser.iterate(padded).get(document_) || document_.get_array().get(array)) return false;
  const char* next = nullptr;
  for (auto item : array) {
    if (item.error()) return false;
    ondemand::value&& value = std::move(item).value_unsafe();
    const char* begin = value.raw_json_token().data();
    ondemand::object object;
    if (value.get_object().get(object)) return false;
    s_.Forget();
    good_ = true;
    errors_before_ = errors_.size();
    if (!Struct(root, object, nullptr, 1) || document_.current_location().get(next)) return false;
    const auto size = TrimRight({begin, static_cast<size_t>(next - begin)}).size();
    judged.push_back({{begin + moved, size}, errors_.size() - errors_before_});
    if constexpr (kAppend) {
      if (good_) {
        builder_->FinishRow();
      } else {
        builder_->DropRow();
      }
      const bool ask = judged.size() % kRecordsBetweenAsking == 0;
      if (ask && builder_->bytes() > taking.rows_bytes_max) return false;
    }
  }
  return document_.current_location().get(next) != simdjson::SUCCESS;
}

template <bool kAppend>
bool Walk<kAppend>::Fault(Reason reason) {
  good_ = false;
  errors_.push_back({PathText(), std::string(reason)});
  return errors_.size() - errors_before_ < static_cast<size_t>(errors_max_);
}

// The faults found before say nothing of a record that is none.
template <bool kAppend>
bool Walk<kAppend>::Malformed(std::string_view why) {
  good_ = false;
  std::string reason(why);
  if (why.substr(0, 3) != "is " && why.substr(0, 4) != "has ")
    reason = fmt::format("{}: {}", kNotJson, why);
  errors_.resize(errors_before_);
  errors_.push_back({"", reason});
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
