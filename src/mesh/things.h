// SPDX-License-Identifier: Apache-2.0
// What a mesh declares, one thing at a time, as it is remembered in meta: enough to say what
// changed, and to take it back when it is no longer declared.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "mesh/declaration.h"
#include "meta/database.h"

namespace weft::mesh {

// In the order in which changes are told.
enum class ThingKind { kAccount, kGroup, kUser, kPolicy, kProduct, kGrant };
std::string KindName(ThingKind kind);

using ThingId = std::pair<ThingKind, std::string>;  // the key is unique on the server

struct Thing {
  std::string name;         // for people
  nlohmann::json settings;  // the same text for the same declaration
};

struct StoredThing : Thing {
  std::string mesh;
  bool live = true;  // a product that was removed with its data kept is not
};

// All that the directory declares.
Result<std::map<ThingId, Thing>> ThingsOf(const Declaration& declaration);

Result<std::map<ThingId, StoredThing>> LoadThings(meta::Transaction& tx);
Status PutThing(meta::Transaction& tx, const ThingId& id, const StoredThing& thing);
Status DeleteThing(meta::Transaction& tx, const ThingId& id);

}  // namespace weft::mesh
