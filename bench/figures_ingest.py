# SPDX-License-Identifier: Apache-2.0
"""Publishing: the disk, single records, batches, and what both cost over TLS, encrypted, to 1,000 streams."""

import functools
import json
import pathlib
import shutil
import subprocess
import tempfile

from load import (
    RECORDS_OF_A_BATCH,
    failures,
    load,
    median,
    percentile,
    sequential_write,
    sync_times,
    yardstick_server,
)
from processes import ROOT, Server, clean_environment

BATCH_CONNECTIONS = 32
RECORD_BYTES = 165  # about
BURST_BYTES = 100 << 20
STREAMS = 1000
CONNECTIONS = (64, 1, 1000)


def batch_options(batches, **more):
    return {"records": RECORDS_OF_A_BATCH, "bodies": batches, "connections": BATCH_CONNECTIONS, **more}


def batches_of(size):
    return size // (RECORD_BYTES * RECORDS_OF_A_BATCH)


def megabytes(seen):
    return seen["body_bytes"] / 1e6 / seen["seconds"]


def once(work):
    """Remembers what was measured on these cores, for the figures that are compared with it."""

    @functools.wraps(work)
    def remembered(bench, *arguments):
        key = (work.__name__, *bench.machine.load_cores, *arguments)
        if key not in bench.measured:
            bench.measured[key] = work(bench, *arguments)
        return bench.measured[key]

    return remembered


def ack_times(seen):
    return f"p50 {seen['p50_us'] / 1e3:.2f}, p99 {seen['p99_us'] / 1e3:.2f}, p99.9 {seen['p999_us'] / 1e3:.2f} ms"


def details(seen):
    return {
        "p50_ms": seen["p50_us"] / 1e3,
        "p99_ms": seen["p99_us"] / 1e3,
        "p999_ms": seen["p999_us"] / 1e3,
        "max_ms": seen["max_us"] / 1e3,
        "failed": seen["failed"],
    }


@once
def tls_files(bench):
    """A certificate of our own, and its key."""
    certificate, key = bench.folder("certificate.pem"), bench.folder("key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run(command + ["-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return certificate, key


@once
def no_work(bench, connections, tls):
    return empty_load(bench, connections, tls)


def empty_load(bench, connections, tls):
    """The same HTTP server with a handler that does nothing, under the same load."""
    files = tls_files(bench) if tls else None
    with yardstick_server(bench, "answer", quick=True, tls=files) as empty:
        return load(bench, empty.port, tls=tls, connections=connections, seconds=bench.seconds, warm_up=1)


@once
def parse_only(bench, tls, cores=None):
    """The same HTTP server reading every value with simdjson, on the better of its two kinds of threads."""
    best = 0
    files = tls_files(bench) if tls else None
    for quick in (True, False):
        with yardstick_server(bench, "parse", quick, tls=files, cores=cores) as server:
            timed = batch_options(256, seconds=bench.seconds / 2, warm_up=0.5)
            best = max(best, megabytes(load(bench, server.port, tls=tls, **timed)))
    return best


@once
def sync_time(bench):
    # Where other work has the cores, a round may tell of the scheduler instead of the disk.
    return min((sync_times(bench.work, 150) for _ in range(5)), key=median)


@once
def disk_burst(bench):
    """MB/s of writing the octets of a burst to one file, and one fdatasync."""
    return median([sequential_write(bench.work, BURST_BYTES, BURST_BYTES) for _ in range(3)])


def disk(bench):
    """What the disk gives to a program that does nothing else."""
    syncs = sync_time(bench)
    bench.line(
        "disk_sync",
        "ms",
        percentile(syncs, 0.5) * 1e3,
        note=f"p50 of 4 KiB and fdatasync; p99 {percentile(syncs, 0.99) * 1e3:.1f}",
    )
    bench.line("disk_burst", "MB/s", disk_burst(bench), note="100 MiB in a row, then fdatasync")
    size = int(min(2 << 30, disk_burst(bench) * 1e6 * bench.seconds))
    sustained = sequential_write(bench.work, size, 2 << 20)
    bench.line("disk_sustained", "MB/s", sustained, note=f"{size >> 20} MiB, fdatasync after every 2 MiB")


def small_line(bench, name, connections, ours, plain, bar="", note=""):
    by_disk = connections / percentile(sync_time(bench), 0.5)
    which = "64 fsyncs at once" if connections == 64 else f"{connections} by an fsync"
    bench.line(
        name,
        "requests/s",
        ours["per_second"],
        min(plain["per_second"], by_disk),
        bar=bar,
        note=f"{note}no work {plain['per_second']:,.0f}, {which} {by_disk:,.0f}{failures(ours)}",
        no_work_per_second=plain["per_second"],
        by_disk_per_second=by_disk,
        **details(ours),
    )
    bench.line(
        f"{name}_p99",
        "ms",
        ours["p99_us"] / 1e3,
        plain["p99_us"] / 1e3,
        bar="<= 10 ms" if bar else "",
        note=f"p50 {ours['p50_us'] / 1e3:.2f}, p99.9 {ours['p999_us'] / 1e3:.2f}, most {ours['max_us'] / 1e3:.1f}",
        **details(ours),
    )


def small(bench):
    """Single records, acknowledged when on disk, by how many connections there are."""
    for connections in CONNECTIONS:
        plain = no_work(bench, connections, False)
        bar = ">= 0.5" if connections == 64 else ""
        small_line(bench, f"small_{connections}", connections, small_load(bench, connections), plain, bar)
    if bench.machine.pinned:
        with bench.machine.crowded():
            small_shared(bench)


def small_shared(bench):
    """With the load on the server's cores, where a second more or less of other work shows: in turn, three times."""
    # As docs/decisions/0011 has it for who has no processors to himself: an io thread fewer than there are.
    rounds = [(empty_load(bench, 64, False), small_load(bench, 64, server_io_threads=1)) for _ in range(3)]
    rounds.sort(key=lambda pair: pair[1]["per_second"] / pair[0]["per_second"])
    ratios = [round(ours["per_second"] / plain["per_second"], 2) for plain, ours in rounds]
    plain, ours = rounds[1]
    note = f"server, with one io thread, and load on the same 2 cores, median of {ratios}; "
    small_line(bench, "small_64_shared", 64, ours, plain, ">= 0.5", note)


def small_load(bench, connections, **settings):
    folder = tempfile.mkdtemp(prefix="small-", dir=bench.work)
    with Server(bench.machine, bench.weft, folder, **settings).apply() as server:
        options = {"connections": connections, "seconds": bench.seconds, "warm_up": 1}
        return load(bench, server.port, server.key("press"), "small", **options)


def burst(bench, server, product="batches", **more):
    options = batch_options(batches_of(BURST_BYTES), once=True, **more)
    return load(bench, server.port, server.key("press"), product, **options)


def batches(bench):
    """Bodies of 500 records: durable, beside a server that only parses them."""
    best, by_disk = parse_only(bench, False), disk_burst(bench)
    bursts = []
    for i in range(3):
        with Server(bench.machine, bench.weft, bench.folder(f"burst-{i}")).apply() as server:
            bursts.append(megabytes(burst(bench, server)))
    bench.line(
        "batches_500",
        "MB/s",
        median(bursts),
        best,
        bar=">= 0.4",
        note=f"100 MiB before any delivery, median of {[round(b) for b in bursts]}; yardstick: simdjson over the "
        f"same HTTP; the disk alone {by_disk:,.0f}",
        disk_burst=by_disk,
    )
    if bench.machine.pinned:
        one_core = parse_only(bench, False, (bench.machine.server_cores[0],))
        note = f"the same, beside the yardstick on one of the {len(bench.machine.server_cores)} cores"
        bench.line("batches_500_core", "MB/s", median(bursts), one_core, bar=">= 0.4", note=note)
    timed = batch_options(256, seconds=bench.seconds, warm_up=0.5)
    with Server(bench.machine, bench.weft, bench.folder("sustained")).apply() as server:
        ours = load(bench, server.port, server.key("press"), "batches", **timed)
    bench.line(
        "batches_500_sustained",
        "MB/s",
        megabytes(ours),
        best,
        note=f"for {bench.seconds:g} s, delivering every 128 MiB meanwhile; {ack_times(ours)}{failures(ours)}",
        **details(ours),
    )
    for connections in CONNECTIONS:
        with Server(bench.machine, bench.weft, bench.folder(f"batches-{connections}")).apply() as server:
            batch_line(bench, f"batches_500_c{connections}", burst(bench, server, connections=connections))


def batch_line(bench, name, ours, tls=False, note="100 MiB"):
    bench.line(
        name, "MB/s", megabytes(ours), parse_only(bench, tls), note=f"{note}; {ack_times(ours)}{failures(ours)}", **details(ours)
    )


def both_kinds(bench, name, server, note, tls=False, product=("small", "batches"), **more):
    """Single records for some seconds over 64 connections, then a burst of batches."""
    timed = {"connections": 64, "seconds": min(bench.seconds, 3), "warm_up": 1, "tls": tls, **more}
    ours = load(bench, server.port, server.key("press"), product[0], **timed)
    small_line(bench, f"small_64_{name}", 64, ours, no_work(bench, 64, tls), note=f"{note}; ")
    batch_line(bench, f"batches_500_{name}", burst(bench, server, product[1], tls=tls, **more), tls, f"{note}; 100 MiB")


def tls(bench):
    """The same over TLS, beside the yardsticks over TLS."""
    certificate, key = tls_files(bench)
    settings = {"server_tls_certificate": certificate, "server_tls_key": key}
    with Server(bench.machine, bench.weft, bench.folder("tls"), **settings).apply() as server:
        both_kinds(bench, "tls", server, "TLS", tls=True)


def encrypted(bench):
    """The same with every record encrypted on disk."""
    with Server(bench.machine, bench.weft, bench.folder("encrypted"), journal_encrypt="true").apply() as server:
        both_kinds(bench, "encrypted", server, "AES-256-GCM at rest")


def mesh_of_streams(folder):
    """The bench's mesh with many products instead."""
    shutil.copytree(ROOT / "bench" / "mesh", folder)
    product = (
        "  p{}:\n    account: shop\n    database: streams\n    contract: events.odcs.yaml\n"
        "    ingest: {{ mode: partial }}\n    delivery: {{ buffer_size: 128 MiB, buffer_interval: 900 s }}\n"
    )
    (folder / "mesh.yaml").write_text(
        'mesh: bench\naccounts:\n  shop: { id: "420000000001" }\nproducts:\n'
        + "".join(product.format(i) for i in range(STREAMS))
        + "users:\n  press: { account: shop, policies: [publish.json] }\n"
    )
    return folder


def streams(bench):
    """The same, each request to another one of 1,000 products."""
    mesh = mesh_of_streams(pathlib.Path(bench.folder("mesh-of-streams")))
    with Server(bench.machine, bench.weft, bench.folder("streams"), streams_shards_max=2 * STREAMS + 10) as server:
        server.apply(mesh)
        both_kinds(bench, "streams", server, f"{STREAMS:,} streams", product=("p{}", "p{}"), products=STREAMS)


def allocations(bench):
    """What a batch of 500 takes of the heap on its way to the log, counted by operator new."""
    command = [str(bench.build / "weft_bench_ingest"), "--contract", str(ROOT / "bench" / "mesh" / "events.odcs.yaml")]
    command += ["--folder", str(bench.folder("ingest"))]
    command = bench.machine.on(bench.machine.server_cores, command)
    seen = json.loads(subprocess.run(command, check=True, capture_output=True, env=clean_environment()).stdout)
    bench.line(
        "allocations",
        "a record",
        round(seen["allocations_per_request"] / seen["records"], 2),
        note=f"{seen['allocations_per_request']:.0f} a request of {seen['records']} records, "
        f"{seen['all_allocations_per_request']:.0f} with journal and tail; "
        f"{1e3 / seen['accept_ns_per_byte']:,.0f} MB/s a core from body to log, disk left out",
        **seen,
    )
