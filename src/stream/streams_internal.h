// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "stream/live_streams.h"
#include "stream/reshard.h"
#include "stream/retention.h"
#include "stream/scaling.h"
#include "stream/stream_table.h"
#include "stream/streams.h"

namespace weft::stream {

struct Streams::State {
  State(const Options& o, meta::Database& d, log::RecordLog& l, const Clock& c, Metrics& metrics)
      : options(o),
        database(d),
        log(l),
        clock(c),
        throttled_total(metrics.AddCounter("weft_stream_throttled_total",
                                           "Calls past the throughput of a provisioned shard")),
        reshards_total(metrics.AddCounter("weft_stream_reshards_total",
                                          "Changes of the open shards of a stream")),
        live(d),
        retention(l, c) {}

  // The stream as it is stored; kNotFound.
  static Result<StoredStream> Stored(meta::Transaction& tx, const StreamName& name);
  // Refuses what takes a free stream's account past its limits.
  Status CheckRoom(meta::Transaction& tx, const AccountId& account, int64_t more_shards,
                   int64_t more_on_demand) const;
  Status CreatePartitions(const StreamInfo& info, int from_shard);

  // Changes the open shards of a stream, durable on return.
  Status Change(const StreamName& name, const std::function<Status(Reshard&)>& change);
  // Removes closed shards for good.
  Status Forget(const StreamName& name, const std::vector<int>& shards);
  void DeletePartitions(const StreamInfo& info, const std::vector<int>& shards);

  // keep.cc
  Status KeepStream(const LiveStreams::Stream& stream);
  Status Scale(const LiveStreams::Stream& stream);

  const Options options;
  meta::Database& database;
  log::RecordLog& log;
  const Clock& clock;
  Counter& throttled_total;
  Counter& reshards_total;
  LiveStreams live;

  std::mutex keeping;  // one round of Keep at a time; guards what follows
  Retention retention;
  std::map<int64_t, Scaling> scaling;  // by number of the stream

  std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  bool stopping = false;
  std::thread thread;
};

}  // namespace weft::stream
