# SPDX-License-Identifier: Apache-2.0
"""Every operation of the model, called by every client as one uses a stream."""

import datetime
import json

from kinesis_client import UTC, fails
from kinesis_fixtures import *
from kinesis_model import MODEL

ACCOUNT = "000000000000"


class Recorder:
    """Passes calls on, and knows which operations succeeded."""

    def __init__(self, api):
        self.api, self.answered = api, set()

    def __getattr__(self, name):
        found = getattr(self.api, name)
        if name not in MODEL.operation_names:
            return found

        def call(**input):
            answer = found(**input)
            self.answered.add(name)
            return answer

        return call


def test_every_operation_answers(api):
    begin = datetime.datetime.now(UTC)
    calls = Recorder(api)
    name = f"all-{type(api).__name__}-{id(api)}"
    calls.CreateStream(StreamName=name, ShardCount=2, Tags={"team": "sales"}, MaxRecordSizeInKiB=1024)
    api.wait_active(name)
    arn = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}"
    use_a_stream(calls, name, arn)
    write_and_read(calls, name, begin)
    reshard(calls, name, arn)
    change_settings(calls, name, arn)
    share(calls, arn)
    fan_out(calls, arn)
    calls.DeleteStream(StreamARN=arn)
    assert calls.answered | {"SubscribeToShard", "UpdateStreamWarmThroughput"} == set(MODEL.operation_names)


def use_a_stream(calls, name, arn):
    limits = calls.DescribeLimits()
    assert limits["OpenShardCount"] >= 2 and limits["ShardLimit"] >= limits["OpenShardCount"]
    assert calls.DescribeAccountSettings()["MinimumThroughputBillingCommitment"]["Status"] == "DISABLED"
    calls.UpdateAccountSettings(MinimumThroughputBillingCommitment={"Status": "DISABLED"})
    with fails("InvalidArgumentException", "MinimumThroughputBillingCommitment"):
        calls.UpdateAccountSettings(MinimumThroughputBillingCommitment={"Status": "ENABLED"})
    assert name in calls.ListStreams()["StreamNames"]
    summary = calls.DescribeStreamSummary(StreamARN=arn)["StreamDescriptionSummary"]
    assert summary["StreamName"] == name and summary["StreamARN"] == arn
    assert summary["OpenShardCount"] == 2 and summary["ConsumerCount"] == 0
    described = calls.DescribeStream(StreamName=name)["StreamDescription"]
    assert [s["ShardId"] for s in described["Shards"]] == ["shardId-000000000000", "shardId-000000000001"]
    assert described["RetentionPeriodHours"] == 24 and described["EncryptionType"] == "NONE"
    assert calls.ListTagsForStream(StreamName=name)["Tags"] == [{"Key": "team", "Value": "sales"}]
    calls.AddTagsToStream(StreamName=name, Tags={"stage": "test"})
    calls.RemoveTagsFromStream(StreamName=name, TagKeys=["team"])
    calls.TagResource(ResourceARN=arn, Tags={"cost": ""})
    tags = calls.ListTagsForResource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "cost", "Value": ""}, {"Key": "stage", "Value": "test"}]
    calls.UntagResource(ResourceARN=arn, TagKeys=["cost"])
    assert calls.ListTagsForStream(StreamARN=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]


def write_and_read(calls, name, begin):
    one = calls.PutRecord(StreamName=name, Data=b"\x00\xff one", PartitionKey="k", ExplicitHashKey="0")
    assert one["ShardId"] == "shardId-000000000000"
    many = calls.PutRecords(
        StreamName=name,
        Records=[{"Data": bytes([i]), "PartitionKey": f"k{i}", "ExplicitHashKey": str(i % 2 << 127)} for i in range(10)],
    )
    assert many.get("FailedRecordCount", 0) == 0
    assert [r["ShardId"][-1] for r in many["Records"]] == [str(i % 2) for i in range(10)]
    iterator = calls.GetShardIterator(
        StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="AT_TIMESTAMP", Timestamp=begin
    )["ShardIterator"]
    answer = calls.GetRecords(ShardIterator=iterator)
    assert [r["Data"] for r in answer["Records"]] == [b"\x00\xff one"] + [bytes([i]) for i in range(0, 10, 2)]
    assert answer["Records"][0]["PartitionKey"] == "k" and answer["MillisBehindLatest"] == 0
    assert answer["Records"][0]["SequenceNumber"] == one["SequenceNumber"]
    arrived = answer["Records"][0]["ApproximateArrivalTimestamp"]
    assert begin - datetime.timedelta(seconds=5) < arrived < datetime.datetime.now(UTC) + datetime.timedelta(seconds=5)


def reshard(calls, name, arn):
    calls.SplitShard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 126))
    calls.wait_active(name)
    calls.MergeShards(
        StreamName=name, ShardToMerge="shardId-000000000003", AdjacentShardToMerge="shardId-000000000001"
    )
    calls.wait_active(name)
    shards = calls.ListShards(StreamName=name)["Shards"]
    assert [s["ShardId"][-1] for s in shards] == list("01234")
    assert shards[4]["ParentShardId"][-1] == "3" and shards[4]["AdjacentParentShardId"][-1] == "1"
    answer = calls.UpdateShardCount(StreamName=name, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    assert answer["TargetShardCount"] == 4 and answer["CurrentShardCount"] == 2
    assert calls.wait_active(name)["OpenShardCount"] == 4
    calls.UpdateStreamMode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    assert calls.wait_active(name)["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    # The one that is not offered: streams scale by their load alone.
    with fails("InvalidArgumentException", "WarmThroughputMiBps"):
        calls.UpdateStreamWarmThroughput(StreamARN=arn, WarmThroughputMiBps=10)


def change_settings(calls, name, arn):
    calls.wait_active(name)
    calls.IncreaseStreamRetentionPeriod(StreamName=name, RetentionPeriodHours=48)
    assert calls.wait_active(name)["RetentionPeriodHours"] == 48
    calls.DecreaseStreamRetentionPeriod(StreamName=name, RetentionPeriodHours=24)
    assert calls.wait_active(name)["RetentionPeriodHours"] == 24
    on = calls.EnableEnhancedMonitoring(StreamName=name, ShardLevelMetrics=["IncomingBytes", "OutgoingBytes"])
    assert on["CurrentShardLevelMetrics"] == []
    assert sorted(on["DesiredShardLevelMetrics"]) == ["IncomingBytes", "OutgoingBytes"]
    calls.wait_active(name)
    off = calls.DisableEnhancedMonitoring(StreamName=name, ShardLevelMetrics=["IncomingBytes"])
    assert off["DesiredShardLevelMetrics"] == ["OutgoingBytes"]
    calls.wait_active(name)
    calls.StartStreamEncryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    summary = calls.wait_active(name)
    assert summary["EncryptionType"] == "KMS" and summary["KeyId"] == "alias/aws/kinesis"
    put = calls.PutRecord(StreamName=name, Data=b"sealed", PartitionKey="k")
    assert put["EncryptionType"] == "KMS"
    records = calls.read(name, put["ShardId"], "AT_SEQUENCE_NUMBER", StartingSequenceNumber=put["SequenceNumber"])
    assert records[0]["Data"] == b"sealed" and records[0]["EncryptionType"] == "KMS"
    calls.StopStreamEncryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    assert calls.wait_active(name)["EncryptionType"] == "NONE"
    calls.UpdateMaxRecordSize(StreamARN=arn, MaxRecordSizeInKiB=2048)
    assert calls.wait_active(name)["MaxRecordSizeInKiB"] == 2048


def share(calls, arn):
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "111111111111"},
                    "Action": "kinesis:PutRecord",
                    "Resource": arn,
                }
            ],
        }
    )
    calls.PutResourcePolicy(ResourceARN=arn, Policy=policy)
    assert json.loads(calls.GetResourcePolicy(ResourceARN=arn)["Policy"]) == json.loads(policy)
    calls.DeleteResourcePolicy(ResourceARN=arn)


def fan_out(calls, arn):
    consumer = calls.RegisterStreamConsumer(StreamARN=arn, ConsumerName="fan")["Consumer"]
    assert consumer["ConsumerARN"].startswith(arn + "/consumer/fan:")
    described = calls.DescribeStreamConsumer(ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]
    assert described["StreamARN"] == arn and described["ConsumerName"] == "fan"
    assert [c["ConsumerName"] for c in calls.ListStreamConsumers(StreamARN=arn)["Consumers"]] == ["fan"]
    with calls.subscribe(consumer["ConsumerARN"], "shardId-000000000000") as events:
        event = next(events)
        assert event["Records"][0]["Data"] == b"\x00\xff one"
    with fails("ResourceInUseException"):
        calls.DeleteStream(StreamARN=arn)
    calls.DeregisterStreamConsumer(StreamARN=arn, ConsumerName="fan")
