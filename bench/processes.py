# SPDX-License-Identifier: Apache-2.0
"""The machine, and the processes that are measured on it: the server, the load, the yardsticks."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ROOT = pathlib.Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")


class Machine:
    """Which cores serve and which make the load."""

    def __init__(self):
        self.cores = sorted(os.sched_getaffinity(0))
        self.pinned = len(self.cores) >= 4 and shutil.which("taskset") is not None
        self.server_cores = self.cores[:2] if self.pinned else self.cores
        self.load_cores = self.cores[2:] if self.pinned else self.cores
        if self.pinned:
            os.sched_setaffinity(0, self.load_cores)  # this program is part of the load

    def on(self, cores, command):
        if not self.pinned:
            return command
        return ["taskset", "-c", ",".join(map(str, cores)), *command]

    @contextlib.contextmanager
    def crowded(self):
        """As on a machine that has no more cores than the server's: the load shares them meanwhile."""
        apart, self.load_cores = self.load_cores, self.server_cores
        os.sched_setaffinity(0, self.load_cores)
        try:
            yield
        finally:
            self.load_cores = apart
            os.sched_setaffinity(0, self.load_cores)

    def describe(self):
        text = pathlib.Path("/proc/cpuinfo").read_text()
        models = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
        memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) // 1024
        pinning = (
            f"server on cores {self.server_cores}, load on {self.load_cores}"
            if self.pinned
            else "nothing is pinned: fewer than 4 cores, or no taskset"
        )
        return {
            "processor": models[0] if models else "unknown",
            "cores": len(self.cores),
            "memory_mib": memory,
            "pinning": pinning,
            "load_1_at_start": load_1(),
        }


def load_1():
    return os.getloadavg()[0]


def clean_environment():
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WEFT_"))
    }


def descendants(pid):
    """The process and all that it started."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = pathlib.Path("/proc", entry, "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(entry)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def cpu_seconds(pid):
    """Of the process, what it started, and what of that has ended."""
    ticks = 0
    for one in descendants(pid):
        try:
            fields = pathlib.Path("/proc", str(one), "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15])) if one == pid else sum(map(int, fields[11:13]))
    return ticks / TICKS


def memory_mib(pid):
    """Resident and private memory of one process."""
    resident = private = 0
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":", 1)
        if name == "Rss":
            resident = int(value.split()[0])
        if name in ("Private_Clean", "Private_Dirty"):
            private += int(value.split()[0])
    return resident / 1024, private / 1024


class Child:
    """A program that says `ready at ADDRESS` and runs until it is told to stop."""

    def __init__(self, command, log, nice=0):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=clean_environment(),
            preexec_fn=(lambda: os.nice(nice)) if nice else None,
        )
        line = self.process.stdout.readline().decode()
        if "ready at " not in line:
            self.process.wait()
            tail = pathlib.Path(log).read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{command[-1]}: not ready: {line!r}\n{tail}")
        self.endpoint = line.split("ready at ", 1)[1].strip()
        self.port = urllib.parse.urlsplit(self.endpoint).port

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Server(Child):
    """`weft serve` on a data folder, the bench's mesh applied."""

    SETTINGS = {
        "listen": "127.0.0.1:0",
        "log-level": "warning",
        "query-threads": "2",
        "upkeep-interval": "1d",  # so that the files of a table stay as they are while measured
    }

    def __init__(self, machine, weft, folder, **settings):
        self.weft = weft
        self.folder = pathlib.Path(folder)
        self.certificate = settings.get("server_tls_certificate")
        super().__init__(machine.on(machine.server_cores, self.command(weft, folder, settings)), f"{folder}.log")
        client = json.loads((self.folder / "client.json").read_text())
        self.keys = {"admin": client}

    @classmethod
    def command(cls, weft, folder, settings):
        command = [str(weft), "serve", "--data", str(folder)]
        for name, value in {**cls.SETTINGS, **settings}.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        return command

    def client(self, *arguments):
        admin = self.keys["admin"]
        environment = {
            **clean_environment(),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": admin["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": admin["secret_access_key"],
            "AWS_REGION": "us-east-1",
        }
        if self.certificate:
            environment["AWS_CA_BUNDLE"] = str(self.certificate)
        done = subprocess.run(
            [str(self.weft), *arguments], env=environment, capture_output=True, text=True, timeout=120
        )
        if done.returncode != 0:
            raise RuntimeError(f"weft {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def apply(self, mesh=ROOT / "bench" / "mesh"):
        self.client("apply", str(mesh))
        return self

    def key(self, user):
        if user not in self.keys:
            self.keys[user] = json.loads(self.client("key", "create", user, "--json"))
        return self.keys[user]

    def door(self, user):
        return Door(self.port, self.key(user))

    def status(self, product):
        return self.door("admin").call("GET", f"/api/v1/products/{product}")


class Door:
    """One keep-alive connection of one user. Requests can be signed ahead of time."""

    def __init__(self, port, key):
        self.port = port
        self.credentials = Credentials(key["access_key_id"], key["secret_access_key"])
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def sign(self, method, path, body=b""):
        headers = {"Content-Type": "application/json"}
        request = AWSRequest(
            method=method, url=f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers
        )
        SigV4Auth(self.credentials, "weft", "us-east-1").add_auth(request)
        return method, path, body, dict(request.headers.items())

    def send(self, signed):
        method, path, body, headers = signed
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")
        return text

    def call(self, method, path, body=b""):
        return json.loads(self.send(self.sign(method, path, body)))

    def sql(self, statement):
        return self.sign("POST", "/api/v1/sql", json.dumps({"sql": statement}).encode())


def wait_until(true, seconds, every, what):
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise RuntimeError(f"gave up waiting for {what}")
        time.sleep(every)
