// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "deliver/delivery.h"
#include "meta/database.h"
#include "meta/picture.h"

namespace weft::deliver {

// The delivery settings of all products, over meta; reads cost no disk.
class SettingsTable {
 public:
  explicit SettingsTable(meta::Database& database);
  static const std::vector<std::string>& Migrations();

  Status Put(meta::Transaction& tx, const DeliverySettings& settings);
  Status Delete(meta::Transaction& tx, const ProductName& product);
  Result<DeliverySettings> Find(const ProductName& product);

 private:
  using Settings = std::map<ProductName, DeliverySettings>;
  static Result<std::shared_ptr<const Settings>> Load(meta::Transaction& tx);
  meta::Picture<Settings> picture_;
};

}  // namespace weft::deliver
