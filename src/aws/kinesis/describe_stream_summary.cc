// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/description.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer DescribeStreamSummary(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  const auto consumers = TRY(call.use.consumers.Of(stream->name));
  nlohmann::json out = StreamDetailsDocument(call.use, *stream);
  out["OpenShardCount"] = stream->OpenShards();
  out["ConsumerCount"] = consumers.size();
  out["MaxRecordSizeInKiB"] = stream->settings.record_kib_max;
  return nlohmann::json{{"StreamDescriptionSummary", std::move(out)}};
}

}  // namespace weft::aws::kinesis
