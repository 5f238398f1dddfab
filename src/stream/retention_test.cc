// SPDX-License-Identifier: Apache-2.0
#include "stream/retention.h"

#include <gtest/gtest.h>

#include "log/testing/appending.h"
#include "log/testing/memory_log.h"
#include "log/testing/passing_log.h"
#include "stream/testing/streams_ground.h"

namespace weft::stream {
namespace {

// Leaves out records whose loss was accepted, as the journal does.
class LossyLog final : public log::PassingLog {
 public:
  using PassingLog::PassingLog;
  Result<std::vector<log::StoredBatch>> Read(const log::PartitionName& partition, Offset from,
                                             log::ReadLimits limits) override {
    while (lost.contains(from.value)) ++from.value;
    return inner_.Read(partition, from, limits);
  }
  std::set<int64_t> lost;
};

TEST(OffsetAt, PassesLossesWhereverTheyAre) {
  constexpr int64_t kCount = 12;
  const log::PartitionName partition("p");
  SetClock clock;
  const auto memory = log::OpenMemoryLog(clock);
  LossyLog log(*memory);
  ASSERT_TRUE(log.CreatePartition(partition).ok());
  for (int64_t second = 0; second < kCount; ++second) {
    clock.Set(seconds(second));
    ASSERT_TRUE(log::AppendAndWait(log, partition, log::BatchOf({"a"})).ok());
  }
  for (int64_t first = 0; first < kCount; ++first) {
    for (int64_t past = first + 1; past <= kCount; ++past) {
      log.lost.clear();
      for (int64_t lost = first; lost < past; ++lost) log.lost.insert(lost);
      for (int64_t second = 0; second <= kCount; ++second) {
        auto found = OffsetAt(log, partition, Timestamp(seconds(second)));
        ASSERT_TRUE(found.ok());
        // Where reading goes on: at the first record of then or later that there still is.
        int64_t read = found->value, wanted = second;
        while (log.lost.contains(read)) ++read;
        while (log.lost.contains(wanted)) ++wanted;
        EXPECT_EQ(read, wanted) << first << ".." << past << " at " << second;
        // What was lost at the end keeps nothing from being freed.
        if (past == kCount && second >= first) {
          EXPECT_EQ(found->value, kCount);
        }
      }
    }
  }
}

}  // namespace
}  // namespace weft::stream
