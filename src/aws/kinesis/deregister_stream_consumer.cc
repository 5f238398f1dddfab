// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer DeregisterStreamConsumer(const Call& call) {
  const StreamConsumer found = TRY(FindConsumer(call));
  TRY(call.use.consumers.Deregister(found.stream->name, found.consumer.name));
  // What the policy allowed must not reach a later consumer.
  TRY(call.use.database.Transact([&](meta::Transaction& tx) {
    return call.use.govern.ForgetResource(tx, call.resource.arn);
  }));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
