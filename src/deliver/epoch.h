// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deliver/delivery.h"

namespace weft::deliver {

// A table at one moment, as pointer and positions say.
struct LoadedTable {
  catalog::TableState state;
  iceberg::TableVersion version;
  std::shared_ptr<const iceberg::Schema> schema;
};
Result<LoadedTable> LoadTable(const Delivery::Dependencies& on, int64_t table_id);

// Moves the table's pointer from `table` to `next`, with the positions. kConflict: it did not, and
// never will. After any other failure nothing is known until the table is loaded again.
Status Commit(const Delivery::Dependencies& on, const LoadedTable& table,
              const iceberg::TableVersion& next, const catalog::Positions& positions);

// Deletes objects that no version of a table names. What cannot be deleted is an orphan.
void Discard(const Delivery::Dependencies& on, const std::vector<iceberg::DataFile>& files,
             const iceberg::TableVersion* version);
Status DeleteObject(const Delivery::Dependencies& on, const std::string& location);

struct Epoch {
  bool moved = false;  // whether there was any record behind the table's positions
  int64_t rows = 0;
  int64_t bytes = 0;  // of log records
};
// Puts the records behind the table's positions into it, about `bytes_max` of them. The caller has
// the table's lock.
Result<Epoch> DeliverEpoch(const Delivery::Dependencies& on, const tail::Feed& feed,
                           int64_t bytes_max);

}  // namespace weft::deliver
