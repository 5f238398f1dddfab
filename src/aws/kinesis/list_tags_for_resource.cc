// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer ListTagsForResource(const Call& call) {
  const StreamOrConsumer found = TRY(FindResource(call));
  const Tags& tags = found.consumer ? found.consumer->tags : found.stream->settings.tags;
  return nlohmann::json{{"Tags", TagList(tags)}};
}

}  // namespace weft::aws::kinesis
