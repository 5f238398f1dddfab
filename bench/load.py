# SPDX-License-Identifier: Apache-2.0
"""Runs the load generator, and plain DuckDB, for the figures."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from processes import Child, clean_environment

RECORDS_OF_A_BATCH = 500


def load_command(bench, port, key=None, product=None, **options):
    command = [str(bench.build / "weft_bench_load"), "--port", str(port)]
    if key:
        command += ["--key-id", key["access_key_id"], "--secret", key["secret_access_key"]]
    command += ["--path", f"/api/v1/products/{product or 'none'}/records"]
    for name, value in {"threads": min(2, len(bench.machine.load_cores)), **options}.items():
        flag = "--" + name.replace("_", "-")
        if value is not False:
            command += [flag] if value is True else [flag, str(value)]
    return bench.machine.on(bench.machine.load_cores, command)


def finish(process):
    out, err = process.communicate(timeout=300)
    if process.returncode != 0:
        raise RuntimeError(f"the load generator: {err.decode()}")
    seen = json.loads(out)
    if seen["given_up"] or seen["requests"] == 0:
        raise RuntimeError(f"{seen['failed']} requests failed: {seen['first_failure']}")
    return seen


def start_load(bench, port, key=None, product=None, **options):
    return subprocess.Popen(
        load_command(bench, port, key, product, **options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    )


def load(bench, port, key=None, product=None, **options):
    return finish(start_load(bench, port, key, product, **options))


def failures(seen):
    return f", {seen['failed']} not 200" if seen["failed"] else ""


def yardstick_server(bench, mode, quick, tls=None, cores=None):
    command = [str(bench.build / "weft_bench_server"), "--mode", mode] + (["--quick"] if quick else [])
    if tls:
        command += ["--certificate", str(tls[0]), "--key", str(tls[1])]
    return Child(bench.machine.on(cores or bench.machine.server_cores, command), bench.folder("yardstick.log"))


def sync_times(folder, times):
    """Seconds of each of some appends of 4 KiB with fdatasync to a new file in the folder, sorted."""
    block = os.urandom(4096)
    path = folder / "sync.probe"
    taken = []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for i in range(times):
            start = time.perf_counter()
            os.pwrite(descriptor, block, i * 4096)
            os.fdatasync(descriptor)
            taken.append(time.perf_counter() - start)
    finally:
        os.close(descriptor)
        path.unlink()
    return sorted(taken)


def sequential_write(folder, size, sync_every):
    """MB/s of writing a new file in pieces of 2 MiB, made durable after every `sync_every` octets."""
    piece = os.urandom(2 << 20)
    path = folder / "write.probe"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        start = time.perf_counter()
        unsynced = 0
        for at in range(0, size, len(piece)):
            os.pwrite(descriptor, piece, at)
            unsynced += len(piece)
            if unsynced >= sync_every or at + len(piece) >= size:
                os.fdatasync(descriptor)
                unsynced = 0
        return size / 1e6 / (time.perf_counter() - start)
    finally:
        os.close(descriptor)
        path.unlink()


class DuckDb:
    """Plain DuckDB on the server's cores, with as many threads and the same niceness."""

    def __init__(self, bench, niceness):
        script = str(pathlib.Path(__file__).with_name("duckdb_yardstick.py"))
        command = [sys.executable, script, "2", str(niceness)]
        self.process = subprocess.Popen(
            bench.machine.on(bench.machine.server_cores, command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment(),
        )
        self.process.stdout.readline()

    def run(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"DuckDB failed: {sql[:200]}")
        answer = json.loads(line)
        return answer["seconds"], answer["rows"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def median(values):
    return statistics.median(values)
