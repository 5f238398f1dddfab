// SPDX-License-Identifier: Apache-2.0
#include "objects/testing/object_store_contract.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

namespace weft::objects {

using testing::ElementsAre;
using testing::IsEmpty;

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ObjectStoreContract);

bool LinkObjectStoreContract() { return true; }

void ObjectStoreContract::SetUp() {
  store_ = GetParam()();
  ASSERT_NE(store_, nullptr);
}

std::vector<std::string> ObjectStoreContract::Names(const std::string& prefix,
                                                    const std::string& after, int count_max) {
  std::vector<std::string> names;
  auto found = store().List("bucket-1", prefix, after, count_max);
  EXPECT_TRUE(found.ok()) << (found.ok() ? "" : found.error().message());
  if (!found.ok()) return names;
  for (const ObjectInfo& info : *found) {
    EXPECT_EQ(info.key.bucket, "bucket-1");
    names.push_back(info.key.key);
  }
  return names;
}

// Plain ones and others, each a name that some file system would stumble over.
const std::vector<std::string>& OddKeys() {
  static const std::vector<std::string> keys = {
      "a",
      "a/b",
      "a/b/c",
      "a-b",
      "a.b/c",
      "a+b",
      "a/",
      "a//b",
      "/",
      "//",
      "/a",
      ".",
      "..",
      "../a",
      "a/../b",
      "a/./b",
      ".tmp",
      ".other/x",
      ".hidden",
      "sp ace",
      "q\"uote",
      "new\nline",
      "\xc3\xa9t\xc3\xa9",
      "day=2026-11-01/country=FR/00000-1.parquet",
      "per%20cent",
      "~",
      "*",
      "\\",
      std::string("nul\0nul", 7),
      std::string(255, 'p'),
      std::string(256, 'q'),
      std::string(1024, 'r'),
      std::string(100, ' '),
      std::string(101, ' '),
      std::string(99, ' ') + "!",
      "\x01",
      "\xf0\x9f\x90\x9f",
  };
  return keys;
}

TEST_P(ObjectStoreContract, GivesBackWhatWasPut) {
  Bytes body("\0\xff", 2);
  body += std::string(100'000, 'x');
  ASSERT_TRUE(store().Put(Key("a/b"), body).ok());
  EXPECT_EQ(*store().Get(Key("a/b")), body);
  EXPECT_EQ(store().Head(Key("a/b"))->bytes, 100'002);
  ASSERT_TRUE(store().Put(Key("empty"), "").ok());
  EXPECT_EQ(*store().Get(Key("empty")), "");
  EXPECT_EQ(store().Head(Key("empty"))->bytes, 0);
}

TEST_P(ObjectStoreContract, PutReplaces) {
  ASSERT_TRUE(store().Put(Key("a"), "first and longer").ok());
  EXPECT_EQ(store().Head(Key("a"))->bytes, 16);
  ASSERT_TRUE(store().Put(Key("a"), "second").ok());
  EXPECT_EQ(*store().Get(Key("a")), "second");
  EXPECT_EQ(store().Head(Key("a"))->bytes, 6);
  EXPECT_THAT(Names(), ElementsAre("a"));
}

TEST_P(ObjectStoreContract, WhatIsNotThereIsNotFound) {
  ASSERT_TRUE(store().Put(Key("a/b/c"), "x").ok());
  for (const char* name : {"b", "a", "a/b", "a/b/c/d", "a/b/", "\xc3\xa9"}) {
    EXPECT_EQ(store().Get(Key(name)).error().code(), Code::kNotFound) << name;
    EXPECT_EQ(store().GetRange(Key(name), 0, 0).error().code(), Code::kNotFound) << name;
    EXPECT_EQ(store().Head(Key(name)).error().code(), Code::kNotFound) << name;
    EXPECT_TRUE(store().Delete(Key(name)).ok()) << name;
  }
  EXPECT_EQ(store().Get({.bucket = "another", .key = "a"}).error().code(), Code::kNotFound);
  EXPECT_TRUE(store().Delete({.bucket = "another", .key = "a"}).ok());
  EXPECT_TRUE(store().List("another", "", "", 10)->empty());
  EXPECT_EQ(*store().Get(Key("a/b/c")), "x");
}

TEST_P(ObjectStoreContract, RangesEndWithTheObject) {
  ASSERT_TRUE(store().Put(Key("a"), "0123456789").ok());
  EXPECT_EQ(*store().GetRange(Key("a"), 0, 3), "012");
  EXPECT_EQ(*store().GetRange(Key("a"), 7, 100), "789");
  EXPECT_EQ(*store().GetRange(Key("a"), 10, 1), "");
  EXPECT_EQ(*store().GetRange(Key("a"), 1000, 1), "");
  EXPECT_EQ(*store().GetRange(Key("a"), 5, 0), "");
  EXPECT_EQ(store().GetRange(Key("a"), -1, 1).error().code(), Code::kInvalid);
  EXPECT_EQ(store().GetRange(Key("a"), 0, -1).error().code(), Code::kInvalid);
}

TEST_P(ObjectStoreContract, PutIfAbsentKeepsTheFirst) {
  for (const std::string& name : {std::string("a/b"), std::string("a"), std::string("a b")}) {
    ASSERT_TRUE(store().PutIfAbsent(Key(name), "first").ok()) << name;
    EXPECT_EQ(store().PutIfAbsent(Key(name), "second").error().code(), Code::kExists) << name;
    EXPECT_EQ(*store().Get(Key(name)), "first");
    ASSERT_TRUE(store().Delete(Key(name)).ok());
    EXPECT_TRUE(store().PutIfAbsent(Key(name), "third").ok());
  }
}

TEST_P(ObjectStoreContract, OfManyWhoPutIfAbsentOneSucceeds) {
  for (const char* name : {"race/plain", "race other"}) {
    std::atomic<int> won = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        Status put = store().PutIfAbsent(Key(name), std::to_string(i));
        if (put.ok()) {
          ++won;
          EXPECT_EQ(*store().Get(Key(name)), std::to_string(i));
        } else {
          EXPECT_EQ(put.error().code(), Code::kExists);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(won, 1);
  }
}

TEST_P(ObjectStoreContract, AWriterShowsNothingBeforeCommit) {
  auto writer = *store().Create(Key("a/b"));
  ASSERT_TRUE(writer->Write("part one, ").ok());
  ASSERT_TRUE(writer->Write("").ok());
  ASSERT_TRUE(writer->Write("part two").ok());
  EXPECT_EQ(store().Get(Key("a/b")).error().code(), Code::kNotFound);
  EXPECT_THAT(Names(), IsEmpty());
  ASSERT_TRUE(writer->Commit().ok());
  EXPECT_EQ(*store().Get(Key("a/b")), "part one, part two");
  writer = *store().Create(Key("a/b"));
  ASSERT_TRUE(writer->Write("dropped").ok());
  writer.reset();
  EXPECT_EQ(*store().Get(Key("a/b")), "part one, part two");
  ASSERT_TRUE((*store().Create(Key("a/b")))->Commit().ok());
  EXPECT_EQ(*store().Get(Key("a/b")), "");
}

TEST_P(ObjectStoreContract, EveryKeyHasItsPlace) {
  const std::vector<std::string>& keys = OddKeys();
  for (const std::string& key : keys) {
    Status put = store().Put(Key(key), "<" + key + ">");
    EXPECT_TRUE(put.ok()) << key << ": " << (put.ok() ? "" : put.error().message());
  }
  for (const std::string& key : keys) {
    auto got = store().Get(Key(key));
    ASSERT_TRUE(got.ok()) << key << ": " << got.error().message();
    EXPECT_EQ(*got, "<" + key + ">");
    EXPECT_EQ(store().Head(Key(key))->bytes, static_cast<int64_t>(key.size() + 2)) << key;
  }
  std::vector<std::string> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(Names(), sorted);
  // Gone in another order than they came.
  for (auto key = keys.begin(); key != keys.end(); ++key) {
    ASSERT_TRUE(store().Delete(Key(*key)).ok());
    EXPECT_EQ(store().Get(Key(*key)).error().code(), Code::kNotFound);
  }
  EXPECT_THAT(Names(), IsEmpty());
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    EXPECT_TRUE(store().Put(Key(*key), *key).ok()) << *key;
  }
  EXPECT_EQ(Names(), sorted);
}

TEST_P(ObjectStoreContract, AKeyThatIsAFolderOfAnotherIsStillOneObject) {
  ASSERT_TRUE(store().Put(Key("a/b"), "below").ok());
  ASSERT_TRUE(store().Put(Key("a"), "above").ok());
  ASSERT_TRUE(store().Put(Key("a"), "above 2").ok());
  ASSERT_TRUE(store().Delete(Key("a/b")).ok());
  EXPECT_EQ(*store().Get(Key("a")), "above 2");
  ASSERT_TRUE(store().Put(Key("a"), "above 3").ok());
  EXPECT_THAT(Names(), ElementsAre("a"));
  EXPECT_EQ(*store().Get(Key("a")), "above 3");
  EXPECT_EQ(store().PutIfAbsent(Key("a"), "no").error().code(), Code::kExists);
  ASSERT_TRUE(store().Delete(Key("a")).ok());
  EXPECT_THAT(Names(), IsEmpty());
  ASSERT_TRUE(store().PutIfAbsent(Key("a"), "again").ok());
  ASSERT_TRUE(store().PutIfAbsent(Key("a/b/c"), "deep").ok());
  EXPECT_EQ(store().PutIfAbsent(Key("a/b/c"), "deep").error().code(), Code::kExists);
  EXPECT_THAT(Names("a/"), ElementsAre("a/b/c"));
}

TEST_P(ObjectStoreContract, ListsInOrderFromAnywhere) {
  std::vector<std::string> all = {"a",     "a b/2", "a!",    "a-",  "a.", "a/",  "a/b",
                                  "a/b-c", "a/b/1", "a/b/2", "a/c", "a0", "b b", "b/c"};
  for (const std::string& key : all) ASSERT_TRUE(store().Put(Key(key), "x").ok());
  std::sort(all.begin(), all.end());
  std::set<std::string> from(all.begin(), all.end());
  from.insert({"", "0", "a/a", "a/b/", "a/b/11", "a0/", "b", "z", "a/b/\xff", "\xff", "..", "../"});
  for (const std::string& prefix : from) {
    for (const std::string& after : from) {
      std::vector<std::string> expected;
      for (const std::string& key : all) {
        if (key.starts_with(prefix) && key > after) expected.push_back(key);
      }
      EXPECT_EQ(Names(prefix, after), expected) << "prefix " << prefix << " after " << after;
      if (expected.size() > 2) expected.resize(2);
      EXPECT_EQ(Names(prefix, after, 2), expected) << "prefix " << prefix << " after " << after;
    }
  }
}

TEST_P(ObjectStoreContract, BucketsAreApart) {
  ASSERT_TRUE(store().Put({.bucket = "one", .key = "a"}, "1").ok());
  ASSERT_TRUE(store().Put({.bucket = "one.two", .key = "a"}, "12").ok());
  EXPECT_EQ(*store().Get({.bucket = "one", .key = "a"}), "1");
  EXPECT_EQ(store().List("one", "", "", 10)->size(), 1U);
  EXPECT_EQ(store().Get({.bucket = "two", .key = "a"}).error().code(), Code::kNotFound);
}

TEST_P(ObjectStoreContract, RefusesWhatIsNoKey) {
  for (const char* bucket :
       {"", "ab", "..", "../..", ".tmp", ".other", "Upper", "a/b", "a b", "-ab", "ab.", "a..b"}) {
    const ObjectKey key{.bucket = bucket, .key = "a"};
    EXPECT_EQ(store().Put(key, "x").error().code(), Code::kInvalid) << bucket;
    EXPECT_EQ(store().Get(key).error().code(), Code::kInvalid) << bucket;
    EXPECT_EQ(store().Delete(key).error().code(), Code::kInvalid) << bucket;
    EXPECT_EQ(store().List(bucket, "", "", 1).error().code(), Code::kInvalid) << bucket;
  }
  for (const std::string& name :
       {std::string(), std::string(1025, 'a'), std::string("\xff"), std::string("\xc0\xaf"),
        std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"), std::string("\xc3")}) {
    EXPECT_EQ(store().Put(Key(name), "x").error().code(), Code::kInvalid) << name;
    EXPECT_EQ(store().PutIfAbsent(Key(name), "x").error().code(), Code::kInvalid) << name;
    EXPECT_EQ(store().Create(Key(name)).error().code(), Code::kInvalid) << name;
    EXPECT_EQ(store().Get(Key(name)).error().code(), Code::kInvalid) << name;
    EXPECT_EQ(store().GetRange(Key(name), 0, 1).error().code(), Code::kInvalid) << name;
    EXPECT_EQ(store().Head(Key(name)).error().code(), Code::kInvalid) << name;
    EXPECT_EQ(store().Delete(Key(name)).error().code(), Code::kInvalid) << name;
  }
  EXPECT_EQ(store().List("bucket-1", "", "", 0).error().code(), Code::kInvalid);
}

TEST_P(ObjectStoreContract, ReadersSeeWholeObjectsWhileWritersReplaceThem) {
  ASSERT_TRUE(store().Put(Key("d/a"), std::string(1000, '0')).ok());
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(store()
                        .Put(Key("d/a"),
                             std::string(static_cast<size_t>(1000 + i), static_cast<char>('1' + t)))
                        .ok());
        // The last object below a folder comes and goes, and with it what holds the folder.
        EXPECT_TRUE(store().Put(Key("e/f/" + std::to_string(t)), "x").ok());
        EXPECT_TRUE(store().Put(Key("e"), "x").ok());
        EXPECT_TRUE(store().Delete(Key("e/f/" + std::to_string(t))).ok());
        EXPECT_TRUE(store().Delete(Key("e")).ok());
      }
    });
  }
  std::thread reader([&] {
    while (!stop) {
      auto got = store().Get(Key("d/a"));
      ASSERT_TRUE(got.ok()) << got.error().message();
      EXPECT_EQ(got->find_first_not_of(got->front()), std::string::npos);
      EXPECT_GE(store().Head(Key("d/a"))->bytes, 1000);
      EXPECT_TRUE(store().List("bucket-1", "", "", 10).ok());
    }
  });
  for (auto& thread : threads) thread.join();
  stop = true;
  reader.join();
  EXPECT_THAT(Names(), ElementsAre("d/a"));
  EXPECT_EQ(store().Head(Key("d/a"))->bytes, static_cast<int64_t>(store().Get(Key("d/a"))->size()));
}

}  // namespace weft::objects
