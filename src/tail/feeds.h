// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "meta/database.h"
#include "stream/streams.h"

namespace weft::tail {

// Which records of which stream are the rows of a table.
struct Feed {
  int64_t table_id = 0;
  ProductName product;
  stream::StreamName stream;
  std::string object;  // name of the contract's schema object
};

// The feeds of all tables, over meta; reads cost no disk.
class Feeds {
 public:
  explicit Feeds(meta::Database& database);
  ~Feeds();
  static const std::vector<std::string>& Migrations();

  Status Put(meta::Transaction& tx, const Feed& feed);
  Status Delete(meta::Transaction& tx, int64_t table_id);
  // Nothing also while the feeds cannot be read, as All and OfProduct; Lookup tells the two apart.
  std::optional<Feed> Find(int64_t table_id) const;
  Result<std::optional<Feed>> Lookup(int64_t table_id) const;
  std::vector<Feed> All() const;
  std::vector<Feed> OfProduct(const ProductName& product) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::tail
