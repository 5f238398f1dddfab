// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/names.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer DescribeLimits(const Call& call) {
  const AccountId& account = call.caller.account;
  const auto streams = TRY(call.use.streams.OfAccount(account));
  int on_demand = 0;
  for (const StreamPtr& stream : streams) {
    if (stream->use == stream::Use::kFree && stream->settings.mode == stream::Mode::kOnDemand)
      ++on_demand;
  }
  const int open = TRY(call.use.streams.OpenShardsOf(account));
  return nlohmann::json{{"ShardLimit", call.use.shards_max},
                        {"OpenShardCount", open},
                        {"OnDemandStreamCount", on_demand},
                        {"OnDemandStreamCountLimit", call.use.on_demand_streams_max}};
}

}  // namespace weft::aws::kinesis
