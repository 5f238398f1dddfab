// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "objects/object_store.h"

namespace weft::objects {

// Objects in memory, gone with the store.
std::unique_ptr<ObjectStore> OpenMemoryStore(const Clock& clock = SystemClock());

}  // namespace weft::objects
