// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "govern/govern.h"
#include "govern/rules.h"
#include "meta/picture.h"

namespace weft::govern {

struct Govern::State {
  State(meta::Database& database, const identity::Directory& known)
      : directory(known), picture(database, LoadRules) {}
  // Nothing is allowed where the picture cannot be had.
  std::shared_ptr<const Rules> rules();

  const identity::Directory& directory;
  meta::Picture<Rules> picture;
};

}  // namespace weft::govern
