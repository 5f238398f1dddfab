// SPDX-License-Identifier: Apache-2.0
// Every reading of a value ends at an octet that it does not know; what is not a comma, a brace or
// a blank there makes the record an unusual one. Loads of 8 and 16 octets may reach past the text's
// end, into what simdjson needs readable there too.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>

#include "contract/flat_walk_internal.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "contract/digits.h"

namespace weft::contract {
namespace {

// A record is some dozens of these: as calls they would take longer than what they do.
#define WEFT_INLINE inline __attribute__((always_inline))

bool Blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

WEFT_INLINE uint32_t HalfWordAt(const char* at) {
  uint32_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// As memcmp, of 4 octets at least: a call costs more than most names.
WEFT_INLINE bool Same(const char* a, const char* b, size_t size) {
  if (size < 8) {
    return HalfWordAt(a) == HalfWordAt(b) && HalfWordAt(a + size - 4) == HalfWordAt(b + size - 4);
  }
  for (size_t at = 0; at + 8 <= size; at += 8) {
    if (WordAt(a + at) != WordAt(b + at)) return false;
  }
  return WordAt(a + size - 8) == WordAt(b + size - 8);
}

// The first quote, backslash or control character from `at` on, or something past `end`.
WEFT_INLINE const char* EndOfPlainText(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'),
                control = _mm_set1_epi8(0x1f);
  for (; at < end; at += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i found =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(octets, quote), _mm_cmpeq_epi8(octets, backslash)),
                     _mm_cmpeq_epi8(_mm_min_epu8(octets, control), octets));
    const auto bits = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (bits != 0) return at + std::countr_zero(bits);
  }
#else
  while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
#endif
  return at;
}

constexpr std::array<int64_t, 19> kPowers = [] {
  std::array<int64_t, 19> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// The number of the digits that a word begins with, and how many they are.
WEFT_INLINE unsigned TakeEight(const char* at, int64_t& value) {
  uint64_t digits = WordAt(at) ^ 0x3030303030303030U;
  // The highest bit of each octet that is more than 9; where a sum runs over, one was found before.
  const uint64_t others = ((digits + 0x7676767676767676U) | digits) & 0x8080808080808080U;
  const auto count = others == 0 ? 8U : static_cast<unsigned>(std::countr_zero(others)) / 8;
  if (count == 0) return 0;
  value = EightDigits(digits << (64 - 8 * count));
  return count;
}

// Up to 15 digits; 0 when there are none or more.
WEFT_INLINE unsigned TakeDigits(const char* at, int64_t& value) {
  const unsigned count = TakeEight(at, value);
  if (count < 8) return count;
  int64_t rest = 0;
  const unsigned more = TakeEight(at + 8, rest);
  if (more == 8) return 0;
  value = value * kPowers[more] + (more == 0 ? 0 : rest);
  return 8 + more;
}

// The whole digits of a number as JSON has them.
WEFT_INLINE unsigned TakeWhole(const char* at, int64_t& value) {
  const unsigned count = TakeDigits(at, value);
  return count > 1 && *at == '0' ? 0 : count;
}

// Behind a string that has no escape; nullptr for anything else.
WEFT_INLINE const char* TakePlainText(const char* at, const char* end, std::string_view& text) {
  if (*at != '"') return nullptr;
  const char* close = EndOfPlainText(at + 1, end);
  if (*close != '"') return nullptr;
  text = {at + 1, static_cast<size_t>(close - at - 1)};
  return close + 1;
}

// Behind a string's last quote; nullptr where a control character or the end comes first.
const char* EndOfText(const char* at, const char* end) {
  for (;;) {
    at = EndOfPlainText(at, end);
    if (at >= end) return nullptr;
    if (*at == '"') return at + 1;
    if (*at != '\\') return nullptr;
    at += 2;
  }
}

const char* SkipBlanks(const char* at, const char* end) {
  while (at < end && Blank(*at)) ++at;
  return at;
}

// Behind the object that begins at `at`, should it be one; nullptr when it does not end.
const char* EndOfObject(const char* at, const char* end) {
  for (int64_t depth = 0; at < end;) {
    const char c = *at++;
    if (c == '"') {
      at = EndOfText(at, end);
      if (at == nullptr) return nullptr;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth <= 0) {
      return at;
    }
  }
  return nullptr;
}

// How large the rows have become is asked now and then.
constexpr size_t kRecordsBetweenAsking = 64;
// So many unusual records are judged one by one, or a quarter of all.
constexpr size_t kOddAtLeast = 16;

}  // namespace

template <bool kAppend>
FlatWalk<kAppend>::FlatWalk(WalkState& state, const Part& root, std::vector<uint8_t>& order,
                            iceberg::ColumnBuilder* builder)
    : s_(state), root_(root), fields_(root.flat), builder_(builder), nodes_(state.nodes) {
  // At first as the contract has them, and the end behind the last.
  if (order.size() != fields_.size() + 1) {
    order.resize(fields_.size() + 1);
    std::iota(order.begin(), order.end(), uint8_t{0});
  }
  order_ = order.data();
  if constexpr (kAppend) {
    nodes_.clear();
    for (const FlatField& field : fields_) nodes_.push_back(&builder->column(field.part->index));
  }
}

template <bool kAppend>
bool FlatWalk<kAppend>::Run() {
  const char* at = SkipBlanks(s_.begin, s_.end);
  if (at >= s_.end || *at != '{') return false;
  if (!simdjson::validate_utf8(s_.begin, static_cast<size_t>(s_.end - s_.begin))) return false;
  at = Record(at);
  return at != nullptr && SkipBlanks(at, s_.end) == s_.end;
}

template <bool kAppend>
bool FlatWalk<kAppend>::RunArray(std::string_view text, const Checker::Options& options,
                                 const Checker::Session::Taking& taking,
                                 std::vector<Checker::Session::Judged>& judged,
                                 std::vector<FieldError>& errors) {
  s_.Load(text, taking.readable_after);
  if (!simdjson::validate_utf8(s_.begin, text.size())) return false;
  // Views into the caller's text are given out, also when this is a copy of it.
  const std::ptrdiff_t moved = text.data() - s_.begin;
  const char* at = SkipBlanks(s_.begin, s_.end);
  if (at >= s_.end || *at != '[') return false;
  size_t odd = 0;
  do {
    at = SkipBlanks(at + 1, s_.end);
    if (at >= s_.end || *at != '{') return false;
    const size_t errors_before = errors.size();
    const char* next = Record(at);
    if (next == nullptr) {
      if (++odd > std::max(kOddAtLeast, judged.size() / 4)) return false;
      next = OddRecord(at, options, errors);
      if (next == nullptr) return false;
    }
    judged.push_back({{at + moved, static_cast<size_t>(next - at)}, errors.size() - errors_before});
    if constexpr (kAppend) {
      if (errors.size() == errors_before) {
        builder_->FinishRow();
      } else {
        builder_->DropRow();
      }
      const bool ask = judged.size() % kRecordsBetweenAsking == 0;
      if (ask && builder_->bytes() > taking.rows_bytes_max) return false;
    }
    at = SkipBlanks(next, s_.end);
  } while (at < s_.end && *at == ',');
  return at < s_.end && *at == ']' && SkipBlanks(at + 1, s_.end) == s_.end;
}

// Has the record judged by Walk. What is not JSON, or has more faults than are told, says nothing
// of the array: nullptr.
template <bool kAppend>
const char* FlatWalk<kAppend>::OddRecord(const char* at, const Checker::Options& options,
                                         std::vector<FieldError>& errors) {
  const char* const begin = s_.begin;
  const char* const end = s_.end;
  const char* next = EndOfObject(at, end);
  if (next == nullptr) return nullptr;
  if constexpr (kAppend) builder_->DropRow();
  const size_t errors_before = errors.size();
  const auto readable = static_cast<size_t>(end - next) + simdjson::SIMDJSON_PADDING;
  const bool good = Walk<kAppend>(s_, options, errors, builder_)
                        .Run(root_, {at, static_cast<size_t>(next - at)}, readable);
  s_.begin = begin;
  s_.end = end;
  if (good) return next;
  const size_t count = errors.size() - errors_before;
  const bool told =
      count > 0 && count < static_cast<size_t>(options.errors_max) && !errors.back().field.empty();
  return told ? next : nullptr;
}

// These return nullptr, and have appended nothing, for what is not the usual value of its kind.

template <bool kAppend>
WEFT_INLINE const char* FlatWalk<kAppend>::Text(const FlatField& field, Node* node,
                                                const char* at) {
  std::string_view text;
  const char* next = TakePlainText(at, s_.end, text);
  if (next == nullptr) return nullptr;
  if (field.way == FlatField::Way::kLimitedText && !s_.scalars.Text(*field.part, text).empty())
    return nullptr;
  if constexpr (kAppend) node->AppendBytes(text);
  return next;
}

template <bool kAppend>
WEFT_INLINE const char* FlatWalk<kAppend>::Integer(const FlatField& field, Node* node,
                                                   const char* at) {
  const bool minus = *at == '-';
  int64_t value = 0;
  const unsigned digits = TakeWhole(at + minus, value);
  if (digits == 0) return nullptr;
  at += minus + digits;
  if (*at != ',' && *at != '}') return nullptr;
  if (minus) value = -value;
  if (value < field.low || value > field.high) return nullptr;
  if constexpr (kAppend) node->AppendInteger(value);
  return at;
}

template <bool kAppend>
WEFT_INLINE const char* FlatWalk<kAppend>::Decimal(const FlatField& field, Node* node,
                                                   const char* at) {
  const bool minus = *at == '-';
  int64_t value = 0;
  const unsigned whole = TakeWhole(at + minus, value);
  if (whole == 0 || whole > field.whole_digits_max) return nullptr;
  at += minus + whole;
  unsigned digits = 0;
  if (*at == '.') {
    int64_t fraction = 0;
    digits = TakeDigits(at + 1, fraction);
    if (digits == 0 || digits > field.scale) return nullptr;
    at += 1 + digits;
    value = value * kPowers[digits] + fraction;
  }
  if (*at != ',' && *at != '}') return nullptr;
  value *= kPowers[field.scale - digits];
  if (minus) value = -value;
  if (value < field.low || value > field.high) return nullptr;
  if constexpr (kAppend) node->AppendDecimal(value);
  return at;
}

template <bool kAppend>
WEFT_INLINE const char* FlatWalk<kAppend>::Moment(const FlatField& field, Node* node,
                                                  const char* at) {
  std::string_view text;
  const char* next = TakePlainText(at, s_.end, text);
  if (next == nullptr) return nullptr;
  int64_t value = 0;
  if (!s_.scalars.MomentOf(*field.part, text, value).empty()) return nullptr;
  if constexpr (kAppend) node->AppendInteger(value);
  return next;
}

template <bool kAppend>
WEFT_INLINE const char* FlatWalk<kAppend>::Value(const FlatField& field, Node* node,
                                                 const char* at) {
  const char* next = nullptr;
  switch (field.way) {
    case FlatField::Way::kText:
    case FlatField::Way::kLimitedText:
      next = Text(field, node, at);
      break;
    case FlatField::Way::kInteger:
      next = Integer(field, node, at);
      break;
    case FlatField::Way::kDecimal:
      next = Decimal(field, node, at);
      break;
    case FlatField::Way::kMoment:
      next = Moment(field, node, at);
      break;
    case FlatField::Way::kOther:
      break;
  }
  return next != nullptr ? next : Other(field, node, at);
}

template <bool kAppend>
const char* FlatWalk<kAppend>::Record(const char* at) {
  const size_t count = fields_.size();
  uint64_t seen = 0;
  ++at;
  for (size_t last = 0;;) {
    if (at >= s_.end) return nullptr;
    size_t found = order_[last];
    // Before the first there is no comma.
    const size_t skip = last == 0 ? 1 : 0;
    if (found < count && fields_[found].lead.size() > skip &&
        Same(at, fields_[found].lead.data() + skip, fields_[found].lead.size() - skip)) {
      at += fields_[found].lead.size() - skip;
    } else if (found == count && *at == '}') {
      break;
    } else {
      at = Key(at, last == 0, last, found);
      if (at == nullptr) return nullptr;
      if (found == count) break;
    }
    const uint64_t bit = uint64_t{1} << found;
    if ((seen & bit) != 0) return nullptr;
    seen |= bit;
    at = Value(fields_[found], kAppend ? nodes_[found] : nullptr, at);
    if (at == nullptr) return nullptr;
    last = found + 1;
  }
  if (!Missing(seen) || ++at > s_.end) return nullptr;
  return at;
}

// The key that does not stand where it stood last, or with blanks around it; it comes first there
// next time. At the record's end, `found` is the number of fields.
template <bool kAppend>
const char* FlatWalk<kAppend>::Key(const char* at, bool first, size_t last, size_t& found) {
  at = SkipBlanks(at, s_.end);
  if (at < s_.end && *at == '}') {
    found = fields_.size();
  } else {
    if (!first) {
      if (at >= s_.end || *at != ',') return nullptr;
      at = SkipBlanks(at + 1, s_.end);
    }
    if (at >= s_.end || *at != '"') return nullptr;
    const char* begin = ++at;
    at = EndOfPlainText(at, s_.end);
    if (at >= s_.end || *at != '"') return nullptr;
    const std::string_view name(begin, static_cast<size_t>(at - begin));
    if (found >= fields_.size() || fields_[found].part->name != name) {
      auto it = root_.by_name.find(name);
      if (it == root_.by_name.end()) return nullptr;
      found = it->second;
    }
    at = SkipBlanks(at + 1, s_.end);
    if (at >= s_.end || *at != ':') return nullptr;
    at = SkipBlanks(at + 1, s_.end);
  }
  order_[last] = static_cast<uint8_t>(found);
  return at < s_.end ? at : nullptr;
}

template <bool kAppend>
bool FlatWalk<kAppend>::Missing(uint64_t seen) {
  const size_t count = fields_.size();
  const uint64_t all = count == 0 ? 0 : ~uint64_t{0} >> (64 - count);
  if (seen != all) {
    for (size_t i = 0; i < count; ++i) {
      if ((seen >> i & 1) != 0) continue;
      if (fields_[i].part->required) return false;
      if constexpr (kAppend) nodes_[i]->AppendNull();
    }
  }
  if constexpr (kAppend) {
    for (size_t index : root_.absent) builder_->column(index).AppendNull();
  }
  return true;
}

// Any other scalar, and behind blanks: its token, and what Walk makes of it.
template <bool kAppend>
const char* FlatWalk<kAppend>::Other(const FlatField& field, Node* node, const char* at) {
  at = SkipBlanks(at, s_.end);
  const char* begin = at;
  if (*at == '"') {
    at = EndOfText(at + 1, s_.end);
    if (at == nullptr) return nullptr;
  } else {
    while (at < s_.end && *at != ',' && *at != '}' && !Blank(*at)) ++at;
  }
  const std::string_view token(begin, static_cast<size_t>(at - begin));
  if (token.empty() || token.front() == '{' || token.front() == '[') return nullptr;
  if (token == "null") {
    if (field.part->required) return nullptr;
    if constexpr (kAppend) node->AppendNull();
    return at;
  }
  return TakeScalar<kAppend>(s_.scalars, *field.part, token, node).empty() ? at : nullptr;
}

template class FlatWalk<false>;
template class FlatWalk<true>;

}  // namespace weft::contract
