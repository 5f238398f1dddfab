// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "codec/kpl.h"
#include "ingest/ingest.h"
#include "ingest/quarantine_record.h"
#include "ingest/testing/product.h"
#include "stream/record_head.h"

namespace weft::ingest {
namespace {

using stream::SequenceNumber;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Placements = Result<std::vector<Result<Placed>>>;

struct Put {
  std::string data;
  std::string partition_key = "k";
  std::optional<stream::HashKey> explicit_hash = std::nullopt;
};

Placements PutAll(TestProduct& product, const stream::StreamName& stream,
                  const std::vector<Put>& puts) {
  auto kept = std::make_shared<const std::vector<Put>>(puts);
  StreamSubmission submission{.stream = stream, .records = {}, .owner = kept};
  for (const Put& put : *kept) {
    submission.records.push_back({put.data, put.partition_key, put.explicit_hash});
  }
  std::promise<Placements> answer;
  product.ingest->AcceptRecords(std::move(submission),
                                [&](Placements placed) { answer.set_value(std::move(placed)); });
  return answer.get_future().get();
}

stream::StreamName MakeStream(TestProduct& product, const std::string& name, int shards,
                              stream::StreamSettings settings = {}) {
  const auto full = stream::NameOf(product.intake.account, name);
  EXPECT_TRUE(product.database
                  .Transact([&](meta::Transaction& tx) {
                    return product.streams->Create(tx, {.name = full,
                                                        .account = product.intake.account,
                                                        .use = stream::Use::kFree,
                                                        .shards = shards,
                                                        .settings = settings});
                  })
                  .ok());
  return full;
}

SequenceNumber NumberOf(const Result<Placed>& placed) {
  EXPECT_TRUE(placed.ok());
  auto number = SequenceNumber::Parse(placed->sequence_number);
  EXPECT_TRUE(number.has_value());
  return number.value_or(SequenceNumber{});
}

std::vector<log::Record> RecordsOf(TestProduct& product, const stream::StreamName& stream,
                                   std::vector<std::shared_ptr<const void>>& owners) {
  std::vector<log::Record> records;
  auto batches = product.streams->Read({stream, 0}, {0}, {});
  EXPECT_TRUE(batches.ok());
  for (auto& batch : *batches) {
    records.insert(records.end(), batch.records.begin(), batch.records.end());
    owners.push_back(batch.owner);
  }
  return records;
}

TEST(KeyedRecords, AStreamWithoutAContractTakesAnyBytes) {
  TestProduct product(Mode::kAtomic);
  const auto stream = MakeStream(product, "clicks", 4);
  const stream::HashKey last = stream::kHashKeyMax;
  auto placed = PutAll(product, stream,
                       {{.data = std::string("\0\xff", 2), .partition_key = "a"},
                        {.data = "", .partition_key = "a", .explicit_hash = 0},
                        {.data = "x", .partition_key = "a", .explicit_hash = last},
                        {.data = "y", .partition_key = "a"}});
  ASSERT_TRUE(placed.ok()) << placed.error().message();
  ASSERT_EQ(placed->size(), 4U);
  auto route = product.streams->RouteOf(stream);
  ASSERT_TRUE(route.ok());
  const int shard_of_a = route->ShardOf(stream::HashOf("a"));
  EXPECT_EQ((*placed)[0]->shard, shard_of_a);
  EXPECT_EQ((*placed)[1]->shard, route->ShardOf(0)) << "the explicit hash wins";
  EXPECT_EQ((*placed)[2]->shard, route->ShardOf(last));
  EXPECT_LT((*placed)[0]->sequence_number, (*placed)[3]->sequence_number);
  for (const auto& one : *placed) {
    const auto number = NumberOf(one);
    EXPECT_EQ(number.shard, one->shard);
    EXPECT_EQ(number.quarantined, 0);
    auto batches = product.streams->Read({stream, one->shard}, number.offset, {});
    ASSERT_TRUE(batches.ok() && !batches->empty());
  }
  auto batches = product.streams->Read({stream, shard_of_a}, {0}, {});
  ASSERT_TRUE(batches.ok());
  const auto head = stream::DecodeRecordHead(batches->front().records.front().key);
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->partition_key, "a");
  EXPECT_EQ(head->rest, "");
}

TEST(KeyedRecords, AProductsStreamTakesWhatItsContractAllows) {
  TestProduct product(Mode::kPartial);
  auto placed = PutAll(product, product.intake.stream,
                       {{"nonsense"},
                        {" {\"id\":1}\r\n"},
                        {R"({"id":"x"})"},
                        {R"({"id":2}{"id":3})"},
                        {R"([{"id":4}])"},
                        {""},
                        {" \n"},
                        {R"({"id":5})"}});
  ASSERT_TRUE(placed.ok()) << placed.error().message();
  std::vector<bool> quarantined;
  std::vector<SequenceNumber> numbers;
  for (const auto& one : *placed) {
    numbers.push_back(NumberOf(one));
    quarantined.push_back(one->quarantined);
    EXPECT_EQ(one->quarantined, numbers.back().quarantined > 0);
  }
  EXPECT_THAT(quarantined, ElementsAre(true, false, true, true, true, true, true, false));
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end())) << "as they arrived";
  EXPECT_THAT(product.Values(product.intake.stream), ElementsAre(" {\"id\":1}\r\n", R"({"id":5})"));
  auto bad = product.quarantine->List(product.intake, "", 100);
  ASSERT_TRUE(bad.ok());
  ASSERT_EQ(bad->size(), 6U);
  EXPECT_EQ((*bad)[0].original, "nonsense");
  EXPECT_EQ((*bad)[1].original, R"({"id":"x"})");
  EXPECT_EQ((*bad)[1].errors.front().index, 2);
  EXPECT_EQ((*bad)[1].errors.front().field, "id");
  EXPECT_EQ((*bad)[4].original, "");
}

TEST(KeyedRecords, NumbersOfLaterPutsSortBehindThoseOfEarlierOnes) {
  TestProduct product(Mode::kPartial);
  std::vector<SequenceNumber> numbers;
  for (int round = 0; round < 3; ++round) {
    for (const auto& data : {R"({"id":1})", "bad", "worse"}) {
      auto placed = PutAll(product, product.intake.stream, {{data}});
      ASSERT_TRUE(placed.ok());
      numbers.push_back(NumberOf(placed->front()));
    }
  }
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_EQ(std::adjacent_find(numbers.begin(), numbers.end()), numbers.end());
}

TEST(KeyedRecords, AtomicModeRefusesTheWholeAndNamesTheRecord) {
  TestProduct product(Mode::kAtomic);
  auto placed = PutAll(product, product.intake.stream, {{R"({"id":1})"}, {R"({"id":"x"})"}});
  ASSERT_FALSE(placed.ok());
  EXPECT_EQ(placed.error().code(), Code::kInvalid);
  EXPECT_THAT(placed.error().message(), HasSubstr("record 1 "));
  EXPECT_THAT(placed.error().message(), HasSubstr(": id "));
  const std::string aggregate = codec::MakeAggregate({{"a", "", R"({"id":1})"}, {"b", "", "?"}});
  placed = PutAll(product, product.intake.stream, {{R"({"id":1})"}, {aggregate}});
  ASSERT_FALSE(placed.ok());
  EXPECT_THAT(placed.error().message(), HasSubstr("record 1, user record 1 "));
  EXPECT_EQ(product.log.Calls(log::LogCall::kAppend), 0);
  EXPECT_TRUE(PutAll(product, product.intake.stream, {{R"({"id":1})"}}).ok());
}

TEST(KeyedRecords, AnAggregateLiesInTheLogAsItWasPut) {
  TestProduct product(Mode::kPartial);
  const std::string mixed =
      codec::MakeAggregate({{"a", "", R"({"id":1})"}, {"b", "7", "bad"}, {"a", "", R"({"id":2})"}});
  const std::string all_bad = codec::MakeAggregate({{"c", "", "worse"}, {"d", "", "worst"}});
  auto placed = PutAll(product, product.intake.stream, {{mixed}, {all_bad}});
  ASSERT_TRUE(placed.ok()) << placed.error().message();
  EXPECT_FALSE((*placed)[0]->quarantined);
  EXPECT_TRUE((*placed)[1]->quarantined);
  std::vector<std::shared_ptr<const void>> owners;
  const auto records = RecordsOf(product, product.intake.stream, owners);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, mixed);
  const auto head = stream::DecodeRecordHead(records[0].key);
  ASSERT_TRUE(head.ok());
  EXPECT_THAT(head->taken, ElementsAre(true, false, true));
  EXPECT_FALSE(head->rest.empty());
  const auto bad = RecordsOf(product, product.intake.quarantine, owners);
  ASSERT_EQ(bad.size(), 3U);
  const auto key = stream::DecodeRecordHead(bad[0].key);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->partition_key, "b");
  EXPECT_EQ(key->explicit_hash, stream::HashKey{7});
  auto entry = DecodeQuarantineEntry(bad[0].value);
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->original, "bad");
}

// What all shards of a stream hold: values and partition keys.
std::vector<std::string> AllOf(TestProduct& product, const stream::StreamName& stream) {
  std::vector<std::string> all;
  auto shards = product.streams->Shards(stream);
  EXPECT_TRUE(shards.ok());
  for (const auto& shard : *shards) {
    auto batches = product.streams->Read(shard, {0}, {});
    EXPECT_TRUE(batches.ok());
    for (const auto& batch : *batches) {
      for (const auto& record : batch.records) {
        auto head = stream::DecodeRecordHead(record.key);
        EXPECT_TRUE(head.ok());
        all.push_back(fmt::format("{} {} {}", shard.number, head->partition_key, record.value));
      }
    }
  }
  return all;
}

TEST(KeyedRecords, ARedriveSendsEachRecordOnceToTheShardOfItsOwnKey) {
  using Call = meta::FailingDatabase::Call;
  TestProduct product(Mode::kPartial);
  ASSERT_TRUE(product.streams->Split(product.intake.stream, 0, stream::HashKey{1} << 127).ok());
  const std::string aggregate = codec::MakeAggregate({{"u", "5", R"({"id":"c"})"}});
  ASSERT_TRUE(PutAll(product, product.intake.stream,
                     {{R"({"id":"a"})", "low", 0},
                      {R"({"id":"b"})", "high", stream::kHashKeyMax},
                      {aggregate, "outer", stream::kHashKeyMax}})
                  .ok());
  EXPECT_EQ(*product.quarantine->Count(product.intake), 3);
  auto contract = contract::FromShortForm("orders", {{"id", "string"}, {"name", "string"}});
  ASSERT_TRUE(contract.ok());
  product.SetContract(*contract);
  for (int nth = 1; nth < 60 && *product.quarantine->Count(product.intake) > 0; ++nth) {
    product.database.FailNth(Call::kAny, nth);
    (void)product.quarantine->Redrive(product.intake, {}, nullptr).ok();
    product.database.FailNth(Call::kAny, 0);
    // What is split meanwhile is found all the same.
    if (nth == 4) {
      ASSERT_TRUE(product.streams->Split(product.intake.stream, 1, stream::HashKey{1} << 126).ok());
    }
    if (nth % 2 == 0) product.Restart();
    ASSERT_TRUE(product.quarantine->Recover(*product.intakes).ok());
    ASSERT_EQ(*product.quarantine->Count(product.intake) +
                  static_cast<int64_t>(AllOf(product, product.intake.stream).size()),
              3)
        << nth;
  }
  auto all = AllOf(product, product.intake.stream);
  for (auto& one : all) one = one.substr(one.find(' ') + 1);
  EXPECT_THAT(all, testing::UnorderedElementsAre(R"(low {"id":"a"})", R"(high {"id":"b"})",
                                                 R"(u {"id":"c"})"));
}

TEST(KeyedRecords, RecordsPastTheShardsThroughputFailByThemselves) {
  TestProduct product(Mode::kAtomic);
  const auto stream = MakeStream(product, "clicks", 2, {.mode = stream::Mode::kProvisioned});
  auto route = product.streams->RouteOf(stream);
  ASSERT_TRUE(route.ok());
  const std::string large(600'000, 'x');
  auto placed = PutAll(product, stream,
                       {{.data = large, .explicit_hash = 0},
                        {.data = large, .explicit_hash = 0},
                        {.data = large, .explicit_hash = stream::kHashKeyMax},
                        {.data = "small", .explicit_hash = 0}});
  ASSERT_TRUE(placed.ok());
  EXPECT_TRUE((*placed)[0].ok());
  ASSERT_FALSE((*placed)[1].ok());
  EXPECT_EQ((*placed)[1].error().code(), Code::kThrottled);
  EXPECT_TRUE((*placed)[2].ok());
  EXPECT_TRUE((*placed)[3].ok());
}

TEST(KeyedRecords, AFailureOfTheLogIsThatOfEachRecordAndNothingIsStored) {
  TestProduct product(Mode::kPartial);
  product.log.FailCall(log::LogCall::kAppend, 1, Error(Code::kThrottled, "behind"));
  auto placed = PutAll(product, product.intake.stream, {{R"({"id":1})"}, {"bad"}});
  ASSERT_TRUE(placed.ok());
  for (const auto& one : *placed) {
    ASSERT_FALSE(one.ok());
    EXPECT_EQ(one.error().code(), Code::kThrottled);
  }
  EXPECT_THAT(product.Values(product.intake.stream), IsEmpty());
  EXPECT_THAT(product.Values(product.intake.quarantine), IsEmpty());
}

TEST(KeyedRecords, SaysWhatItCannotTake) {
  TestProduct product(Mode::kPartial);
  EXPECT_EQ(PutAll(product, stream::StreamName("none"), {{"x"}}).error().code(), Code::kNotFound);
  EXPECT_EQ(PutAll(product, product.intake.quarantine, {{"x"}}).error().code(), Code::kNotFound)
      << "Weft's own streams are nobody's";
  auto contract = contract::ParseOdcs(
      "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\nschema:\n"
      "  - { name: a, logicalType: object, properties: [{ name: a, logicalType: integer }] }\n"
      "  - { name: b, logicalType: object, properties: [{ name: b, logicalType: integer }] }\n");
  ASSERT_TRUE(contract.ok());
  product.SetContract(*contract);
  auto placed = PutAll(product, product.intake.stream, {{R"({"a":1})"}});
  ASSERT_FALSE(placed.ok());
  EXPECT_EQ(placed.error().code(), Code::kInvalid);
  EXPECT_THAT(placed.error().message(), HasSubstr("can name no schema: 'orders' has several"));
}

TEST(KeyedRecords, TheLimitsOfAProductHoldForAllDoorsTogether) {
  TestProduct product(Mode::kPartial);
  product.intake.records_per_second = 3;
  ASSERT_TRUE(
      product.database
          .Transact([&](meta::Transaction& tx) { return product.intakes->Put(tx, product.intake); })
          .ok());
  const std::string aggregate =
      codec::MakeAggregate({{"a", "", R"({"id":1})"}, {"a", "", R"({"id":2})"}});
  auto placed = PutAll(product, product.intake.stream, {{aggregate}, {aggregate}, {R"({"id":3})"}});
  ASSERT_TRUE(placed.ok());
  EXPECT_TRUE((*placed)[0].ok());
  ASSERT_FALSE((*placed)[1].ok());
  EXPECT_EQ((*placed)[1].error().message(),
            "the limit of product orders is reached: 3 records a second");
  EXPECT_TRUE((*placed)[2].ok());
  auto outcome = product.Publish(R"([{"id":4},{"id":5}])");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), Code::kThrottled);
}

}  // namespace
}  // namespace weft::ingest
