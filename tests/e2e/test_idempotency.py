# SPDX-License-Identifier: Apache-2.0
"""A request under an Idempotency-Key is stored once, whatever breaks; `weft put` goes on where it was broken off."""

import concurrent.futures
import http.client
import http.server
import json
import signal
import subprocess
import threading
import urllib.parse

import pytest
from conftest import WEFT, wait_for, write_mesh
from http_client import call

MESH = """
mesh: once
accounts: { a: { id: "111111111111" } }
products:
  events:
    account: a
    database: d
    columns: [{ name: n, type: bigint }]
    ingest: { mode: MODE }
    delivery: { buffer_interval: 900 s }
"""


@pytest.fixture
def events(server, tmp_path):
    server.weft("apply", write_mesh(tmp_path / "mesh", MESH.replace("MODE", "partial")))
    return server


def put(server, body, key=None):
    headers = {"Content-Type": "application/x-ndjson"}
    if key is not None:
        headers["Idempotency-Key"] = key
    client = json.loads((server.folder / "client.json").read_text())
    return call(server, client, "weft", "POST", "/api/v1/products/events/records", body, headers)[:2]


def count(server):
    return server.query("select count(*) as n from d.events")[0]["n"]


def test_a_repeat_answers_as_the_first_did_and_stores_nothing(events):
    body = b'{"n": 1}\n{"n": "no"}\n{"n": 3}\n'
    first = put(events, body, "k-1")
    assert first[0] == 200 and first[1]["accepted"] == 2 and first[1]["quarantined"] == 1
    assert put(events, body, "k-1") == first
    assert count(events) == 2
    assert len(events.weft("quarantine", "ls", "events").splitlines()) == 1
    # The same records under another key, and without one, are new ones.
    assert put(events, body, "k-2")[1]["id"] != first[1]["id"]
    assert put(events, body)[1]["id"] != first[1]["id"]
    assert count(events) == 6


def test_a_key_belongs_to_one_body_and_one_product(events, tmp_path):
    assert put(events, b'{"n": 1}', "k")[0] == 200
    status, answer = put(events, b'{"n": 2}', "k")
    assert status == 409 and answer["code"] == "conflict" and "Idempotency-Key" in answer["message"]
    assert count(events) == 1
    # A product made anew under its name has none of the old keys.
    events.weft("destroy", tmp_path / "mesh", "--yes", "--delete-data")
    events.weft("apply", tmp_path / "mesh")
    assert put(events, b'{"n": 1}', "k")[0] == 200
    assert count(events) == 1


@pytest.mark.parametrize("key", ["x" * 256, "with blank"])
def test_a_key_that_is_none_is_refused(events, key):
    status, answer = put(events, b'{"n": 1}', key)
    assert status == 400 and "Idempotency-Key" in answer["message"]
    assert count(events) == 0


def test_a_refused_request_does_not_use_up_its_key(server, tmp_path):
    server.weft("apply", write_mesh(tmp_path / "mesh", MESH.replace("MODE", "atomic")))
    assert put(server, b'{"n": 1}\n{"n": "x"}\n', "k")[0] == 400
    assert put(server, b'{"n": 1}\n{"n": 2}\n', "k")[0] == 200
    assert count(server) == 2


def test_two_at_once_are_one(events):
    body = b"".join(b'{"n": %d}\n' % n for n in range(1000))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: put(events, body, "same"), range(24)))
    assert {status for status, _ in answers} == {200}
    assert len({json.dumps(answer, sort_keys=True) for _, answer in answers}) == 1
    assert count(events) == 1000


def test_the_sink_takes_keys_too(events):
    client = json.loads((events.folder / "client.json").read_text())
    headers = {"Idempotency-Key": "s-1"}
    body = {"schema": "events", "data": [{"n": 1}]}
    first = call(events, client, "execute-api", "POST", "/sink_data/", body, headers)[:2]
    assert first[0] == 200
    assert call(events, client, "execute-api", "POST", "/sink_data/", body, headers)[:2] == first
    assert count(events) == 1


def test_keys_outlive_a_crash(events):
    answers = {}
    for n in range(50):
        answers[n] = put(events, b'{"n": %d}\n{"n": "bad"}\n' % n, f"crash-{n}")
        assert answers[n][0] == 200
    events.kill()
    events.start()
    for n in range(50):
        assert put(events, b'{"n": %d}\n{"n": "bad"}\n' % n, f"crash-{n}") == answers[n]
    assert count(events) == 50


class Cutter(http.server.BaseHTTPRequestHandler):
    """Passes requests on, and cuts the connection instead of giving back some of the answers."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = urllib.parse.urlsplit(self.server.target)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "content-length")}
        connection.request("POST", self.path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        self.server.passed += 1
        if self.server.cut(self.server.passed):
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def put_through(server, cut, *arguments):
    """Runs `weft put` against a proxy that cuts off the answers for which `cut(number)` is true."""
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cutter)
    proxy.target, proxy.cut, proxy.passed = server.endpoint, cut, 0
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    environment = server.environment()
    environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{proxy.server_port}"
    try:
        done = subprocess.run(
            [str(WEFT), "put", "events", *map(str, arguments), "--json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        proxy.shutdown()
        proxy.server_close()
    return done, proxy.passed


@pytest.fixture
def numbers(tmp_path):
    """A file of several parts."""
    file = tmp_path / "numbers.ndjson"
    file.write_text("".join(f'{{"n": {n}}}\n' for n in range(2_000_000)))
    return file


def test_put_sends_a_part_again_whose_answer_was_lost(events, numbers):
    done, passed = put_through(events, lambda number: number % 2 == 0, numbers)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accepted"] == 2_000_000
    assert passed > 4
    assert count(events) == 2_000_000


def test_put_goes_on_after_it_was_broken_off(events, numbers):
    done, passed = put_through(events, lambda number: number >= 3, numbers)
    assert done.returncode == 1 and "goes on" in done.stderr
    stored = count(events)
    assert 0 < stored < 2_000_000
    again = events.weft("put", "events", numbers, "--json")
    assert json.loads(again)["accepted"] == 2_000_000
    assert count(events) == 2_000_000
    # A whole upload is over: the same command is a new one.
    assert json.loads(events.weft("put", "events", numbers, "--json"))["accepted"] == 2_000_000
    assert count(events) == 4_000_000


def test_put_goes_on_after_it_was_killed_with_the_server(events, numbers):
    put_process = subprocess.Popen(
        [str(WEFT), "put", "events", str(numbers)],
        env=events.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: count(events) > 0, seconds=60, every=0.01)
    put_process.send_signal(signal.SIGKILL)
    put_process.wait()
    events.kill()
    events.start()
    assert json.loads(events.weft("put", "events", numbers, "--json"))["accepted"] == 2_000_000
    assert count(events) == 2_000_000


def test_restart_sends_everything_again(events, numbers):
    put_through(events, lambda number: number >= 3, numbers)
    stored = count(events)
    events.weft("put", "events", numbers, "--restart")
    assert count(events) == stored + 2_000_000
