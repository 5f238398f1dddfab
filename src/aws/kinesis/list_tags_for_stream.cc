// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer ListTagsForStream(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  const Tags& tags = stream->settings.tags;
  const auto limit = static_cast<size_t>(call.Integer("Limit").value_or(50));
  Tags page;
  auto at = tags.upper_bound(call.Text("ExclusiveStartTagKey"));
  for (; at != tags.end() && page.size() < limit; ++at) page.insert(*at);
  return nlohmann::json{{"Tags", TagList(page)}, {"HasMoreTags", at != tags.end()}};
}

}  // namespace weft::aws::kinesis
