// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/description.h"
#include "aws/kinesis/listing.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

namespace {
constexpr const char* kPage = "kinesis list streams";
constexpr size_t kLimitMax = 100;
}  // namespace

Answer ListStreams(const Call& call) {
  std::string after = call.Text("ExclusiveStartStreamName");
  if (call.Has("NextToken")) {
    const nlohmann::json page = TRY(OpenPage(call, kPage));
    after = page.get<std::string>();
  }
  const auto limit =
      std::min(kLimitMax, static_cast<size_t>(call.Integer("Limit").value_or(kLimitMax)));
  nlohmann::json names = nlohmann::json::array(), summaries = nlohmann::json::array();
  bool more = false;
  const auto streams = TRY(call.use.streams.OfAccount(call.caller.account));
  for (const StreamPtr& stream : streams) {
    if (stream->short_name <= after) continue;
    more = names.size() == limit;
    if (more) break;
    names.push_back(stream->short_name);
    summaries.push_back(StreamSummaryDocument(call.use, *stream));
  }
  nlohmann::json out = {{"HasMoreStreams", more}};
  if (more) out["NextToken"] = call.use.tokens.Make(kPage, names.back());
  out["StreamNames"] = std::move(names);
  out["StreamSummaries"] = std::move(summaries);
  return out;
}

}  // namespace weft::aws::kinesis
