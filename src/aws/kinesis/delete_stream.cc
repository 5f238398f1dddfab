// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer DeleteStream(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(RefuseDeclared(*stream, "existence is"));
  const auto consumers = TRY(call.use.consumers.Of(stream->name));
  if (!consumers.empty() && !call.Boolean("EnforceConsumerDeletion")) {
    return Refuse("ResourceInUseException",
                  fmt::format("Stream {} under account {} has {} registered consumers: set "
                              "EnforceConsumerDeletion to delete it with them.",
                              stream->short_name, stream->account.text(), consumers.size()));
  }
  Status deleted = call.use.database.Transact([&](meta::Transaction& tx) -> Status {
    TRY(call.use.consumers.Forget(tx, stream->name));
    TRY(call.use.govern.ForgetResource(tx, call.resource.arn));
    return call.use.streams.Delete(tx, stream->name);
  });
  if (!deleted.ok() && deleted.error().code() == Code::kNotFound)
    return Fail(NoSuchStream(stream->short_name, stream->account));
  TRY(std::move(deleted));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
