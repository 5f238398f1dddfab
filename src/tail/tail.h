// SPDX-License-Identifier: Apache-2.0
// The undelivered records as columns: made once, in the pass that checks the records or else from
// the log, kept within a budget, shared by every query and by delivery.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "contract/contracts.h"
#include "engine/engine.h"
#include "stream/streams.h"
#include "tail/draft.h"
#include "tail/feeds.h"

namespace weft::tail {

// The rows of a table from some positions to `end`.
struct TailRows {
  std::vector<engine::ColumnSlice> slices;
  catalog::Positions
      end;  // every record of the feed's shards before it is in `slices` or is none of this table
  int64_t rows = 0;
  int64_t bytes = 0;  // of the log's records, not of the columns
};

class Tail {
 public:
  struct Options {
    int64_t bytes_max = int64_t{256}
                        << 20;  // of columns in memory; past it `on_pressure` is called
    int64_t bytes_refuse = int64_t{1} << 30;  // past it Rows fails with kUnavailable
    int64_t chunk_bytes = int64_t{8} << 20;   // a chunk is closed at this size
  };
  Tail(const Options& options, stream::Streams& streams, const contract::Contracts& contracts,
       Metrics& metrics);
  ~Tail();  // Stop()s
  // Ends the thread that converts ahead.
  void Stop();

  // Called (from any thread, quickly) when the columns in memory pass bytes_max: delivery should
  // come early.
  void OnPressure(std::function<void()> callback);

  // All rows from `from` to the durable end at the time of the call; with `bytes_max` it stops at
  // the first chunk's end past that many bytes of records. `schema` is the table's current one.
  // kConflict when a record was checked against columns that `schema` lacks, or `from` was
  // released: load the table again. kUnavailable past bytes_refuse (not with `bytes_max`). kCorrupt
  // when the log has lost records behind `from`. A record that its own contract version does not
  // pass is reported, counted and left out.
  Result<TailRows> Rows(const Feed& feed, std::shared_ptr<const iceberg::Schema> schema,
                        const catalog::Positions& from, int64_t bytes_max = 0);

  // Begins to convert what arrives for the table ahead of the calls of Rows, as far as bytes_max
  // allows; Rows does so too. Failures as those of Rows.
  Status Follow(const Feed& feed, std::shared_ptr<const iceberg::Schema> schema,
                const catalog::Positions& from);
  // For the rows of records that are about to be appended to `stream` as the contract's `object`,
  // of so many octets in all. nullptr where the table's schema is not known (nobody follows it) or
  // memory is short: then the rows come from the log.
  std::unique_ptr<Draft> Begin(const stream::StreamName& stream, std::string_view object,
                               int64_t record_bytes);
  // The draft's rows are the records of `shard` from appended.first on, which are durable. Quick:
  // it may be called by the log's own thread. One that is of no use any more is dropped.
  void Offer(std::unique_ptr<Draft> draft, int shard, const log::Appended& appended,
             int64_t record_bytes);

  // Bytes of the records of the table that were converted and not yet released.
  int64_t WaitingBytes(int64_t table_id) const;
  // Whether the table's records are being turned into columns: from Follow or Rows to Forget.
  bool Follows(int64_t table_id) const;

  // Forgets columns before `positions`: they are in the table. Slices handed out stay valid.
  void Release(int64_t table_id, const catalog::Positions& positions);
  void Forget(int64_t table_id);

  int64_t bytes() const;  // of columns in memory, drafts included

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::tail
