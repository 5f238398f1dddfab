# SPDX-License-Identifier: Apache-2.0
"""Measures Weft beside its yardsticks, in one run: a line for each figure, and JSON. docs/bench.md."""

import argparse
import datetime
import json
import os
import pathlib
import resource
import shutil
import sys
import tempfile
import time

import figures_data
import figures_ingest
import figures_server
from processes import ROOT, Machine, load_1

FIGURES = {
    "disk": figures_ingest.disk,
    "small": figures_ingest.small,
    "batches": figures_ingest.batches,
    "tls": figures_ingest.tls,
    "encrypted": figures_ingest.encrypted,
    "streams": figures_ingest.streams,
    "allocations": figures_ingest.allocations,
    "flow": figures_data.flow,
    "query": figures_data.query,
    "behind": figures_data.behind,
    "delivery": figures_data.delivery,
    "visible": figures_server.visible,
    "decision": figures_server.decision,
    "start": figures_server.start,
}


def text_of(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


class Bench:
    """What the figures share: programs, folders, options, and the lines they give."""

    def __init__(self, options, work):
        self.machine = Machine()
        self.build = options.build.resolve()
        self.weft = self.build / "weft"
        self.seconds = options.seconds
        self.work = work
        self.lines = []
        self.kept = {}  # servers that a later figure goes on with
        self.measured = {}  # yardsticks that several figures have in common

    def folder(self, name):
        return self.work / name

    def line(self, name, unit, ours, yardstick=None, ratio=None, bar="", note="", **details):
        """Prints one figure. `ratio` is ours by yardstick where it is not given."""
        if ratio is None and ours is not None and yardstick:
            ratio = ours / yardstick
        self.lines.append(
            {
                "name": name,
                "unit": unit,
                "ours": ours,
                "yardstick": yardstick,
                "ratio": ratio,
                "bar": bar,
                "note": note,
                "load_1": round(load_1(), 2),
                **details,
            }
        )
        shown = "-" if ratio is None else f"{ratio:.2f}"
        print(
            f"{name:<24} {text_of(ours):>10} {text_of(yardstick):>10} {unit:<10} {shown:>6}  "
            f"{bar or '-':<14} {load_1():>4.1f}  {note}".rstrip(),
            flush=True,
        )


def parse_options():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(FIGURES), help="this figure (may be repeated)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement of requests (5)")
    parser.add_argument("--json", type=pathlib.Path, help="where the figures go as JSON (BUILD/bench.json)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="folder of the programs")
    parser.add_argument("--work", type=pathlib.Path, help="a folder on the disk to measure (the build folder)")
    return parser.parse_args()


def main():
    options = parse_options()
    work = options.work or options.build
    for path in (work, options.build / "weft", options.build / "weft_bench_load"):
        if not path.exists():
            sys.exit(f"error: there is no {path}; `make bench` builds all that is needed")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    begun = time.monotonic()
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=work))
    bench = Bench(options, work)
    machine = bench.machine.describe()
    print(f"{machine['processor']}, {machine['cores']} cores, {machine['memory_mib']} MiB; {machine['pinning']}")
    print(f"load average {machine['load_1_at_start']:.1f} before; the bar is what design aims at, for information")
    if machine["load_1_at_start"] > machine["cores"] / 2:
        print("the machine has other work: the figures say as much about that", flush=True)
    print(f"{'figure':<24} {'ours':>10} {'yardstick':>10} {'unit':<10} {'ratio':>6}  {'bar':<14} load  note")
    failed = []
    try:
        for name, figure in FIGURES.items():
            if options.only and name not in options.only:
                continue
            try:
                figure(bench)
            except Exception as error:  # the other figures are still worth having
                failed.append(name)
                print(f"{name:<24} failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        for kept in bench.kept.values():
            kept["server"].stop()
        shutil.rmtree(work, ignore_errors=True)
    target = options.json or options.build / "bench.json"
    target.write_text(
        json.dumps(
            {
                "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - begun, 1),
                "machine": machine,
                "failed": failed,
                "figures": bench.lines,
            },
            indent=1,
        )
        + "\n"
    )
    print(f"{time.monotonic() - begun:.0f} s in all, load average {load_1():.1f} after; as JSON: {os.path.relpath(target)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
