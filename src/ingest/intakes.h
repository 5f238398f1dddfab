// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "contract/checker.h"
#include "meta/database.h"
#include "stream/streams.h"

namespace weft::ingest {

enum class Mode { kAtomic, kPartial };

// How records of a product are taken in.
struct Intake {
  ProductName product;
  AccountId account;
  stream::StreamName stream;
  stream::StreamName quarantine;  // the stream of its refused records
  Mode mode = Mode::kAtomic;
  contract::UnknownFields unknown_fields = contract::UnknownFields::kRefuse;
  int64_t record_bytes_max = int64_t{1} << 20;
  // What the product takes a second, by all doors together; 0: no limit.
  int64_t bytes_per_second = 0;
  int64_t records_per_second = 0;
};

// The intakes of all products, over meta; reads cost no disk.
class Intakes {
 public:
  explicit Intakes(meta::Database& database);
  ~Intakes();
  static const std::vector<std::string>& Migrations();

  Status Put(meta::Transaction& tx, const Intake& intake);
  Status Delete(meta::Transaction& tx, const ProductName& product);
  // By the product's name, `a-b` and `a_b` alike; kNotFound.
  Result<std::shared_ptr<const Intake>> Find(std::string_view product) const;
  std::vector<Intake> All() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::ingest
