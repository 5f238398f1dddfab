// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <unistd.h>

#include <cstdio>

#include "base/units.h"

namespace weft::cli {
namespace {

// Code points, as a stand-in for the columns a terminal gives them.
size_t Width(std::string_view text) {
  size_t width = 0;
  for (char c : text) width += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return width;
}

bool IsNumber(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    if ((c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E')
      return false;
  }
  return true;
}

}  // namespace

int Output::Failed(const Error& error) const {
  if (json) {
    nlohmann::json body = {{"error", error.message()}, {"code", CodeName(error.code())}};
    std::fprintf(stderr, "%s\n",
                 body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::fprintf(stderr, "error: %s\n", error.message().c_str());
  }
  return error.code() == Code::kInvalid && error.message().starts_with("usage:") ? 2 : 1;
}

void Output::Result(const std::string& text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.ends_with('\n')) std::fputc('\n', stdout);
}

void Output::Note(const std::string& text) const {
  if (!json) std::fprintf(stderr, "%s\n", text.c_str());
}

std::string Printable(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += c == '\n' ? "\\n" : c == '\t' ? " " : "?";
    } else {
      out += c;
    }
  }
  return out;
}

std::string TextTable::Text() const {
  const size_t columns = header_.size();
  std::vector<size_t> widths(columns, 0);
  std::vector<bool> numeric(columns, !rows_.empty());
  for (size_t i = 0; i < columns; ++i) {
    widths[i] = Width(header_[i]);
    for (const auto& row : rows_) {
      widths[i] = std::max(widths[i], Width(row[i]));
      if (!row[i].empty() && !IsNumber(row[i])) numeric[i] = false;
    }
  }
  std::string out;
  auto line = [&](const std::vector<std::string>& row) {
    std::string text;
    for (size_t i = 0; i < columns; ++i) {
      std::string pad(widths[i] - Width(row[i]), ' ');
      if (i > 0) text += "  ";
      text += numeric[i] ? pad + row[i] : row[i] + pad;
    }
    while (text.ends_with(' ')) text.pop_back();
    out += text + "\n";
  };
  line(header_);
  std::vector<std::string> rule;
  for (size_t width : widths) rule.emplace_back(width, '-');
  line(rule);
  for (const auto& row : rows_) line(row);
  return out;
}

Progress::Progress(std::string label, int64_t total_bytes, bool quiet)
    : label_(std::move(label)), total_(total_bytes), shown_(!quiet && isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_ && last_percent_ >= 0) std::fprintf(stderr, "\r\033[K");
}

void Progress::Advance(int64_t bytes) {
  done_ += bytes;
  if (!shown_ || total_ <= 0) return;
  const int percent = static_cast<int>(std::min<int64_t>(100, done_ * 100 / total_));
  if (percent == last_percent_) return;
  last_percent_ = percent;
  std::string bar(static_cast<size_t>(percent / 4), '#');
  bar.resize(25, '.');
  std::fprintf(stderr, "\r%s [%s] %3d%%  %s", label_.c_str(), bar.c_str(), percent,
               FormatSize(done_).c_str());
}

}  // namespace weft::cli
