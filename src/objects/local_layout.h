// SPDX-License-Identifier: Apache-2.0
// Where the local store puts what: docs/formats/objects.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "objects/object_store.h"

namespace weft::objects {

class LocalLayout {
 public:
  explicit LocalLayout(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  std::string marker() const { return root_ + "/.weft-objects"; }
  std::string temporary_folder() const { return root_ + "/.tmp"; }
  std::string displaced_folder() const { return root_ + "/.other/.displaced"; }

  std::string plain_folder(std::string_view bucket) const;
  std::string other_folder(std::string_view bucket) const;
  std::string plain(const ObjectKey& key) const;
  std::string other(const ObjectKey& key) const;      // of keys that are not plain
  std::string displaced(const ObjectKey& key) const;  // of plain keys whose place is taken

 private:
  std::string root_;
};

// Whether `part` can be a part of a plain key.
bool PlainPart(std::string_view part);

// The octets of a key in hex, cut into path parts. Files and folders sort, by name, as the keys
// they stand for.
std::string EncodeKeyPath(std::string_view key);
// The octets that one part stands for; nothing when it is not one. Folders end in '~'.
std::optional<std::string> DecodeKeyPart(std::string_view part, bool folder);

}  // namespace weft::objects
