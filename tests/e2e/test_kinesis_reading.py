# SPDX-License-Identifier: Apache-2.0
"""A consumer with several workers follows a stream under load through splits, merges and changes of its shard count:
nothing is lost, nothing comes twice, and each key's records come in order."""

import functools
import time

import pytest
from conftest import wait_for
from kinesis_client import Boto, Cbor
from kinesis_fixtures import *
from kinesis_http2 import Http2
from kinesis_reading import Group, Load, fan_out, polling


def middle(shard):
    bounds = shard["HashKeyRange"]
    return str((int(bounds["StartingHashKey"]) + int(bounds["EndingHashKey"])) // 2 + 1)


def split(api, name):
    shard = max(api.open_shards(name), key=lambda s: int(s["HashKeyRange"]["EndingHashKey"]))
    api.SplitShard(StreamName=name, ShardToSplit=shard["ShardId"], NewStartingHashKey=middle(shard))
    api.wait_active(name)


def merge(api, name):
    first, second = sorted(api.open_shards(name), key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))[:2]
    api.MergeShards(StreamName=name, ShardToMerge=first["ShardId"], AdjacentShardToMerge=second["ShardId"])
    api.wait_active(name)


def resize(api, name, count):
    api.UpdateShardCount(StreamName=name, TargetShardCount=count, ScalingType="UNIFORM_SCALING")
    api.wait_active(name)


def check(group, load):
    by_key = {}
    for shard, key, data, number in group.delivered:
        assert load.acked[key, data] == number
        by_key.setdefault(key, []).append(int(data))
    assert len(group.delivered) == len(load.acked)
    for key, found in by_key.items():
        assert found == list(range(len(found))), key
    # A child was begun only when its parents were finished.
    order = {shard: i for i, shard in enumerate(group.finished)}
    for lease in group.leases.values():
        for parent in lease.parents:
            if lease.finished:
                assert order[parent] < order[lease.shard]


CLIENTS = {
    "boto3-polling": (Boto, False),
    "boto3-fan-out": (Boto, True),
    "http2-polling": (functools.partial(Cbor, connection=Http2), False),
    "http2-fan-out": (functools.partial(Cbor, connection=Http2), True),
}


@pytest.mark.parametrize("how", CLIENTS)
def test_a_stream_is_followed_through_every_reshard(weft, admin, boto, how):
    make, pushed = CLIENTS[how]
    api = functools.partial(make, weft.endpoint, admin)
    name = boto.stream(2)
    read = polling
    if pushed:
        arn = boto.arn(name)
        read = fan_out(boto.RegisterStreamConsumer(StreamARN=arn, ConsumerName="fan")["Consumer"]["ConsumerARN"])
    # A worker of a subscription stays with its shard.
    group = Group(api, name, read, workers=10 if pushed else 4).start()
    load = Load(api, name).start()
    try:
        for change in [
            lambda: split(boto, name),
            lambda: merge(boto, name),
            group.shake,
            lambda: resize(boto, name, 4),
            lambda: split(boto, name),
            group.shake,
            lambda: resize(boto, name, 3),
            lambda: merge(boto, name),
        ]:
            time.sleep(1)
            change()
            assert not load.errors and not group.errors, (load.errors, group.errors)
        time.sleep(1)
    finally:
        load.stop()
    assert len(load.acked) > 1000

    def caught_up():
        assert not group.errors, group.errors
        return len(group.delivered) >= len(load.acked)

    try:
        wait_for(caught_up, 60)
        time.sleep(1)
    finally:
        group.stop()
    check(group, load)
    closed = {s["ShardId"] for s in boto.shards(name)} - {s["ShardId"] for s in boto.open_shards(name)}
    assert set(group.finished) == closed


def test_consumers_do_not_disturb_each_other(weft, admin, boto):
    api = functools.partial(Boto, weft.endpoint, admin)
    name = boto.stream(2)
    arn = boto.arn(name)
    groups = [Group(api, name, polling)]
    for number in range(3):
        consumer = boto.RegisterStreamConsumer(StreamARN=arn, ConsumerName=f"c-{number}")["Consumer"]["ConsumerARN"]
        groups.append(Group(api, name, fan_out(consumer), workers=5))
    for group in groups:
        group.start()
    load = Load(api, name, writers=2).start()
    time.sleep(2)
    split(boto, name)
    time.sleep(2)
    load.stop()
    try:
        for group in groups:
            wait_for(lambda: group.errors or len(group.delivered) >= len(load.acked), 60)
    finally:
        for group in groups:
            group.stop()
    for group in groups:
        check(group, load)


def test_reading_goes_on_after_a_crash_of_the_server(make_server):
    import json

    server = make_server()
    admin = json.loads((server.folder / "client.json").read_text())
    boto = Boto(server.endpoint, admin)
    name = boto.stream(2)
    load = Load(functools.partial(Boto, server.endpoint, admin), name, writers=2).start()
    time.sleep(1)
    split(boto, name)
    time.sleep(1)
    server.kill()
    for thread in load.threads:
        thread.join(30)
    acked = dict(load.acked)  # what was under way may be there as well
    assert len(acked) > 100
    server.start()
    api = functools.partial(Boto, server.endpoint, admin)
    group = Group(api, name, polling).start()
    try:
        wait_for(lambda: group.errors or {(k, d) for _, k, d, _ in group.delivered} >= set(acked), 60)
    finally:
        group.stop()
    delivered = [(key, data) for _, key, data, _ in group.delivered]
    assert len(delivered) == len(set(delivered))
    assert {(k, d): n for _, k, d, n in group.delivered if (k, d) in acked} == acked
    for key in {k for k, _ in delivered}:
        found = [int(d) for k, d in delivered if k == key]
        assert found == list(range(len(found)))
