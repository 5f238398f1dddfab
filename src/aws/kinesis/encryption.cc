// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/encryption.h"

namespace weft::aws::kinesis {

Outcome<std::string> KeyIn(const Call& call) {
  if (call.Text("EncryptionType") != "KMS")
    return Refuse("InvalidArgumentException", "EncryptionType must be KMS.");
  constexpr const char* kAlias = "alias/aws/kinesis";
  std::string key = call.Text("KeyId");
  const std::string arn =
      fmt::format("arn:aws:kms:{}:{}:{}", call.use.region, call.resource.owner.text(), kAlias);
  if (key == kAlias || key == "aws/kinesis" || key == arn) return key;
  return Refuse(
      "KMSNotFoundException",
      fmt::format("There is no key {}. The one key here is {}: it encrypts with data keys "
                  "under the server's master key.",
                  key, kAlias));
}

}  // namespace weft::aws::kinesis
