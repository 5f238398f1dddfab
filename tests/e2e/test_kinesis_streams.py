# SPDX-License-Identifier: Apache-2.0
"""Streams: what they are called, how they are made, listed, changed and deleted, and how each of it fails."""

import datetime
import json
import urllib.request

import pytest
from conftest import wait_for
from kinesis_client import UTC, Boto, fails
from kinesis_fixtures import *

ROOT = "000000000000"


def arn_of(name, account=ROOT, region="us-east-1"):
    return f"arn:aws:kinesis:{region}:{account}:stream/{name}"


def no_stream(name):
    return fails("ResourceNotFoundException", f"Stream {name} under account {ROOT} not found.")


def gone(boto, name):
    def look():
        return name not in boto.ListStreams(Limit=10000)["StreamNames"]

    wait_for(look)


def test_a_stream_is_made_described_and_deleted(boto):
    before = datetime.datetime.now(UTC) - datetime.timedelta(seconds=5)
    boto.CreateStream(StreamName="made_.-1", ShardCount=3)
    summary = boto.wait_active("made_.-1")
    assert summary["StreamARN"] == arn_of("made_.-1")
    assert summary["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    assert summary["OpenShardCount"] == 3 and summary["RetentionPeriodHours"] == 24
    assert before < summary["StreamCreationTimestamp"] < datetime.datetime.now(UTC) + datetime.timedelta(seconds=5)
    assert summary["EnhancedMonitoring"] == [{"ShardLevelMetrics": []}]
    described = boto.DescribeStream(StreamName="made_.-1")["StreamDescription"]
    ranges = [
        (int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"])) for s in described["Shards"]
    ]
    assert ranges[0][0] == 0 and ranges[-1][1] == 2**128 - 1
    assert all(left[1] + 1 == right[0] for left, right in zip(ranges, ranges[1:]))
    assert max(b - a for a, b in ranges) - min(b - a for a, b in ranges) <= 3
    boto.DeleteStream(StreamName="made_.-1")
    gone(boto, "made_.-1")
    with no_stream("made_.-1"):
        boto.DescribeStream(StreamName="made_.-1")
    # The name is free again, and the new stream knows nothing of the old one.
    boto.CreateStream(StreamName="made_.-1", ShardCount=1)
    assert boto.wait_active("made_.-1")["OpenShardCount"] == 1


def test_a_name_is_taken_once(boto):
    name = boto.stream()
    with fails("ResourceInUseException", f"Stream {name} under account {ROOT} already exists."):
        boto.CreateStream(StreamName=name, ShardCount=1)


def test_on_demand_streams_count_their_shards_themselves(boto):
    name = boto.stream(None, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    summary = boto.wait_active(name)
    assert summary["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert summary["OpenShardCount"] == 4
    with fails("InvalidArgumentException"):
        boto.CreateStream(StreamName="both", ShardCount=2, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    with fails("ValidationException"):
        boto.UpdateShardCount(StreamName=name, TargetShardCount=8, ScalingType="UNIFORM_SCALING")
    shard = boto.open_shards(name)[0]["ShardId"]
    with fails("ValidationException"):
        boto.SplitShard(StreamName=name, ShardToSplit=shard, NewStartingHashKey="5")


def test_too_many_shards_are_refused_with_the_counts(boto):
    limits = boto.DescribeLimits()
    asked = limits["ShardLimit"] - limits["OpenShardCount"] + 1
    text = (
        f"This request would exceed the shard limit for the account {ROOT} in us-east-1. Current shard count for the "
        f"account: {limits['OpenShardCount']}. Limit: {limits['ShardLimit']}. Number of additional shards that would "
        f"have resulted from this request: {asked}."
    )
    with fails("LimitExceededException", text):
        boto.CreateStream(StreamName="huge", ShardCount=asked)
    with no_stream("huge"):
        boto.DescribeStreamSummary(StreamName="huge")


def test_too_many_on_demand_streams_are_refused(make_server):
    server = make_server(**{"streams.on_demand_streams_max": 2})
    boto = Boto(server.endpoint, json.loads((server.folder / "client.json").read_text()))
    on_demand = {"StreamModeDetails": {"StreamMode": "ON_DEMAND"}}
    boto.stream(None, **on_demand), boto.stream(None, **on_demand)
    limits = boto.DescribeLimits()
    assert (limits["OnDemandStreamCount"], limits["OnDemandStreamCountLimit"]) == (2, 2)
    with fails("LimitExceededException"):
        boto.CreateStream(StreamName="third", **on_demand)
    name = boto.stream()
    with fails("LimitExceededException"):
        boto.UpdateStreamMode(StreamARN=arn_of(name), **on_demand)


def test_limits_count_what_there_is(boto):
    before = boto.DescribeLimits()
    boto.stream(3)
    boto.stream(None, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    after = boto.DescribeLimits()
    assert after["OpenShardCount"] >= before["OpenShardCount"] + 3
    assert after["OnDemandStreamCount"] == before["OnDemandStreamCount"] + 1
    assert after["OnDemandStreamCountLimit"] > after["OnDemandStreamCount"]


def test_streams_are_listed_in_pages_in_order(boto):
    names = sorted(f"listed-{i}" for i in range(7))
    for name in reversed(names):
        boto.CreateStream(StreamName=name, ShardCount=1)
        boto.wait_active(name)
    everything = boto.ListStreams(Limit=10000)
    assert everything["StreamNames"] == sorted(everything["StreamNames"])
    assert everything["HasMoreStreams"] is False and "NextToken" not in everything
    assert [s["StreamName"] for s in everything["StreamSummaries"]] == everything["StreamNames"]
    assert all(s["StreamStatus"] == "ACTIVE" for s in everything["StreamSummaries"])
    after_first = boto.ListStreams(ExclusiveStartStreamName="listed-0", Limit=2)
    assert after_first["StreamNames"] == ["listed-1", "listed-2"] and after_first["HasMoreStreams"] is True
    second = boto.ListStreams(NextToken=after_first["NextToken"], Limit=2)
    assert second["StreamNames"] == ["listed-3", "listed-4"]
    assert boto.ListStreams(ExclusiveStartStreamName="zzz")["StreamNames"] == []
    with fails("InvalidArgumentException", "Invalid NextToken."):
        boto.ListStreams(NextToken="bm90IG91cnM=")


def test_described_shards_come_in_pages(boto):
    name = boto.stream(5)
    first = boto.DescribeStream(StreamName=name, Limit=2)["StreamDescription"]
    assert len(first["Shards"]) == 2 and first["HasMoreShards"] is True
    rest = boto.DescribeStream(StreamName=name, ExclusiveStartShardId=first["Shards"][-1]["ShardId"])["StreamDescription"]
    assert len(rest["Shards"]) == 3 and rest["HasMoreShards"] is False


def test_a_stream_is_named_by_name_or_arn_or_both(boto):
    name = boto.stream()
    arn = arn_of(name)
    for given in [{"StreamName": name}, {"StreamARN": arn}, {"StreamName": name, "StreamARN": arn}]:
        assert boto.DescribeStreamSummary(**given)["StreamDescriptionSummary"]["StreamName"] == name
    with fails("InvalidArgumentException"):
        boto.DescribeStreamSummary(StreamName="other", StreamARN=arn)
    with fails("InvalidArgumentException"):
        boto.DescribeStreamSummary()
    with fails("ResourceNotFoundException"):
        boto.DescribeStreamSummary(StreamARN=arn_of("absent"))
    with fails("ResourceNotFoundException", f"Stream {name} under account 999999999999 not found."):
        boto.DescribeStreamSummary(StreamARN=arn_of(name, account="999999999999"))
    with fails("ValidationException", "at 'streamARN' failed to satisfy constraint"):
        boto.DescribeStreamSummary(StreamARN="stream/" + name)


NAMING = {
    "AddTagsToStream": {"Tags": {"a": "b"}},
    "DecreaseStreamRetentionPeriod": {"RetentionPeriodHours": 24},
    "DeleteStream": {},
    "DescribeStream": {},
    "DescribeStreamSummary": {},
    "DisableEnhancedMonitoring": {"ShardLevelMetrics": ["ALL"]},
    "EnableEnhancedMonitoring": {"ShardLevelMetrics": ["ALL"]},
    "GetShardIterator": {"ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"},
    "IncreaseStreamRetentionPeriod": {"RetentionPeriodHours": 48},
    "ListShards": {},
    "ListTagsForStream": {},
    "MergeShards": {"ShardToMerge": "shardId-000000000000", "AdjacentShardToMerge": "shardId-000000000001"},
    "PutRecord": {"Data": b"x", "PartitionKey": "k"},
    "PutRecords": {"Records": [{"Data": b"x", "PartitionKey": "k"}]},
    "RemoveTagsFromStream": {"TagKeys": ["a"]},
    "SplitShard": {"ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "7"},
    "StartStreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
    "StopStreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
    "UpdateShardCount": {"TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"},
    "UpdateStreamWarmThroughput": {"WarmThroughputMiBps": 0},
}
BY_ARN_ONLY = {
    "DeregisterStreamConsumer": ("StreamARN", {"ConsumerName": "c"}),
    "DescribeStreamConsumer": ("StreamARN", {"ConsumerName": "c"}),
    "ListStreamConsumers": ("StreamARN", {}),
    "RegisterStreamConsumer": ("StreamARN", {"ConsumerName": "c"}),
    "UpdateMaxRecordSize": ("StreamARN", {"MaxRecordSizeInKiB": 2048}),
    "UpdateStreamMode": ("StreamARN", {"StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
    "DeleteResourcePolicy": ("ResourceARN", {}),
    "GetResourcePolicy": ("ResourceARN", {}),
    "ListTagsForResource": ("ResourceARN", {}),
    "TagResource": ("ResourceARN", {"Tags": {"a": "b"}}),
    "UntagResource": ("ResourceARN", {"TagKeys": ["a"]}),
}


@pytest.mark.parametrize("operation", NAMING)
def test_a_stream_that_is_not_there(boto, operation):
    with no_stream("absent"):
        boto.call(operation, StreamName="absent", **NAMING[operation])
    with no_stream("absent"):
        boto.call(operation, StreamARN=arn_of("absent"), **NAMING[operation])


@pytest.mark.parametrize("operation", BY_ARN_ONLY)
def test_a_resource_that_is_not_there(boto, operation):
    member, input = BY_ARN_ONLY[operation]
    with fails("ResourceNotFoundException"):
        boto.call(operation, **{member: arn_of("absent")}, **input)


def test_retention_is_raised_and_lowered_within_its_bounds(boto):
    name = boto.stream()
    boto.IncreaseStreamRetentionPeriod(StreamName=name, RetentionPeriodHours=8760)
    assert boto.wait_active(name)["RetentionPeriodHours"] == 8760
    for wrong in [8761, -1, 0, 23, 24]:
        with fails("InvalidArgumentException"):
            boto.IncreaseStreamRetentionPeriod(StreamName=name, RetentionPeriodHours=wrong)
    boto.DecreaseStreamRetentionPeriod(StreamName=name, RetentionPeriodHours=25)
    assert boto.wait_active(name)["RetentionPeriodHours"] == 25
    for wrong in [23, 0, -1, 26, 8761]:
        with fails("InvalidArgumentException"):
            boto.DecreaseStreamRetentionPeriod(StreamName=name, RetentionPeriodHours=wrong)
    assert boto.wait_active(name)["RetentionPeriodHours"] == 25


def test_tags(boto):
    name = boto.stream()
    tags = {f"key-{i:02}": f"value {i}" for i in range(50)}
    boto.AddTagsToStream(StreamName=name, Tags=dict(list(tags.items())[:30]))
    boto.AddTagsToStream(StreamName=name, Tags=dict(list(tags.items())[20:]))
    listed = boto.ListTagsForStream(StreamName=name)
    assert {t["Key"]: t["Value"] for t in listed["Tags"]} == tags and listed["HasMoreTags"] is False
    page = boto.ListTagsForStream(StreamName=name, Limit=10)
    assert [t["Key"] for t in page["Tags"]] == sorted(tags)[:10] and page["HasMoreTags"] is True
    page = boto.ListTagsForStream(StreamName=name, Limit=45, ExclusiveStartTagKey="key-09")
    assert [t["Key"] for t in page["Tags"]] == sorted(tags)[10:] and page["HasMoreTags"] is False
    with fails("InvalidArgumentException", "more than 50 tags"):
        boto.AddTagsToStream(StreamName=name, Tags={"one": "more"})
    boto.AddTagsToStream(StreamName=name, Tags={"key-00": ""})
    boto.RemoveTagsFromStream(StreamName=name, TagKeys=["key-01", "never there"])
    now = {t["Key"]: t["Value"] for t in boto.ListTagsForStream(StreamName=name)["Tags"]}
    assert now["key-00"] == "" and "key-01" not in now and len(now) == 49
    with fails("InvalidArgumentException"):
        boto.TagResource(ResourceARN=arn_of(name), Tags={"a": "what? <no>"})


def test_monitoring(boto, weft):
    name = boto.stream()
    every = sorted(
        ["IncomingBytes", "IncomingRecords", "OutgoingBytes", "OutgoingRecords", "WriteProvisionedThroughputExceeded",
         "ReadProvisionedThroughputExceeded", "IteratorAgeMilliseconds"]
    )
    answer = boto.EnableEnhancedMonitoring(StreamName=name, ShardLevelMetrics=["ALL"])
    assert answer["StreamName"] == name and answer["StreamARN"] == arn_of(name)
    assert answer["CurrentShardLevelMetrics"] == []
    assert sorted(answer["DesiredShardLevelMetrics"]) in (every, ["ALL"])
    shown = boto.wait_active(name)["EnhancedMonitoring"]
    assert sorted(shown[0]["ShardLevelMetrics"]) in (every, ["ALL"])
    boto.PutRecord(StreamName=name, Data=b"12345", PartitionKey="k")
    shard = boto.ListShards(StreamName=name)["Shards"][0]["ShardId"]
    iterator = boto.GetShardIterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    boto.GetRecords(ShardIterator=iterator["ShardIterator"])
    with urllib.request.urlopen(weft.endpoint + "/metrics", timeout=10) as metrics:
        lines = [line for line in metrics.read().decode().splitlines() if f'stream="{name}"' in line]
    assert any("incoming_records_total" in line and line.endswith(" 1") for line in lines), lines
    assert any("outgoing_bytes_total" in line and shard in line for line in lines), lines
    answer = boto.DisableEnhancedMonitoring(StreamName=name, ShardLevelMetrics=["ALL"])
    assert answer["DesiredShardLevelMetrics"] == []
    assert boto.wait_active(name)["EnhancedMonitoring"] == [{"ShardLevelMetrics": []}]
    with fails("ValidationException", "Member must satisfy enum value set"):
        boto.EnableEnhancedMonitoring(StreamName=name, ShardLevelMetrics=["Temperature"])


def test_encryption(boto):
    name = boto.stream()
    with fails("InvalidArgumentException"):
        boto.StartStreamEncryption(StreamName=name, EncryptionType="NONE", KeyId="alias/aws/kinesis")
    with fails("KMSNotFoundException"):
        boto.StartStreamEncryption(StreamName=name, EncryptionType="KMS", KeyId="alias/another")
    before = boto.PutRecord(StreamName=name, Data=b"open", PartitionKey="k")
    assert before.get("EncryptionType", "NONE") == "NONE"
    boto.StartStreamEncryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    assert boto.wait_active(name)["KeyId"] == "alias/aws/kinesis"
    many = boto.PutRecords(StreamName=name, Records=[{"Data": b"sealed", "PartitionKey": "k"}])
    assert many["EncryptionType"] == "KMS"
    described = boto.DescribeStream(StreamName=name)["StreamDescription"]
    assert described["EncryptionType"] == "KMS" and described["KeyId"] == "alias/aws/kinesis"
    records = boto.read(name, before["ShardId"])
    assert [r["Data"] for r in records] == [b"open", b"sealed"] and records[1]["EncryptionType"] == "KMS"
    boto.StopStreamEncryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    summary = boto.wait_active(name)
    assert summary["EncryptionType"] == "NONE" and "KeyId" not in summary


def kinds(records):
    return [(r["Data"], r.get("EncryptionType", "NONE")) for r in records]


def test_each_record_tells_how_it_was_put(make_server):
    server = make_server()
    boto = Boto(server.endpoint, json.loads((server.folder / "client.json").read_text()))
    name = boto.stream()
    key = {"StreamName": name, "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    boto.PutRecord(StreamName=name, Data=b"before", PartitionKey="k")
    boto.StartStreamEncryption(**key)
    boto.PutRecords(StreamName=name, Records=[{"Data": b"while", "PartitionKey": "k"}] * 2)
    boto.StopStreamEncryption(**key)
    boto.PutRecord(StreamName=name, Data=b"after", PartitionKey="k")
    boto.StartStreamEncryption(**key)
    expected = [(b"before", "NONE"), (b"while", "KMS"), (b"while", "KMS"), (b"after", "NONE")]
    for restart in (False, True):
        if restart:
            server.stop()
            server.start()
            boto = Boto(server.endpoint, json.loads((server.folder / "client.json").read_text()))
        assert kinds(boto.read(name, "shardId-000000000000")) == expected
        consumer = boto.RegisterStreamConsumer(StreamARN=arn_of(name), ConsumerName=f"one-{restart}")["Consumer"]
        with boto.subscribe(consumer["ConsumerARN"], "shardId-000000000000") as events:
            read = []
            while len(read) < 4:
                read += next(events)["Records"]
        assert kinds(read) == expected


def test_the_largest_record_is_a_setting(boto):
    name = boto.stream(MaxRecordSizeInKiB=1024)
    data = b"x" * (1024 * 1024)
    boto.PutRecord(StreamName=name, Data=data[:-1], PartitionKey="k")
    with fails("InvalidArgumentException"):
        boto.PutRecord(StreamName=name, Data=data + b"x", PartitionKey="k")
    boto.UpdateMaxRecordSize(StreamARN=arn_of(name), MaxRecordSizeInKiB=1025)
    assert boto.wait_active(name)["MaxRecordSizeInKiB"] == 1025
    with fails("ValidationException", "Member must have value less than or equal to 10240"):
        boto.UpdateMaxRecordSize(StreamARN=arn_of(name), MaxRecordSizeInKiB=10241)


def test_modes_change(boto):
    name = boto.stream(2)
    arn = arn_of(name)
    boto.UpdateStreamMode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    assert boto.wait_active(name)["StreamModeDetails"]["StreamMode"] == "ON_DEMAND"
    boto.UpdateStreamMode(StreamARN=arn, StreamModeDetails={"StreamMode": "PROVISIONED"})
    assert boto.wait_active(name)["StreamModeDetails"]["StreamMode"] == "PROVISIONED"
    with fails("ValidationException", "Member must satisfy enum value set"):
        boto.UpdateStreamMode(StreamARN=arn, StreamModeDetails={"StreamMode": "SOMETIMES"})


def test_a_stream_with_consumers_is_deleted_only_when_told_so(boto):
    name = boto.stream()
    consumer = boto.RegisterStreamConsumer(StreamARN=arn_of(name), ConsumerName="fan")["Consumer"]
    with fails("ResourceInUseException"):
        boto.DeleteStream(StreamName=name)
    with fails("ResourceInUseException"):
        boto.DeleteStream(StreamName=name, EnforceConsumerDeletion=False)
    boto.DeleteStream(StreamName=name, EnforceConsumerDeletion=True)
    gone(boto, name)
    with fails("ResourceNotFoundException"):
        boto.DescribeStreamConsumer(ConsumerARN=consumer["ConsumerARN"])
    boto.CreateStream(StreamName=name, ShardCount=1)
    boto.wait_active(name)
    assert boto.ListStreamConsumers(StreamARN=arn_of(name))["Consumers"] == []
    assert boto.ListTagsForStream(StreamName=name)["Tags"] == []


def test_streams_are_there_after_a_restart_and_a_crash(make_server):
    server = make_server()
    boto = Boto(server.endpoint, json.loads((server.folder / "client.json").read_text()))
    name = boto.stream(2, Tags={"a": "b"})
    boto.IncreaseStreamRetentionPeriod(StreamName=name, RetentionPeriodHours=72)
    boto.RegisterStreamConsumer(StreamARN=arn_of(name), ConsumerName="fan")
    put = [boto.PutRecord(StreamName=name, Data=bytes([i]), PartitionKey=str(i)) for i in range(20)]
    before = boto.DescribeStream(StreamName=name), boto.ListStreamConsumers(StreamARN=arn_of(name))
    server.kill()
    server.start()
    boto = Boto(server.endpoint, json.loads((server.folder / "client.json").read_text()))
    assert before == (boto.DescribeStream(StreamName=name), boto.ListStreamConsumers(StreamARN=arn_of(name)))
    assert boto.ListTagsForStream(StreamName=name)["Tags"] == [{"Key": "a", "Value": "b"}]
    found = {}
    for shard in boto.shards(name):
        for record in boto.read(name, shard["ShardId"]):
            found[record["SequenceNumber"]] = record["Data"]
    assert found == {answer["SequenceNumber"]: bytes([i]) for i, answer in enumerate(put)}
    # Sequence numbers go on above those that were given.
    again = boto.PutRecord(StreamName=name, Data=b"", PartitionKey="0")
    assert int(again["SequenceNumber"]) > max(int(p["SequenceNumber"]) for p in put if p["ShardId"] == again["ShardId"])
