// SPDX-License-Identifier: Apache-2.0
// What meta keeps of streams and their shards. docs/formats/meta.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "meta/database.h"
#include "stream/stream_info.h"

namespace weft::stream {

// A stream as it is stored.
struct StoredStream {
  StreamInfo info;
  int shards_made = 0;  // so far: the number of the next one
};

// The name within the account; all of it where it does not begin with the account.
std::string ShortName(const StreamName& name, const AccountId& account);

const std::vector<std::string>& StreamTableMigrations();

Result<std::optional<StoredStream>> LoadStream(meta::Transaction& tx, const StreamName& name);
Result<std::vector<StreamInfo>> LoadStreams(meta::Transaction& tx);
// A number for a new stream.
Result<int64_t> NextStreamNumber(meta::Transaction& tx);

// The stream and its shards.
Status InsertStream(meta::Transaction& tx, const StoredStream& stream);
Status StoreSettings(meta::Transaction& tx, const StreamInfo& stream);
// Stores what `after` has and `before` has not, or otherwise; removes what only `before` has.
Status StoreShards(meta::Transaction& tx, const StreamInfo& before, const StoredStream& after);
Status DeleteStream(meta::Transaction& tx, const StreamInfo& stream);

// How much free streams of an account there are, and open shards of all but its internal ones.
struct AccountUse {
  int64_t open_shards = 0;
  int64_t on_demand_streams = 0;  // free ones
};
Result<AccountUse> UseOf(meta::Transaction& tx, const AccountId& account);

}  // namespace weft::stream
