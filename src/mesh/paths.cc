// SPDX-License-Identifier: Apache-2.0
#include "mesh/paths.h"

#include <algorithm>

namespace weft::mesh {

bool PathWithin(std::string_view path) {
  if (path.empty() || path.size() > 1000 || path.front() == '/') return false;
  auto strange = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == 0x7f;
  };
  if (std::any_of(path.begin(), path.end(), strange)) return false;
  while (true) {
    const size_t end = std::min(path.find('/'), path.size());
    const auto part = path.substr(0, end);
    if (part.empty() || part == "..") return false;
    if (end == path.size()) return true;
    path.remove_prefix(end + 1);
  }
}

std::string PolicyName(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  if (path.ends_with(".json")) path.remove_suffix(5);
  return std::string(path);
}

}  // namespace weft::mesh
