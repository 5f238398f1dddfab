# SPDX-License-Identifier: Apache-2.0
"""Plain DuckDB in a process of its own: reads {"sql"} lines, answers {"seconds", "rows"} lines."""

import json
import os
import sys
import time

import duckdb


def main():
    threads, niceness = int(sys.argv[1]), int(sys.argv[2])
    os.nice(niceness)
    connection = duckdb.connect(config={"threads": threads})
    connection.execute("set timezone = 'UTC'")
    print("ready at nowhere", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        rows = connection.execute(json.loads(line)["sql"]).fetchall()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "rows": rows}, default=str), flush=True)


if __name__ == "__main__":
    main()
