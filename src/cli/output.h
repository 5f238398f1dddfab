// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft::cli {

// How a command speaks. Results go to stdout, and only when the command succeeds.
struct Output {
  bool json = false;

  // "error: …" on stderr, or one JSON object with --json; the exit status to end with.
  int Failed(const Error& error) const;
  void Result(const std::string& text) const;  // to stdout, with a line's end
  void Note(const std::string& text) const;    // to stderr, unless --json
};

// Columns of text as a table with a header line; numbers to the right. Control characters are made
// harmless.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  size_t size() const { return rows_.size(); }
  std::string Text() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// What a terminal may show of text that others wrote: control characters replaced.
std::string Printable(std::string_view text);
// A progress bar on stderr, when that is a terminal.
class Progress {
 public:
  Progress(std::string label, int64_t total_bytes, bool quiet);
  ~Progress();
  void Advance(int64_t bytes);

 private:
  const std::string label_;
  const int64_t total_;
  const bool shown_;
  int64_t done_ = 0;
  int last_percent_ = -1;
};

}  // namespace weft::cli
