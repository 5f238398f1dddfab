# SPDX-License-Identifier: Apache-2.0
"""Ack to visible, the access decision, start and idle memory."""

import json
import socket
import subprocess
import time

from load import (
    failures,
    finish,
    load,
    median,
    percentile,
    start_load,
)
from processes import Server, clean_environment, descendants, memory_mib


def record(number):
    return {
        "event_id": f"EV{number:010}",
        "at": "2026-11-01T10:00:00Z",
        "country": "CH",
        "customer": 7,
        "amount": 1,
        "status": "seen",
    }


def times_to_visible(publisher, reader, seconds, first):
    """Publishes one record at a time and asks for it until it is there."""
    times, queries = [], 0
    until = time.monotonic() + seconds
    number = first
    while time.monotonic() < until:
        number += 1
        put = publisher.sign("POST", "/api/v1/products/visible/records", json.dumps(record(number)).encode())
        ask = reader.sql(f"select count(*) as n from bench.visible where event_id = 'EV{number:010}'")
        publisher.send(put)
        acknowledged = time.perf_counter()
        while True:
            queries += 1
            if json.loads(reader.send(ask))["n"] == 1:
                break
            if time.perf_counter() - acknowledged > 30:
                raise RuntimeError("a record that was acknowledged is not seen")
        times.append(time.perf_counter() - acknowledged)
    return times, queries


def visible(bench):
    """From the acknowledgement of a record to a query that sees it, while others publish."""
    seconds = max(bench.seconds, 2)
    for name, rate in (("visible_5k", 5000), ("visible_full", 0)):
        with Server(bench.machine, bench.weft, bench.folder(name)).apply() as server:
            publisher, reader = server.door("press"), server.door("ada")
            reader.send(reader.sql("select count(*) from bench.visible"))
            background = start_load(
                bench, server.port, server.key("press"), "visible", connections=64, warm_up=0, seconds=seconds + 1, rate=rate
            )
            time.sleep(1)  # the load signs its requests first
            times, queries = times_to_visible(publisher, reader, seconds, 5_000_000_000)
            seen = finish(background)
        bench.line(
            name,
            "ms p99",
            percentile(times, 0.99) * 1e3,
            bar="<= 100 ms",
            note=f"p50 {median(times) * 1e3:.1f}; {len(times)} records, {queries} queries, "
            f"beside {seen['per_second']:,.0f} publishes/s{failures(seen)}",
            p50_ms=median(times) * 1e3,
            records=len(times),
            queries=queries,
            background_per_second=seen["per_second"],
        )


def decision(bench):
    """What a principal may read of a table, with 100,000 grants."""
    command = bench.machine.on(bench.machine.server_cores, [str(bench.build / "weft_bench_decide")])
    seen = json.loads(subprocess.run(command, check=True, capture_output=True, env=clean_environment()).stdout)
    bench.line(
        "decision",
        "us p99",
        seen["p99_ns"] / 1e3,
        bar="<= 50 us",
        note=f"p50 {seen['p50_ns'] / 1e3:.2f}, p99.9 {seen['p999_ns'] / 1e3:.2f}; {seen['grants']:,} grants",
        **seen,
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def healthy(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def start_once(bench, folder):
    """Seconds from exec to a 200, and memory in MiB then and two seconds later."""
    port = free_port()
    command = bench.machine.on(
        bench.machine.server_cores, Server.command(bench.weft, folder, {"listen": f"127.0.0.1:{port}"})
    )
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment()
    )
    try:
        while not healthy(port):
            if process.poll() is not None or time.perf_counter() - begun > 30:
                raise RuntimeError("the server does not start")
            time.sleep(0.0005)
        taken = time.perf_counter() - begun
        then = memory_mib(process.pid)
        return taken, then, process
    except BaseException:
        process.kill()
        process.wait()
        raise


def end(process):
    process.terminate()
    process.wait(timeout=60)


def start(bench):
    """From exec to /healthz, and what an idle server takes."""
    first = []
    for i in range(3):
        taken, _, process = start_once(bench, bench.folder(f"first-{i}"))
        end(process)
        first.append(taken)
    folder = bench.folder("start")
    with Server(bench.machine, bench.weft, folder).apply() as server:
        load(bench, server.port, server.key("press"), "waiting", records=500, bodies=100, once=True, connections=4)
        admin = server.door("admin")
        admin.call("POST", "/api/v1/products/waiting/deliver")
        load(bench, server.port, server.key("press"), "waiting", records=1, bodies=1000, once=True, connections=4)
    again = []
    for i in range(9):
        taken, then, process = start_once(bench, folder)
        again.append(taken)
        if i < 8:
            end(process)
    time.sleep(2)
    whole = [memory_mib(pid) for pid in descendants(process.pid)]
    end(process)
    bench.line(
        "start",
        "ms",
        median(again) * 1e3,
        bar="<= 150 ms",
        note=f"most {max(again) * 1e3:.0f}; the very first on an empty folder {median(first) * 1e3:.0f}",
        first_ms=median(first) * 1e3,
        max_ms=max(again) * 1e3,
    )
    bench.line("idle_rss", "MiB", whole[0][0], bar="<= 80 MiB", note=f"the server after 2 s; when ready {then[0]:.1f}")
    bench.line(
        "idle_private",
        "MiB",
        whole[0][1],
        note=f"when ready {then[1]:.1f}; with its {len(whole) - 1} workers {sum(one[1] for one in whole):.1f}",
        with_workers=sum(one[1] for one in whole),
    )
