// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

// The members that StreamDescription, StreamDescriptionSummary and StreamSummary share.
nlohmann::json StreamSummaryDocument(const Services& use, const stream::StreamInfo& stream);
// Those that the first two have besides: retention, monitoring, encryption.
nlohmann::json StreamDetailsDocument(const Services& use, const stream::StreamInfo& stream);

nlohmann::json ConsumerDocument(const Services& use, const stream::StreamInfo& stream,
                                const stream::Consumer& consumer);

}  // namespace weft::aws::kinesis
