# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around the server: a full disk, damaged files, hostile and slow clients, ends of processes."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse

import pytest
from conftest import WEFT, Server, clean_environment, wait_for, write_mesh
from http_client import call, put, sign

MESH = """
mesh: faults
accounts: { a: { id: "111111111111" } }
products:
  events:
    account: a
    database: d
    columns: [{ name: n, type: bigint }, { name: pad, type: string }]
    ingest: { mode: partial }
    delivery: { buffer_interval: 900 s }
  others:
    account: a
    database: d
    columns: [{ name: n, type: bigint }, { name: pad, type: string }]
"""
COUNT = "select count(*) n, count(distinct e.n) different from d.events e"


def client_of(server):
    return json.loads((server.folder / "client.json").read_text())


def apply(server, tmp_path):
    server.weft("apply", write_mesh(tmp_path / "mesh", MESH))
    return client_of(server)


def batch(first, count=100, pad=2000):
    return [{"n": n, "pad": "x" * pad} for n in range(first, first + count)]


def refused_start(folder, *arguments):
    """Starts the server where it must not start; what it says."""
    done = subprocess.run(
        [str(WEFT), "serve", "--data", str(folder), "--listen", "127.0.0.1:0", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env=clean_environment(),
    )
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == "" and "error" in done.stderr
    return done.stderr


@pytest.fixture
def events(make_server, tmp_path):
    """A server with one product, `events`."""
    server = make_server()
    apply(server, tmp_path)
    return server


# A full disk


class SmallDisk:
    """A file system of its own, seen only by processes of its mount namespace."""

    def __init__(self, path, size):
        path.mkdir()
        script = f'mount -t tmpfs -o size={size} weft "{path}" && echo mounted && exec sleep 600'
        for how in ["-m"], ["-Urm"]:
            self.holder = subprocess.Popen(
                ["unshare", *how, "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            if self.holder.stdout.readline() == b"mounted\n":
                self.enter = ["nsenter", "-t", str(self.holder.pid), "-m"]
                if how == ["-Urm"]:
                    self.enter += ["-U", "--preserve-credentials"]
                self.inside = path
                self.path = pathlib.Path(f"/proc/{self.holder.pid}/root{path}")
                return
            self.close()
        pytest.skip("no mount namespace can be made here")

    def free(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def fill(self, leave):
        with open(self.path / "filler", "ab") as filler:
            while self.free() > leave:
                try:
                    filler.write(b"\0" * min(1 << 20, self.free() - leave))
                    filler.flush()
                except OSError:
                    return

    def make_room(self):
        (self.path / "filler").unlink()

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class ServerOn(Server):
    """A server whose data folder lies on a small disk."""

    def __init__(self, disk, log, **settings):
        super().__init__(disk.path / "data", **settings)
        self.disk, self.log_path = disk, log

    def start(self):
        command = [*self.disk.enter, str(WEFT), "serve", "--data", str(self.disk.inside / "data")]
        for name, value in self.settings.items():
            command += ["--" + name.replace(".", "-").replace("_", "-"), str(value)]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=clean_environment())
        line = self.process.stdout.readline().decode()
        assert "ready at " in line, f"not ready: {line!r}; {self.read_log()[-2000:]}"
        self.endpoint = line.split("ready at ", 1)[1].strip()
        return self

    def read_log(self):
        return self.log_path.read_text(errors="replace")


@pytest.fixture
def small_disk(tmp_path):
    disk = SmallDisk(tmp_path / "disk", "64m")
    yield disk
    disk.close()


def publish_until_refused(server, key, first):
    """Publishes numbers from `first` on; how many were acknowledged, and the refusal."""
    acknowledged = 0
    for _ in range(1000):
        status, answer, headers = call(
            server, key, "weft", "POST", "/api/v1/products/events/records", batch(first + acknowledged),
            {"Content-Type": "application/json"},
        )
        if status != 200:
            return acknowledged, status, answer, headers
        acknowledged += answer["accepted"]
    raise AssertionError("never refused")


# With a reserve publishing stops before the disk is full; without one the writes themselves fail.
@pytest.mark.parametrize("reserve, leave", [("4 MiB", 8 << 20), ("0 B", 3 << 20)])
def test_a_full_disk_refuses_and_recovers(small_disk, tmp_path, reserve, leave):
    server = ServerOn(
        small_disk, tmp_path / "server.log",
        **{"journal.free_bytes_min": reserve, "objects.free_bytes_min": "0 B", "journal.segment_bytes": "1 MiB",
           "upkeep.interval": "200 ms"},
    ).start()
    try:
        key = apply(server, tmp_path)
        total = put(server, key, "events", batch(0))[1]["accepted"]
        small_disk.fill(leave)
        acknowledged, status, answer, headers = publish_until_refused(server, key, total)
        total += acknowledged
        assert (status, answer["code"]) == (503, "unavailable"), answer
        assert int(headers["Retry-After"]) >= 1 and "message" in answer
        # It answers, it says so again, and nothing that was acknowledged is gone.
        assert server.health() == 200
        small_disk.fill(0)
        assert publish_until_refused(server, key, 10**6)[1] == 503
        assert server.query(COUNT) == [{"n": total, "different": total}]
        # Facts cannot be changed either, and that is said: nothing is half done.
        added = MESH.replace("mesh: faults", "mesh: more").replace("events", "more").replace("others", "most")
        for mine, other in [("{ a: {", "{ b: {"), ("account: a", "account: b"), ("1" * 12, "2" * 12), ("base: d", "base: e")]:
            added = added.replace(mine, other)
        more = write_mesh(tmp_path / "more", added)
        applied = server.weft("apply", more, ok=False)
        assert applied.returncode == 0 or (applied.stdout == "" and "full" in applied.stderr), applied
        # What cannot be delivered is refused in words, and stays readable.
        flushed = server.weft("flush", "events", ok=False, timeout=60)
        assert flushed.returncode in (0, 1)
        assert server.query(COUNT) == [{"n": total, "different": total}]

        small_disk.make_room()
        answers = wait_for(
            lambda: (lambda got: got if got[0] == 200 else None)(put(server, key, "events", batch(2 * 10**6, 10))), 20
        )
        total += answers[1]["accepted"]
        server.weft("apply", more)
        assert server.weft("plan", more) == "No changes.\n"
        server.weft("flush", "events")
        assert server.query(COUNT) == [{"n": total, "different": total}]
        table = json.loads(server.weft("table", "show", "d.events", "--json"))
        assert table["rows"] == total
        assert server.stop() == 0
        server.start()
        assert server.query(COUNT) == [{"n": total, "different": total}]
    finally:
        server.stop()


# Damaged and foreign files


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        octet = file.read(1)
        file.seek(at)
        file.write(bytes([octet[0] ^ 0x10]))


def test_a_flipped_bit_in_the_journal_is_told_and_touches_no_other_product(events):
    key = client_of(events)
    for i in range(20):
        assert put(events, key, "events", batch(i * 100, pad=100))[1]["accepted"] == 100
    put(events, key, "others", batch(0))
    assert events.stop() == 0
    segment = sorted((events.folder / "journal").glob("*.log"))[0]
    flip(segment, segment.read_bytes().index(b"xxxxxxxxxx", segment.stat().st_size // 4))
    events.start()
    # Never a shorter answer, and never a table with a hole in it.
    for _ in range(2):
        asked = events.weft("query", COUNT, "--json", ok=False)
        assert asked.returncode == 1 and asked.stdout == "" and json.loads(asked.stderr)["code"] == "corrupt"
        assert events.weft("flush", "events", ok=False).returncode == 1
    assert json.loads(events.weft("table", "show", "d.events", "--json"))["rows"] == 0
    # Who looks finds which records, in which file.
    assert "damaged" in events.weft("status") and segment.name in events.weft("status")
    assert segment.name in events.read_log()
    assert events.query("select count(*) n from d.others") == [{"n": 100}]
    assert put(events, key, "events", batch(10**6, 1))[0] == 200
    events.weft("flush", "others")


@pytest.mark.parametrize("what", ["gone", "cut", "header", "index gone", "index flipped"])
def test_a_damaged_segment_never_makes_an_answer_shorter(make_server, tmp_path, what):
    server = make_server(**{"journal.segment_bytes": "1 MiB"})
    key = apply(server, tmp_path)
    for i in range(12):
        assert put(server, key, "events", batch(i * 100))[0] == 200
    put(server, key, "others", batch(0))
    assert server.stop() == 0
    segment = sorted((server.folder / "journal").glob("*.log"))[1]
    index = segment.with_suffix(".index")
    if what == "gone":
        segment.unlink()
    elif what == "cut":
        segment.write_bytes(segment.read_bytes()[: segment.stat().st_size // 2])
    elif what == "header":
        flip(segment, 20)
    elif what == "index gone":
        index.unlink()
    else:
        flip(index, index.stat().st_size // 2)
    server.start()
    asked = server.weft("query", COUNT, "--json", ok=False)
    if what in ("gone", "cut"):
        assert asked.returncode == 1 and json.loads(asked.stderr)["code"] == "corrupt", asked
    else:
        # Everything that was acknowledged can still be read.
        assert json.loads(asked.stdout) == [{"n": 1200, "different": 1200}], asked
    assert server.query("select count(*) n from d.others") == [{"n": 100}]


def test_a_damaged_partition_table_is_refused(events):
    put(events, client_of(events), "events", batch(0))
    assert events.stop() == 0
    table = events.folder / "journal" / "partitions"
    whole = table.read_bytes()
    for damaged in b"", whole[:10], whole[:-1] + bytes([whole[-1] ^ 1]):
        table.write_bytes(damaged)
        assert "partition" in refused_start(events.folder)
    table.unlink()
    assert "partitions is missing" in refused_start(events.folder)
    table.write_bytes(whole)
    events.start()
    assert events.query(COUNT) == [{"n": 100, "different": 100}]


def test_a_damaged_table_object_fails_its_table_alone(events):
    key = client_of(events)
    put(events, key, "events", batch(0))
    put(events, key, "others", batch(0))
    events.weft("flush", "events")
    file = events.objects("*.parquet")[0]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    for _ in range(3):
        asked = events.weft("query", COUNT, "--json", ok=False)
        assert asked.returncode == 1 and asked.stdout == "" and "error" in asked.stderr
        assert events.query("select count(*) n from d.others") == [{"n": 100}]
    assert put(events, key, "events", batch(1000, 1))[0] == 200


def test_a_truncated_database_is_refused(events):
    assert events.stop() == 0
    database = events.folder / "meta.sqlite"
    for name in "meta.sqlite-wal", "meta.sqlite-shm":
        (events.folder / name).unlink(missing_ok=True)
    whole = database.read_bytes()
    for kept in len(whole) // 2, 100, 50:
        database.write_bytes(whole[:kept])
        said = refused_start(events.folder)
        assert "meta.sqlite" in said or "database" in said, said
    database.write_bytes(whole)
    events.start()
    assert events.query(COUNT) == [{"n": 0, "different": 0}]


def test_a_missing_master_key_is_not_made_anew(events):
    assert events.stop() == 0
    key = events.folder / "master.key"
    kept = key.read_bytes()
    key.unlink()
    assert "master.key" in refused_start(events.folder) and not key.exists()
    key.write_text("nonsense\n")
    assert "master.key" in refused_start(events.folder)
    key.write_bytes(kept)
    events.start()
    assert events.query(COUNT) == [{"n": 0, "different": 0}]


def test_a_data_folder_of_a_newer_weft_is_left_alone(events):
    assert events.stop() == 0
    (events.folder / "version").write_text("weft 99\n")
    before = {path: path.stat().st_mtime_ns for path in events.folder.rglob("*") if path.is_file()}
    said = refused_start(events.folder)
    assert "newer" in said and "99" in said
    assert before == {path: path.stat().st_mtime_ns for path in events.folder.rglob("*") if path.is_file()}


def test_a_newer_database_is_left_alone(events):
    assert events.stop() == 0
    with sqlite3.connect(events.folder / "meta.sqlite") as database:
        database.execute("pragma user_version = 99")
    database.close()
    assert "newer" in refused_start(events.folder)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(b"cat")
    assert "cat.jpg" in refused_start(folder)
    assert sorted(path.name for path in folder.iterdir() if path.name != "lock") == ["cat.jpg"]


def test_a_second_server_on_the_same_folder_is_refused(events):
    assert "in use" in refused_start(events.folder)
    assert events.query(COUNT) == [{"n": 0, "different": 0}]


# Clients


def connect(server):
    url = urllib.parse.urlsplit(server.endpoint)
    return socket.create_connection((url.hostname, url.port), timeout=30)


def test_slow_and_half_closed_clients_stop_nobody(events):
    key = client_of(events)
    slow = [connect(events) for _ in range(100)]
    for i, one in enumerate(slow):
        one.sendall([b"P", b"POST /sink_data/ HTTP/1.1\r\nHost: x\r\nX-", b"POST /sink_data/ HTTP/1.1\r\n"
                     b"Host: x\r\nContent-Length: 1000000\r\n\r\n{", b""][i % 4])
    half = connect(events)
    half.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    half.shutdown(socket.SHUT_WR)
    assert half.recv(100).startswith(b"HTTP/1.1 200")
    for i in range(20):
        begun = time.monotonic()
        assert put(events, key, "events", batch(i, 1))[0] == 200
        assert time.monotonic() - begun < 5
    for one in [*slow, half]:
        one.close()
    assert events.query(COUNT) == [{"n": 20, "different": 20}]


def peak_bytes(process_id):
    status = pathlib.Path(f"/proc/{process_id}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.mark.memory
def test_small_bodies_of_many_records_do_not_add_up(events):
    key = client_of(events)
    body = b"[" + b"1," * 1_000_000 + b"1]"
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(put(events, key, "events", body))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [answer for status, answer in answers if status == 200]
    assert {status for status, _ in answers} <= {200, 429} and taken
    assert all(answer["quarantined"] == 1_000_001 and len(answer["errors"]) == 1000 for answer in taken)
    assert peak_bytes(events.process.pid) < 1200 << 20
    status = json.loads(events.weft("status", "--json"))["products"]
    assert [p["quarantined"] for p in status if p["product"] == "events"] == [len(taken) * 1_000_001]
    too_many = put(events, key, "events", b"[" + b"1," * 2_000_000 + b"1]")
    assert too_many[0] == 400 and "2000001 records" in too_many[1]["message"]


def test_two_hundred_clients_at_once(events):
    key = client_of(events)
    strange, answered = [], []

    def publish(who):
        for i in range(5):
            status, answer = put(events, key, "events", batch(who * 1000 + i * 10, 10, pad=10))
            (answered if status == 200 else strange).append((status, answer))

    threads = [threading.Thread(target=publish, args=(who,)) for who in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not strange, strange[:3]
    accepted = sum(answer["accepted"] for _, answer in answered)
    assert accepted == 200 * 5 * 10
    assert events.query(COUNT) == [{"n": accepted, "different": accepted}]


def ask_slowly(server, key, sql):
    """Sends a statement and reads nothing of the answer."""
    body = json.dumps({"sql": sql}).encode()
    kind = {"Content-Type": "application/json"}
    path, headers = sign(server.endpoint, key, "weft", "POST", "/api/v1/sql", body, kind)
    connection = connect(server)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if name.lower() != "content-length")
    host = urllib.parse.urlsplit(server.endpoint).netloc
    if "host" not in {name.lower() for name in headers}:
        head += f"Host: {host}\r\n"
    connection.sendall(f"POST {path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


ENDLESS = "with recursive t(i) as (select 1 union all select i + 1 from t) select count(*) from t"
LONG = "select i, repeat('x', 1000) pad from range(3000000) t(i)"


def test_a_client_that_does_not_read_or_goes_away_stops_nobody(make_server, tmp_path):
    server = make_server(**{"query.time_max": "20 s"})
    key = apply(server, tmp_path)
    put(server, key, "events", batch(0))
    # As many as there are workers, and more: each goes away in the middle.
    for _ in range(6):
        gone = ask_slowly(server, key, LONG)
        assert gone.recv(10).startswith(b"HTTP/1.1 2")
        gone.close()
    begun = time.monotonic()
    assert server.query(COUNT) == [{"n": 100, "different": 100}]
    assert time.monotonic() - begun < 10
    # One that stays and does not read holds one worker, not the server.
    lazy = ask_slowly(server, key, LONG)
    assert lazy.recv(10)
    for i in range(5):
        assert put(server, key, "events", batch(1000 + i, 1))[0] == 200
        assert server.query(COUNT)[0]["n"] == 101 + i
    lazy.close()


# Ends of processes


class Load(threading.Thread):
    """Publishes until the server is gone; the numbers that were answered with 200."""

    def __init__(self, server, key, who):
        super().__init__(daemon=True)
        self.server, self.key, self.next = server, key, who * 10_000_000
        self.acknowledged, self.strange = set(), []

    def run(self):
        url = urllib.parse.urlsplit(self.server.endpoint)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        while True:
            numbers = range(self.next, self.next + 20)
            self.next = numbers.stop
            body = json.dumps([{"n": n, "pad": "p"} for n in numbers]).encode()
            path, headers = sign(
                self.server.endpoint, self.key, "weft", "POST", "/api/v1/products/events/records", body
            )
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                self.acknowledged.update(numbers)
            elif answer.status == 503:
                return
            else:
                self.strange.append((answer.status, text))
                return


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_under_load_keeps_what_was_answered(events, stop):
    key = client_of(events)
    loads = [Load(events, key, who) for who in range(8)]
    for load in loads:
        load.start()
    time.sleep(1.5)
    begun = time.monotonic()
    events.process.send_signal(stop)
    assert events.process.wait(timeout=20) == 0
    assert time.monotonic() - begun < 12
    for load in loads:
        load.join(timeout=30)
        assert not load.is_alive() and not load.strange, load.strange
    acknowledged = set().union(*(load.acknowledged for load in loads))
    assert acknowledged
    events.process.stdout.close()
    events.start()
    rows = events.query("select e.n, count(*) times from d.events e group by e.n")
    assert acknowledged <= {row["n"] for row in rows} and all(row["times"] == 1 for row in rows)


def test_a_stop_waits_for_no_statement_past_the_grace(make_server, tmp_path):
    server = make_server(**{"server.stop_grace": "2 s"})
    key = apply(server, tmp_path)
    put(server, key, "events", batch(0))
    slow = [connect(server) for _ in range(8)]
    for one in slow:
        one.sendall(b"POST /sink_data/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{")
    lazy = ask_slowly(server, key, LONG)
    assert lazy.recv(10)
    follower = subprocess.Popen(
        [str(WEFT), "tail", "events"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=server.environment()
    )
    asking = subprocess.Popen(
        [str(WEFT), "query", ENDLESS, "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=server.environment(),
    )
    time.sleep(1)
    begun = time.monotonic()
    server.process.terminate()
    assert server.process.wait(timeout=70) == 0
    took = time.monotonic() - begun
    out, _ = asking.communicate(timeout=10)
    assert asking.returncode == 1 and out == b""
    assert follower.wait(timeout=10) in (0, 1)
    for one in [*slow, lazy]:
        one.close()
    assert took < 10, f"the stop took {took:.0f} s"
    server.process.stdout.close()
    server.start()
    assert server.query(COUNT) == [{"n": 100, "different": 100}]


def workers_of(server):
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        try:
            if not folder.name.isdigit():
                continue
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            if parent == server.process.pid and len(arguments) > 1 and arguments[1] == b"worker":
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_a_worker_that_dies_fails_its_query_and_no_other(events):
    key = client_of(events)
    put(events, key, "events", batch(0))
    assert events.query(COUNT) == [{"n": 100, "different": 100}]
    asking = subprocess.Popen(
        [str(WEFT), "query", ENDLESS, "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=events.environment(),
    )
    time.sleep(1)
    workers = wait_for(lambda: workers_of(events))
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    out, err = asking.communicate(timeout=30)
    assert asking.returncode == 1 and out == "" and "error" in err
    for _ in range(4):
        assert events.query(COUNT) == [{"n": 100, "different": 100}]
    assert events.health() == 200


def test_workers_end_with_a_killed_server(events):
    assert events.query("select 1 as one") == [{"one": 1}]
    workers = wait_for(lambda: workers_of(events))
    events.kill()

    def alive(worker):
        try:
            return "Z" not in pathlib.Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False

    wait_for(lambda: not any(alive(worker) for worker in workers), 10)
    events.start()
    assert events.query("select 1 as one") == [{"one": 1}]


# Declaring under load


def test_destroying_and_applying_under_load_loses_nothing(events, tmp_path):
    key, mesh = client_of(events), tmp_path / "mesh"
    stop, acknowledged, strange = threading.Event(), set(), []

    def publish(who):
        n = who * 10_000_000
        while not stop.is_set():
            numbers = range(n, n + 5)
            n += 5
            status, answer = put(events, key, "events", [{"n": n, "pad": "p"} for n in numbers])
            if status == 200:
                acknowledged.update(numbers)
            elif status != 404:
                strange.append((status, answer))

    publishers = [threading.Thread(target=publish, args=(who,)) for who in range(4)]
    for publisher in publishers:
        publisher.start()
    for _ in range(5):
        events.weft("destroy", mesh, "--yes")
        events.weft("apply", mesh)
        events.weft("flush", "events")
    stop.set()
    for publisher in publishers:
        publisher.join()
    assert not strange, strange[:3]
    rows = events.query("select e.n, count(*) times from d.events e group by e.n")
    assert {row["n"] for row in rows} == acknowledged and all(row["times"] == 1 for row in rows)


# The administrator's key


def test_a_new_administrators_key(events):
    old = client_of(events)
    command = [str(WEFT), "admin", "reset-key", "--data", str(events.folder), "--json"]
    running = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    assert running.returncode == 1 and running.stdout == "" and "in use" in running.stderr
    assert client_of(events) == old and events.query("select 1 as one") == [{"one": 1}]

    assert events.stop() == 0
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["access_key_id"] != old["access_key_id"] and made["secret_access_key"] != old["secret_access_key"]
    assert client_of(events)["access_key_id"] == made["access_key_id"]
    assert (events.folder / "client.json").stat().st_mode & 0o077 == 0
    events.start()
    assert events.query("select 1 as one") == [{"one": 1}]
    assert put(events, made, "events", batch(0, 1))[0] == 200
    assert put(events, old, "events", batch(1, 1))[0] == 403


def test_a_key_for_a_folder_that_is_none(tmp_path):
    empty = tmp_path / "nothing"
    done = subprocess.run(
        [str(WEFT), "admin", "reset-key", "--data", str(empty)],
        capture_output=True, text=True, env=clean_environment(),
    )
    assert done.returncode == 1 and done.stdout == ""
    assert not empty.exists()
