// SPDX-License-Identifier: Apache-2.0
#include "aws/operation.h"

namespace weft::aws {

std::string Call::Text(const char* member) const {
  const auto found = input.find(member);
  return found == input.end() ? "" : found->get<std::string>();
}

std::optional<int64_t> Call::Integer(const char* member) const {
  const auto found = input.find(member);
  if (found == input.end()) return std::nullopt;
  return found->get<int64_t>();
}

bool Call::Boolean(const char* member, bool otherwise) const {
  const auto found = input.find(member);
  return found == input.end() ? otherwise : found->get<bool>();
}

const Operation* Service::Find(std::string_view name) const {
  for (const Operation& operation : operations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

}  // namespace weft::aws
