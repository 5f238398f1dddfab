// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"
#include "aws/kinesis/policies.h"

namespace weft::aws::kinesis {

Answer PutResourcePolicy(const Call& call) {
  TRY(FindResource(call));
  TRY(RequireOwner(call));
  Status put = call.use.database.Transact([&](meta::Transaction& tx) {
    return call.use.govern.PutResourcePolicy(tx, call.resource.arn, call.Text("Policy"));
  });
  // A document that asks for what is not offered is as little taken as one that is wrong.
  if (!put.ok() && put.error().code() == Code::kNotOffered)
    return Refuse("InvalidArgumentException", put.error().message());
  TRY(std::move(put));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
