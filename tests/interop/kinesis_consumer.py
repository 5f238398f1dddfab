# SPDX-License-Identifier: Apache-2.0
"""The Kinesis Client Library follows a stream under load across splits and merges. Its lease table is on moto."""

import collections
import contextlib
import functools
import json
import socket
import subprocess
import threading
import time

import fetch
from conftest import Server, clean_environment, wait_for
from kinesis_client import Boto
from kinesis_reading import Load

SECONDS_MAX = 240  # the library itself waits up to a minute before it reads


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def lease_table(folder):
    """The endpoint of a DynamoDB."""
    port = free_port()
    with open(folder / "moto.log", "wb") as log:
        process = subprocess.Popen([*fetch.moto(), "-p", str(port)], stdout=log, stderr=log)
    try:
        def listens():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True

        wait_for(listens, 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


class Consumer:
    """The Java program, and what it told."""

    def __init__(self, command, arguments, key, folder):
        environment = {
            **clean_environment(),
            "AWS_ACCESS_KEY_ID": key["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.log = folder / "kcl.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*command, *arguments], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.told, self.records = [], []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            words = line.split()
            self.told.append(words)
            if words[0] == "record":
                self.records.append(words[1:])

    def check_runs(self):
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]
        assert not [w for w in self.told if w[0] == "error"], self.told

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(90) == 0
        self.reader.join(10)
        assert self.told[-1] == ["stopped"], self.told[-3:]


def middle(shard):
    bounds = shard["HashKeyRange"]
    return str((int(bounds["StartingHashKey"]) + int(bounds["EndingHashKey"])) // 2 + 1)


def split(api, name):
    shard = api.open_shards(name)[0]
    api.SplitShard(StreamName=name, ShardToSplit=shard["ShardId"], NewStartingHashKey=middle(shard))


def merge(api, name):
    first, second = sorted(api.open_shards(name), key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))[:2]
    api.MergeShards(StreamName=name, ShardToMerge=first["ShardId"], AdjacentShardToMerge=second["ShardId"])


def check(consumer, load, shards):
    seen = collections.Counter((key, data) for _, key, data, _ in consumer.records)
    twice = [record for record, times in seen.items() if times > 1]
    assert not twice, f"{len(twice)} records came more than once, {twice[:3]}"
    acked = {(key, data.decode()): number for (key, data), number in load.acked.items()}
    assert len(consumer.records) == len(acked)
    orders = collections.defaultdict(list)
    for _, key, data, number in consumer.records:
        assert acked[key, data] == number
        orders[key].append(int(data))
    for key, order in orders.items():
        assert order == list(range(len(order))), f"{key} came in another order"
    happened = {(words[0], words[1]): i for i, words in enumerate(consumer.told) if words[0] in ("begin", "end")}
    for shard in shards:
        for parent in (shard.get("ParentShardId"), shard.get("AdjacentParentShardId")):
            if parent is not None:
                assert happened["end", parent] < happened["begin", shard["ShardId"]], shard


def follow(mode, folder):
    command = fetch.java("kcl")
    server = Server(folder / "data").start()
    try:
        with lease_table(folder) as leases:
            return _follow(mode, folder, command, server, leases)
    finally:
        server.stop()


def _follow(mode, folder, command, server, leases):
    key = json.loads((server.folder / "client.json").read_text())
    api = Boto(server.endpoint, key)
    name = api.stream(2)
    consumer = Consumer(command, [name, f"weft-{mode}", mode, server.endpoint, leases], key, folder)
    try:
        # What was there before, what comes while it reads, and what comes after each change.
        load = Load(functools.partial(Boto, server.endpoint, key), name, writers=2, pause=0.2).start()
        begin = time.monotonic()

        def reads():
            consumer.check_runs()
            return consumer.records

        wait_for(reads, SECONDS_MAX)
        first = time.monotonic() - begin
        for change in (split, merge):
            shards = len(api.shards(name))
            change(api, name)
            new = {s["ShardId"] for s in api.shards(name)[shards:]}

            def reads_the_children():
                consumer.check_runs()
                return new <= {words[1] for words in consumer.told if words[0] == "record"}

            wait_for(reads_the_children, SECONDS_MAX)
        load.stop()

        def caught_up():
            consumer.check_runs()
            return len(consumer.records) >= len(load.acked)

        wait_for(caught_up, SECONDS_MAX)
        time.sleep(2)
        consumer.stop()
        shards = api.shards(name)
        check(consumer, load, shards)
        return f"{len(consumer.records)} records of {len(shards)} shards, each once and in order; first after {first:.0f} s"
    finally:
        if consumer.process.poll() is None:
            consumer.process.kill()
            consumer.process.wait()


def fan_out(folder):
    return follow("fan-out", folder)


def polling(folder):
    return follow("polling", folder)
