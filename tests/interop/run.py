# SPDX-License-Identifier: Apache-2.0
"""Runs every part, or those that are named, and prints a line for each: how it ended and its time.

usage: run.py [NAME ...]"""

import pathlib
import sys
import tempfile
import time
import traceback

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "e2e")]

import kinesis_consumer
import kinesis_producer
import kinesis_terraform
from fetch import Skip

PARTS = {
    "kcl-fan-out": kinesis_consumer.fan_out,
    "kcl-polling": kinesis_consumer.polling,
    "kpl": kinesis_producer.run,
    "terraform": kinesis_terraform.run,
}


def run(name):
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="weft-interop-") as folder:
        try:
            outcome, said = "ok", PARTS[name](pathlib.Path(folder))
        except Skip as skip:
            outcome, said = "skipped", str(skip)
        except Exception as error:  # noqa: BLE001
            outcome, said = "FAILED", str(error)
            traceback.print_exc()
    print(f"{name:<12} {outcome:<8} {time.monotonic() - begin:6.1f} s  {said}", flush=True)
    return outcome != "FAILED"


def main():
    names = sys.argv[1:] or list(PARTS)
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"no part {unknown[0]}; there are {', '.join(PARTS)}")
    sys.exit(0 if all([run(name) for name in names]) else 1)


if __name__ == "__main__":
    main()
