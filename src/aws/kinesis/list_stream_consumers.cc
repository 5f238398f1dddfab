// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/description.h"
#include "aws/kinesis/listing.h"
#include "aws/kinesis/operations.h"

namespace weft::aws::kinesis {

namespace {

constexpr const char* kPage = "kinesis list stream consumers";

// The name after which the page begins.
Outcome<std::string> PageStart(const Call& call, const stream::StreamInfo& stream) {
  if (!call.Has("NextToken")) return std::string();
  const nlohmann::json page = TRY(OpenPage(call, kPage));
  if (page.at(0) != stream.number) return Refuse("InvalidArgumentException", "Invalid NextToken.");
  return page.at(1).get<std::string>();
}

}  // namespace

Answer ListStreamConsumers(const Call& call) {
  const StreamPtr stream = TRY(FindStream(call));
  TRY(CheckCreated(call, *stream));
  const std::string after = TRY(PageStart(call, *stream));
  const auto limit = static_cast<size_t>(call.Integer("MaxResults").value_or(100));
  nlohmann::json list = nlohmann::json::array(), out = nlohmann::json::object();
  const auto consumers = TRY(call.use.consumers.Of(stream->name));
  for (const stream::Consumer& consumer : consumers) {
    if (consumer.name <= after) continue;
    if (list.size() == limit) {
      const std::string last = list.back().at("ConsumerName");
      out["NextToken"] = call.use.tokens.Make(kPage, {stream->number, last});
      break;
    }
    list.push_back(ConsumerDocument(call.use, *stream, consumer));
  }
  out["Consumers"] = std::move(list);
  return out;
}

}  // namespace weft::aws::kinesis
