// SPDX-License-Identifier: Apache-2.0
// Enhanced fan-out: the records of a shard pushed to a registered consumer as they come. However
// many subscriptions there are, a few threads serve them: one that has nothing to send, or whose
// client is slow, waits without a thread.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>

#include "aws/encoding.h"
#include "aws/kinesis/names.h"
#include "base/pool.h"
#include "http/message.h"

namespace weft::aws::kinesis {

class Subscriptions {
 public:
  struct Options {
    seconds time_max{300};
    seconds heartbeat_interval{5};
    int subscriptions_max = 10'000;
    int threads = 4;
  };
  Subscriptions(const Options& options, stream::Streams& streams,
                const stream::Consumers& consumers, const Clock& clock);
  // After the log has stopped: nothing wakes a subscription any more.
  ~Subscriptions();
  // Ends all that there are, as when their time is over.
  void Stop();

  struct Start {
    StreamPtr stream;
    std::string consumer;
    int shard = 0;
    stream::Offset from;
    Encoding encoding = Encoding::kJson;
  };
  // Takes the reply. ResourceInUseException when the consumer has had one of this shard for less
  // than 5 s; an older one is taken over. LimitExceededException past subscriptions_max.
  Outcome<void> Begin(const Start& start, const http::Reply& reply);

 private:
  class Subscription;
  using Key = std::tuple<int64_t, std::string, int>;  // stream's number, consumer, shard

  bool Stopping();
  void Schedule(const std::shared_ptr<Subscription>& subscription);
  void Forget(const Key& key, const Subscription* subscription);
  void RunTicker();

  const Options options_;
  stream::Streams& streams_;
  const stream::Consumers& consumers_;
  const Clock& clock_;
  Pool pool_;
  std::mutex mutex_;  // guards what follows
  bool stopping_ = false;
  std::condition_variable tick_;
  std::map<Key, std::shared_ptr<Subscription>> active_;
  std::thread ticker_;
};

}  // namespace weft::aws::kinesis
