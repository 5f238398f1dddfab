// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/description.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer RegisterStreamConsumer(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  const std::string name = call.Text("ConsumerName");
  Tags tags;
  if (call.Has("Tags")) {
    // Its ARN ends in the moment it is made, which policies cannot name before.
    TRY(AlsoAuthorize(call, "kinesis:TagResource",
                      fmt::format("{}/consumer/{}:0", call.resource.arn, name)));
    TRY(AddTags(call, tags));
  }
  auto made = call.use.consumers.Register(stream->name, name, tags);
  if (!made.ok() && made.error().code() == Code::kExists) {
    return Refuse("ResourceInUseException",
                  fmt::format("Consumer {} of stream {} under account {} already exists.", name,
                              stream->short_name, stream->account.text()));
  }
  if (!made.ok() && made.error().code() == Code::kThrottled) {
    return Refuse("LimitExceededException",
                  fmt::format("Stream {} under account {} has as many consumers as there can be.",
                              stream->short_name, stream->account.text()));
  }
  const stream::Consumer consumer = TRY(std::move(made));
  return nlohmann::json{{"Consumer", ConsumerDocument(call.use, *stream, consumer)}};
}

}  // namespace weft::aws::kinesis
