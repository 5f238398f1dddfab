// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer UpdateMaxRecordSize(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(RefuseDeclared(*stream, "largest record is"));
  TRY(ChangeSettings(call, *stream, [&](stream::StreamSettings& settings) -> Outcome<void> {
    settings.record_kib_max = static_cast<int>(*call.Integer("MaxRecordSizeInKiB"));
    return {};
  }));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
