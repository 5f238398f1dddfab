// SPDX-License-Identifier: Apache-2.0
#include "deliver/settings.h"

namespace weft::deliver {

SettingsTable::SettingsTable(meta::Database& database) : picture_(database, Load) {}

const std::vector<std::string>& SettingsTable::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE deliver_settings (product TEXT PRIMARY KEY, buffer_bytes INTEGER NOT NULL, "
      "buffer_interval_ms INTEGER NOT NULL, retention_ms INTEGER NOT NULL)",
      "ALTER TABLE deliver_settings ADD COLUMN retention_bytes INTEGER NOT NULL DEFAULT 0",
  };
  return steps;
}

Status SettingsTable::Put(meta::Transaction& tx, const DeliverySettings& settings) {
  TRY(tx.Execute(
      "INSERT INTO deliver_settings (product, buffer_bytes, buffer_interval_ms, retention_ms, "
      "retention_bytes) VALUES (:1, :2, :3, :4, :5) ON CONFLICT (product) DO UPDATE SET "
      "buffer_bytes = excluded.buffer_bytes, buffer_interval_ms = excluded.buffer_interval_ms, "
      "retention_ms = excluded.retention_ms, retention_bytes = excluded.retention_bytes",
      {settings.product.text(), settings.buffer_bytes, int64_t{settings.buffer_interval.count()},
       int64_t{settings.retention.count()}, settings.retention_bytes}));
  picture_.ReloadAfter(tx);
  return {};
}

Status SettingsTable::Delete(meta::Transaction& tx, const ProductName& product) {
  TRY(tx.Execute("DELETE FROM deliver_settings WHERE product = :1", {product.text()}));
  picture_.ReloadAfter(tx);
  return {};
}

Result<DeliverySettings> SettingsTable::Find(const ProductName& product) {
  const auto settings = TRY(picture_.Get());
  auto found = settings->find(product);
  if (found == settings->end()) {
    return Fail(Code::kNotFound,
                fmt::format("no delivery settings for product {}", product.text()));
  }
  return found->second;
}

Result<std::shared_ptr<const SettingsTable::Settings>> SettingsTable::Load(meta::Transaction& tx) {
  auto settings = std::make_shared<Settings>();
  const auto rows = TRY(
      tx.Query("SELECT product, buffer_bytes, buffer_interval_ms, retention_ms, retention_bytes "
               "FROM deliver_settings"));
  for (const meta::Row& row : rows) {
    const ProductName product(row.text(0));
    (*settings)[product] = {.product = product,
                            .buffer_bytes = row.integer(1),
                            .buffer_interval = milliseconds(row.integer(2)),
                            .retention = milliseconds(row.integer(3)),
                            .retention_bytes = row.integer(4)};
  }
  return settings;
}

}  // namespace weft::deliver
