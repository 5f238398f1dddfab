// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer RemoveTagsFromStream(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(ChangeSettings(call, *stream, [&](stream::StreamSettings& settings) -> Outcome<void> {
    RemoveTags(call, settings.tags);
    return {};
  }));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
