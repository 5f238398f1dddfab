// SPDX-License-Identifier: Apache-2.0
#include "log/testing/appending.h"

#include <future>

namespace weft::log {

Batch BatchOf(const std::vector<std::string>& values, std::string id) {
  auto owner = std::make_shared<const std::vector<std::string>>(values);
  Batch batch{.id = std::move(id), .records = {}, .owner = owner};
  for (const std::string& value : *owner) batch.records.push_back({.key = "k", .value = value});
  return batch;
}

Result<Appended> AppendAndWait(RecordLog& log, const PartitionName& partition, Batch batch) {
  auto answer = std::make_shared<std::promise<Result<Appended>>>();
  auto future = answer->get_future();
  log.Append(partition, std::move(batch),
             [answer](Result<Appended> appended) { answer->set_value(std::move(appended)); });
  return future.get();
}

std::vector<Part> UnitOf(
    const std::vector<std::pair<PartitionName, std::vector<std::string>>>& parts) {
  std::vector<Part> unit;
  for (const auto& [partition, values] : parts) {
    unit.push_back({.partition = partition, .batch = BatchOf(values)});
  }
  return unit;
}

Result<std::vector<Appended>> AppendAndWait(RecordLog& log, std::vector<Part> unit) {
  auto answer = std::make_shared<std::promise<Result<std::vector<Appended>>>>();
  auto future = answer->get_future();
  log.Append(std::move(unit), [answer](Result<std::vector<Appended>> appended) {
    answer->set_value(std::move(appended));
  });
  return future.get();
}

Result<std::vector<std::string>> ReadValues(RecordLog& log, const PartitionName& partition,
                                            Offset from) {
  std::vector<std::string> values;
  for (;;) {
    auto batches = TRY(log.Read(partition, from, {}));
    if (batches.empty()) return values;
    for (const StoredBatch& batch : batches) {
      for (size_t i = 0; i < batch.records.size(); ++i) {
        // The first batch may begin before `from`.
        if (batch.first.value + static_cast<int64_t>(i) < from.value) continue;
        values.emplace_back(batch.records[i].value);
      }
    }
    from = batches.back().next();
  }
}

}  // namespace weft::log
