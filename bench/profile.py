# SPDX-License-Identifier: Apache-2.0
"""Where the server's time goes while it takes small requests or batches: samples of perf, in groups. docs/profile.md."""

import argparse
import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from figures_ingest import ack_times, batch_options, megabytes
from load import finish, start_load
from processes import ROOT, Machine, Server, cpu_seconds

LOADS = {
    "small": ("small", {"connections": 64, "records": 1}),
    "batches": ("batches", batch_options(256)),
}

# The first that fits the function (its own name, not its callers') is its group.
USER_GROUPS = [
    ("hashing: SHA-256, CRC-32C", r"sha256|SHA256|ByInstruction|Crc32c|HmacSha|Digest|EVP_"),
    ("encryption at rest, TLS", r"aes|gcm|GCM|chacha|SSL|ssl|ossl|bn_|ecp_"),
    ("JSON: structure", r"simdjson|Scanner::Feed|EndOfContainer|SplitRecords|SplitJson|TakeValue"),
    ("contract: checks and values", r"weft::contract|pcre2|from_chars"),
    ("columns: appending, merging, sealing", r"weft::iceberg|weft::tail"),
    ("delivery: DuckDB and Parquet", r"duckdb|ZSTD|FSE_|HUF_|HIST_|weft::deliver|weft::engine"),
    ("who signed it, who may", r"weft::codec|weft::identity|weft::govern"),
    ("the log", r"weft::log|weft::stream"),
    ("doors: ingest, api, metrics", r"weft::ingest|weft::api|prometheus|weft::\(anonymous namespace\)::Prometheus"),
    ("HTTP", r"weft::http|boost::(asio|beast)|nghttp2"),
    ("copying and comparing memory", r"^_?_?mem(move|cpy|set|cmp|chr)|__str(len|cmp)"),
    ("heap", r"malloc|free|operator new|operator delete|sdallocx|tcache|arena_|cache_bin|edata_|emap_|rtree_"),
    ("locks and clocks", r"pthread|lll_lock|futex|clock_gettime|__vdso"),
]
# The system call, or the fault, under which the kernel worked.
KERNEL_GROUPS = [
    ("kernel: sending", r"sys_send|sys_writev"),
    ("kernel: receiving", r"sys_recv|sys_read$"),
    ("kernel: waiting for sockets", r"sys_epoll"),
    ("kernel: writing pages of log and columns", r"sys_pwrite|do_pwritev|sys_write$"),
    ("kernel: fdatasync", r"sys_fdatasync|sys_fsync"),
    ("kernel: threads that wake each other", r"sys_futex|sys_sched_yield"),
    ("kernel: new memory", r"exc_page_fault|sys_mmap|sys_munmap|sys_mremap|sys_madvise|sys_brk"),
    ("kernel: shared memory for columns", r"sys_memfd|sys_ftruncate|sys_fcntl"),
    ("kernel: random numbers", r"sys_getrandom"),
    ("kernel: free space on the disk", r"statfs"),
    ("kernel: changing between threads", r"sysvec|exit_to_user_mode"),
]


def group_of(frames):
    """`frames`: (symbol, in the kernel), the innermost first."""
    symbol, in_kernel = frames[0]
    if not in_kernel:
        for name, pattern in USER_GROUPS:
            if re.search(pattern, symbol):
                return name
        return "other"
    for name, pattern in KERNEL_GROUPS:
        if any(re.search(pattern, one) for one, kernel in frames if kernel):
            return name
    return "kernel: other"


def samples(data):
    """The frames of each sample and the name of its thread."""
    script = subprocess.Popen(
        ["perf", "script", "-i", str(data), "-F", "comm,ip,sym,dso"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    thread, frames = None, []
    for line in script.stdout:
        if not line.strip():
            if frames:
                yield thread, frames
            thread, frames = None, []
        elif thread is None:
            thread = line.strip()
        else:
            found = re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line)
            if found:
                library = "hash" if "libcrypto" in found[2] and found[1] == "[unknown]" else found[1]
                name = "SHA256 (libcrypto)" if library == "hash" else found[1]
                frames.append((name, "[kernel" in found[2] or found[2].endswith(".ko")))
    script.wait()


def parse_options():
    parser = argparse.ArgumentParser(prog="tools/profile", description=__doc__)
    parser.add_argument("load", choices=list(LOADS))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="folder of the programs")
    parser.add_argument("--functions", type=int, default=0, help="also so many single functions")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the server")
    return parser.parse_args()


class Ground:
    def __init__(self, options, work):
        self.machine = Machine()
        self.build = options.build.resolve()
        self.work = work


def record(ground, options, data):
    product, load = LOADS[options.load]
    settings = dict(one.split("=", 1) for one in options.set)
    with Server(ground.machine, ground.build / "weft", ground.work / "data", **settings).apply() as server:
        key = server.key("press")
        running = start_load(ground, server.port, key, product, seconds=options.seconds + 2, warm_up=1, **load)
        time.sleep(2.5)  # requests are signed first
        command = ["perf", "record", "-F", "1999", "-g", "-p", str(server.pid), "-o", str(data)]
        command += ["--", "sleep", str(options.seconds)]
        sampling = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cpu, begun = cpu_seconds(server.pid), time.monotonic()
        time.sleep(max(options.seconds - 0.5, 0.5))
        cpu, wall = cpu_seconds(server.pid) - cpu, time.monotonic() - begun
        sampling.wait()
        seen = finish(running)
    share = wall / seen["seconds"]
    print(f"{seen['per_second']:,.0f} requests/s, {megabytes(seen):,.0f} MB/s, {ack_times(seen)}; "
          f"{cpu / wall:.2f} of {len(ground.machine.server_cores)} cores")
    print(f"CPU: {cpu / (seen['requests'] * share) * 1e6:.1f} us a request, {cpu / (seen['body_bytes'] * share) * 1e9:.2f} ns an octet")


def report(data, functions):
    groups, threads, single = collections.Counter(), collections.Counter(), collections.Counter()
    of_group = collections.defaultdict(collections.Counter)
    for thread, frames in samples(data):
        group = group_of(frames)
        groups[group] += 1
        threads[thread] += 1
        of_group[group][thread] += 1
        single[(thread, frames[0][0][:90])] += 1
    total = sum(groups.values())
    print(f"\n{'share':>6}  {'of':<40} threads")
    for name, count in groups.most_common():
        where = ", ".join(f"{thread} {100 * part / total:.1f}" for thread, part in of_group[name].most_common(4))
        print(f"{100 * count / total:5.1f}%  {name:<40} {where}")
    print("\nthreads: " + ", ".join(f"{name} {100 * count / total:.1f}%" for name, count in threads.most_common()))
    if functions:
        print()
    for (thread, name), count in single.most_common(functions):
        print(f"{100 * count / total:5.1f}%  {thread:<10} {name}")


def main():
    options = parse_options()
    if shutil.which("perf") is None:
        sys.exit("error: there is no perf; on Debian it is in the package linux-perf")
    work = pathlib.Path(tempfile.mkdtemp(prefix="profile-", dir=options.build))
    try:
        data = work / "perf.data"
        record(Ground(options, work), options, data)
        report(data, options.functions)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
