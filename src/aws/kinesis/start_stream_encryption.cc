// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/encryption.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer StartStreamEncryption(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  const std::string key = TRY(KeyIn(call));
  TRY(ChangeSettings(call, *stream, [&](stream::StreamSettings& settings) -> Outcome<void> {
    settings.key_id = key;
    return {};
  }));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
