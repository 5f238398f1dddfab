// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"
#include "aws/kinesis/policies.h"

namespace weft::aws::kinesis {

Answer DeleteResourcePolicy(const Call& call) {
  TRY(FindResource(call));
  TRY(RequireOwner(call));
  Status deleted = call.use.database.Transact([&](meta::Transaction& tx) {
    return call.use.govern.DeleteResourcePolicy(tx, call.resource.arn);
  });
  if (!deleted.ok() && deleted.error().code() == Code::kNotFound) return Fail(NoSuchPolicy(call));
  TRY(std::move(deleted));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
