// SPDX-License-Identifier: Apache-2.0
// What operations that change a stream have in common.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

// Changes the settings of the stream, durable on return. A fault of `change` is passed on and
// nothing is changed.
Outcome<void> ChangeSettings(const Call& call, const stream::StreamInfo& stream,
                             const std::function<Outcome<void>(stream::StreamSettings&)>& change);

// InvalidArgumentException for the stream of a product, of which mesh.yaml declares `what`.
Outcome<void> RefuseDeclared(const stream::StreamInfo& stream, const char* what);

// The call's RetentionPeriodHours becomes the stream's; InvalidArgumentException out of range, for
// a product's stream, and for a change the other way.
enum class Way { kUp, kDown };
Outcome<void> ChangeRetention(const Call& call, Way way);

// LimitExceededException when `added` more open shards would be past the account's limit.
Outcome<void> CheckShardLimit(const Call& call, const AccountId& account, int added);

// ValidationException for calls that only provisioned streams take: shards of an on-demand stream
// follow its load. Those of a product's stream may be changed in either mode.
Outcome<void> RequireProvisioned(const stream::StreamInfo& stream);

// InvalidArgumentException for throughput set aside in advance.
Outcome<void> RefuseWarmThroughput(const Call& call);

stream::Mode ModeIn(const Call& call, stream::Mode otherwise);
const char* ModeText(stream::Mode mode);

using Tags = std::map<std::string, std::string>;
// The Tags of the call, put into `tags`. InvalidArgumentException for characters that AWS does not
// take, and past 50 tags of a resource.
Outcome<void> AddTags(const Call& call, Tags& tags);
void RemoveTags(const Call& call, Tags& tags);  // TagKeys; those that are not there are passed over
nlohmann::json TagList(const Tags& tags);

}  // namespace weft::aws::kinesis
