# SPDX-License-Identifier: Apache-2.0
"""Registered consumers, and the events that SubscribeToShard pushes to them."""

import datetime
import json
import threading
import time

import pytest
from conftest import wait_for
from kinesis_client import UTC, Boto, Fault, fails
from kinesis_fixtures import *

FIRST = "shardId-000000000000"
MERGED = "shardId-000000000002"


def arn_of(name):
    return f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"


def register(api, name, consumer="fan"):
    made = api.RegisterStreamConsumer(StreamARN=arn_of(name), ConsumerName=consumer)["Consumer"]

    def active():
        answer = api.DescribeStreamConsumer(ConsumerARN=made["ConsumerARN"])
        return answer["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE"

    wait_for(active)
    return made["ConsumerARN"]


def take(events, count):
    """Events until they have brought `count` records; the records."""
    records = []
    for event in events:
        records += event["Records"]
        if len(records) >= count:
            break
    return records


def put(api, name, payloads):
    records = [{"Data": p, "PartitionKey": "k"} for p in payloads]
    return [r["SequenceNumber"] for r in api.PutRecords(StreamName=name, Records=records)["Records"]]


def test_consumers_are_registered_described_listed_and_deregistered(boto):
    name = boto.stream()
    arn = arn_of(name)
    before = datetime.datetime.now(UTC) - datetime.timedelta(seconds=5)
    made = boto.RegisterStreamConsumer(StreamARN=arn, ConsumerName="c-1", Tags={"team": "sales"})["Consumer"]
    assert made["ConsumerName"] == "c-1" and made["ConsumerStatus"] in ("CREATING", "ACTIVE")
    assert before < made["ConsumerCreationTimestamp"] < datetime.datetime.now(UTC) + datetime.timedelta(seconds=5)
    created = int(made["ConsumerCreationTimestamp"].timestamp())
    assert made["ConsumerARN"] == f"{arn}/consumer/c-1:{created}"
    assert boto.ListTagsForResource(ResourceARN=made["ConsumerARN"])["Tags"] == [{"Key": "team", "Value": "sales"}]
    boto.TagResource(ResourceARN=made["ConsumerARN"], Tags={"stage": "test"})
    boto.UntagResource(ResourceARN=made["ConsumerARN"], TagKeys=["team"])
    assert boto.ListTagsForResource(ResourceARN=made["ConsumerARN"])["Tags"] == [{"Key": "stage", "Value": "test"}]
    with fails("ResourceInUseException"):
        boto.RegisterStreamConsumer(StreamARN=arn, ConsumerName="c-1")
    for given in [{"ConsumerARN": made["ConsumerARN"]}, {"StreamARN": arn, "ConsumerName": "c-1"}]:
        described = boto.DescribeStreamConsumer(**given)["ConsumerDescription"]
        assert described["ConsumerARN"] == made["ConsumerARN"] and described["StreamARN"] == arn
    assert boto.DescribeStreamSummary(StreamName=name)["StreamDescriptionSummary"]["ConsumerCount"] == 1
    for number in range(2, 8):
        register(boto, name, f"c-{number}")
    page = boto.ListStreamConsumers(StreamARN=arn, MaxResults=4)
    rest = boto.ListStreamConsumers(StreamARN=arn, NextToken=page["NextToken"])
    assert [c["ConsumerName"] for c in page["Consumers"] + rest["Consumers"]] == [f"c-{i}" for i in range(1, 8)]
    assert "NextToken" not in rest
    boto.DeregisterStreamConsumer(ConsumerARN=made["ConsumerARN"])
    with fails("ResourceNotFoundException"):
        boto.DescribeStreamConsumer(ConsumerARN=made["ConsumerARN"])
    with fails("ResourceNotFoundException"):
        boto.DeregisterStreamConsumer(StreamARN=arn, ConsumerName="c-1")
    for call in (boto.DescribeStreamConsumer, boto.DeregisterStreamConsumer):
        for wrong in [{}, {"StreamARN": arn}, {"ConsumerName": "c-2"}]:
            with fails("InvalidArgumentException"):
                call(**wrong)


def test_a_stream_has_twenty_consumers_at_most(boto):
    name = boto.stream()
    for number in range(20):
        register(boto, name, f"c-{number}")
    with fails("LimitExceededException"):
        boto.RegisterStreamConsumer(StreamARN=arn_of(name), ConsumerName="one-more")


def test_events_bring_what_is_there_and_what_comes(api):
    name = api.stream()
    numbers = put(api, name, [b"0", b"1"])
    consumer = register(api, name)
    with api.subscribe(consumer, FIRST) as events:
        records = take(events, 2)
        assert [r["Data"] for r in records] == [b"0", b"1"]
        assert [r["SequenceNumber"] for r in records] == numbers
        assert records[0]["PartitionKey"] == "k" and "ApproximateArrivalTimestamp" in records[0]
        begin = time.monotonic()
        numbers += put(api, name, [b"2", b"3"])
        event = next(e for e in events if e["Records"])
        assert time.monotonic() - begin < 2
        assert [r["Data"] for r in event["Records"]] == [b"2", b"3"]
        assert event["ContinuationSequenceNumber"] == numbers[-1] and event["MillisBehindLatest"] == 0


@pytest.mark.parametrize("kind", ["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"])
def test_a_subscription_begins_where_it_is_told(boto, kind):
    name = boto.stream()
    numbers = put(boto, name, [b"0", b"1", b"2"])
    time.sleep(1.1)
    now = datetime.datetime.now(UTC)
    time.sleep(1.1)
    numbers += put(boto, name, [b"3"])
    consumer = register(boto, name)
    position = {}
    if kind.endswith("SEQUENCE_NUMBER"):
        position = {"SequenceNumber": numbers[1]}
    elif kind == "AT_TIMESTAMP":
        position = {"Timestamp": now}
    begin = {"TRIM_HORIZON": 0, "LATEST": 4, "AT_SEQUENCE_NUMBER": 1, "AFTER_SEQUENCE_NUMBER": 2, "AT_TIMESTAMP": 3}[kind]
    expected = [b"%d" % i for i in range(begin, 6)]
    with boto.subscribe(consumer, FIRST, kind, **position) as events:
        put(boto, name, [b"4", b"5"])
        assert [r["Data"] for r in take(events, len(expected))] == expected


def test_an_idle_subscription_says_where_it_is(boto):
    name = boto.stream()
    consumer = register(boto, name)
    with boto.subscribe(consumer, FIRST, "LATEST") as events:
        event = next(events)
        assert event["Records"] == [] and event["MillisBehindLatest"] == 0
        position = event["ContinuationSequenceNumber"]
    put(boto, name, [b"missed"])
    time.sleep(5.1)
    with boto.subscribe(consumer, FIRST, "AFTER_SEQUENCE_NUMBER", SequenceNumber=position) as events:
        assert [r["Data"] for r in take(events, 1)] == [b"missed"]


def test_a_subscription_ends_with_its_shard_and_names_the_children(api):
    name = api.stream(2)
    last = api.PutRecord(StreamName=name, Data=b"last", PartitionKey="k", ExplicitHashKey="0")
    consumer = register(api, name)
    with api.subscribe(consumer, FIRST) as events:
        assert [r["Data"] for r in take(events, 1)] == [b"last"]
        api.MergeShards(StreamName=name, ShardToMerge=FIRST, AdjacentShardToMerge="shardId-000000000001")
        rest = list(events)
        assert [r for e in rest for r in e["Records"]] == []
        assert "ContinuationSequenceNumber" not in rest[-1] and not any(e.get("ChildShards") for e in rest[:-1])
        children = rest[-1]["ChildShards"]
        assert [c["ShardId"] for c in children] == [MERGED]
        assert sorted(children[0]["ParentShards"]) == [FIRST, "shardId-000000000001"]
    # And so does one that begins at the end.
    time.sleep(5.1)
    with api.subscribe(consumer, FIRST, "AFTER_SEQUENCE_NUMBER", SequenceNumber=last["SequenceNumber"]) as events:
        only = list(events)
        assert only[-1]["ChildShards"] and not any(e["Records"] for e in only)


def test_much_is_pushed_in_order_to_many_at_once(weft, admin, boto):
    name = boto.stream(None, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    shards = [s["ShardId"] for s in boto.shards(name)]
    consumers = [register(boto, name, f"c-{i}") for i in range(3)]
    total, seen, trouble = 4000, {}, []

    def follow(consumer, shard):
        api, found = Boto(weft.endpoint, admin), []
        seen[consumer, shard] = found
        try:
            with api.subscribe(consumer, shard) as events:
                for event in events:
                    found += [int(r["Data"]) for r in event["Records"]]
                    if sum(len(v) for (c, _), v in seen.items() if c == consumer) >= total:
                        break
        except Exception as error:  # noqa: BLE001
            trouble.append(error)

    threads = [threading.Thread(target=follow, args=(c, s), daemon=True) for c in consumers for s in shards]
    for thread in threads:
        thread.start()
    for begin in range(0, total, 500):
        boto.PutRecords(
            StreamName=name,
            Records=[{"Data": b"%d" % i, "PartitionKey": f"k{i % 50}"} for i in range(begin, begin + 500)],
        )

    def everything():
        assert not trouble, trouble
        return all(sum(len(v) for (c, _), v in seen.items() if c == one) == total for one in consumers)

    wait_for(everything)
    for found in seen.values():
        assert found == sorted(found)


def test_a_second_call_takes_over_after_five_seconds(boto):
    name = boto.stream()
    consumer = register(boto, name)
    with boto.subscribe(consumer, FIRST, "LATEST") as first:
        with fails("ResourceInUseException"):
            with boto.subscribe(consumer, FIRST, "LATEST"):
                pass
        time.sleep(5.1)
        with boto.subscribe(consumer, FIRST, "LATEST") as second:
            put(boto, name, [b"x"])
            assert [r["Data"] for r in take(second, 1)] == [b"x"]
            with pytest.raises((Fault, StopIteration)) as ended:
                while True:
                    next(first)
            if ended.type is Fault:
                assert ended.value.kind == "ResourceInUseException"


def test_subscriptions_that_make_no_sense(boto):
    name, other = boto.stream(), boto.stream()
    foreign = put(boto, other, [b"x"])[0]
    consumer = register(boto, name)

    def subscribe(shard=FIRST, kind="TRIM_HORIZON", arn=consumer, **position):
        with boto.subscribe(arn, shard, kind, **position):
            pass

    with fails("ResourceNotFoundException", "Could not find shard shardId-000000000009"):
        subscribe("shardId-000000000009")
    with fails("ResourceNotFoundException"):
        subscribe(arn=consumer.replace("/fan:", "/nobody:"))
    with fails("ResourceNotFoundException"):
        subscribe(arn=consumer + "7")
    with fails("InvalidArgumentException"):
        subscribe(kind="AT_SEQUENCE_NUMBER")
    with fails("InvalidArgumentException"):
        subscribe(kind="AT_SEQUENCE_NUMBER", SequenceNumber=foreign)
    with fails("InvalidArgumentException"):
        subscribe(kind="AT_TIMESTAMP")
    with fails("ValidationException", "at 'startingPosition.type' failed to satisfy constraint: Member must satisfy enum"):
        subscribe(kind="NEWEST")
    with fails("ValidationException", "at 'consumerARN' failed to satisfy constraint: Member must satisfy regular"):
        subscribe(arn=arn_of(name))


def test_a_subscription_ends_when_its_stream_or_consumer_goes(boto):
    name = boto.stream(2)
    consumer = register(boto, name)
    other = register(boto, name, "other")
    with boto.subscribe(consumer, FIRST, "LATEST") as events, boto.subscribe(other, FIRST, "LATEST") as others:
        next(events), next(others)
        boto.DeregisterStreamConsumer(ConsumerARN=consumer)
        with pytest.raises((Fault, StopIteration)) as ended:
            while True:
                next(events)
        if ended.type is Fault:
            assert ended.value.kind == "ResourceNotFoundException"
        next(others)
        boto.DeleteStream(StreamName=name, EnforceConsumerDeletion=True)
        with pytest.raises((Fault, StopIteration)) as ended:
            while True:
                next(others)
        if ended.type is Fault:
            assert ended.value.kind == "ResourceNotFoundException"


def test_a_server_stops_with_subscriptions_open(make_server):
    server = make_server()
    boto = Boto(server.endpoint, json.loads((server.folder / "client.json").read_text()))
    name = boto.stream()
    consumer = register(boto, name)
    with boto.subscribe(consumer, FIRST, "LATEST") as events:
        next(events)
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 9
