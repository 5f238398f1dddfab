# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments under publishing, delivery and merging. Acknowledgements are noted outside.

WEFT_CRASH_ROUNDS sets the number of rounds (100), WEFT_CRASH_SEED the seed.
"""

import http.client
import json
import os
import pathlib
import random
import threading
import time
import urllib.parse

from conftest import Server
from http_client import sign
from pyiceberg.table import StaticTable
from test_outside_readers import LocalIO

ROUNDS = int(os.environ.get("WEFT_CRASH_ROUNDS", "100"))
SEED = int(os.environ.get("WEFT_CRASH_SEED", "1"))
PUBLISHERS = 4

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


class Publisher(threading.Thread):
    """Sends batches of numbers until the server is gone; notes which were acknowledged."""

    def __init__(self, server, key, who, first, seed):
        super().__init__(daemon=True)
        self.server, self.key, self.who, self.next = server, key, who, first
        self.random = random.Random(seed)
        self.sent, self.acknowledged, self.strange = set(), set(), []

    def run(self):
        url = urllib.parse.urlsplit(self.server.endpoint)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
        while True:
            numbers = range(self.next, self.next + self.random.choice([1, 1, 3, 50]))
            self.next = numbers.stop
            body = json.dumps([{"n": n, "who": self.who, "pad": "x" * (n % 200)} for n in numbers]).encode()
            self.sent.update(numbers)
            path, headers = sign(
                self.server.endpoint, self.key, "weft", "POST", "/api/v1/products/events/records", body
            )
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200 and json.loads(text)["accepted"] == len(numbers):
                self.acknowledged.update(numbers)
            elif answer.status not in (429, 503):
                self.strange.append((answer.status, text))
                return


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


def check_rows(server, sent, acknowledged):
    rows = server.query("select n, count(*) as times from d.events group by n")
    times = {row["n"]: row["times"] for row in rows}
    lost = acknowledged - times.keys()
    doubled = [n for n, count in times.items() if count != 1]
    invented = times.keys() - sent
    assert not lost and not doubled and not invented, (
        f"lost {sorted(lost)[:10]}, doubled {doubled[:10]}, invented {sorted(invented)[:10]}"
    )
    return times.keys()


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
    sent, acknowledged, next_number = set(), set(), 0
    try:
        for round_number in range(ROUNDS):
            publishers = [
                Publisher(server, client, who, next_number + who * 10_000_000, choose.random())
                for who in range(PUBLISHERS)
            ]
            for publisher in publishers:
                publisher.start()
            time.sleep(choose.uniform(0.02, 0.6))
            server.kill()
            for publisher in publishers:
                publisher.join()
                assert not publisher.strange, publisher.strange
                sent |= publisher.sent
                acknowledged |= publisher.acknowledged
            next_number = max(p.next - p.who * 10_000_000 for p in publishers)
            server.start()
            present = check_rows(server, sent, acknowledged)
            # What turned out to be there stays there.
            acknowledged |= present
            if round_number % 10 == 9:
                check_snapshots(server)
        server.weft("flush", "events")
        check_rows(server, sent, acknowledged)
        assert check_snapshots(server) is not None
        assert len(acknowledged) > ROUNDS
        print(f"{ROUNDS} rounds, seed {SEED}: {len(acknowledged)} records acknowledged and present once")
    finally:
        server.stop()
