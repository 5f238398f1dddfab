# SPDX-License-Identifier: Apache-2.0
"""Starts the real binary and speaks to it from outside."""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEFT = pathlib.Path(os.environ.get("WEFT_BINARY", ROOT / "build" / "weft"))
SHARED = ROOT.parent / "shared"


def pytest_configure(config):
    config.addinivalue_line("markers", "memory: bounds memory, of which a sanitized binary takes more (tools/sanitize)")


def clean_environment():
    """This process's environment without what would point a client elsewhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "WEFT_")) or name == "WEFT_BINARY"
    }


class Server:
    """One data folder, and the server on it while it runs."""

    def __init__(self, folder, **settings):
        self.folder = pathlib.Path(folder)
        self.settings = {"listen": "127.0.0.1:0", "log.level": "warning", **settings}
        self.process = None
        self.endpoint = None

    def start(self):
        command = [str(WEFT), "serve", "--data", str(self.folder)]
        for name, value in self.settings.items():
            command += ["--" + name.replace(".", "-").replace("_", "-"), str(value)]
        self.log = open(str(self.folder) + ".log", "ab")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, env=clean_environment()
        )
        line = self.process.stdout.readline().decode()
        assert "ready at " in line, f"not ready: {line!r}; {self.read_log()[-2000:]}"
        self.endpoint = line.split("ready at ", 1)[1].strip()
        return self

    def read_log(self):
        return pathlib.Path(str(self.folder) + ".log").read_text(errors="replace")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self, timeout=30):
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.terminate()
        code = self.process.wait(timeout=timeout)
        self.process.stdout.close()
        return code

    def environment(self, key=None):
        client = json.loads((self.folder / "client.json").read_text())
        key = key or client
        return {
            **clean_environment(),
            "AWS_ENDPOINT_URL": client["endpoint"],
            "AWS_ACCESS_KEY_ID": key["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "XDG_STATE_HOME": str(self.folder) + ".state",
        }

    def weft(self, *arguments, key=None, ok=True, stdin=None, timeout=120):
        """Runs a client command; its stdout where it must succeed, else the finished process."""
        done = subprocess.run(
            [str(WEFT), *map(str, arguments)],
            env=self.environment(key),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if not ok:
            return done
        assert done.returncode == 0, f"{arguments}: {done.stderr}\n{self.read_log()[-2000:]}"
        return done.stdout

    def query(self, sql, key=None):
        return json.loads(self.weft("query", sql, "--json", key=key))

    def key(self, user):
        return json.loads(self.weft("key", "create", user, "--json"))

    def health(self):
        with urllib.request.urlopen(self.endpoint + "/healthz", timeout=10) as answer:
            return answer.status

    def objects(self, pattern):
        return sorted((self.folder / "objects").rglob(pattern))


def wait_for(what, seconds=30.0, every=0.05):
    """Calls `what` until it is truthy, and returns that."""
    until = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < until, f"gave up waiting for {what}"
        time.sleep(every)


@pytest.fixture
def make_server(tmp_path):
    started = []

    def make(name="data", **settings):
        server = Server(tmp_path / name, **settings).start()
        started.append(server)
        return server

    yield make
    for server in started:
        server.stop()


@pytest.fixture
def server(make_server):
    return make_server()


@pytest.fixture(scope="session")
def shared():
    """The folder of real data beside the project; a test that needs it skips where there is none."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the folder of real data is not here")
    return SHARED


def write_mesh(folder, text, **files):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mesh.yaml").write_text(text)
    for name, content in files.items():
        (folder / name.replace("__", "/")).write_text(content)
    return folder


SHOP = """
mesh: shop
accounts:
  sales: { id: "111111111111" }
  readers: { id: "222222222222" }
products:
  orders:
    account: sales
    database: sales
    columns:
      - { name: order_id, type: bigint }
      - { name: country, type: string }
      - { name: total, type: "decimal(12,2)" }
      - { name: ts, type: timestamp }
    ingest: { mode: partial }
    delivery: { buffer_interval: 900 s }
groups:
  producers: { account: sales, policies: [producers.json] }
  readers: { account: readers, policies: [readers.json] }
users:
  press: { account: sales, groups: [producers] }
  ada: { account: readers, groups: [readers] }
  eve: { account: readers }
grants:
  - { to: user/ada, table: sales.orders, columns: [order_id, country] }
"""

PRODUCERS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": "arn:aws:execute-api:*:111111111111:*/POST/sink_data/",
            },
            {
                "Effect": "Allow",
                "Action": "weft:PutRecords",
                "Resource": "arn:aws:weft:*:111111111111:product/*",
            },
        ],
    }
)
READERS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "weft:Query", "Resource": "*"}],
    }
)


@pytest.fixture
def shop(server, tmp_path):
    folder = write_mesh(tmp_path / "shop", SHOP)
    (folder / "producers.json").write_text(PRODUCERS)
    (folder / "readers.json").write_text(READERS)
    server.mesh_folder = folder
    server.weft("apply", folder)
    return server
