// SPDX-License-Identifier: Apache-2.0
// ECMA-262 and PCRE2 differ where this file rewrites: `.` and `\s` mean other characters, `$` is
// the very end, `\v` and
// `\uXXXX` mean one character, `[` stands for itself in a class. What PCRE2 alone knows (`\A`,
// `(?i)`, `a++`, `(?>`,
// `(*`) is refused rather than given a meaning that the contract's other readers do not see.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "contract/pattern.h"

#include <pcre2.h>

#include <array>

namespace weft::contract {
namespace {

constexpr size_t kPatternBytesMax = 16 << 10;
constexpr uint32_t kMatchLimit = 200'000;
constexpr uint32_t kDepthLimit = 10'000;

constexpr std::string_view kBlanks =
    R"(\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr std::string_view kLineEnds = R"(\n\r\x{2028}\x{2029})";

class Translator {
 public:
  explicit Translator(std::string_view in) : in_(in) {}

  Result<std::string> Run() {
    while (at_ < in_.size()) {
      char c = in_[at_];
      if (c == '\\') {
        TRY(Escape());
      } else if (in_class_) {
        InClass(c);
      } else {
        TRY(Outside(c));
      }
    }
    return out_;
  }

 private:
  void InClass(char c) {
    ++at_;
    if (c == '[') out_ += '\\';
    out_ += c;
    if (c == ']') {
      in_class_ = false;
      quantified_ = false;
    }
  }

  Status Outside(char c) {
    bool quantifier = c == '*' || c == '+' || c == '?' || c == '}';
    if (c == '+' && quantified_)
      return Fail(Code::kInvalid, "a possessive quantifier is not ECMA-262");
    quantified_ = quantifier && !quantified_;
    ++at_;
    switch (c) {
      case '.':
        out_ += fmt::format("[^{}]", kLineEnds);
        return {};
      case '[':
        in_class_ = true;
        out_ += c;
        // An empty class and its opposite are closed at once, where PCRE2 would take `]` as a
        // member.
        if (Rest().substr(0, 1) == "^") out_ += in_[at_++];
        if (Rest().substr(0, 1) == "]") InClass(in_[at_]);
        return {};
      case '(':
        return Group();
      default:
        out_ += c;
        return {};
    }
  }

  Status Group() {
    out_ += '(';
    auto rest = Rest();
    if (rest.substr(0, 1) == "*") return Fail(Code::kInvalid, "'(*' is not ECMA-262");
    if (rest.substr(0, 1) != "?") return {};
    bool known = rest.size() > 1 && (rest[1] == ':' || rest[1] == '=' || rest[1] == '!' ||
                                     (rest[1] == '<' && rest.size() > 2));
    if (!known)
      return Fail(Code::kInvalid, fmt::format("'({}' is not ECMA-262", rest.substr(0, 2)));
    out_ += rest.substr(0, 2);
    at_ += 2;
    return {};
  }

  Status Escape() {
    quantified_ = false;
    auto rest = in_.substr(at_ + 1);
    if (rest.empty()) return Fail(Code::kInvalid, "ends in a backslash");
    char c = rest[0];
    at_ += 2;
    switch (c) {
      case 's':
        out_ += in_class_ ? std::string(kBlanks) : fmt::format("[{}]", kBlanks);
        return {};
      case 'S':
        if (in_class_)
          return Fail(Code::kInvalid, "\\S within a class is not offered: PCRE2 cannot hold it");
        out_ += fmt::format("[^{}]", kBlanks);
        return {};
      case 'v':
        out_ += "\\x{0b}";
        return {};
      case '0':
        out_ += "\\x{00}";
        return {};
      case 'u':
        return Unicode();
      default:
        break;
    }
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter && std::string_view("dDwWbBtnrfcxkpP").find(c) == std::string_view::npos) {
      return Fail(Code::kInvalid, fmt::format("'\\{}' is not ECMA-262", c));
    }
    if (c == 'B' && in_class_) return Fail(Code::kInvalid, "'\\B' within a class is not ECMA-262");
    out_ += '\\';
    out_ += c;
    return {};
  }

  // \uXXXX, \uD83D\uDE00 and \u{X…}.
  Status Unicode() {
    auto rest = Rest();
    uint32_t point = 0;
    if (rest.substr(0, 1) == "{") {
      size_t end = rest.find('}');
      if (end == std::string_view::npos || !Hex(rest.substr(1, end - 1), point)) {
        return Fail(Code::kInvalid, "'\\u{' without hexadecimal digits");
      }
      at_ += end + 1;
    } else {
      if (rest.size() < 4 || !Hex(rest.substr(0, 4), point)) {
        return Fail(Code::kInvalid, "'\\u' without four hexadecimal digits");
      }
      at_ += 4;
      uint32_t low = 0;
      rest = Rest();
      if (point >= 0xd800 && point < 0xdc00 && rest.size() >= 6 && rest.substr(0, 2) == "\\u" &&
          Hex(rest.substr(2, 4), low) && low >= 0xdc00 && low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        at_ += 6;
      }
    }
    out_ += fmt::format("\\x{{{:x}}}", point);
    return {};
  }

  static bool Hex(std::string_view digits, uint32_t& out) {
    if (digits.empty() || digits.size() > 6) return false;
    out = 0;
    for (char c : digits) {
      if (isxdigit(static_cast<unsigned char>(c)) == 0) return false;
      out = out * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return true;
  }

  std::string_view Rest() const { return in_.substr(at_); }

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  bool in_class_ = false;
  bool quantified_ = false;  // the last piece was a quantifier
};

pcre2_code* CodeOf(void* code) { return static_cast<pcre2_code*>(code); }

}  // namespace

Result<std::shared_ptr<const Pattern>> Pattern::Compile(const std::string& ecma) {
  auto refuse = [&](const std::string& why) {
    return Fail(Code::kInvalid, fmt::format("the pattern '{}': {}", ecma.substr(0, 200), why));
  };
  if (ecma.size() > kPatternBytesMax) return refuse("longer than 16 KiB");
  auto translated = Translator(ecma).Run();
  if (!translated.ok()) return refuse(translated.error().message());

  auto* context = pcre2_compile_context_create(nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                     PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C;
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated->data()), translated->size(),
                             options, &error, &offset, context);
  pcre2_compile_context_free(context);
  if (code == nullptr) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return refuse(reinterpret_cast<const char*>(text.data()));
  }
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where there is no JIT, the interpreter serves
  auto pattern = std::shared_ptr<Pattern>(new Pattern);
  pattern->code_ = code;
  pattern->shape_ = PatternShape::Parse(ecma);
  return std::shared_ptr<const Pattern>(std::move(pattern));
}

Pattern::~Pattern() { pcre2_code_free(CodeOf(code_)); }

struct PatternMatcher::State {
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(32 << 10, 1 << 20, nullptr);
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
};

PatternMatcher::PatternMatcher() : state_(std::make_unique<State>()) {
  pcre2_set_match_limit(state_->context, kMatchLimit);
  pcre2_set_depth_limit(state_->context, kDepthLimit);
  pcre2_jit_stack_assign(state_->context, nullptr, state_->stack);
}

PatternMatcher::~PatternMatcher() {
  pcre2_match_data_free(state_->data);
  pcre2_jit_stack_free(state_->stack);
  pcre2_match_context_free(state_->context);
}

PatternVerdict PatternMatcher::FindByEngine(const Pattern& pattern, std::string_view text) {
  int result = pcre2_match(CodeOf(pattern.code_), reinterpret_cast<PCRE2_SPTR>(text.data()),
                           text.size(), 0, PCRE2_NO_UTF_CHECK, state_->data, state_->context);
  if (result >= 0) return PatternVerdict::kMatch;
  return result == PCRE2_ERROR_NOMATCH ? PatternVerdict::kNoMatch : PatternVerdict::kTooCostly;
}

}  // namespace weft::contract
