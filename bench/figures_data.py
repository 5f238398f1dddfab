# SPDX-License-Identifier: Apache-2.0
"""Ingest with delivery, delivery alone, and queries: figures of many records."""

import datetime
import json
import time

from figures_ingest import batch_options, batches_of
from load import RECORDS_OF_A_BATCH, DuckDb, failures, load, median
from processes import Server, cpu_seconds, wait_until

FLOW_RECORDS = 3_000_000
WAITING_BYTES = 100 << 20
BEHIND_BYTES = 120 << 20  # within the buffer of the product, which is delivered at 128 MiB
WORKER_NICENESS = 10

COLUMNS = (
    "{event_id: 'VARCHAR', \"at\": 'TIMESTAMPTZ', country: 'VARCHAR', customer: 'BIGINT', "
    "amount: 'DECIMAL(12,2)', status: 'VARCHAR', channel: 'VARCHAR', quantity: 'INTEGER'}"
)
QUERIES = {
    "query_group": "select count(*) as n, country, status, sum(amount) as total, avg(quantity) as mean "
    "from {} group by country, status order by country, status",
    "query_filter": "select count(*) as n from {} where amount > 1500 and country = 'CH' and status <> 'open'",
}


def check(good, what):
    if not good:
        raise RuntimeError(what)


def fill_flow(bench):
    """Publishes some million records while they are delivered; once in a run."""
    if "flow" in bench.kept:
        return bench.kept["flow"]
    server = Server(bench.machine, bench.weft, bench.folder("flow")).apply()
    bench.kept["flow"] = kept = {"server": server}
    records = FLOW_RECORDS
    cpu = cpu_seconds(server.pid)
    seen = load(
        bench, server.port, server.key("press"), "flow", **batch_options(records // RECORDS_OF_A_BATCH, once=True)
    )
    admin = server.door("admin")
    status = {}

    def delivered():
        status.update(admin.call("GET", "/api/v1/products/flow"))
        return status["lag_records"] == 0

    wait_until(delivered, 120, 0.02, "delivery")
    check(status["rows"] == records and status["quarantined"] == 0, f"published {records}: {status}")
    kept["cpu"] = cpu_seconds(server.pid) - cpu
    committed = datetime.datetime.fromisoformat(status["last_commit"].replace("Z", "+00:00")).timestamp()
    kept.update(seen=seen, wall=committed - seen["began"], records=records)
    return kept


def flow(bench):
    """JSON in to Iceberg commit."""
    kept = fill_flow(bench)
    mib = kept["seen"]["body_bytes"] / (1 << 20)
    cores = len(bench.machine.server_cores)
    note = f"{kept['records']:,} records, {mib:.0f} MiB in {kept['wall']:.2f} s, {cores} cores"
    bench.line(
        "flow_wall",
        "MiB/s core",
        mib / kept["wall"] / cores,
        25.0,
        bar=">= 50, aim 100",
        note=f"{note}{failures(kept['seen'])}; 25: stated by Vector, 5 by Redpanda, not measured",
        wall_seconds=kept["wall"],
        ingest_mib_per_second=mib / kept["seen"]["seconds"],
    )
    bench.line(
        "flow_cpu",
        "MiB/s core",
        mib / kept["cpu"],
        25.0,
        note=f"by the server's own {kept['cpu']:.1f} s of CPU",
        cpu_seconds=kept["cpu"],
    )


def files_of(server, database, table):
    """Every data file there is of the table; nothing was merged or removed, so all of them are live."""
    objects = server.folder / "objects"
    return sorted(str(path) for path in objects.rglob("*.parquet") if f"/{database}/{table}-" in str(path))


def query(bench):
    """A reader's SQL over the doors, beside plain DuckDB on the very same files."""
    server = fill_flow(bench)["server"]
    files = files_of(server, "bench", "flow")
    relation = f"read_parquet({files})"
    reader = server.door("ada")
    with DuckDb(bench, WORKER_NICENESS) as plain:
        rows = plain.run(f"select count(*) from {relation}")[1][0][0]
        check(rows == FLOW_RECORDS, f"the files have {rows} rows: not the table's very files")
        for name, sql in QUERIES.items():
            signed = reader.sql(sql.format("bench.flow"))
            ours, theirs = [], []
            for turn in range(17):
                start = time.perf_counter()
                answer = [json.loads(line) for line in reader.send(signed).splitlines()]
                taken = time.perf_counter() - start
                seconds, expected = plain.run(sql.format(relation))
                check([row["n"] for row in answer] == [row[0] for row in expected], f"{name}: another answer")
                if turn >= 2:
                    ours.append(taken)
                    theirs.append(seconds)
            difference = (median(ours) - median(theirs)) * 1e3
            bench.line(
                name,
                "ms",
                median(ours) * 1e3,
                median(theirs) * 1e3,
                bar="<= 1.05 + 2 ms",
                note=f"{difference:+.1f} ms; {rows:,} rows in {len(files)} files, median of 15, in turn",
                difference_ms=difference,
                within_bar=median(ours) <= 1.05 * median(theirs) + 0.002,
            )
        signed = reader.sql("select 1")
        ours = []
        for _ in range(50):
            start = time.perf_counter()
            reader.send(signed)
            ours.append(time.perf_counter() - start)
        bench.line("query_nothing", "ms", median(ours) * 1e3, note="`select 1` over the doors, median of 50")


def behind(bench):
    """The same query with 120 MiB of undelivered records behind the table, and with them in the table."""
    count = batches_of(BEHIND_BYTES)
    rows = count * RECORDS_OF_A_BATCH
    options = batch_options(count, once=True)
    with Server(bench.machine, bench.weft, bench.folder("behind")).apply() as server:
        load(bench, server.port, server.key("press"), "waiting", **options)
        deliver(server, rows)
        reader = server.door("ada")
        signed = reader.sql(QUERIES["query_group"].format("bench.waiting"))

        def ask(expected):
            start = time.perf_counter()
            answer = [json.loads(line) for line in reader.send(signed).splitlines()]
            taken = time.perf_counter() - start
            check(sum(row["n"] for row in answer) == expected, f"not {expected} rows: {answer}")
            return taken

        without = median([ask(rows) for _ in range(9)])
        load(bench, server.port, server.key("press"), "waiting", first_record=rows, **options)
        first = ask(2 * rows)
        waiting = median([ask(2 * rows) for _ in range(9)])
        deliver(server, 2 * rows)
        delivered = median([ask(2 * rows) for _ in range(9)])
    bench.line(
        "query_behind",
        "ms",
        waiting * 1e3,
        delivered * 1e3,
        note=f"{BEHIND_BYTES >> 20} MiB undelivered behind as much; yardstick: all of it delivered; right after the "
        f"last ack {first * 1e3:.1f}; the table alone {without * 1e3:.1f}",
        first_ms=first * 1e3,
        without_ms=without * 1e3,
    )


def deliver(server, expected):
    admin = server.door("admin")
    signed = admin.sign("POST", "/api/v1/products/waiting/deliver")
    start = time.perf_counter()
    status = json.loads(admin.send(signed))
    taken = time.perf_counter() - start
    check(status["rows"] == expected and status["lag_records"] == 0, f"delivered {expected}: {status}")
    return taken


def delivery(bench):
    """POST …/deliver for what waits, beside DuckDB's COPY of the same JSON to zstd Parquet."""
    count = batches_of(WAITING_BYTES)
    rows = count * RECORDS_OF_A_BATCH
    file = bench.folder("waiting.ndjson")
    cold, warm = [], []
    for i in range(2):
        folder = bench.folder(f"delivery-{i}")
        options = batch_options(count, once=True)
        with Server(bench.machine, bench.weft, folder).apply() as server:
            load(bench, server.port, server.key("press"), "waiting", ndjson=file, **options)
        with Server(bench.machine, bench.weft, folder) as server:
            cold.append(deliver(server, rows))
            load(bench, server.port, server.key("press"), "waiting", **options)
            time.sleep(2)
            warm.append(deliver(server, 2 * rows))
    with DuckDb(bench, 0) as plain:
        copy = (
            f"copy (select * from read_json('{file}', format = 'newline_delimited', columns = {COLUMNS})) "
            f"to '{bench.folder('waiting.parquet')}' (format parquet, compression zstd)"
        )
        theirs = [plain.run(copy)[0] for _ in range(3)]
    mb = file.stat().st_size / 1e6
    for name, times, note in (
        ("delivery_cold", cold, "from the log, after a restart"),
        ("delivery_warm", warm, "two seconds after the last record came: made into columns meanwhile"),
    ):
        bench.line(
            name,
            "MB/s",
            mb / median(times),
            mb / median(theirs),
            bar=">= 0.6",
            note=f"{mb:.0f} MB of NDJSON in {median(times):.2f} s ({median(theirs):.2f} s); {note}",
            seconds=median(times),
            yardstick_seconds=median(theirs),
        )
