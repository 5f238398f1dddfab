// SPDX-License-Identifier: Apache-2.0
// A store in memory, a clock that stands until it is moved, randomness from a seed, and tables on
// them.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "iceberg/single_value.h"
#include "iceberg/table.h"
#include "objects/testing/memory_store.h"

namespace weft::iceberg {

class StandingClock : public Clock {
 public:
  Timestamp Now() const override { return now; }
  microseconds Elapsed() const override { return now.time_since_epoch(); }
  Timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}};
};

class SeededRandom : public Random {
 public:
  void Fill(void* to, size_t bytes) override {
    for (size_t at = 0; at < bytes; ++at) static_cast<char*>(to)[at] = static_cast<char>(engine_());
  }

 private:
  std::mt19937_64 engine_{1};
};

struct TableWorld {
  StandingClock clock;
  SeededRandom random;
  std::unique_ptr<objects::ObjectStore> store = objects::OpenMemoryStore(clock);
  Tables tables{*store, clock, random};

  static Field Column(int id, const std::string& name, TypeKind kind) {
    Field field;
    field.id = id;
    field.name = name;
    field.type.kind = kind;
    return field;
  }

  // order_id long, country string, ordered_at timestamptz; by country and day of ordered_at.
  static Tables::NewTable Orders() {
    Tables::NewTable table;
    table.location = "s3://lake/sales/orders";
    table.schema.fields = {Column(1, "order_id", TypeKind::kLong),
                           Column(2, "country", TypeKind::kString),
                           Column(3, "ordered_at", TypeKind::kTimestampTz)};
    table.schema.fields[0].required = true;
    table.spec.fields = {MakePartitionField(table.schema.fields[1], Transform::kIdentity, 1000),
                         MakePartitionField(table.schema.fields[2], Transform::kDay, 1001)};
    return table;
  }

  DataFile File(const std::string& name, int64_t rows = 10, const SingleValue& country = "CH",
                int day = 20000) {
    DataFile file;
    file.location = "s3://lake/sales/orders/data/" + name;
    Type date;
    date.kind = TypeKind::kDate;
    file.partition = {country, EncodeSingleValue(date, int64_t{day})};
    file.record_count = rows;
    file.file_bytes = rows * 100;
    file.column_bytes = {{1, rows * 8}, {2, rows * 2}};
    file.value_counts = {{1, rows}, {2, rows}, {3, rows}};
    file.null_counts = {{1, 0}, {2, 0}, {3, 1}};
    Type number;
    number.kind = TypeKind::kLong;
    file.lower_bounds = {{1, EncodeSingleValue(number, int64_t{1})}, {2, "CH"}};
    file.upper_bounds = {{1, EncodeSingleValue(number, rows)}, {2, "CH"}};
    file.split_offsets = {4};
    return file;
  }

  std::vector<std::string> Locations(const TableVersion& version) {
    std::vector<std::string> locations;
    auto files = tables.Files(version);
    if (!files.ok()) return {files.error().message()};
    for (const DataFile& file : **files) {
      locations.push_back(file.location.substr(file.location.rfind('/') + 1));
    }
    return locations;
  }

  Bytes Get(const std::string& location) {
    auto key = objects::ParseLocation(location);
    auto bytes = key.ok() ? store->Get(*key) : Result<Bytes>(Bytes());
    return bytes.ok() ? *bytes : Bytes();
  }
};

}  // namespace weft::iceberg
