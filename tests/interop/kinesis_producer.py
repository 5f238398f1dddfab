# SPDX-License-Identifier: Apache-2.0
"""The Kinesis Producer Library, over TLS as it insists, puts into a stream of its own and into a product's."""

import hashlib
import json
import subprocess

import fetch
from conftest import Server, clean_environment, write_mesh
from kinesis_client import Boto

MESH = """
mesh: shop
accounts:
  sales: { id: "111111111111" }
products:
  orders:
    account: sales
    database: sales
    columns:
      - { name: order_id, type: bigint }
      - { name: country, type: string }
    ingest: { mode: partial }
    delivery: { buffer_interval: 900 s }
users:
  press: { account: sales, policies: [press.json] }
"""
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["kinesis:*", "weft:Query"], "Resource": "*"}],
}
COUNT = 5000


def certificate(folder):
    done = subprocess.run(
        [fetch.tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=weft",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "tls.key", "-out", folder / "tls.pem"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {"server.tls_certificate": folder / "tls.pem", "server.tls_key": folder / "tls.key"}


class TlsServer(Server):
    """One whose clients trust its own certificate."""

    def environment(self, key=None):
        trust = {"AWS_CA_BUNDLE": str(self.settings["server.tls_certificate"])}
        return {**super().environment(key), **trust}


def put(command, server, key, stream, folder):
    (folder / stream).mkdir()
    environment = {
        **clean_environment(),
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    port = server.endpoint.rpartition(":")[2]
    with open(folder / "kpl.log", "ab") as log:
        done = subprocess.run(
            [*command, stream, port, str(COUNT), folder / stream], env=environment, stdout=subprocess.PIPE, stderr=log,
            text=True, timeout=180,
        )
    said = done.stdout.split("\n")[:-1]
    trouble = [line for line in said if not line.startswith("put ")]
    assert done.returncode == 0 and not trouble and len(said) == COUNT, (
        trouble[:3], (folder / "kpl.log").read_text(errors="replace")[-2000:]
    )
    return {tuple(line.split()[1:]) for line in said}


def user_records(data):
    """The data of what is in an aggregate, or of the record itself."""
    if not data.startswith(b"\xf3\x89\x9a\xc2"):
        return [data]
    message = data[4:-16]
    assert hashlib.md5(message).digest() == data[-16:]
    return [value for number, value in fields(message) if number == 3 for n, value in fields(value) if n == 3]


def fields(message):
    at = 0

    def varint():
        nonlocal at
        number = shift = 0
        while True:
            octet = message[at]
            at += 1
            number |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                return number

    while at < len(message):
        tag = varint()
        value = varint()
        if tag & 7 == 2:
            at += value
            value = message[at - value : at]
        yield tag >> 3, value


def arrived(api, name, places):
    """Every record that was told taken is there; how many aggregates brought how many user records."""
    found, aggregates = [], 0
    for shard in api.shards(name):
        for record in api.read(name, shard["ShardId"]):
            assert (shard["ShardId"], record["SequenceNumber"]) in places
            aggregates += 1
            found += [json.loads(data)["order_id"] for data in user_records(record["Data"])]
    assert sorted(found) == list(range(COUNT)), f"{len(found)} of {COUNT}"
    return aggregates


def run(folder):
    command = fetch.java("kpl")
    server = TlsServer(folder / "data", **certificate(folder)).start()
    try:
        key = json.loads((server.folder / "client.json").read_text())
        trust = str(folder / "tls.pem")
        api = Boto(server.endpoint, key, verify=trust)
        name = api.stream(2)
        packed = arrived(api, name, put(command, server, key, name, folder))
        mesh = write_mesh(folder / "mesh", MESH)
        (mesh / "press.json").write_text(json.dumps(POLICY))
        server.weft("apply", mesh)
        press = server.key("press")
        places = put(command, server, press, "orders", folder)
        arrived(Boto(server.endpoint, press, verify=trust), "orders", places)
        (row,) = server.query("select count(*) n, count(distinct order_id) d, max(order_id) m from sales.orders")
        assert row == {"n": COUNT, "d": COUNT, "m": COUNT - 1}, row
        return f"{2 * COUNT} records, {COUNT} of them in {packed} aggregates; {row['n']} rows in SQL"
    finally:
        server.stop()
