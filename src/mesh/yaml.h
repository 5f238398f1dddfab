// SPDX-License-Identifier: Apache-2.0
// mesh.yaml as a plain tree in which every key and value knows its line, so that each fault can
// name it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::mesh {

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Key {
    std::string text;
    int line = 0;
  };
  Kind kind = Kind::kNull;
  int line = 0;                 // from 1
  std::string text;             // of a scalar, as written
  std::vector<YamlNode> items;  // of a list
  struct Entry;
  std::vector<Entry> entries;  // of a map, in the document's order; a key may come twice

  const YamlNode* Find(std::string_view key) const;  // the first of that key; nullptr
};

struct YamlNode::Entry {
  Key first;  // named as the members of a pair
  YamlNode second;
};

// What is wrong with the document as a whole.
struct YamlFault {
  int line = 1;
  std::string text;
};

// Reads one YAML document; an empty one is null. Bounded: 4 MiB, 100 levels, 200,000 nodes counted
// after aliases are followed. False leaves `fault` filled.
bool ReadYaml(const std::string& text, YamlNode& root, YamlFault& fault);

}  // namespace weft::mesh
