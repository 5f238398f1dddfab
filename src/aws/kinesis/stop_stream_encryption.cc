// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/encryption.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer StopStreamEncryption(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(KeyIn(call));
  TRY(ChangeSettings(call, *stream, [&](stream::StreamSettings& settings) -> Outcome<void> {
    settings.key_id.clear();
    return {};
  }));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
