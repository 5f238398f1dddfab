// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace weft::mesh {

// Whether `path` stays within the directory it is relative to.
bool PathWithin(std::string_view path);

// What the policy in that file is called: "ingest" for "policies/ingest.json".
std::string PolicyName(std::string_view path);

}  // namespace weft::mesh
