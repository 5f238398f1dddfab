# SPDX-License-Identifier: Apache-2.0
"""Files of every format and size, the example meshes, and real data: what goes in comes out.

WEFT_BIG_FILE_BYTES sets the size of the big file (200 MB; 2 GiB and more are fine).
"""

import csv
import datetime
import decimal
import gzip
import json
import os
import pathlib
import re
import subprocess
import threading
import time

import pyarrow
import pyarrow.parquet
import pytest
from conftest import ROOT, WEFT, write_mesh
from http_client import call

BIG_FILE_BYTES = int(os.environ.get("WEFT_BIG_FILE_BYTES", "200000000"))

MESH = """
mesh: files
accounts: {{ a: {{ id: "111111111111" }} }}
products:
  things:
    account: a
    database: d
    columns:
      - {{ name: n, type: bigint }}
      - {{ name: name, type: string }}
      - {{ name: price, type: "decimal(12,2)" }}
      - {{ name: good, type: boolean }}
      - {{ name: moment, type: timestamp }}
    ingest: {{ mode: {mode} }}
"""


def apply(server, tmp_path, mode="partial"):
    server.weft("apply", write_mesh(tmp_path / "mesh", MESH.format(mode=mode)))
    return server


@pytest.fixture
def things(server, tmp_path):
    return apply(server, tmp_path)


def put(server, product, *files, **more):
    """What `weft put --json` counted."""
    arguments = []
    for name, value in more.items():
        if name != "stdin":
            arguments += ["--" + name, value]
    return json.loads(server.weft("put", product, *files, *arguments, "--json", stdin=more.get("stdin"), timeout=600))


def rows(server, columns="n, name, price, good, moment"):
    return server.query(f"select {columns} from d.things order by n, name")


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# Formats


@pytest.mark.parametrize(
    "text",
    ['[{"n": 1, "name": "a,]"},\n {"n": 2, "name": "b}{\\""}]', '{"n": 1, "name": "a,]"}{"n": 2, "name": "b}{\\""}',
     '{"n": 1, "name": "a,]"}\n\n{\n"n": 2,\n"name": "b}{\\""}\n',
     '\ufeff[{"n": 1, "name": "a,]"},{"n": 2, "name": "b}{\\""}]\n'],
    ids=["array", "one after another", "spread over lines", "byte order mark"],
)
def test_json_in_its_shapes(things, tmp_path, text):
    counted = put(things, "things", write(tmp_path / "f.json", text))
    assert (counted["accepted"], counted["quarantined"]) == (2, 0), counted
    assert rows(things, "n, name") == [{"n": 1, "name": "a,]"}, {"n": 2, "name": 'b}{"'}]


def test_one_json_object_an_empty_array_and_nothing(things, tmp_path):
    assert put(things, "things", write(tmp_path / "one.json", '{"n": 7}'))["accepted"] == 1
    assert put(things, "things", write(tmp_path / "none.json", "[]"))["accepted"] == 0
    for name in "empty.json", "empty.ndjson", "empty.csv":
        assert put(things, "things", write(tmp_path / name, ""))["accepted"] == 0
    assert rows(things, "n") == [{"n": 7}]


def test_json_that_ends_too_early_says_what_went_in(things, tmp_path):
    file = write(tmp_path / "cut.json", '[{"n": 1}, {"n": 2}, {"n": ')
    done = things.weft("put", "things", file, ok=False)
    assert done.returncode == 1 and done.stdout == "" and "cut.json" in done.stderr
    counted = re.search(r"accepted before that: (\d+)", done.stderr)
    assert things.query("select count(*) n from d.things") == [{"n": int(counted[1])}]


def test_ndjson_with_a_bad_line_between(things, tmp_path):
    file = write(tmp_path / "f.ndjson", '{"n": 1}\r\n\n{"n": \n{"n": 2}\n{"n": "x"}\n{"n": 3}')
    counted = put(things, "things", file)
    assert (counted["accepted"], counted["quarantined"], counted["errors_total"]) == (3, 2, 2)
    assert rows(things, "n") == [{"n": 1}, {"n": 2}, {"n": 3}]


CSV = (
    'n,name,price,good,moment\r\n'
    '1,"Smith, ""Jo""",1.50,true,2026-01-02 03:04:05\r\n'
    '2,"two\nlines",0012.00,FALSE,2026-01-02\r\n'
    '3,,,,\r\n'
    '4,""," 7 ",true,1767323045\r\n'
    '5,it is 5" long,1,true,\r\n'
    '6, padded ,1,false,\r\n'
    '7,too,many,fields,here,now\r\n'
    'x,bad,1,true,'
)


def test_csv_with_its_traps(things, tmp_path):
    counted = put(things, "things", write(tmp_path / "f.csv", CSV))
    assert (counted["accepted"], counted["quarantined"]) == (6, 2), counted
    at = "2026-01-02T03:04:05.000000"
    assert rows(things) == [
        {"n": 1, "name": 'Smith, "Jo"', "price": 1.5, "good": True, "moment": at},
        {"n": 2, "name": "two\nlines", "price": 12, "good": False, "moment": "2026-01-02T00:00:00.000000"},
        {"n": 3, "name": None, "price": None, "good": None, "moment": None},
        {"n": 4, "name": "", "price": 7, "good": True, "moment": at},
        {"n": 5, "name": 'it is 5" long', "price": 1, "good": True, "moment": None},
        {"n": 6, "name": " padded ", "price": 1, "good": False, "moment": None},
    ]


def test_csv_of_several_parts_with_an_odd_quote(things, tmp_path):
    """A quote within an unquoted field is text: it must not hide where records end."""
    lines = ["n,name\n", '0,5" nail\n']
    for n in range(1, 200_000):
        lines.append(f'{n},"line one\nline two, {"p" * 60}"\n' if n % 2 else f"{n},plain {'q' * 60}\n")
    counted = put(things, "things", write(tmp_path / "odd.csv", "".join(lines)))
    assert (counted["accepted"], counted["quarantined"]) == (200_000, 0), counted
    asked = things.query("select count(distinct n) n, max(n) as largest from d.things")
    assert asked == [{"n": 200_000, "largest": 199_999}]


def test_parquet(things, tmp_path):
    moments = [datetime.datetime(2026, 1, 2, 3, 4, 5, 678901), None]
    table = pyarrow.table(
        {
            "n": pyarrow.array([1, 2], pyarrow.int64()),
            "name": pyarrow.array(["ä \"q\"", None]),
            "price": pyarrow.array([decimal.Decimal("1234567890.12"), None], pyarrow.decimal128(12, 2)),
            "good": pyarrow.array([True, None]),
            "moment": pyarrow.array(moments, pyarrow.timestamp("us")),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "f.parquet")
    assert put(things, "things", tmp_path / "f.parquet")["accepted"] == 2
    assert rows(things) == [
        {"n": 1, "name": 'ä "q"', "price": 1234567890.12, "good": True, "moment": "2026-01-02T03:04:05.678901"},
        {"n": 2, "name": None, "price": None, "good": None, "moment": None},
    ]
    refused = things.weft("put", "things", write(tmp_path / "no.parquet", "PAR1"), ok=False)
    assert refused.returncode == 1 and refused.stdout == "" and "no.parquet" in refused.stderr


def test_standard_input_and_several_files(things, tmp_path):
    assert put(things, "things", "-", format="csv", stdin="n,name\n1,one\n")["accepted"] == 1
    texts = {"a.json": '[{"n": 2}]', "b.csv": "n\n3\n4", "c.ndjson": '{"n": 5}\n{"n": "bad"}'}
    files = [write(tmp_path / name, text) for name, text in texts.items()]
    counted = put(things, "things", *files)
    assert (counted["accepted"], counted["quarantined"]) == (4, 1)
    assert [row["n"] for row in rows(things, "n")] == [1, 2, 3, 4, 5]
    # The second of three cannot be read: the first is in, and that is said.
    done = things.weft("put", "things", files[0], tmp_path / "missing.json", files[1], ok=False)
    assert done.returncode == 1 and "missing.json" in done.stderr and "accepted before that: 1" in done.stderr
    unknown = things.weft("put", "things", write(tmp_path / "data.xyz", "{}"), ok=False)
    assert unknown.returncode == 2 and "data.xyz" in unknown.stderr


@pytest.mark.parametrize("content_type, text", [("application/json", '[{"n": 1}, {"n": 2}]'), ("text/csv", "n\n1\n2\n"),
                                                ("application/x-ndjson", '{"n": 1}\n{"n": 2}')])
def test_gzip_over_http(things, content_type, text):
    client = json.loads((things.folder / "client.json").read_text())
    status, answer, _ = call(
        things, client, "weft", "POST", "/api/v1/products/things/records", gzip.compress(text.encode()),
        {"Content-Type": content_type, "Content-Encoding": "gzip"},
    )
    assert (status, answer["accepted"]) == (200, 2)
    assert rows(things, "n") == [{"n": 1}, {"n": 2}]


# Size


def peak_bytes(process_id):
    try:
        status = pathlib.Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


@pytest.mark.memory
def test_a_big_file_takes_little_memory(things, tmp_path):
    file, n, pad = tmp_path / "big.ndjson", 0, "x" * 60
    with open(file, "w") as out:
        written = 0
        while written < BIG_FILE_BYTES:
            for i in range(n, n + 10_000):
                written += out.write(f'{{"n":{i},"name":"{pad}{i}","price":{i % 1000}.25,"good":true}}\n')
            n += 10_000
    sending = subprocess.Popen(
        [str(WEFT), "put", "things", str(file), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=things.environment(),
    )
    peak, ended = 0, threading.Event()

    def watch():
        nonlocal peak
        while not ended.wait(0.02):
            peak = max(peak, peak_bytes(sending.pid))

    watching = threading.Thread(target=watch)
    watching.start()
    out, err = sending.communicate(timeout=1200)
    ended.set()
    watching.join()
    assert sending.returncode == 0, err
    assert json.loads(out)["accepted"] == n
    file.unlink()
    assert 0 < peak < 200 << 20, f"the client took {peak >> 20} MiB"
    sums = things.query("select count(*) n, sum(n)::bigint s from d.things")
    assert sums == [{"n": n, "s": n * (n - 1) // 2}]
    things.weft("flush", "things")
    assert things.query("select count(*) n, sum(n)::bigint s from d.things") == sums
    server_peak = peak_bytes(things.process.pid)
    assert 0 < server_peak < 1 << 30, f"the server took {server_peak >> 20} MiB"
    print(f"{BIG_FILE_BYTES} bytes: client {peak >> 20} MiB, server {server_peak >> 20} MiB")


def test_mode_atomic_refuses_the_part_with_the_bad_record(server, tmp_path):
    apply(server, tmp_path, "atomic")
    line = json.dumps({"n": 1, "name": "x" * 1000}) + "\n"
    part = (8 << 20) // len(line)  # records of one part
    count = part * 4
    with open(tmp_path / "f.ndjson", "w") as out:
        for i in range(count):
            out.write(line if i != part * 2 + part // 2 else '{"n": "bad"}\n')
    done = server.weft("put", "things", tmp_path / "f.ndjson", ok=False)
    assert done.returncode == 1 and done.stdout == ""
    assert " n " in done.stderr and "integer" in done.stderr
    accepted = int(re.search(r"accepted before that: (\d+)", done.stderr)[1])
    # The two parts before it went in whole, nothing of it or after it.
    assert abs(accepted - part * 2) < part // 2
    assert server.query("select count(*) n from d.things") == [{"n": accepted}]
    assert server.weft("quarantine", "ls", "things") == ""


# The examples


EXAMPLES = ROOT / "examples"


def test_the_shop_does_what_its_readme_says(server):
    folder = EXAMPLES / "shop"
    server.weft("apply", folder)
    counted = put(server, "shop-orders", folder / "orders.ndjson")
    assert (counted["accepted"], counted["quarantined"]) == (3, 1)
    assert {error["field"] for error in counted["errors"]} == {"order_id", "total"}
    assert len(server.weft("quarantine", "ls", "shop-orders").splitlines()) == 1
    totals = server.query("select country, sum(total) t from shop.shop_orders group by country order by country")
    assert totals == [{"country": "DE", "t": 19.99}, {"country": "FR", "t": 250}, {"country": "NL", "t": 7}]
    explained = server.weft("explain-access", "user/shop-ada", "shop.shop_orders").splitlines()
    allowed = {line.split()[0]: "allowed" in line for line in explained}
    assert allowed["email"] is False and allowed["total"] is True
    ada = server.key("shop-ada")
    seen = server.query("select * from shop.shop_orders", key=ada)
    assert set(seen[0]) == {"order_id", "ordered_at", "country", "total"}
    assert server.weft("plan", folder) == "No changes.\n"


def test_the_laboratory_does_what_its_readme_says(server):
    folder = EXAMPLES / "laboratory"
    server.weft("apply", folder)
    assert put(server, "lab-results", folder / "results.ndjson")["accepted"] == 2
    refused = server.weft("put", "lab-results", folder / "bad-results.ndjson", ok=False)
    assert refused.returncode == 1 and refused.stdout == "" and "findings[0].value" in refused.stderr
    assert server.query("select count(*) n, sum(len(findings))::int f from clinic.lab_results") == [{"n": 2, "f": 3}]
    explained = server.weft("explain-access", "group/researchers", "clinic.lab_results").splitlines()
    denied = {line.split()[0] for line in explained if "allowed" not in line}
    assert "patient" in denied and not denied & {"sample_id", "taken_at", "findings"}


def test_the_energy_utility_does_what_its_readme_says(server):
    folder = EXAMPLES / "energy"
    server.weft("apply", folder)
    assert put(server, "metering", folder / "devices.ndjson", schema="devices")["accepted"] == 2
    counted = put(server, "metering", folder / "readings.csv", schema="readings")
    assert (counted["accepted"], counted["quarantined"]) == (3, 1)
    unnamed = server.weft("put", "metering", folder / "readings.csv", ok=False)
    assert unnamed.returncode == 1 and "readings" in unnamed.stderr and "devices" in unnamed.stderr
    assert server.query(
        "select d.substation, max(r.energy_kwh) m from energy.readings r join energy.devices d using (meter_id) "
        "group by 1"
    ) == [{"substation": "north-3", "m": 88121}]


def test_every_example_applies_beside_the_others(server):
    meshes = sorted(path.parent for path in EXAMPLES.glob("*/mesh.yaml"))
    assert len(meshes) >= 4
    for mesh in meshes:
        server.weft("apply", mesh)
    for mesh in meshes:
        assert server.weft("plan", mesh) == "No changes.\n"


# Real data


def real(server, tmp_path, products, files, database="d"):
    """Applies a mesh of products, each its yaml below its name, with contracts as files beside it."""
    text = 'mesh: real\naccounts: { a: { id: "111111111111" } }\nproducts:\n'
    for name, body in products.items():
        text += f"  {name}:\n    account: a\n    database: {database.format(name)}\n"
        text += "".join(f"    {line}\n" for line in body.splitlines())
    folder = write_mesh(tmp_path / "real", text)
    for name, content in files.items():
        (folder / name).write_text(content)
    server.weft("apply", folder)


def contract(name, properties):
    return json.dumps(
        {
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": name, "name": name, "version": "1.0.0",
            "status": "active",
            "schema": [{"name": name, "logicalType": "object", "properties": properties}],
        }
    )


def one(name, kind, **more):
    return {"name": name, "logicalType": kind, **more}


def test_earthquakes_are_nested(server, tmp_path, shared):
    file = shared / "data" / "earthquakes" / "earthquakes.ndjson"
    features = [json.loads(line) for line in file.read_text().splitlines()]
    numbers = ["mag", "cdi", "mmi", "dmin", "rms", "gap"]
    integers = ["tz", "felt", "tsunami", "sig", "nst"]
    texts = ["place", "url", "detail", "alert", "status", "net", "code"]
    texts += ["ids", "sources", "types", "magType", "type", "title"]
    properties = [one(name, "number") for name in numbers] + [one(name, "integer") for name in integers]
    properties += [one(name, "string") for name in texts]
    properties += [one("time", "timestamp", required=True), one("updated", "timestamp")]
    point = [one("type", "string"), one("coordinates", "array", items=one("c", "number"))]
    whole = [
        one("type", "string"), one("id", "string", required=True),
        one("properties", "object", required=True, properties=properties),
        one("geometry", "object", properties=point),
    ]
    real(server, tmp_path, {"quakes": "contract: quakes.json"}, {"quakes.json": contract("quakes", whole)})
    counted = put(server, "quakes", file)
    assert (counted["accepted"], counted["quarantined"]) == (len(features), 0), counted
    for delivered in False, True:
        if delivered:
            server.weft("flush", "quakes")
        got = server.query(
            "select id, properties.mag mag, properties.felt felt, epoch_ms(properties.time) t, geometry.coordinates c "
            "from d.quakes order by id"
        )
        expected = sorted(features, key=lambda f: f["id"])
        assert [(r["id"], r["mag"], r["felt"], r["t"], r["c"]) for r in got] == [
            (f["id"], *(f["properties"][name] for name in ("mag", "felt", "time")), f["geometry"]["coordinates"])
            for f in expected
        ]


def test_a_web_servers_status_has_odd_keys(server, tmp_path, shared):
    file = shared / "data" / "web_logs" / "nginx_plus.ndjson"
    states = [json.loads(line) for line in file.read_text().splitlines()]
    classes = [one(name, "integer") for name in ["1xx", "2xx", "3xx", "4xx", "5xx", "total"]]
    responses = one("responses", "object", properties=classes)
    zone = [one(name, "integer") for name in ["processing", "requests", "discarded", "received", "sent"]] + [responses]
    names = ["hg.nginx.org", "trac.nginx.org", "lxr.nginx.org"]
    whole = [
        one("version", "integer"), one("nginx_version", "string"),
        one("address", "string", logicalTypeOptions={"format": "ipv4"}),
        one("timestamp", "timestamp", required=True),
        one("server_zones", "object", properties=[one(name, "object", properties=zone) for name in names]),
        one("upstreams", "object"),
    ]
    body = "contract: status.json\ningest: { unknown_fields: ignore }"
    real(server, tmp_path, {"status": body}, {"status.json": contract("status", whole)})
    counted = put(server, "status", file)
    assert (counted["accepted"], counted["quarantined"]) == (len(states), 0), counted
    server.weft("flush", "status")
    got = server.query(
        'select epoch_ms("timestamp") t, server_zones."hg.nginx.org".responses."2xx" a, '
        'server_zones."lxr.nginx.org".sent b, upstreams u from d.status order by _id'
    )

    def told(state):
        zones = state["server_zones"]
        good, sent = zones["hg.nginx.org"]["responses"]["2xx"], zones["lxr.nginx.org"]["sent"]
        return state["timestamp"], good, sent, state["upstreams"]

    assert [(r["t"], r["a"], r["b"], json.loads(r["u"])) for r in got] == [told(state) for state in states]


def test_flights_and_airports(server, tmp_path, shared):
    folder = shared / "data" / "flights"
    flights = [json.loads(line) for line in (folder / "flights.ndjson").read_text().splitlines()]
    moment = one("date", "timestamp", required=True, logicalTypeOptions={"format": "yyyy/MM/dd HH:mm"})
    code = {"logicalTypeOptions": {"pattern": "^[A-Z]{3}$"}}
    whole = [moment, one("delay", "integer"), one("distance", "integer")]
    whole += [one("origin", "string", **code), one("destination", "string", **code)]
    airports = "columns:\n" + "\n".join(
        f"  - {{ name: {name}, type: {kind} }}"
        for name, kind in [("iata", "string"), ("name", "string"), ("city", "string"), ("state", "string"),
                           ("country", "string"), ("latitude", "double"), ("longitude", "double")]
    )
    products = {"flights": "contract: flights.json", "airports": airports}
    real(server, tmp_path, products, {"flights.json": contract("flights", whole)})
    assert put(server, "flights", folder / "flights.ndjson")["accepted"] == len(flights)
    with open(folder / "airports.csv", newline="") as file:
        known = {row["iata"]: row for row in csv.DictReader(file)}
    assert put(server, "airports", folder / "airports.csv")["accepted"] == len(known)
    server.weft("flush", "flights")
    got = server.query(
        "select a.state, count(*) n, sum(f.delay)::bigint d, min(f.date) f from d.flights f "
        "join d.airports a on a.iata = f.origin group by a.state order by a.state"
    )
    expected = {}
    for flight in flights:
        state = expected.setdefault(known[flight["origin"]]["state"], [0, 0, "9"])
        state[0] += 1
        state[1] += flight["delay"]
        state[2] = min(state[2], flight["date"])
    assert {r["state"]: (r["n"], r["d"], r["f"][:16]) for r in got} == {
        state: (n, d, first.replace("/", "-").replace(" ", "T")) for state, (n, d, first) in expected.items()
    }
    point = server.query("select latitude, longitude from d.airports where iata = 'SEA'")[0]
    assert point == {name: float(known["SEA"][name]) for name in ("latitude", "longitude")}


CLASSIC = {
    "customers": {"customerNumber": "int", "salesRepEmployeeNumber": "int", "creditLimit": "decimal(10,2)"},
    "employees": {"employeeNumber": "int", "reportsTo": "int"},
    "offices": {},
    "orderdetails": {
        "orderNumber": "int", "quantityOrdered": "int", "priceEach": "decimal(10,2)", "orderLineNumber": "smallint"
    },
    "orders": {
        "orderNumber": "int", "orderDate": "date", "requiredDate": "date", "shippedDate": "date", "customerNumber": "int"
    },
    "payments": {"customerNumber": "int", "paymentDate": "date", "amount": "decimal(10,2)"},
    "productlines": {},
    "products": {"quantityInStock": "int", "buyPrice": "decimal(10,2)", "MSRP": "decimal(10,2)"},
}


def as_python_reads(text, kind):
    """A value of CSV; an empty field is nothing."""
    if text == "":
        return None
    if kind in ("int", "smallint"):
        return int(text)
    return float(text) if kind.startswith("decimal") else text


def test_classicmodels_come_out_as_they_went_in(server, tmp_path, shared):
    folder = shared / "data" / "classicmodels"
    tables, products = {}, {}
    for name, kinds in CLASSIC.items():
        with open(folder / f"{name}.csv", newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            tables[name] = [{k: as_python_reads(v, kinds.get(k, "string")) for k, v in row.items()} for row in reader]
            columns = {column: kinds.get(column, "string") for column in reader.fieldnames}
        lines = [f'  - {{ name: {column}, type: "{kind}" }}' for column, kind in columns.items()]
        products[name] = "columns:\n" + "\n".join(lines)
    real(server, tmp_path, products, {})
    for name, expected in tables.items():
        counted = put(server, name, folder / f"{name}.csv")
        assert (counted["accepted"], counted["quarantined"]) == (len(expected), 0), (name, counted)
        got = server.query(f"select * from d.{name} order by _id")
        assert [{k: v for k, v in row.items() if k != "image"} for row in got] == [
            {k: v for k, v in row.items() if k != "image"} for row in expected
        ], name
    total = sum(decimal.Decimal(str(row["amount"])) for row in tables["payments"])
    assert server.query("select sum(amount) total from d.payments") == [{"total": float(total)}]


def test_every_odcs_example_becomes_a_product(server, tmp_path, shared):
    examples = sorted((shared / "data" / "odcs" / "examples").glob("*.yaml"))
    assert examples
    products = {f"p{i}": f"contract: c{i}.yaml" for i in range(len(examples))}
    real(server, tmp_path, products, {f"c{i}.yaml": path.read_text() for i, path in enumerate(examples)}, "d_{}")
    for i, path in enumerate(examples):
        assert server.weft("contract", "show", f"p{i}").strip() == path.read_text().strip(), path.name
    assert server.weft("plan", tmp_path / "real") == "No changes.\n"
    tables = server.query("select table_schema s, count(*) n from information_schema.tables group by 1")
    assert sum(row["n"] for row in tables if row["s"].startswith("d_p")) >= len(examples) // 2
