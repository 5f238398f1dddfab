// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mesh/yaml.h"

namespace weft::mesh {

inline constexpr std::string_view kMeshFile = "mesh.yaml";

// What is wrong with a mesh directory, gathered so that a person mends it in one go.
class Faults {
 public:
  void Add(std::string_view file, int line, std::string text);
  void Add(int line, std::string text) { Add(kMeshFile, line, std::move(text)); }
  // Another module's message about a whole file; "line 12: " at the beginning of a line of it
  // becomes its place.
  void AddFrom(std::string_view file, std::string_view message);
  bool none() const { return faults_.empty(); }
  // kInvalid with a line for each: mesh.yaml's first, by line; 20 at most, then how many more there
  // are.
  Status Verdict() const;

 private:
  struct Fault {
    std::string file;
    int line = 1;
    std::string text;
  };
  std::vector<Fault> faults_;
};

// "; is 'retention' meant?" or "".
std::string Hint(std::string_view word, const std::vector<std::string>& known);

// A map of mesh.yaml with known keys. Making one reports keys that are unknown or come twice, and a
// value that is no map. A null is an empty map.
class Section {
 public:
  // `path` is how messages call it: "products.orders.ingest", "" for the whole file.
  Section(Faults& faults, const YamlNode& node, std::string path,
          const std::vector<std::string>& known);

  struct Value {
    std::string text;
    int line = 0;
  };
  // The scalar under `key`; an empty one, after a fault, when it is something else, and when it is
  // missing (a fault if `required`).
  Value Text(std::string_view key, bool required = false) const;
  // The scalars of the list under `key`; no list is a fault.
  std::vector<Value> Texts(std::string_view key) const;
  // What lies under `key`, null included; nullptr when the key is not there.
  const YamlNode* Find(std::string_view key) const { return node_.Find(key); }
  // The line of the key, else of the section.
  int LineOf(std::string_view key) const;
  std::string Path(std::string_view key) const;

 private:
  Faults& faults_;
  const YamlNode& node_;
  std::string path_;
};

}  // namespace weft::mesh
