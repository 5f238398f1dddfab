// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace weft {

// Octets, owned and borrowed. Not text: may hold any value, zero included.
using Bytes = std::string;
using BytesView = std::string_view;

}  // namespace weft
