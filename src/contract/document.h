// SPDX-License-Identifier: Apache-2.0
// A YAML or JSON document as a plain tree that knows its lines: what the reading of contracts works
// on.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::contract {

struct Document {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;     // of a scalar, as it is written: version: 1.0 is "1.0"
  bool quoted = false;  // a scalar that was written as text
  int line = 0;         // from 1; 0 when it is not known
  std::vector<Document> items;
  struct Entry;
  std::vector<Entry> entries;  // in the document's order, no key twice

  bool null() const { return kind == Kind::kNull; }
  // The value of a key; nullptr when the key is absent or its value null.
  const Document* Find(std::string_view key) const;
};

struct Document::Entry {
  std::string first;  // the key
  Document second;
};

// Reads YAML, of which JSON is a part. kInvalid names the line: not YAML, not UTF-8, a key twice,
// nested deeper than 100, or larger than 4 MiB or 200,000 nodes once aliases
// are followed.
Result<Document> ReadDocument(const std::string& text);

// "line 12: " or "" when the line is not known.
std::string At(const Document& node);

}  // namespace weft::contract
