# SPDX-License-Identifier: Apache-2.0
"""Shards: split, merged and counted, listed by filter, and read to their ends."""

import datetime
import json
import time

from kinesis_client import UTC, Boto, fails
from kinesis_fixtures import *

HALF = 2**127


def shard(number):
    return f"shardId-{number:012}"


def arn_of(name):
    return f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"


def span(described):
    bounds = described["HashKeyRange"]
    return int(bounds["StartingHashKey"]), int(bounds["EndingHashKey"])


def ids(listed):
    return [int(s["ShardId"][-12:]) for s in listed]


def test_a_split_makes_two_children(boto):
    name = boto.stream()
    before = boto.PutRecord(StreamName=name, Data=b"before", PartitionKey="k", ExplicitHashKey="5")
    boto.SplitShard(StreamName=name, ShardToSplit=shard(0), NewStartingHashKey=str(HALF + 7))
    assert boto.wait_active(name)["OpenShardCount"] == 2
    parent, left, right = boto.shards(name)
    assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
    assert int(parent["SequenceNumberRange"]["EndingSequenceNumber"]) >= int(before["SequenceNumber"])
    assert (span(left), span(right)) == ((0, HALF + 6), (HALF + 7, 2**128 - 1))
    assert left["ParentShardId"] == right["ParentShardId"] == shard(0)
    assert "AdjacentParentShardId" not in left and "EndingSequenceNumber" not in left["SequenceNumberRange"]
    low = boto.PutRecord(StreamName=name, Data=b"low", PartitionKey="k", ExplicitHashKey=str(HALF + 6))
    high = boto.PutRecord(StreamName=name, Data=b"high", PartitionKey="k", ExplicitHashKey=str(HALF + 7))
    assert (low["ShardId"], high["ShardId"]) == (shard(1), shard(2))
    assert int(low["SequenceNumber"]) > int(before["SequenceNumber"]) < int(high["SequenceNumber"])
    # The parent ends, and says who goes on.
    answer = boto.records(boto.iterator(name, shard(0)))
    if answer.get("NextShardIterator"):
        assert [r["Data"] for r in answer["Records"]] == [b"before"]
        answer = boto.records(answer["NextShardIterator"])
    assert "NextShardIterator" not in answer
    assert [c["ShardId"] for c in answer["ChildShards"]] == [shard(1), shard(2)]
    assert [c["ParentShards"] for c in answer["ChildShards"]] == [[shard(0)], [shard(0)]]
    assert [span(c) for c in answer["ChildShards"]] == [span(left), span(right)]
    # A place behind the last record of a closed shard is its end.
    after = boto.iterator(name, shard(0), "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=before["SequenceNumber"])
    answer = boto.records(after)
    assert answer["Records"] == [] and "NextShardIterator" not in answer


def test_a_merge_makes_one_child(boto):
    name = boto.stream(3)
    boto.MergeShards(StreamName=name, ShardToMerge=shard(1), AdjacentShardToMerge=shard(2))
    boto.wait_active(name)
    listed = boto.shards(name)
    assert ids(listed) == [0, 1, 2, 3]
    assert (listed[3]["ParentShardId"], listed[3]["AdjacentParentShardId"]) == (shard(1), shard(2))
    assert span(listed[3]) == (span(listed[1])[0], 2**128 - 1)
    answer = boto.records(boto.iterator(name, shard(2)))
    assert [sorted(c["ParentShards"]) for c in answer["ChildShards"]] == [[shard(1), shard(2)]]
    boto.MergeShards(StreamName=name, ShardToMerge=shard(3), AdjacentShardToMerge=shard(0))
    assert boto.wait_active(name)["OpenShardCount"] == 1
    assert span(boto.open_shards(name)[0]) == (0, 2**128 - 1)


def test_splits_that_make_no_sense(boto):
    name = boto.stream(2)
    first, last = span(boto.shards(name)[1])
    for key in [0, first, first + 1, last, last + 1]:
        with fails("InvalidArgumentException", "is not both greater than one plus the shard's StartingHashKey"):
            boto.SplitShard(StreamName=name, ShardToSplit=shard(1), NewStartingHashKey=str(key))
    for key in ["-1", "0x10", "01", "", "1" * 40]:
        with fails("ValidationException", "regular expression pattern"):
            boto.SplitShard(StreamName=name, ShardToSplit=shard(1), NewStartingHashKey=key)
    with fails("ResourceNotFoundException", f"Could not find shard {shard(9)} in stream {name}"):
        boto.SplitShard(StreamName=name, ShardToSplit=shard(9), NewStartingHashKey="5")
    boto.SplitShard(StreamName=name, ShardToSplit=shard(0), NewStartingHashKey="2")
    boto.wait_active(name)
    with fails("InvalidArgumentException", "has already been merged or split"):
        boto.SplitShard(StreamName=name, ShardToSplit=shard(0), NewStartingHashKey="7")
    # The smallest range there is.
    assert span(boto.shards(name)[2]) == (0, 1)
    for key in ["1", "2"]:
        with fails("InvalidArgumentException"):
            boto.SplitShard(StreamName=name, ShardToSplit=shard(2), NewStartingHashKey=key)
    placed = boto.PutRecord(StreamName=name, Data=b"x", PartitionKey="k", ExplicitHashKey="1")
    assert placed["ShardId"] == shard(2)


def test_merges_that_make_no_sense(boto):
    name = boto.stream(4)
    for pair in [(0, 2), (1, 1), (3, 0)]:
        with fails("InvalidArgumentException"):
            boto.MergeShards(StreamName=name, ShardToMerge=shard(pair[0]), AdjacentShardToMerge=shard(pair[1]))
    with fails("ResourceNotFoundException"):
        boto.MergeShards(StreamName=name, ShardToMerge=shard(0), AdjacentShardToMerge=shard(9))
    boto.MergeShards(StreamName=name, ShardToMerge=shard(0), AdjacentShardToMerge=shard(1))
    boto.wait_active(name)
    with fails("InvalidArgumentException"):
        boto.MergeShards(StreamName=name, ShardToMerge=shard(1), AdjacentShardToMerge=shard(2))


def test_shard_counts_go_up_and_down_evenly(boto):
    name = boto.stream(3)
    for wanted in [6, 4, 2, 1, 2]:
        before = len(boto.open_shards(name))
        answer = boto.UpdateShardCount(StreamName=name, TargetShardCount=wanted, ScalingType="UNIFORM_SCALING")
        assert answer["CurrentShardCount"] == before and answer["TargetShardCount"] == wanted
        assert answer["StreamName"] == name and answer["StreamARN"] == arn_of(name)
        assert boto.wait_active(name)["OpenShardCount"] == wanted
        spans = sorted(span(s) for s in boto.open_shards(name))
        assert spans[0][0] == 0 and spans[-1][1] == 2**128 - 1
        assert all(a[1] + 1 == b[0] for a, b in zip(spans, spans[1:]))
        sizes = [b - a for a, b in spans]
        assert max(sizes) - min(sizes) <= wanted
    for wrong in [5, 100]:
        with fails("InvalidArgumentException"):
            boto.UpdateShardCount(StreamName=name, TargetShardCount=wrong, ScalingType="UNIFORM_SCALING")
    for wrong in [0, -1]:
        with fails("ValidationException", "Member must have value greater than or equal to 1"):
            boto.UpdateShardCount(StreamName=name, TargetShardCount=wrong, ScalingType="UNIFORM_SCALING")
    with fails("ValidationException", "Member must satisfy enum value set"):
        boto.UpdateShardCount(StreamName=name, TargetShardCount=2, ScalingType="WILD")
    wide = boto.stream(8)
    with fails("InvalidArgumentException"):
        boto.UpdateShardCount(StreamName=wide, TargetShardCount=3, ScalingType="UNIFORM_SCALING")


def test_shards_past_the_limit_of_the_account(make_server):
    server = make_server(**{"streams.shards_max": 10})
    boto = Boto(server.endpoint, json.loads((server.folder / "client.json").read_text()))
    name = boto.stream(10)
    limits = boto.DescribeLimits()
    assert (limits["OpenShardCount"], limits["ShardLimit"]) == (10, 10)
    text = (
        "This request would exceed the shard limit for the account 000000000000 in us-east-1. Current shard count for the "
        "account: 10. Limit: 10. Number of additional shards that would have resulted from this request: "
    )
    with fails("LimitExceededException", text + "1."):
        boto.SplitShard(StreamName=name, ShardToSplit=shard(0), NewStartingHashKey="5")
    with fails("LimitExceededException", text + "2."):
        boto.UpdateShardCount(StreamName=name, TargetShardCount=12, ScalingType="UNIFORM_SCALING")
    with fails("LimitExceededException", text + "3."):
        boto.CreateStream(StreamName="more", ShardCount=3)
    boto.MergeShards(StreamName=name, ShardToMerge=shard(0), AdjacentShardToMerge=shard(1))
    boto.CreateStream(StreamName="more", ShardCount=1)
    boto.DeleteStream(StreamName=name)
    assert boto.DescribeLimits()["OpenShardCount"] == 1


def test_a_thousand_shards(boto):
    limits = boto.DescribeLimits()
    count = limits["ShardLimit"] - limits["OpenShardCount"]
    name = boto.stream(count)
    assert boto.wait_active(name)["OpenShardCount"] == count > 500
    placed = boto.PutRecord(StreamName=name, Data=b"x", PartitionKey="k", ExplicitHashKey=str(2**128 - 1))
    assert placed["ShardId"] == shard(count - 1)
    listed, token = [], {"StreamName": name}
    while token:
        answer = boto.ListShards(MaxResults=400, **token)
        listed += ids(answer["Shards"])
        token = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
    assert listed == list(range(count))
    boto.DeleteStream(StreamName=name)


def test_listed_shards_come_in_pages(boto):
    name = boto.stream(7)
    first = boto.ListShards(StreamName=name, MaxResults=3)
    second = boto.ListShards(NextToken=first["NextToken"], MaxResults=3)
    third = boto.ListShards(NextToken=second["NextToken"])
    assert [ids(p["Shards"]) for p in (first, second, third)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert "NextToken" not in third
    assert ids(boto.shards(name, ExclusiveStartShardId=shard(4))) == [5, 6]
    with fails("InvalidArgumentException"):
        boto.ListShards(StreamName=name, NextToken=first["NextToken"])
    with fails("InvalidArgumentException"):
        boto.ListShards(NextToken=first["NextToken"], ExclusiveStartShardId=shard(1))
    with fails("InvalidArgumentException"):
        boto.ListShards()
    for wrong in ["bm8=", first["NextToken"][:-8]]:
        try:
            boto.ListShards(NextToken=wrong)
            raise AssertionError("taken")
        except Exception as fault:
            assert fault.kind in ("ExpiredNextTokenException", "InvalidArgumentException"), fault


def test_shards_are_listed_by_filter(boto):
    name = boto.stream(2)
    time.sleep(1.1)
    two = datetime.datetime.now(UTC)
    time.sleep(1.1)
    boto.SplitShard(StreamName=name, ShardToSplit=shard(0), NewStartingHashKey="5")
    boto.wait_active(name)
    time.sleep(1.1)  # boto3 sends whole seconds
    listed = lambda **shard_filter: ids(boto.shards(name, ShardFilter=shard_filter))
    assert listed(Type="AT_LATEST") == [1, 2, 3]
    assert listed(Type="AT_TRIM_HORIZON") == [0, 1]
    assert listed(Type="FROM_TRIM_HORIZON") == [0, 1, 2, 3]
    assert listed(Type="AT_TIMESTAMP", Timestamp=two) == [0, 1]
    assert listed(Type="AT_TIMESTAMP", Timestamp=datetime.datetime.now(UTC)) == [1, 2, 3]
    assert listed(Type="FROM_TIMESTAMP", Timestamp=two) == [0, 1, 2, 3]
    assert listed(Type="FROM_TIMESTAMP", Timestamp=datetime.datetime.now(UTC)) == [1, 2, 3]
    assert listed(Type="AFTER_SHARD_ID", ShardId=shard(1)) == [2, 3]
    for wrong in [{"Type": "AFTER_SHARD_ID"}, {"Type": "AT_TIMESTAMP"}, {"Type": "FROM_TIMESTAMP"}]:
        with fails("InvalidArgumentException"):
            listed(**wrong)
    with fails("ValidationException", "at 'shardFilter.type' failed to satisfy constraint: Member must satisfy enum"):
        listed(Type="SOME")


def test_streams_of_one_name_are_told_apart_by_their_making(boto):
    name = boto.stream()
    made = boto.wait_active(name)["StreamCreationTimestamp"]
    assert ids(boto.shards(name, StreamCreationTimestamp=made)) == [0]
    with fails("ResourceNotFoundException"):
        boto.shards(name, StreamCreationTimestamp=made - datetime.timedelta(days=3))


def test_a_stream_can_be_resharded_many_times(boto):
    name = boto.stream()
    put = []
    for round_ in range(10):
        low, high = (boto.open_shards(name)[0], boto.open_shards(name)[-1])
        if round_ % 2 == 0:
            boto.SplitShard(StreamName=name, ShardToSplit=low["ShardId"], NewStartingHashKey=str(HALF))
        else:
            boto.MergeShards(
                StreamName=name, ShardToMerge=low["ShardId"], AdjacentShardToMerge=high["ShardId"]
            )
        boto.wait_active(name)
        put.append(boto.PutRecord(StreamName=name, Data=b"%d" % round_, PartitionKey="k")["SequenceNumber"])
    assert put == sorted(put, key=int), "a child's numbers are above its parents'"
    found = []
    for each in boto.shards(name):
        found += [r["Data"] for r in boto.read(name, each["ShardId"])]
    assert found == [b"%d" % i for i in range(10)]
