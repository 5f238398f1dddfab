# SPDX-License-Identifier: Apache-2.0
"""The record log: what its owner sees of it while the server is stopped, encryption, and reading from any moment."""

import datetime
import json
import subprocess
import time

import pytest
from conftest import WEFT, clean_environment, wait_for, write_mesh
from http_client import put
from kinesis_client import Boto

MESH = """
mesh: log
accounts: { a: { id: "111111111111" } }
products:
  events:
    account: a
    database: d
    columns: [{ name: n, type: bigint }, { name: pad, type: string }]
    ingest: { mode: partial LIMITS }
    delivery: { buffer_interval: 900 s }
"""
COUNT = "select count(*) as n, count(distinct n) as different from d.events"
PARTITION = "streams/111111111111.events/"


def apply(server, tmp_path, limits=""):
    server.weft("apply", write_mesh(tmp_path / "mesh", MESH.replace("LIMITS", limits)))
    return server


@pytest.fixture
def events(server, tmp_path):
    return apply(server, tmp_path)


def client_of(server):
    return json.loads((server.folder / "client.json").read_text())


def publish(server, first, count, pad="x" * 50):
    body = b"".join(json.dumps({"n": n, "pad": pad}).encode() + b"\n" for n in range(first, first + count))
    status, answer = put(server, client_of(server), "events", body, "application/x-ndjson")
    assert status == 200 and answer["accepted"] == count, answer
    return answer["id"]


def owner(server, *arguments, ok=True):
    """A command of the owner of the data folder, in which no server runs."""
    done = subprocess.run(
        [str(WEFT), *map(str, arguments), "--data", str(server.folder)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout if ok else done.stderr


def partition_of(server):
    partitions = json.loads(owner(server, "log", "inspect", "--json"))["partitions"]
    (found,) = [p for p in partitions if p["partition"].startswith(PARTITION)]
    return found


def test_verify_and_inspect_tell_what_there_is(events):
    ids = [publish(events, 10 * i, 10) for i in range(30)]
    assert "in use" in owner(events, "log", "verify", ok=False) or "another" in owner(events, "log", "verify", ok=False)
    events.stop()
    before = sorted((f.name, f.read_bytes()) for f in (events.folder / "journal").iterdir() if f.is_file())
    found = json.loads(owner(events, "log", "verify", "--json"))
    assert found["good"] and found["records"] >= 300 and not found["damaged"] and not found["lost"]
    assert owner(events, "log", "verify").rstrip().endswith("good")
    partition = partition_of(events)
    assert (partition["first"], partition["end"]) == (0, 300) and partition["bytes"] > 300 * 50
    batches = json.loads(owner(events, "log", "inspect", partition["partition"], "--from", 100, "--json"))["batches"]
    assert [b["id"] for b in batches] == ids[10:]
    assert [b["first"] for b in batches] == list(range(100, 300, 10))
    # Looking changes nothing.
    after = sorted((f.name, f.read_bytes()) for f in (events.folder / "journal").iterdir() if f.is_file())
    assert after == before
    events.start()
    assert events.query(COUNT) == [{"n": 300, "different": 300}]


def test_a_loss_that_is_accepted_lets_readers_go_on(events):
    for i in range(20):
        publish(events, 100 * i, 100, pad="x" * 200)
    events.stop()
    segment = sorted((events.folder / "journal").glob("*.log"))[0]
    at = segment.read_bytes().index(b"x" * 200, segment.stat().st_size // 2)
    octets = bytearray(segment.read_bytes())
    octets[at] ^= 1
    segment.write_bytes(octets)
    told = owner(events, "log", "verify", ok=False)
    assert "damaged" in told and segment.name in told and "accept-loss" in told
    found = json.loads(owner(events, "log", "verify", "--json", ok=False).split("\n", 1)[0])
    assert found["code"] == "corrupt"
    partition = partition_of(events)["partition"]
    lost = [line for line in told.splitlines() if line.startswith("lost: " + partition)]
    first, last = (int(lost[0].split()[i]) for i in (3, 5))
    assert last - first == 99
    # Only what is really lost can be given up.
    assert owner(events, "log", "accept-loss", partition, first - 1, last, ok=False)
    events.start()
    assert events.weft("query", COUNT, ok=False).returncode == 1
    events.stop()
    owner(events, "log", "accept-loss", partition, first, last)
    assert json.loads(owner(events, "log", "verify", "--json"))["lost"][0]["accepted"]
    events.start()
    assert events.query(COUNT) == [{"n": 1900, "different": 1900}]
    publish(events, 5000, 10)
    events.weft("flush", "events")
    assert events.query(COUNT) == [{"n": 1910, "different": 1910}]


def journal_octets(server):
    return b"".join(f.read_bytes() for f in (server.folder / "journal").glob("*.log"))


def test_an_encrypted_log_shows_nothing_and_reads_the_same(make_server, tmp_path):
    server = apply(make_server(**{"journal.encrypt": "true"}), tmp_path)
    secret = "attack-at-dawn-" * 5
    publish(server, 0, 100, pad=secret)
    server.kill()
    assert secret.encode()[:15] not in journal_octets(server)
    found = json.loads(owner(server, "log", "verify", "--json"))  # needs no key
    assert found["good"] and found["encrypted_batches"] >= 1
    server.start()
    assert server.query(COUNT) == [{"n": 100, "different": 100}]
    assert server.query("select distinct pad from d.events") == [{"pad": secret}]
    # Records that are encrypted, and those that are not, lie side by side.
    server.stop()
    server.settings["journal.encrypt"] = "false"
    server.start()
    publish(server, 100, 100, pad="plain-and-simple")
    assert server.query(COUNT) == [{"n": 200, "different": 200}]
    assert b"plain-and-simple" in journal_octets(server)


def test_the_master_key_changes_without_writing_records_again(make_server, tmp_path):
    server = apply(make_server(**{"journal.encrypt": "true"}), tmp_path)
    publish(server, 0, 100)
    assert "in use" in owner(server, "admin", "rotate-master-key", ok=False)
    server.stop()
    before, key = journal_octets(server), (server.folder / "master.key").read_text()
    owner(server, "admin", "rotate-master-key")
    assert (server.folder / "master.key").read_text() != key and journal_octets(server) == before
    server.start()  # the keys of users are sealed anew too
    publish(server, 100, 100)
    assert server.query(COUNT) == [{"n": 200, "different": 200}]
    # The old key opens nothing any more.
    server.stop()
    new = (server.folder / "master.key").read_text()
    (server.folder / "master.key").write_text(key)
    with pytest.raises(AssertionError, match="not ready"):
        server.start()
    (server.folder / "master.key").write_text(new)
    server.start()
    assert server.query(COUNT) == [{"n": 200, "different": 200}]


def tail(server, start):
    lines = server.weft("tail", "events", "--from", start, "--no-follow").splitlines()
    return [json.loads(line) for line in lines]


def test_tail_begins_at_any_place_or_time(events):
    publish(events, 0, 10)
    time.sleep(1.2)
    between = datetime.datetime.now(datetime.timezone.utc)
    publish(events, 10, 10)
    assert [line["record"]["n"] for line in tail(events, "start")] == list(range(20))
    assert tail(events, "end") == []
    assert [line["record"]["n"] for line in tail(events, "15")] == list(range(15, 20))
    places = tail(events, "start")
    assert [line["record"]["n"] for line in tail(events, places[7]["id"])] == list(range(7, 20))
    assert [line["record"]["n"] for line in tail(events, between.isoformat())] == list(range(10, 20))
    assert [line["record"]["n"] for line in tail(events, "1s")] in (list(range(10, 20)), [])
    assert len(tail(events, "1h")) == 20
    for wrong in ["20000", "yesterday", "0009-0000000000000000000"]:
        assert events.weft("tail", "events", "--from", wrong, "--no-follow", ok=False).returncode == 1


def test_a_products_limit_is_answered_429_and_stores_nothing(server, tmp_path):
    apply(server, tmp_path, ", records_per_second: 100")
    key = client_of(server)
    body = b"".join(b'{"n": %d}\n' % n for n in range(60))
    answers = [put(server, key, "events", body, "application/x-ndjson") for _ in range(3)]
    taken = sum(answer["accepted"] for status, answer in answers if status == 200)
    refused = [answer for status, answer in answers if status == 429]
    assert refused and "events" in refused[0]["message"]
    assert server.query(COUNT)[0]["n"] == taken
    # A second later there is room again.
    time.sleep(1.1)
    assert put(server, key, "events", body, "application/x-ndjson")[0] == 200


def lose(server, mark):
    """Damages the batch that holds `mark`, and accepts what is lost by it."""
    server.stop()
    for segment in sorted((server.folder / "journal").glob("*.log")):
        octets = bytearray(segment.read_bytes())
        at = octets.find(mark)
        if at >= 0:
            octets[at] ^= 1
            segment.write_bytes(octets)
    told = owner(server, "log", "verify", ok=False)
    (lost,) = [line.split() for line in told.splitlines() if line.startswith("lost: ") and "accepted" not in line]
    owner(server, "log", "accept-loss", lost[1], lost[3], lost[5])
    assert json.loads(owner(server, "log", "verify", "--json"))["good"]
    server.start()


@pytest.mark.parametrize("then", ["query", "publish"])
def test_a_loss_at_the_end_is_passed_at_once(events, then):
    publish(events, 0, 10)
    publish(events, 10, 10, pad="y" * 200)
    lose(events, b"y" * 200)
    if then == "query":
        assert events.query(COUNT) == [{"n": 10, "different": 10}]
        events.weft("flush", "events")
        assert events.query(COUNT) == [{"n": 10, "different": 10}]
    publish(events, 100, 10)
    assert events.query(COUNT) == [{"n": 20, "different": 20}]
    events.weft("flush", "events")
    assert events.query(COUNT) == [{"n": 20, "different": 20}]


def test_delivery_does_not_wait_behind_a_loss_at_the_end(events):
    publish(events, 0, 10)
    events.weft("flush", "events")
    publish(events, 10, 10, pad="y" * 200)
    lose(events, b"y" * 200)

    def lag():
        (product,) = json.loads(events.weft("status", "--json"))["products"]
        return product["lag_records"]

    wait_for(lambda: lag() == 0)
    assert events.query(COUNT) == [{"n": 10, "different": 10}]


def test_consumers_pass_a_loss_wherever_it_is(server):
    first = "shardId-000000000000"

    def kinesis():
        return Boto(server.endpoint, client_of(server))

    def numbers(api, kind="TRIM_HORIZON", **position):
        return [int(r["Data"]) for r in api.read("lossy", first, kind, **position)]

    api = kinesis()
    api.CreateStream(StreamName="lossy", ShardCount=1)
    begin = datetime.datetime.now(datetime.timezone.utc)
    for n in range(8):
        data = b"3" + b" " * 200 if n == 3 else b"7" + b" " * 300 if n == 7 else str(n).encode()
        api.PutRecord(StreamName="lossy", Data=data, PartitionKey="k")
    lose(server, b"7" + b" " * 300)
    assert numbers(kinesis()) == [0, 1, 2, 3, 4, 5, 6]
    lose(server, b"3" + b" " * 200)
    api = kinesis()
    assert numbers(api) == [0, 1, 2, 4, 5, 6]
    assert numbers(api, "AT_TIMESTAMP", Timestamp=begin) == [0, 1, 2, 4, 5, 6]
    # A closed shard ends behind what is lost at its end.
    api.SplitShard(StreamName="lossy", ShardToSplit=first, NewStartingHashKey=str(2**127))
    iterator, read = api.iterator("lossy", first), []
    while iterator:
        answer = api.records(iterator)
        read += answer["Records"]
        iterator = answer.get("NextShardIterator")
    assert [int(r["Data"]) for r in read] == [0, 1, 2, 4, 5, 6] and len(answer["ChildShards"]) == 2


def test_quarantine_passes_a_loss_of_its_own(events):
    for n, pad in ((1, ""), (2, "z" * 200), (3, "")):
        body = json.dumps({"n": f"bad {n}", "pad": pad}).encode()
        status, answer = put(events, client_of(events), "events", body, "application/x-ndjson")
        assert status == 200 and answer["quarantined"] == 1, answer
    before = [r["id"] for r in json.loads(events.weft("quarantine", "ls", "events", "--json"))]
    lose(events, b"z" * 200)
    after = [r["id"] for r in json.loads(events.weft("quarantine", "ls", "events", "--json"))]
    assert after == [before[0], before[2]]
    assert events.weft("quarantine", "show", "events", before[1], ok=False).returncode == 1
    assert "bad 3" in events.weft("quarantine", "show", "events", before[2])
