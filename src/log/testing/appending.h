// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "log/record_log.h"

namespace weft::log {

// A batch that owns records with these values, each keyed "k".
Batch BatchOf(const std::vector<std::string>& values, std::string id = "");
// Appends and waits for the answer.
Result<Appended> AppendAndWait(RecordLog& log, const PartitionName& partition, Batch batch);
// A unit: these values to those partitions.
std::vector<Part> UnitOf(
    const std::vector<std::pair<PartitionName, std::vector<std::string>>>& parts);
Result<std::vector<Appended>> AppendAndWait(RecordLog& log, std::vector<Part> unit);
// The values of all records from `from` on.
Result<std::vector<std::string>> ReadValues(RecordLog& log, const PartitionName& partition,
                                            Offset from = {0});

}  // namespace weft::log
