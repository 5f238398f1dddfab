# SPDX-License-Identifier: Apache-2.0
"""Bad input and the error each gets: requests, statements, command lines, mesh files."""

import gzip
import json

import pytest
from conftest import READERS, PRODUCERS, SHOP, write_mesh
from http_client import call, put, send, sink
from test_main_job import order

JSON = "application/json"

# body, content type, extra headers, status, text in the message
RECORDS = [
    (b"{", JSON, {}, 400, "JSON"),
    (b"[{]", JSON, {}, 400, "JSON"),
    (b'[{"order_id": 1}', JSON, {}, 400, ""),
    (b'{"order_id": 1} garbage', JSON, {}, 400, ""),
    (b'\xff\xfe{"order_id": 1}', JSON, {}, 400, ""),
    (b'"order_id\n1\n', "text/csv", {}, 400, "quote"),
    (b'order_id,country\n1,"CH\n', "text/csv", {}, 400, "quote"),
    (b"a,a\n1,2\n", "text/csv", {}, 400, "a"),
    (b"{}", "application/xml", {}, 400, "application/xml"),
    (b"{}", JSON, {"Content-Encoding": "br"}, 400, "br"),
    (b"not gzip", JSON, {"Content-Encoding": "gzip"}, 400, ""),
    (gzip.compress(b"{}")[:-4], JSON, {"Content-Encoding": "gzip"}, 400, ""),
    (gzip.compress(b" " * (65 << 20)), JSON, {"Content-Encoding": "gzip"}, 413, "weft put"),
]


@pytest.mark.parametrize("body, content_type, headers, status, text", RECORDS)
def test_a_body_that_cannot_be_read(shop, body, content_type, headers, status, text):
    client = json.loads((shop.folder / "client.json").read_text())
    got, answer, _ = call(
        shop, client, "weft", "POST", "/api/v1/products/orders/records", body, {"Content-Type": content_type, **headers}
    )
    assert got == status and set(answer) >= {"code", "message", "request_id"}, answer
    assert text in answer["message"]
    assert shop.query("select count(*) n from sales.orders") == [{"n": 0}]


# a record, and the field that is named
BAD_RECORDS = [
    ({"order_id": "1"}, "order_id"),
    ({"order_id": 1.5}, "order_id"),
    ({"order_id": True}, "order_id"),
    ({"order_id": 2**63}, "order_id"),
    ({"country": 5}, "country"),
    ({"total": "12.345"}, "total"),
    ({"total": "1e3x"}, "total"),
    ({"total": 10**11}, "total"),
    ({"ts": "yesterday"}, "ts"),
    ({"ts": "2026-02-30T00:00:00Z"}, "ts"),
    ({"ts": "2020/1/1"}, "ts"),
    ({"ts": ""}, "ts"),
    ({"ts": "1.5"}, "ts"),
    ({"colour": "red"}, "colour"),
    ({"_id": "x"}, "_id"),
    ([], ""),
    (5, ""),
    (None, ""),
]


@pytest.mark.parametrize("record, field", BAD_RECORDS)
def test_a_record_that_breaks_the_contract(shop, record, field):
    client = json.loads((shop.folder / "client.json").read_text())
    status, answer = put(shop, client, "orders", [record, order(1)])
    assert (status, answer["accepted"], answer["quarantined"]) == (200, 1, 1)
    assert answer["errors"][0]["index"] == 0 and answer["errors"][0]["field"] == field
    assert answer["errors"][0]["reason"]


@pytest.mark.parametrize(
    "raw",
    [b'{"order_id": 1, "order_id": 2}', b'{"country": "\xff"}', b'{"country": "\\ud800"}', b'{"total": 1e999}',
     b'{"order_id": 01}', b"{" * 5000],
)
def test_a_line_that_is_no_sound_record(shop, raw):
    client = json.loads((shop.folder / "client.json").read_text())
    body = raw + b"\n" + json.dumps(order(1)).encode()
    status, answer = put(shop, client, "orders", body, "application/x-ndjson")
    assert (status, answer["accepted"], answer["quarantined"]) == (200, 1, 1), answer


@pytest.mark.parametrize(
    "body, content_type",
    [(b'[{"country": "\xff"}, {"order_id": 1}]', JSON), (b"order_id,country\n1,\xff\n2,CH\n", "text/csv")],
)
def test_a_record_that_is_not_text_spoils_no_other(shop, body, content_type):
    client = json.loads((shop.folder / "client.json").read_text())
    status, answer = put(shop, client, "orders", body, content_type)
    assert (status, answer["accepted"], answer["quarantined"]) == (200, 1, 1), answer
    (line,) = shop.weft("quarantine", "ls", "orders").splitlines()
    assert "UTF-8" in line


SINK = [
    (b"", "body format"),
    (b"[]", "body format"),
    (b"{", "body format"),
    (b'{"data": []}', "body format"),
    (b'{"schema": "orders"}', "body format"),
    (b'{"schema": 5, "data": []}', "body format"),
    (b'{"schema": "orders", "data": {}}', "body format"),
    (b'{"schema": "nothing", "data": []}', "The specified schema does not exist for this endpoint"),
]


@pytest.mark.parametrize("body, message", SINK)
def test_sink_data_says_what_system_a_said(shop, body, message):
    client = json.loads((shop.folder / "client.json").read_text())
    status, answer = sink(shop, client, body)
    assert status == 400 and answer["success"] is False and message in answer["message"] and answer["errors"]


def test_sink_data_in_mode_atomic_refuses_all(make_server, tmp_path):
    server = make_server()
    folder = write_mesh(tmp_path / "m", SHOP.replace("mode: partial", "mode: atomic"))
    (folder / "producers.json").write_text(PRODUCERS)
    (folder / "readers.json").write_text(READERS)
    server.weft("apply", folder)
    press = server.key("press")
    status, answer = sink(server, press, {"schema": "orders", "data": [order(1), order("x")]})
    assert status == 400 and answer["message"] == "The data does not match the schema provided"
    assert answer["errors"][0]["index"] == 1 and answer["errors"][0]["field"] == "order_id"
    assert server.query("select count(*) n from sales.orders") == [{"n": 0}]
    assert server.weft("quarantine", "ls", "orders") == ""


SQL = [
    "select",
    "select * from sales.nothing",
    "select nothing from sales.orders",
    "select 1; select 2",
    "create table t (i int)",
    "insert into sales.orders values (1)",
    "delete from sales.orders",
    "drop table sales.orders",
    "copy sales.orders to '/tmp/weft-leak.csv'",
    "attach '/tmp/x.db'",
    "pragma version",
    "set threads = 1",
    "use sales",
    "load httpfs",
    "install httpfs",
    "call pragma_version()",
    "select * from '/etc/passwd'",
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select * from glob('/*')",
    "select getenv('HOME')",
    "select current_setting('threads')",
    "select * from duckdb_settings()",
    "select * from duckdb_secrets()",
    "select * from query('select 1')",
    "with x as (select * from read_blob('/etc/passwd')) select * from x",
    "select (select content from read_text('/etc/passwd'))",
    pytest.param("select repeat('x', 3000000000)", marks=pytest.mark.memory),
    "select " + "(" * 20000 + "1",
    "select " + "-" * 20000 + "x",
    "select " + "[" * 3000 + "]" * 3000 + ")",
]


@pytest.mark.parametrize("sql", SQL, ids=lambda sql: sql[:40])
def test_a_statement_that_is_refused(shop, sql):
    client = json.loads((shop.folder / "client.json").read_text())
    status, answer, _ = call(shop, client, "weft", "POST", "/api/v1/sql", {"sql": sql}, {"Content-Type": JSON})
    assert status in (400, 404, 501), answer
    assert set(answer) == {"code", "message", "request_id"} and "root:" not in answer["message"]
    assert shop.query("select 1 as one") == [{"one": 1}]


def test_a_statement_that_takes_too_long_ends_alone(make_server, tmp_path):
    server = make_server(**{"query.time_max": "1 s"})
    endless = "with recursive t(i) as (select 1 union all select i + 1 from t) select count(*) from t"
    failed = server.weft("query", endless, ok=False)
    assert failed.returncode == 1 and failed.stdout == ""
    assert server.query("select 42 as n") == [{"n": 42}]


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["put"], ["put", "orders"], ["query", "--rows-max", "x", "select 1"], ["plan"],
     ["put", "orders", "f", "--format", "avro"], ["quarantine", "drop", "orders"], ["table", "show", "orders"],
     ["query", "--json", "--csv", "select 1"], ["serve", "--query-workers", "many"], ["query", "--bogus"]],
)
def test_wrong_usage_ends_with_2(shop, arguments):
    done = shop.weft(*arguments, ok=False)
    assert done.returncode == 2 and done.stdout == "" and "error" in done.stderr


REFUSED = [
    (["plan", "/nonexistent"], "mesh.yaml"),
    (["status", "--json"], None),
    (["put", "nothing", "-", "--format", "json"], "nothing"),
    (["put", "orders", "/nonexistent.json"], "nonexistent"),
    (["quarantine", "show", "orders", "0000-0000000000000000042"], ""),
    (["quarantine", "redrive", "nothing"], "nothing"),
    (["key", "create", "nobody"], "nobody"),
    (["key", "delete", "AKIANOBODY"], ""),
    (["explain-access", "user/nobody", "sales.orders"], "nobody"),
    (["explain-access", "user/ada", "sales.nothing"], "sales.nothing"),
    (["contract", "show", "nothing"], "nothing"),
    (["table", "show", "sales.nothing"], "nothing"),
    (["query", "select * from sales.orders", "--rows-max", "1", "--json"], ""),
]


@pytest.mark.parametrize("arguments, text", [r for r in REFUSED if r[1] is not None])
def test_a_refused_command_prints_nothing_on_stdout(shop, arguments, text):
    client = json.loads((shop.folder / "client.json").read_text())
    put(shop, client, "orders", [order(1), order(2)])
    done = shop.weft(*arguments, ok=False, stdin='{"order_id": 1}')
    assert done.returncode == 1 and done.stdout == "" and text in done.stderr
    assert "error" in done.stderr


def test_unknown_paths_and_methods(shop):
    client = json.loads((shop.folder / "client.json").read_text())
    assert call(shop, client, "weft", "GET", "/api/v1/nothing")[0] == 404
    assert call(shop, client, "weft", "DELETE", "/api/v1/products")[0] == 405
    assert send(shop.endpoint, "GET", "/api/v1/nothing")[0] == 403
    assert send(shop.endpoint, "GET", "/")[0] == 403
    # What AWS has and Weft has not is named.
    headers = {"X-Amz-Target": "AWSGlue.GetTables", "Content-Type": "application/x-amz-json-1.1"}
    status, answer, _ = call(shop, client, "glue", "POST", "/", b"{}", headers)
    assert status == 400 and answer["__type"] == "UnknownOperationException"
    assert "AWSGlue.GetTables" in answer["message"]
