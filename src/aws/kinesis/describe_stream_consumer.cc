// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/description.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer DescribeStreamConsumer(const Call& call) {
  const StreamConsumer found = TRY(FindConsumer(call));
  nlohmann::json out = ConsumerDocument(call.use, *found.stream, found.consumer);
  out["StreamARN"] = StreamArn(call.use, *found.stream);
  return nlohmann::json{{"ConsumerDescription", std::move(out)}};
}

}  // namespace weft::aws::kinesis
