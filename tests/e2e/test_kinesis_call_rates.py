# SPDX-License-Identifier: Apache-2.0
"""How often operations may be called: as the API reference says where `streams.call_rates` is `aws`, else as often as one
likes."""

import json
import time

import boto3
import pytest
from botocore.config import Config
from conftest import Server
from kinesis_client import Boto, Fault, fails
from kinesis_fixtures import *

FIRST = "shardId-000000000000"
ACCOUNT = "account 000000000000"


@pytest.fixture(scope="module")
def bounded(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("rates") / "data", **{"streams.call_rates": "aws"}).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def bound(bounded):
    return Boto(bounded.endpoint, json.loads((bounded.folder / "client.json").read_text()))


@pytest.fixture(scope="module")
def stream(bound):
    name = "measured"
    bound.CreateStream(StreamName=name, ShardCount=2)
    return name


def burst(call, most, kind, scope):
    """Calls until it is refused: `most` are taken where all come within a second, more by what a second is longer."""
    time.sleep(1.05)
    taken, begin = 0, time.monotonic()
    while True:
        try:
            call()
        except Fault as fault:
            assert fault.kind == kind, fault
            assert f"Rate exceeded for {scope}. " in fault.message, fault
            break
        taken += 1
        seconds = time.monotonic() - begin
        assert taken <= most * (1 + int(seconds)), f"{taken} in {seconds:.2f} s"
    assert taken >= most
    time.sleep(1.05)
    call()  # and a second later it goes on


def test_calls_of_an_account(bound, stream):
    limited = "LimitExceededException"
    burst(lambda: bound.ListStreams(), 5, limited, ACCOUNT)
    burst(lambda: bound.DescribeLimits(), 1, limited, ACCOUNT)
    burst(lambda: bound.DescribeStream(StreamName=stream), 10, limited, ACCOUNT)
    burst(lambda: bound.DescribeStreamSummary(StreamName=stream), 20, limited, ACCOUNT)
    burst(lambda: bound.AddTagsToStream(StreamName=stream, Tags={"a": "b"}), 5, limited, ACCOUNT)
    burst(lambda: bound.ListTagsForStream(StreamName=stream), 5, limited, ACCOUNT)


def test_creating_and_deleting(bound):
    made = []

    def create():
        name = f"made-{len(made)}"
        bound.CreateStream(StreamName=name, ShardCount=1)
        made.append(name)

    def delete():
        bound.DeleteStream(StreamName=made[-1])
        made.pop()

    burst(create, 5, "LimitExceededException", ACCOUNT)
    burst(delete, 5, "LimitExceededException", ACCOUNT)


def test_calls_that_fail_count_as_others(bound):
    def missing():
        try:
            bound.DescribeStream(StreamName="not-there")
        except Fault as fault:
            if fault.kind != "ResourceNotFoundException":
                raise

    burst(missing, 10, "LimitExceededException", ACCOUNT)


def test_calls_of_a_stream_count_by_stream(bound, stream):
    other = "measured-too"
    bound.CreateStream(StreamName=other, ShardCount=1)
    arns = [bound.arn(name) for name in (stream, other)]
    scope = f"stream {stream} under {ACCOUNT}"
    burst(lambda: bound.ListStreamConsumers(StreamARN=arns[0]), 5, "LimitExceededException", scope)
    time.sleep(1.05)
    for arn in arns:
        for _ in range(5):
            bound.ListStreamConsumers(StreamARN=arn)
    bound.RegisterStreamConsumer(StreamARN=arns[0], ConsumerName="one")
    burst(
        lambda: bound.DescribeStreamConsumer(StreamARN=arns[0], ConsumerName="one"), 20, "LimitExceededException", scope
    )


def test_iterators_count_by_shard(bound, stream):
    second = "shardId-000000000001"
    burst(
        lambda: bound.iterator(stream, FIRST),
        5,
        "ProvisionedThroughputExceededException",
        f"shard {FIRST} in stream {stream} under {ACCOUNT}",
    )
    time.sleep(1.05)
    for shard in (FIRST, second):
        for _ in range(5):
            bound.iterator(stream, shard)


def test_a_stream_is_scaled_ten_times_a_day(bound):
    name = "scaled"
    bound.CreateStream(StreamName=name, ShardCount=2)
    for i in range(10):
        # What fails does not count.
        with fails("InvalidArgumentException"):
            bound.UpdateShardCount(StreamName=name, TargetShardCount=100, ScalingType="UNIFORM_SCALING")
        bound.UpdateShardCount(StreamName=name, TargetShardCount=3 - i % 2, ScalingType="UNIFORM_SCALING")
        time.sleep(0.25)
    with fails("LimitExceededException", f"Rate exceeded for stream {name} under {ACCOUNT}. UpdateShardCount is bounded"):
        bound.UpdateShardCount(StreamName=name, TargetShardCount=3, ScalingType="UNIFORM_SCALING")


def test_a_clients_own_retries_get_through(bounded):
    key = json.loads((bounded.folder / "client.json").read_text())
    client = boto3.session.Session().client(
        "kinesis",
        endpoint_url=bounded.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
        config=Config(retries={"mode": "standard", "total_max_attempts": 8}),
    )
    retried = 0
    for _ in range(12):
        retried += client.list_streams()["ResponseMetadata"]["RetryAttempts"]
    assert retried > 0


def test_by_default_calls_are_not_bounded(boto):
    name = boto.stream(2)
    for i in range(30):
        boto.DescribeLimits()
        boto.DescribeStream(StreamName=name)
        boto.iterator(name, FIRST)
        boto.UpdateShardCount(StreamName=name, TargetShardCount=3 - i % 2, ScalingType="UNIFORM_SCALING")


def test_the_setting_takes_nothing_else(tmp_path):
    with pytest.raises(AssertionError, match="streams.call_rates is aws or off"):
        Server(tmp_path / "data", **{"streams.call_rates": "on"}).start()
