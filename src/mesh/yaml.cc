// SPDX-License-Identifier: Apache-2.0
#include "mesh/yaml.h"

#include <simdjson.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

namespace weft::mesh {
namespace {

constexpr size_t kTextBytesMax = size_t{4} << 20;
constexpr size_t kDepthMax = 100;
constexpr size_t kNodesMax = 200'000;

// Builds the tree from the parser's events. An alias copies what its anchor marks, and the copy
// counts: a small document of nested aliases cannot become a large tree.
class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode root;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Open(mark, anchor, YamlNode::Kind::kNull);
    Close();
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw YAML::ParserException(mark, "an alias of what is not complete");
    YamlNode copy = found->second;
    Count(mark, copy);
    copy.line = Line(mark);
    stack_.push_back({std::move(copy), 0, {}, false});
    Close();
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    Open(mark, anchor, YamlNode::Kind::kScalar);
    stack_.back().node.text = value;
    Close();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Level {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    YamlNode::Key key;
    bool has_key = false;
  };

  static int Line(const YAML::Mark& mark) { return mark.line + 1; }

  static void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?" || tag == "!") return;
    if (tag.starts_with(kCore)) {
      const auto name = std::string_view(tag).substr(kCore.size());
      if (name == "str" || name == "int" || name == "map" || name == "seq" || name == "null")
        return;
    }
    throw YAML::ParserException(mark, "the tag " + tag + " means nothing here");
  }

  void Count(const YAML::Mark& mark, const YamlNode& node) {
    if (++nodes_ > kNodesMax) throw YAML::ParserException(mark, "the document is too large");
    for (const auto& item : node.items) Count(mark, item);
    for (const auto& entry : node.entries) Count(mark, entry.second);
  }

  void Open(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Kind kind) {
    if (stack_.size() >= kDepthMax) throw YAML::ParserException(mark, "nested too deeply");
    if (++nodes_ > kNodesMax) throw YAML::ParserException(mark, "the document is too large");
    Level level;
    level.node.kind = kind;
    level.node.line = Line(mark);
    level.anchor = anchor;
    stack_.push_back(std::move(level));
  }

  void Close() {
    Level done = std::move(stack_.back());
    stack_.pop_back();
    if (done.anchor != 0) anchors_[done.anchor] = done.node;
    if (stack_.empty()) {
      root = std::move(done.node);
      return;
    }
    Level& above = stack_.back();
    if (above.node.kind == YamlNode::Kind::kList) {
      above.node.items.push_back(std::move(done.node));
    } else if (!above.has_key) {
      if (done.node.kind != YamlNode::Kind::kScalar) {
        throw YAML::ParserException(
            YAML::Mark::null_mark(),
            "line " + std::to_string(done.node.line) + ": a key must be text");
      }
      above.key = {std::move(done.node.text), done.node.line};
      above.has_key = true;
    } else {
      above.node.entries.push_back({std::move(above.key), std::move(done.node)});
      above.has_key = false;
    }
  }

  std::vector<Level> stack_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t nodes_ = 0;
};

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

bool ReadYaml(const std::string& text, YamlNode& root, YamlFault& fault) {
  auto failed = [&](int line, std::string what) {
    fault = {line, std::move(what)};
    return false;
  };
  if (text.size() > kTextBytesMax) return failed(1, "larger than 4 MiB");
  if (!simdjson::validate_utf8(text)) return failed(1, "not UTF-8");
  if (text.find('\0') != std::string::npos) return failed(1, "holds a NUL character");
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    TreeBuilder first, second;
    if (parser.HandleNextDocument(first) && parser.HandleNextDocument(second)) {
      return failed(second.root.line, "a second document begins here: one file is one mesh");
    }
    root = std::move(first.root);
    return true;
  } catch (const YAML::Exception& e) {
    return failed(e.mark.is_null() ? 1 : e.mark.line + 1, "not YAML: " + e.msg);
  } catch (const std::exception& e) {
    return failed(1, std::string("not YAML: ") + e.what());
  }
}

}  // namespace weft::mesh
