// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "identity/directory.h"
#include "identity/people.h"
#include "meta/picture.h"

namespace weft::identity {

struct Directory::State {
  State(Options given, meta::Database& facts, const Clock& time, Random& source)
      : options(std::move(given)),
        database(facts),
        clock(time),
        random(source),
        picture(facts,
                [this](meta::Transaction& tx) { return LoadPeople(tx, options.master_key); }) {}

  Result<NewAccessKey> MakeKey(meta::Transaction& tx, const AccountId& account,
                               const std::string& user);
  // One statement on the key that is its first value.
  Status ChangeKey(std::string_view sql, const std::vector<meta::Value>& values);
  // For what cannot fail: nobody, where the picture cannot be had.
  std::shared_ptr<const People> people();

  const Options options;
  meta::Database& database;
  const Clock& clock;
  Random& random;
  meta::Picture<People> picture;
};

}  // namespace weft::identity
