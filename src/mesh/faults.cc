// SPDX-License-Identifier: Apache-2.0
#include "mesh/faults.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/nearest.h"

namespace weft::mesh {
namespace {
constexpr size_t kListedMax = 20;
}  // namespace

void Faults::Add(std::string_view file, int line, std::string text) {
  faults_.push_back({std::string(file), std::max(line, 1), std::move(text)});
}

void Faults::AddFrom(std::string_view file, std::string_view message) {
  while (!message.empty()) {
    const size_t end = std::min(message.find('\n'), message.size());
    std::string_view text = message.substr(0, end);
    message.remove_prefix(std::min(end + 1, message.size()));
    int line = 1;
    constexpr std::string_view kLine = "line ";
    if (text.starts_with(kLine)) {
      const char* begin = text.data() + kLine.size();
      auto [stop, error] = std::from_chars(begin, text.data() + text.size(), line);
      std::string_view rest(stop, static_cast<size_t>(text.data() + text.size() - stop));
      if (error == std::errc() && rest.starts_with(": ")) text = rest.substr(2);
    }
    if (!text.empty()) Add(file, line, std::string(text));
  }
}

Status Faults::Verdict() const {
  if (faults_.empty()) return {};
  auto sorted = faults_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Fault& a, const Fault& b) {
    if (a.file != b.file) return a.file == kMeshFile && b.file != kMeshFile;
    return a.line < b.line;
  });
  std::string text;
  for (size_t i = 0; i < std::min(sorted.size(), kListedMax); ++i) {
    if (i > 0) text += '\n';
    text += fmt::format("{}:{}: {}", sorted[i].file, sorted[i].line, sorted[i].text);
  }
  if (sorted.size() > kListedMax) text += fmt::format("\nand {} more", sorted.size() - kListedMax);
  return Fail(Code::kInvalid, text);
}

std::string Hint(std::string_view word, const std::vector<std::string>& known) {
  auto near = Nearest(word, known);
  return near.empty() ? "" : fmt::format("; is '{}' meant?", near);
}

Section::Section(Faults& faults, const YamlNode& node, std::string path,
                 const std::vector<std::string>& known)
    : faults_(faults), node_(node), path_(std::move(path)) {
  if (node.kind != YamlNode::Kind::kMap && node.kind != YamlNode::Kind::kNull) {
    faults.Add(node.line, path_.empty() ? "the file is not a map of keys"
                                        : fmt::format("{} is not a map of keys", path_));
    return;
  }
  std::map<std::string_view, int> seen;
  for (const auto& [key, value] : node.entries) {
    auto [first, fresh] = seen.emplace(key.text, key.line);
    if (!fresh) {
      faults.Add(key.line,
                 fmt::format("{} comes twice, first in line {}", Path(key.text), first->second));
    } else if (std::find(known.begin(), known.end(), key.text) == known.end()) {
      faults.Add(key.line, fmt::format("unknown key '{}'{}{}", key.text,
                                       path_.empty() ? "" : fmt::format(" in {}", path_),
                                       Hint(key.text, known)));
    }
  }
}

Section::Value Section::Text(std::string_view key, bool required) const {
  const YamlNode* value = node_.Find(key);
  if (value == nullptr || value->kind == YamlNode::Kind::kNull) {
    if (required) faults_.Add(LineOf(key), fmt::format("{} is required", Path(key)));
    return {"", LineOf(key)};
  }
  if (value->kind != YamlNode::Kind::kScalar) {
    faults_.Add(value->line, fmt::format("{} is not a single value", Path(key)));
    return {"", value->line};
  }
  if (value->text.empty() && required)
    faults_.Add(value->line, fmt::format("{} is empty", Path(key)));
  return {value->text, value->line};
}

std::vector<Section::Value> Section::Texts(std::string_view key) const {
  std::vector<Value> values;
  const YamlNode* list = node_.Find(key);
  if (list == nullptr || list->kind == YamlNode::Kind::kNull) return values;
  if (list->kind != YamlNode::Kind::kList) {
    faults_.Add(list->line, fmt::format("{} is not a list", Path(key)));
    return values;
  }
  for (const auto& item : list->items) {
    if (item.kind != YamlNode::Kind::kScalar || item.text.empty()) {
      faults_.Add(item.line, fmt::format("{} holds something that is not a name", Path(key)));
    } else {
      values.push_back({item.text, item.line});
    }
  }
  return values;
}

int Section::LineOf(std::string_view key) const {
  for (const auto& entry : node_.entries) {
    if (entry.first.text == key) return entry.first.line;
  }
  return node_.line;
}

std::string Section::Path(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

}  // namespace weft::mesh
