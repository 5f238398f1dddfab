// SPDX-License-Identifier: Apache-2.0
#include "ingest/new_reasons.h"

#include "codec/hash.h"
#include "ingest/quarantine_record.h"

namespace weft::ingest {

Result<NewReasons::ByOffset> NewReasons::Of(const ProductName& product, int64_t first,
                                            int64_t last) {
  ByOffset reasons;
  TRY(database_.Read([&](meta::Transaction& tx) -> Status {
    reasons.clear();
    auto rows = TRY(tx.Query(
        "SELECT record, errors FROM quarantine_reasons WHERE product = :1 AND record >= :2 AND "
        "record <= :3",
        {product.text(), first, last}));
    for (const auto& row : rows) {
      const Bytes errors = TRY(codec::Base64Decode(row.text(1)));
      reasons[row.integer(0)] = TRY(DecodeErrors(errors));
    }
    return {};
  }));
  return reasons;
}

Status NewReasons::Put(meta::Transaction& tx, const ProductName& product, const ByOffset& reasons) {
  for (const auto& [offset, errors] : reasons) {
    (void)TRY(tx.Execute(
        "INSERT INTO quarantine_reasons (product, record, errors) VALUES (:1, :2, :3) "
        "ON CONFLICT (product, record) DO UPDATE SET errors = excluded.errors",
        {product.text(), offset, codec::Base64Encode(EncodeErrors(errors.data(), errors.size()))}));
  }
  return {};
}

Status NewReasons::Remove(meta::Transaction& tx, const ProductName& product,
                          const OffsetRanges& offsets) {
  for (const auto& [first, last] : offsets.ranges()) {
    (void)TRY(tx.Execute(
        "DELETE FROM quarantine_reasons WHERE product = :1 AND record >= :2 AND record <= :3",
        {product.text(), first, last}));
  }
  return {};
}

Status NewReasons::Forget(meta::Transaction& tx, const ProductName& product) {
  (void)TRY(tx.Execute("DELETE FROM quarantine_reasons WHERE product = :1", {product.text()}));
  return {};
}

}  // namespace weft::ingest
