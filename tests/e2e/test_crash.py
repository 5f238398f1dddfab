# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments under publishing, delivery and merging. Acknowledgements are noted outside.

Half of the requests have an Idempotency-Key. After each crash some of those that were answered are sent again, and
those that were under way: all must be there once, and what was answered is answered alike. Beside them records are put
to a stream without a contract as a Kinesis client does it; each that was answered is in its shard under its number.

WEFT_CRASH_ROUNDS sets the number of rounds (200), WEFT_CRASH_SEED the seed.
"""

import base64
import http.client
import json
import os
import pathlib
import random
import threading
import time
import urllib.parse

from conftest import Server, wait_for
from http_client import call, sign
from pyiceberg.table import StaticTable
from test_outside_readers import LocalIO

ROUNDS = int(os.environ.get("WEFT_CRASH_ROUNDS", "200"))
SEED = int(os.environ.get("WEFT_CRASH_SEED", "1"))
PUBLISHERS = 4
NUMBERS_EACH = 10_000_000
REPEATS = 4  # of all that were answered under a key, after each round

MESH = """
mesh: crash
accounts: { a: { id: "111111111111" } }
products:
  events:
    account: a
    database: d
    columns: [{ name: n, type: bigint }, { name: who, type: int }, { name: pad, type: string }]
    ingest: { mode: partial }
    delivery: { buffer_interval: 0 s, partition_by: [who] }
"""


class Connection:
    """Signed publishes over one connection."""

    PATH = "/api/v1/products/events/records"

    def __init__(self, server, key):
        url = urllib.parse.urlsplit(server.endpoint)
        self.server, self.key = server, key
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)

    def publish(self, body, idempotency_key=None):
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        path, headers = sign(self.server.endpoint, self.key, "weft", "POST", self.PATH, body, headers)
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


class Request:
    """Numbers that were sent together, maybe under a key, and what was answered if anything was."""

    def __init__(self, numbers, who, key):
        self.numbers, self.key, self.answer = numbers, key, None
        self.body = json.dumps([{"n": n, "who": who, "pad": "x" * (n % 200)} for n in numbers]).encode()


class Publisher(threading.Thread):
    """Sends batches of numbers until the server is gone; notes which were acknowledged."""

    def __init__(self, server, key, who, first, seed):
        super().__init__(daemon=True)
        self.server, self.key, self.who, self.next = server, key, who, first
        self.random = random.Random(seed)
        self.requests, self.strange = [], []

    def run(self):
        connection = Connection(self.server, self.key)
        while True:
            numbers = range(self.next, self.next + self.random.choice([1, 1, 3, 25]))
            self.next = numbers.stop
            key = f"{self.who}-{numbers.start}" if self.random.random() < 0.5 else None
            request = Request(numbers, self.who, key)
            self.requests.append(request)
            try:
                status, text = connection.publish(request.body, request.key)
            except (OSError, http.client.HTTPException):
                return
            if status == 200 and json.loads(text)["accepted"] == len(numbers):
                request.answer = text
            elif status not in (429, 503):
                self.strange.append((status, text))
                return


def repeat(server, key, answered, unanswered):
    """Sends requests again under their keys: those that were answered, and those that nobody knows of."""
    connection = Connection(server, key)
    for request in answered:
        status, text = connection.publish(request.body, request.key)
        assert (status, text) == (200, request.answer), f"key {request.key}: {text} after {request.answer}"
    for request in unanswered:
        status, text = connection.publish(request.body, request.key)
        assert status == 200 and json.loads(text)["accepted"] == len(request.numbers), (status, text)
        request.answer = text


def check_snapshots(server):
    """Every snapshot of the table has all of its files, and PyIceberg counts its rows."""
    table = json.loads(server.weft("table", "show", "d.events", "--json"))
    LocalIO.root = f"{server.folder}/objects"
    location = table["metadata_location"].replace("s3://", LocalIO.root + "/")
    static = StaticTable.from_metadata(location, {"py-io-impl": "test_outside_readers.LocalIO"})
    for snapshot in static.metadata.snapshots:
        files = [task.file for task in static.scan(snapshot_id=snapshot.snapshot_id).plan_files()]
        for file in files:
            assert pathlib.Path(file.file_path.replace("s3://", LocalIO.root + "/")).is_file(), file.file_path
        assert sum(file.record_count for file in files) == int(snapshot.summary["total-records"])
    return static.metadata.snapshots[-1].snapshot_id if static.metadata.snapshots else None


def kinesis(server, key, operation, **body):
    headers = {"X-Amz-Target": "Kinesis_20131202." + operation, "Content-Type": "application/x-amz-json-1.1"}
    return call(server, key, "kinesis", "POST", "/", body, headers)[:2]


class Putter(threading.Thread):
    """Puts numbers into the stream until the server is gone; notes the answers."""

    def __init__(self, server, key, first):
        super().__init__(daemon=True)
        self.server, self.key, self.next = server, key, first
        self.answers, self.strange = {}, []

    def run(self):
        while True:
            number, self.next = self.next, self.next + 1
            try:
                status, answer = kinesis(
                    self.server, self.key, "PutRecord", StreamName="clicks", PartitionKey=f"k-{number}",
                    Data=base64.b64encode(str(number).encode()).decode(),
                )
            except (OSError, http.client.HTTPException):
                return
            if status == 200:
                self.answers[number] = (answer["ShardId"], answer["SequenceNumber"])
            elif status < 500 and "ProvisionedThroughputExceeded" not in str(answer):
                self.strange.append((status, answer))
                return


class Stream:
    """What is in the stream, read a little further after each crash."""

    def __init__(self, server, key):
        self.server, self.key = server, key
        self.shards = {}  # what was read: [(sequence number, number)]
        status, answer = kinesis(server, key, "CreateStream", StreamName="clicks", ShardCount=2)
        assert status == 200, answer
        wait_for(self.active)
        for shard in self.ask("ListShards", StreamName="clicks")["Shards"]:
            self.shards[shard["ShardId"]] = []

    def active(self):
        answer = self.ask("DescribeStreamSummary", StreamName="clicks")
        return answer["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"

    def ask(self, operation, **body):
        for _ in range(100):
            status, answer = kinesis(self.server, self.key, operation, **body)
            if status == 400 and "ProvisionedThroughputExceeded" in str(answer):
                time.sleep(0.1)
                continue
            assert status == 200, answer
            return answer
        raise AssertionError(f"{operation} is throttled for ever")

    def read(self, shard, **start):
        records = []
        iterator = self.ask("GetShardIterator", StreamName="clicks", ShardId=shard, **start)["ShardIterator"]
        while True:
            answer = self.ask("GetRecords", ShardIterator=iterator)
            records += [
                (record["SequenceNumber"], int(base64.b64decode(record["Data"]))) for record in answer["Records"]
            ]
            iterator = answer["NextShardIterator"]
            if not answer["Records"] and answer["MillisBehindLatest"] == 0:
                return records

    def check(self, putter, first):
        found = {}
        for shard, before in self.shards.items():
            start = {"ShardIteratorType": "TRIM_HORIZON"}
            if before:
                start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": before[-1][0]}
            for sequence, number in self.read(shard, **start):
                assert number not in found and first <= number < putter.next, f"{number} is doubled or was never put"
                assert not before or int(sequence) > int(before[-1][0])
                found[number] = (shard, sequence)
                before.append((sequence, number))
        lost = {number: answer for number, answer in putter.answers.items() if found.get(number) != answer}
        assert not lost, f"lost {lost}"

    def check_all(self):
        """What was read once is there, in its place."""
        for shard, known in self.shards.items():
            assert self.read(shard, ShardIteratorType="TRIM_HORIZON") == known
        return sum(map(len, self.shards.values()))


class Ledger:
    """What was sent, and what must be there from now on."""

    def __init__(self, server):
        self.server = server
        self.sent, self.acknowledged = set(), set()

    def check(self, numbers, where):
        """Of these numbers, and they are all there are `where`: each acknowledged one is there once, and none that was
        not sent. What turned out to be there stays there."""
        rows = self.server.query(f"select n, count(*) as times from d.events where {where} group by n")
        times = {row["n"]: row["times"] for row in rows}
        lost = (self.acknowledged & numbers) - times.keys()
        doubled = [n for n, count in times.items() if count != 1]
        invented = times.keys() - (self.sent & numbers)
        assert not lost and not doubled and not invented, (
            f"lost {sorted(lost)[:10]}, doubled {doubled[:10]}, invented {sorted(invented)[:10]}"
        )
        self.acknowledged |= times.keys()
        total = self.server.query("select count(*) as n, count(distinct n) as different from d.events")
        assert total == [{"n": len(self.acknowledged), "different": len(self.acknowledged)}]

    def check_all(self):
        self.check(self.sent, "true")


def test_what_was_acknowledged_is_there_once_whatever_was_killed_when(tmp_path):
    choose = random.Random(SEED)
    server = Server(
        tmp_path / "data",
        **{"upkeep.interval": "150 ms", "upkeep.small_files_min": 3, "journal.segment_bytes": "1 MiB",
           "upkeep.snapshot_age_max": "2 s", "upkeep.snapshots_min": 3},
    ).start()
    folder = tmp_path / "mesh"
    folder.mkdir()
    (folder / "mesh.yaml").write_text(MESH)
    server.weft("apply", folder)
    client = json.loads((server.folder / "client.json").read_text())
    ledger, keyed, next_number, next_put = Ledger(server), [], 0, 0
    try:
        stream = Stream(server, client)
        for round_number in range(ROUNDS):
            first = next_number
            publishers = [
                Publisher(server, client, who, first + who * NUMBERS_EACH, choose.random())
                for who in range(PUBLISHERS)
            ]
            putter = Putter(server, client, next_put)
            for thread in [*publishers, putter]:
                thread.start()
            time.sleep(choose.uniform(0.02, 0.45))
            server.kill()
            requests = []
            for publisher in publishers:
                publisher.join()
                assert not publisher.strange, publisher.strange
                requests += publisher.requests
            putter.join()
            assert not putter.strange, putter.strange
            next_number = max(p.next - p.who * NUMBERS_EACH for p in publishers)
            server.start()
            keyed += [request for request in requests if request.key and request.answer]
            repeat(
                server,
                client,
                choose.sample(keyed, min(len(keyed), REPEATS)),
                [request for request in requests if request.key and not request.answer],
            )
            of_round = {n for request in requests for n in request.numbers}
            ledger.sent |= of_round
            ledger.acknowledged.update(n for request in requests if request.answer for n in request.numbers)
            ledger.check(of_round, f"n % {NUMBERS_EACH} >= {first}")
            stream.check(putter, next_put)
            next_put = putter.next
            if round_number % 20 == 19:
                check_snapshots(server)
                ledger.check_all()
        server.weft("flush", "events")
        ledger.check_all()
        put = stream.check_all()
        assert put > ROUNDS
        assert check_snapshots(server) is not None
        assert len(ledger.acknowledged) > ROUNDS
        print(f"{ROUNDS} rounds, seed {SEED}: {len(ledger.acknowledged)} records acknowledged and present once, "
              f"{len(keyed)} requests with keys, {put} records in the stream")
    finally:
        server.stop()
