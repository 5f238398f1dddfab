// SPDX-License-Identifier: Apache-2.0
#include "contract/pattern_shape.h"

namespace weft::contract {
namespace {

constexpr size_t kFixedMax = 256, kClassesMax = 64;
constexpr size_t kTimesMax = 1'000'000;
constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();

bool Digit(char c) { return c >= '0' && c <= '9'; }
bool Alphanumeric(char c) { return Digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool Plain(char c) { return c >= 0x20 && c < 0x7f; }

}  // namespace

class ShapeParser {
 public:
  explicit ShapeParser(std::string_view in) : in_(in) {}

  std::optional<PatternShape> Run() {
    if (!Take('^')) return std::nullopt;
    while (!in_.empty() && in_ != "$") {
      if (varies_ || out_.classes_.size() == kClassesMax) return std::nullopt;
      PatternShape::Class one{};
      size_t min = 1, max = 1;
      if (!TakeClass(one) || !TakeTimes(min, max)) return std::nullopt;
      const auto number = static_cast<uint8_t>(out_.classes_.size());
      out_.classes_.push_back(one);
      varies_ = min != max;
      if (varies_) {
        out_.rest_ = number;
        out_.rest_min_ = min;
        out_.rest_max_ = max;
      } else {
        if (min > kFixedMax - out_.fixed_.size()) return std::nullopt;
        out_.fixed_.insert(out_.fixed_.end(), min, number);
      }
    }
    if (in_ != "$") return std::nullopt;
    return std::move(out_);
  }

 private:
  bool Take(char c) {
    if (in_.empty() || in_.front() != c) return false;
    in_.remove_prefix(1);
    return true;
  }

  static void Add(PatternShape::Class& to, char first, char last) {
    for (int c = first; c <= last; ++c) to[static_cast<size_t>(c)] = true;
  }

  // \d, \w, or a character that only stands for itself.
  bool TakeEscape(PatternShape::Class& to, char& alone) {
    if (in_.empty()) return false;
    const char c = in_.front();
    in_.remove_prefix(1);
    alone = 0;
    if (c == 'd' || c == 'w') Add(to, '0', '9');
    if (c == 'w') {
      Add(to, 'a', 'z');
      Add(to, 'A', 'Z');
      Add(to, '_', '_');
    }
    if (c == 'd' || c == 'w') return true;
    if (!Plain(c) || Alphanumeric(c)) return false;
    alone = c;
    Add(to, c, c);
    return true;
  }

  bool TakeClass(PatternShape::Class& to) {
    char alone = 0;
    if (Take('\\')) return TakeEscape(to, alone);
    if (Take('[')) return TakeMembers(to);
    const char c = in_.front();
    if (!Plain(c) || std::string_view("^$.|?*+()[]{}").find(c) != std::string_view::npos)
      return false;
    in_.remove_prefix(1);
    Add(to, c, c);
    return true;
  }

  // Ranges are of plain characters; a minus sign elsewhere is the first or last member.
  bool TakeMembers(PatternShape::Class& to) {
    if (in_.empty() || in_.front() == '^' || in_.front() == ']') return false;
    for (bool first = true; !Take(']'); first = false) {
      if (in_.empty()) return false;
      char member = 0;
      if (Take('\\')) {
        if (!TakeEscape(to, member)) return false;
        if (in_.starts_with('-') && !in_.starts_with("-]")) return false;
        continue;
      }
      member = in_.front();
      in_.remove_prefix(1);
      if (!Plain(member) || member == '[') return false;
      if (member == '-' && !first && !in_.starts_with(']')) return false;
      char last = member;
      if (in_.starts_with('-') && !in_.starts_with("-]")) {
        if (in_.size() < 2) return false;
        last = in_[1];
        if (!Alphanumeric(member) || !Alphanumeric(last) || last < member) return false;
        in_.remove_prefix(2);
      }
      Add(to, member, last);
    }
    return true;
  }

  bool TakeNumber(size_t& out) {
    if (in_.empty() || !Digit(in_.front())) return false;
    out = 0;
    while (!in_.empty() && Digit(in_.front())) {
      out = out * 10 + static_cast<size_t>(in_.front() - '0');
      if (out > kTimesMax) return false;
      in_.remove_prefix(1);
    }
    return true;
  }

  bool TakeTimes(size_t& min, size_t& max) {
    if (Take('*')) {
      min = 0;
      max = kUnlimited;
    } else if (Take('+')) {
      max = kUnlimited;
    } else if (Take('?')) {
      min = 0;
    } else if (Take('{')) {
      if (!TakeNumber(min)) return false;
      max = min;
      if (Take(',')) {
        max = kUnlimited;
        if (!in_.starts_with('}') && (!TakeNumber(max) || max < min)) return false;
      }
      if (!Take('}')) return false;
    } else {
      return true;
    }
    // What makes it lazy or is no ECMA-262.
    return in_.empty() ||
           (in_.front() != '?' && in_.front() != '+' && in_.front() != '*' && in_.front() != '{');
  }

  std::string_view in_;
  bool varies_ = false;
  PatternShape out_;
};

std::optional<PatternShape> PatternShape::Parse(std::string_view ecma) {
  return ShapeParser(ecma).Run();
}

}  // namespace weft::contract
