// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer UntagResource(const Call& call) {
  StreamOrConsumer found = TRY(FindResource(call));
  if (found.consumer) {
    RemoveTags(call, found.consumer->tags);
    TRY(call.use.consumers.SetTags(found.stream->name, found.consumer->name, found.consumer->tags));
  } else {
    TRY(ChangeSettings(call, *found.stream, [&](stream::StreamSettings& settings) -> Outcome<void> {
      RemoveTags(call, settings.tags);
      return {};
    }));
  }
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
