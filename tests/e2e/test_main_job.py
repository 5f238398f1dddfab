# SPDX-License-Identifier: Apache-2.0
"""Declare, publish, deliver, query: the whole way, through the real binary."""

import gzip
import http.client
import json
import os
import subprocess
import urllib.request

from conftest import READERS, WEFT, clean_environment, wait_for, write_mesh
from http_client import call, put, sign, sink


def order(i, **more):
    return {"order_id": i, "country": "CH", "total": 12.5, "ts": "2026-11-01T10:00:00Z", **more}


def test_a_record_goes_all_the_way(shop):
    press = shop.key("press")
    assert sink(shop, press, {"schema": "orders", "data": [order(1), order(2)]})[1]["success"] is True
    # Acknowledged, not delivered: queries see it all the same.
    assert shop.query("select count(*) n from sales.orders") == [{"n": 2}]
    assert shop.objects("*.parquet") == []

    shop.weft("flush", "orders")
    assert len(shop.objects("*.parquet")) == 1
    assert shop.query("select order_id, total from sales.orders order by 1") == [
        {"order_id": 1, "total": 12.5},
        {"order_id": 2, "total": 12.5},
    ]
    # Behind the snapshot and in it, as one relation.
    assert put(shop, press, "orders", [order(3)])[1]["accepted"] == 1
    assert shop.query("select count(*) n, count(distinct _id) ids, min(_arrival) is not null a from sales.orders") == [
        {"n": 3, "ids": 3, "a": True}
    ]


def test_acknowledged_records_survive_a_kill(shop):
    press = shop.key("press")
    for i in range(20):
        assert put(shop, press, "orders", [order(i)])[0] == 200
    shop.kill()
    shop.start()
    assert shop.query("select count(*) n, sum(order_id)::bigint s from sales.orders") == [{"n": 20, "s": 190}]


def test_a_column_that_is_not_granted_does_not_exist(shop):
    press, ada, eve = shop.key("press"), shop.key("ada"), shop.key("readers/eve")
    put(shop, press, "orders", [order(1)])
    assert shop.query("select * from sales.orders", key=ada) == [{"order_id": 1, "country": "CH"}]
    denied = shop.weft("query", "select total from sales.orders", "--json", key=ada, ok=False)
    assert denied.returncode == 1 and denied.stdout == "" and "total" in json.loads(denied.stderr)["error"]
    # eve has no policy, ada no right to publish, press none to query.
    assert shop.weft("query", "select 1", key=eve, ok=False).returncode == 1
    assert put(shop, ada, "orders", [order(2)])[0] == 403
    assert shop.weft("query", "select 1", key=press, ok=False).returncode == 1
    explained = shop.weft("explain-access", "user/ada", "sales.orders")
    lines = {line.split()[0]: line for line in explained.splitlines()}
    assert "allowed" in lines["order_id"] and "denied" in lines["total"]


def test_bad_records_wait_in_quarantine_and_go_on_when_mended(shop, tmp_path):
    press = shop.key("press")
    status, answer = put(shop, press, "orders", [order(1), order("x"), {"order_id": 3, "colour": "red"}])
    assert (status, answer["accepted"], answer["quarantined"]) == (200, 1, 2)
    assert {(e["index"], e["field"]) for e in answer["errors"]} == {(1, "order_id"), (2, "colour")}
    ids = [line.split()[0] for line in shop.weft("quarantine", "ls", "orders").splitlines()]
    assert len(ids) == 2
    assert "order_id" in shop.weft("quarantine", "show", "orders", ids[0])

    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(order(2)))
    assert "accepted 1" in shop.weft("quarantine", "redrive", "orders", ids[0], "--with", mended)
    assert "dropped 1" in shop.weft("quarantine", "drop", "orders", ids[1])
    assert shop.weft("quarantine", "ls", "orders") == ""
    assert shop.query("select order_id from sales.orders order by 1") == [{"order_id": 1}, {"order_id": 2}]


def test_apply_is_idempotent_and_destroy_keeps_data(shop):
    press = shop.key("press")
    put(shop, press, "orders", [order(1), order("bad")])
    assert shop.weft("plan", shop.mesh_folder) == "No changes.\n"
    assert shop.weft("apply", shop.mesh_folder) == "No changes.\n"
    # Without a terminal nothing is removed unasked.
    refused = shop.weft("destroy", shop.mesh_folder, ok=False)
    assert refused.returncode == 1 and refused.stdout == ""
    removed = shop.weft("destroy", shop.mesh_folder, "--yes")
    assert "- product orders" in removed
    assert shop.weft("query", "select * from sales.orders", ok=False).returncode == 1
    shop.weft("apply", shop.mesh_folder)
    assert shop.query("select count(*) n from sales.orders") == [{"n": 1}]
    assert len(shop.weft("quarantine", "ls", "orders").splitlines()) == 1
    shop.weft("destroy", shop.mesh_folder, "--yes", "--delete-data")
    shop.weft("apply", shop.mesh_folder)
    assert shop.query("select count(*) n from sales.orders") == [{"n": 0}]


def test_a_contract_grows_while_records_wait(shop):
    press = shop.key("press")
    put(shop, press, "orders", [order(1)])
    shop.weft("flush", "orders")
    put(shop, press, "orders", [order(2)])
    mesh = shop.mesh_folder / "mesh.yaml"
    before = mesh.read_text()
    grown = before.replace("      - { name: ts,", "      - { name: note, type: string }\n      - { name: ts,")
    mesh.write_text(grown)
    assert "~ product orders" in shop.weft("apply", shop.mesh_folder)
    put(shop, press, "orders", [order(3, note="new")])
    rows = [{"order_id": 1, "note": None}, {"order_id": 2, "note": None}, {"order_id": 3, "note": "new"}]
    assert shop.query("select order_id, note from sales.orders order by 1") == rows
    shop.weft("flush", "orders")
    assert shop.query("select order_id, note from sales.orders order by 1") == rows
    # Any other change is refused, and nothing changes.
    mesh.write_text(grown.replace("{ name: note, type: string }", "{ name: note, type: int }"))
    refused = shop.weft("apply", shop.mesh_folder, ok=False)
    assert refused.returncode == 1 and "note" in refused.stderr
    mesh.write_text(grown)
    assert shop.weft("plan", shop.mesh_folder) == "No changes.\n"


def test_status_tail_table_and_contract_are_there_to_see(shop):
    press = shop.key("press")
    put(shop, press, "orders", [order(1), order("bad")])
    status = json.loads(shop.weft("status", "--json"))["products"][0]
    assert (status["product"], status["rows"], status["lag_records"], status["quarantined"]) == ("orders", 0, 1, 1)
    shop.weft("flush", "orders")
    status = json.loads(shop.weft("status", "--json"))["products"][0]
    assert (status["rows"], status["lag_records"]) == (1, 0) and status["last_commit"]
    tail = shop.weft("tail", "orders", "--from", "start", "--no-follow")
    assert json.loads(tail)["record"]["order_id"] == 1
    table = json.loads(shop.weft("table", "show", "sales.orders", "--json"))
    assert table["rows"] == 1 and table["files"] == 1
    assert table["metadata_location"].endswith(".metadata.json")
    assert (shop.folder / "objects" / table["metadata_location"][len("s3://"):]).is_file()
    assert "order_id" in shop.weft("contract", "show", "orders")


def test_env_feeds_a_shell(shop):
    done = subprocess.run(
        ["sh", "-c", f'eval "$({WEFT} env --data {shop.folder})" && {WEFT} status --json'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and json.loads(done.stdout)["products"][0]["product"] == "orders"
    shop.stop()
    lines = subprocess.run([str(WEFT), "env", "--data", str(shop.folder)], capture_output=True, text=True).stdout
    assert lines.splitlines()[0].startswith("export AWS_ENDPOINT_URL='http://127.0.0.1:")


def test_delivery_comes_by_itself(make_server, tmp_path):
    server = make_server()
    folder = tmp_path / "quick"
    folder.mkdir()
    (folder / "mesh.yaml").write_text(
        """
mesh: quick
accounts: { a: { id: "111111111111" } }
products:
  ticks:
    account: a
    database: d
    columns: [{ name: n, type: int }]
    delivery: { buffer_interval: 0 s }
"""
    )
    server.weft("apply", folder)
    server.weft("put", "ticks", "-", "--format", "ndjson", stdin='{"n": 1}\n{"n": 2}\n')
    wait_for(lambda: json.loads(server.weft("status", "--json"))["products"][0]["rows"] == 2)
    assert server.query("select sum(n)::int s from d.ticks") == [{"s": 3}]


def test_a_revoked_key_and_an_unknown_one_are_refused_alike(shop):
    press = shop.key("press")
    shop.weft("key", "disable", press["access_key_id"])
    assert put(shop, press, "orders", [order(1)])[0] == 403
    stranger = {"access_key_id": "AKIAAAAAAAAAAAAAAAAA", "secret_access_key": "x" * 40}
    assert put(shop, stranger, "orders", [order(1)])[0] == 403
    status, body, headers = call(shop, stranger, "weft", "GET", "/api/v1/products")
    assert status == 403 and set(body) == {"code", "message", "request_id"}
    assert headers["x-request-id"] == body["request_id"]


def test_health_metrics_and_a_request_id_in_the_log(make_server, tmp_path):
    server = make_server(**{"log.level": "info", "log.format": "json"})
    assert server.health() == 200
    with urllib.request.urlopen(server.endpoint + "/metrics") as answer:
        metrics = answer.read().decode()
    assert "# TYPE weft_http_requests_total counter" in metrics
    client = json.loads((server.folder / "client.json").read_text())
    status, body, headers = call(server, client, "weft", "GET", "/api/v1/products/none")
    assert (status, body["code"]) == (404, "not_found")
    lines = [json.loads(line) for line in server.read_log().splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("request_id") == headers["x-request-id"]]
    assert line["status"] == "404" and line["level"] == "info" and body["request_id"] == line["request_id"]


def test_the_doctor_finds_this_machine_fit(shop):
    done = shop.weft("doctor", "--data", shop.folder, "--json", ok=False)
    said = json.loads(done.stdout) if done.returncode == 0 else json.loads(json.loads(done.stderr)["error"])
    checks = {check["check"]: check for check in said["checks"]}
    assert set(checks) == {"fsync time", "free space", "permissions", "port", "clock"}
    assert checks["permissions"]["pass"] and checks["port"]["pass"] and checks["clock"]["pass"]
    os.chmod(shop.folder, 0o755)
    done = shop.weft("doctor", "--data", shop.folder, ok=False)
    os.chmod(shop.folder, 0o700)
    assert done.returncode == 1 and "FAIL  permissions" in done.stdout and "chmod 700" in done.stdout


def test_a_server_beyond_loopback_needs_tls_or_plain_words(tmp_path):
    command = [str(WEFT), "serve", "--data", str(tmp_path / "d"), "--listen", "0.0.0.0:0"]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=20)
    assert done.returncode == 1 and "plain_beyond_loopback" in done.stderr and done.stdout == ""
    assert not (tmp_path / "d").exists()


def test_tls_by_certificate_files(make_server, tmp_path, monkeypatch):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
        check=True,
        capture_output=True,
    )
    server = make_server(**{"server.tls_certificate": certificate, "server.tls_key": key})
    assert server.endpoint.startswith("https://")
    environment = {**server.environment(), "AWS_CA_BUNDLE": str(certificate)}
    done = subprocess.run([str(WEFT), "status"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    untrusting = subprocess.run([str(WEFT), "status"], capture_output=True, text=True, env=server.environment())
    assert untrusting.returncode == 1


def test_an_operator_gets_a_new_key_with_the_server_stopped(shop):
    refused = subprocess.run(
        [str(WEFT), "admin", "reset-key", "--data", str(shop.folder)], capture_output=True, text=True
    )
    assert refused.returncode == 1 and "in use" in refused.stderr
    old = json.loads((shop.folder / "client.json").read_text())
    shop.stop()
    subprocess.run([str(WEFT), "admin", "reset-key", "--data", str(shop.folder)], check=True, capture_output=True)
    shop.start()
    assert json.loads(shop.weft("status", "--json"))["products"]
    assert call(shop, old, "weft", "GET", "/api/v1/products")[0] == 403


TWO = """
mesh: two
accounts: { a: { id: "111111111111" }, r: { id: "222222222222" } }
products:
  p1: { account: a, database: d1, contract: lines.odcs.yaml, delivery: { partition_by: [secret] } }
  p2: { account: a, database: d2, contract: lines.odcs.yaml }
groups: { readers: { account: r, policies: [readers.json] } }
users: { ada: { account: r, groups: [readers] } }
grants: [{ to: user/ada, table: d1.lines, columns: [id] }]
"""
LINES = """
apiVersion: v3.1.0
kind: DataContract
id: lines
version: 1.0.0
status: active
schema:
  - name: lines
    properties: [{ name: id, logicalType: integer }, { name: secret, logicalType: string }]
  - name: heads
    properties: [{ name: id, logicalType: integer }, { name: secret, logicalType: string }]
"""


def test_a_table_of_several_products_is_never_guessed(server, tmp_path):
    folder = write_mesh(tmp_path / "two", TWO)
    (folder / "lines.odcs.yaml").write_text(LINES)
    (folder / "readers.json").write_text(READERS)
    server.weft("apply", folder)
    admin = json.loads((server.folder / "client.json").read_text())
    status, answer = sink(server, admin, {"schema": "lines", "data": [{"id": 1}]})
    assert status == 400 and "PRODUCT.lines" in answer["errors"][0]["reason"]
    for schema, table in [("p2.lines", "d2.lines"), ("d1.heads", "d1.heads")]:
        assert sink(server, admin, {"schema": schema, "data": [{"id": 1}]})[0] == 200
        assert server.query(f"select count(*) n from {table}") == [{"n": 1}]
    assert server.query("select count(*) n from d1.lines") == [{"n": 0}]
    # What is partitioned by a column that is not granted does not say so.
    ada = server.key("ada")
    shown = server.weft("table", "show", "d1.lines", key=ada)
    assert "id" in shown and "secret" not in shown
    assert "secret" in server.weft("table", "show", "d1.lines")


def test_followers_take_no_turns_from_others(shop):
    press = json.loads((shop.folder / "client.json").read_text())
    put(shop, press, "orders", [order(1)])
    path = "/api/v1/products/orders/records?from=start&follow=true"
    connections = []
    for _ in range(17):
        signed_path, headers = sign(shop.endpoint, press, "weft", "GET", path)
        connection = http.client.HTTPConnection(shop.endpoint.split("//")[1], timeout=20)
        connection.request("GET", signed_path, headers=headers)
        connections.append((connection, connection.getresponse().status))
    assert sorted(status for _, status in connections) == [200] * 16 + [503]
    assert "order_id" in shop.weft("tail", "orders", "--from", "start", "--no-follow", timeout=20)
    for connection, _ in connections:
        connection.close()


def test_a_body_past_the_limit_names_the_way_out(make_server):
    server = make_server(**{"server.body_bytes_max": "1 MiB"})
    admin = json.loads((server.folder / "client.json").read_text())
    for body, headers in [(b" " * (1 << 20) + b"{}", {}), (gzip.compress(b" " * (2 << 20)), {"Content-Encoding": "gzip"})]:
        status, answer, _ = call(server, admin, "weft", "POST", "/api/v1/sql", body, headers)
        assert status == 413 and "weft put" in answer["message"]
