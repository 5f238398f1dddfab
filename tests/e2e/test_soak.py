# SPDX-License-Identifier: Apache-2.0
"""A server under a steady mixed load: its memory, its answer times and its descriptors stay where they are.

WEFT_SOAK_SECONDS sets how long (60; ten minutes: 600). The load is paced, the same on any machine, and light enough for
two busy cores: what is looked for grows with the number of requests, not with their rate.

What is flat is judged between two windows of the run, after a warm-up. Each window gives medians of many samples, so
that a burst of other work on the machine moves them little. What the judges call flat and what not is tested below on
made-up series.
"""

import contextlib
import http.client
import itertools
import json
import os
import pathlib
import random
import statistics
import threading
import time
import urllib.parse

import pytest
from conftest import Server, write_mesh
from http_client import sign

SECONDS = int(os.environ.get("WEFT_SOAK_SECONDS", "60"))
SAMPLE_SECONDS = 0.5
# The parts of the run that are compared: memory after pools, caches and the heap of each thread have filled; times as
# far apart as may be.
SETTLED = (0.35, 0.55)
EARLY = (0.15, 0.35)
LATE = (0.80, 1.0)

# The log's caches of just written batches and of indexes may still be filling in the short run: 24 MiB when full. The
# heap itself moves by some MiB either way. Between the middles of the two windows, 45 in a hundred of the run, a run of
# 60 s has some 2,200 requests with 28,000 records: 40 MiB is a leak of 1.5 KiB a record or 19 KiB a request, and in ten
# minutes of a tenth of that. A lost body, buffer or connection shows in the short run, a lost string in the long one.
GROWTH_MAX = 40 << 20
# Files come and go with deliveries and readers: a few more at one moment mean nothing. Each lost one of a request would
# be hundreds.
DESCRIPTORS_MORE_MAX = 12
# Answer times are medians over many short windows' p99. On a machine with other work they vary by half; a cost that
# grows with what was stored before is 0.9 / 0.25 = 3.6 times as high in the late window. The floor is what another
# process's turn costs.
SLOWER_MAX = 2.0
SLOWER_FLOOR = 0.030

MESH = """
mesh: soak
accounts: { a: { id: "111111111111" } }
products:
  events:
    account: a
    database: d
    columns: [{ name: n, type: bigint }, { name: who, type: int }, { name: pad, type: string }]
    ingest: { mode: partial }
    retention_size: 4 MiB
    delivery: { buffer_interval: 2 s }
"""


# Judging.


def window(series, part):
    """The values of [(time, value)] in that part of the whole time."""
    last = series[-1][0]
    return [value for at, value in series if part[0] * last <= at <= part[1] * last]


def growth(series):
    """How much higher the median of the late window lies than that of the early one."""
    return statistics.median(window(series, LATE)) - statistics.median(window(series, SETTLED))


def p99(values):
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 99 // 100) - 1)]


def slices(series, seconds):
    """[(time, p99)] of every stretch of that many seconds."""
    of = {}
    for at, value in series:
        of.setdefault(int(at / seconds), []).append(value)
    return [((slot + 0.5) * seconds, p99(values)) for slot, values in sorted(of.items())]


def slower(series, seconds=1.0):
    """The p99 of the early window, that of the late one, and whether it rose past what chance does."""
    short = slices(series, seconds)
    early, late = (statistics.median(window(short, part)) for part in (EARLY, LATE))
    return early, late, late > max(early * SLOWER_MAX, early + SLOWER_FLOOR)


def test_the_judges_tell_a_leak_from_noise():
    noise = random.Random(1)
    times = [i * 0.5 for i in range(120)]
    base = 200 << 20
    warm = [(t, base * (1 - 0.5 ** (t / 4)) + noise.uniform(-4, 4) * (1 << 20)) for t in times]
    assert abs(growth(warm)) < GROWTH_MAX
    leak = [(t, value + t * (2 << 20)) for t, value in warm]  # 2 MiB/s: 25 KiB a request
    assert growth(leak) > GROWTH_MAX
    burst = [(t, value + (60 << 20 if 50 < t < 54 else 0)) for t, value in warm]
    assert growth(burst) < GROWTH_MAX

    answers = [(i * 0.01, noise.expovariate(1 / 0.003)) for i in range(6000)]
    assert not slower(answers)[2]
    assert not slower([(t, value + (1 if 50 < t < 53 else 0)) for t, value in answers])[2]
    assert slower([(t, value * (1 + t / 5)) for t, value in answers])[2]
    assert slower([(t, value + t * 0.002) for t, value in answers])[2]


# Watching.


def status_of(process, key):
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    return 0


def children_of(process):
    with contextlib.suppress(OSError):
        return [
            int(child)
            for task in pathlib.Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    return []


class Watcher(threading.Thread):
    """Notes the server's memory, that of its workers, its descriptors and its threads, twice a second."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.over = process, threading.Event()
        self.memory, self.workers_memory, self.descriptors, self.threads = [], [], [], []
        self.began = time.monotonic()

    def look(self):
        at = time.monotonic() - self.began
        self.memory.append((at, status_of(self.process, "VmRSS") << 10))
        workers = 0
        for child in children_of(self.process):
            with contextlib.suppress(OSError):
                workers += status_of(child, "VmRSS") << 10
        self.workers_memory.append((at, workers))
        self.descriptors.append((at, len(os.listdir(f"/proc/{self.process}/fd"))))
        self.threads.append((at, status_of(self.process, "Threads")))

    def run(self):
        while not self.over.wait(SAMPLE_SECONDS):
            self.look()


# Load.


class Load(threading.Thread):
    """Does one thing at a steady pace, and notes how long each time took and what went wrong."""

    def __init__(self, server, key, every):
        super().__init__(daemon=True)
        self.server, self.key, self.every = server, key, every
        self.over = threading.Event()
        self.times, self.wrong, self.connection = [], [], None

    def run(self):
        began = time.monotonic()
        for turn in itertools.count():
            if self.over.wait(max(0.0, began + turn * self.every - time.monotonic())):
                break
            start = time.monotonic()
            try:
                self.once(turn)
            except Exception as error:  # noqa: BLE001: whatever it was, the test fails with it
                self.wrong.append(repr(error))
                if len(self.wrong) > 10:
                    break
            # What came late because the one before took long is not the server's time.
            self.times.append((start - began, time.monotonic() - start))
        if self.connection:
            self.connection.close()

    def call(self, service, method, path, body=b"", headers=None):
        if self.connection is None:
            url = urllib.parse.urlsplit(self.server.endpoint)
            self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        path, signed = sign(self.server.endpoint, self.key, service, method, path, body, headers)
        self.connection.request(method, path, body, signed)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise AssertionError(f"{answer.status} {text[:300]}")
        return text


class Publisher(Load):
    def __init__(self, *arguments, who, records):
        super().__init__(*arguments)
        self.who, self.records, self.accepted = who, records, 0

    def once(self, turn):
        numbers = range(turn * self.records, (turn + 1) * self.records)
        body = "\n".join(json.dumps({"n": n, "who": self.who, "pad": "x" * (n % 100)}) for n in numbers).encode()
        # Every other small request under a key, each a new one.
        headers = {"Content-Type": "application/x-ndjson"}
        if self.records == 1 and turn % 2 == 0:
            headers["Idempotency-Key"] = f"{self.who}-{turn}"
        answer = json.loads(self.call("weft", "POST", "/api/v1/products/events/records", body, headers))
        assert answer["accepted"] == self.records, answer
        self.accepted += self.records


class Querier(Load):
    def once(self, turn):
        sql = f"select count(*) as n, max(pad) as pad from d.events where who = {turn % 4} and n < 1000"
        self.call("weft", "POST", "/api/v1/sql", json.dumps({"sql": sql}).encode())


class Reader(Load):
    """Opens a connection, reads what came in the last seconds, and closes it."""

    def once(self, turn):
        self.connection = None
        try:
            self.call("weft", "GET", "/api/v1/products/events/records?from=2s")
        finally:
            self.connection.close()


class Follower(Load):
    """Stays on one connection and reads what comes."""

    def once(self, turn):
        url = urllib.parse.urlsplit(self.server.endpoint)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        path = "/api/v1/products/events/records?from=end&follow=true"
        path, signed = sign(self.server.endpoint, self.key, "weft", "GET", path)
        self.connection.request("GET", path, headers=signed)
        answer = self.connection.getresponse()
        assert answer.status == 200, answer.read()[:300]
        until, self.lines = time.monotonic() + self.every, 0
        while not self.over.is_set() and time.monotonic() < until:
            self.lines += bool(answer.readline().strip())
        assert self.lines > 0 or self.over.is_set(), "nothing came"
        self.connection.close()


class Putter(Load):
    """Puts a record as a Kinesis client does."""

    def once(self, turn):
        body = {"StreamName": "clicks", "PartitionKey": f"k-{turn}", "Data": "eA=="}
        kinesis(self, "PutRecord", body)


class Getter(Load):
    """Reads on in one shard of the stream."""

    iterator = None

    def once(self, turn):
        if self.iterator is None or turn % 100 == 0:
            start = {"StreamName": "clicks", "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"}
            self.iterator = kinesis(self, "GetShardIterator", start)["ShardIterator"]
        self.iterator = kinesis(self, "GetRecords", {"ShardIterator": self.iterator})["NextShardIterator"]


def kinesis(load, operation, body):
    headers = {"X-Amz-Target": "Kinesis_20131202." + operation, "Content-Type": "application/x-amz-json-1.1"}
    text = load.call("kinesis", "POST", "/", json.dumps(body).encode(), headers)
    return json.loads(text) if text else {}


def soak_load(server, key):
    return {
        "small publishes": [Publisher(server, key, 0.04, who=who, records=1) for who in range(2)],
        "batch publishes": [Publisher(server, key, 0.5, who=2, records=500)],
        "queries": [Querier(server, key, 0.5)],
        "reads": [Reader(server, key, 1.0)],
        "puts": [Putter(server, key, 0.04)],
        "gets": [Getter(server, key, 0.5)],
        "followers": [Follower(server, key, 10.0)],
    }


# The test.


def mib(octets):
    return f"{octets / (1 << 20):+.1f} MiB"


@pytest.fixture
def soaked(tmp_path):
    server = Server(
        tmp_path / "data",
        **{"upkeep.interval": "5 s", "upkeep.snapshot_age_max": "10 s", "upkeep.snapshots_min": 3,
           "upkeep.small_files_min": 4, "upkeep.metadata_files_max": 5, "upkeep.orphan_age_min": "1h",
           "journal.segment_bytes": "1 MiB"},
    ).start()
    server.weft("apply", write_mesh(tmp_path / "mesh", MESH))
    creator = Load(server, json.loads((server.folder / "client.json").read_text()), 1)
    kinesis(creator, "CreateStream", {"StreamName": "clicks", "ShardCount": 2})
    summary = {}
    until = time.monotonic() + 30
    while summary.get("StreamStatus") != "ACTIVE":
        assert time.monotonic() < until
        summary = kinesis(creator, "DescribeStreamSummary", {"StreamName": "clicks"})["StreamDescriptionSummary"]
    creator.connection.close()
    yield server
    server.stop()


@pytest.mark.memory
def test_memory_answer_times_and_descriptors_stay_where_they_are(soaked):
    key = json.loads((soaked.folder / "client.json").read_text())
    process = soaked.process.pid
    load = soak_load(soaked, key)
    threads = [thread for kind in load.values() for thread in kind]
    watcher = Watcher(process)
    idle = len(os.listdir(f"/proc/{process}/fd"))
    watcher.start()
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    for thread in threads:
        thread.over.set()
    for thread in threads:
        thread.join(timeout=70)
        assert not thread.is_alive(), "a call does not end"
    watcher.over.set()
    watcher.join()

    assert not [wrong for thread in threads for wrong in thread.wrong]
    accepted = sum(publisher.accepted for kind in ("small publishes", "batch publishes") for publisher in load[kind])
    assert soaked.query("select count(*) as n from d.events")[0]["n"] == accepted
    # A tenth of the pace is the least that counts as a load, on any machine.
    assert accepted > SECONDS * 1000 // 10

    grown, workers_grown = growth(watcher.memory), growth(watcher.workers_memory)
    descriptors, threads_more = growth(watcher.descriptors), growth(watcher.threads)
    print(
        f"\n{SECONDS} s, {accepted} records; memory {mib(grown)} of {mib(watcher.memory[-1][1])}, workers "
        f"{mib(workers_grown)}; descriptors {descriptors:+.0f} of {watcher.descriptors[-1][1]}, "
        f"threads {threads_more:+.0f}"
    )
    too_slow = []
    for kind in ("small publishes", "batch publishes", "queries", "reads", "puts", "gets"):
        times = [(at, took) for thread in load[kind] for at, took in thread.times]
        early, late, rose = slower(times, seconds=1.0 if len(times) > 10 * SECONDS else 3.0)
        print(f"  {kind}: {len(times)}, p99 {early * 1000:.1f} ms early, {late * 1000:.1f} ms late")
        if rose:
            too_slow.append(f"{kind}: p99 from {early * 1000:.1f} to {late * 1000:.1f} ms")
    assert grown < GROWTH_MAX, f"memory grew by {mib(grown)}"
    assert workers_grown < GROWTH_MAX, f"the workers' memory grew by {mib(workers_grown)}"
    assert descriptors <= DESCRIPTORS_MORE_MAX
    assert threads_more <= 2
    assert not too_slow
    # With no client left, no more are open than before the first came, but for caches of files.
    until = time.monotonic() + 20
    while len(os.listdir(f"/proc/{process}/fd")) > idle + DESCRIPTORS_MORE_MAX and time.monotonic() < until:
        time.sleep(0.2)
    assert len(os.listdir(f"/proc/{process}/fd")) <= idle + DESCRIPTORS_MORE_MAX
