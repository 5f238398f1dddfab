// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "contract/checker.h"
#include "contract/contracts.h"
#include "iceberg/columns.h"
#include "stream/streams.h"
#include "tail/feeds.h"

namespace weft::tail {

// Makes rows of one table out of log records. One thread at a time.
class Converter {
 public:
  Converter(const Feed& feed, std::shared_ptr<const iceberg::Schema> schema,
            const contract::Contracts& contracts, Counter& refused);

  // Appends the record's rows: one if it is of the table, of an aggregate one for each record in it
  // that is not in quarantine. Returns how many. What its own contract version does not pass is
  // reported and is no row. kConflict when the schema lacks one of its columns: then no row was
  // appended.
  Result<int> Convert(int shard, log::Offset offset, Timestamp arrival, const log::Record& record);

  iceberg::ColumnBuilder& builder() { return *builder_; }
  const std::shared_ptr<const iceberg::Schema>& schema() const { return schema_; }

 private:
  Result<contract::Checker::Session*> SessionFor(BytesView record_key);
  Result<bool> Append(contract::Checker::Session& session, BytesView value, const std::string& id,
                      Timestamp arrival);
  int ConvertAggregate(contract::Checker::Session& session, int shard, log::Offset offset,
                       Timestamp arrival, BytesView value, const std::vector<bool>& taken);
  Result<contract::Checker::Session*> Open(int contract_version);
  void Refuse(const std::string& id, const std::string& why);

  Feed feed_;
  std::shared_ptr<const iceberg::Schema> schema_;
  const contract::Contracts& contracts_;
  Counter& refused_;
  std::unique_ptr<iceberg::ColumnBuilder> builder_;

  struct Opened {
    std::shared_ptr<const contract::Checker> checker;
    std::unique_ptr<contract::Checker::Session> session;
  };
  std::map<int, Opened> sessions_;  // by contract version
  // Neighbours mostly have the same record key.
  Bytes last_key_;
  contract::Checker::Session* last_session_ = nullptr;  // nullptr: a record of another table
};

}  // namespace weft::tail
