// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/listing.h"

namespace weft::aws::kinesis {

Outcome<nlohmann::json> OpenPage(const Call& call, const char* purpose) {
  constexpr seconds kAgeMax{300};
  auto token = call.use.tokens.Open(purpose, call.Text("NextToken"));
  if (!token) return Refuse("InvalidArgumentException", "Invalid NextToken.");
  if (call.use.clock.Now() - token->made > kAgeMax) {
    return Refuse("ExpiredNextTokenException",
                  fmt::format("NextToken expired: it holds for {} seconds.", kAgeMax.count()));
  }
  return std::move(token->content);
}

Outcome<void> CheckCreated(const Call& call, const stream::StreamInfo& stream) {
  const auto given = call.input.find("StreamCreationTimestamp");
  if (given == call.input.end()) return {};
  // Clients have it in whole seconds or milliseconds.
  const auto apart = TimeOf(*given) - stream.created;
  if (std::chrono::abs(apart) < seconds(1)) return {};
  return Fail(NoSuchStream(stream.short_name, stream.account));
}

}  // namespace weft::aws::kinesis
