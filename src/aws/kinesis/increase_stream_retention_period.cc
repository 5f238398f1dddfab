// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/changes.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

Answer IncreaseStreamRetentionPeriod(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(RefuseDeclared(*stream, "retention is"));
  const int64_t hours = *call.Integer("RetentionPeriodHours");
  if (hours < 24 || hours > 8'760) {
    return Refuse("InvalidArgumentException",
                  fmt::format("RetentionPeriodHours must be 24 to 8760 hours, not {}.", hours));
  }
  TRY(ChangeSettings(call, *stream, [&](stream::StreamSettings& settings) -> Outcome<void> {
    if (hours < settings.retention.count()) {
      return Refuse("InvalidArgumentException",
                    fmt::format("Requested retention period ({} hours) for stream {} can not be "
                                "less than existing retention period ({} hours).",
                                hours, stream->short_name, settings.retention.count()));
    }
    settings.retention = std::chrono::hours(hours);
    return {};
  }));
  return nlohmann::json::object();
}

}  // namespace weft::aws::kinesis
