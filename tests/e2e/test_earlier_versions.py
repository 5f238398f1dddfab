# SPDX-License-Identifier: Apache-2.0
"""Data folders that earlier versions wrote: opened by this one, with all that is in them."""

import json
import pathlib
import tarfile

import pytest
from conftest import PRODUCERS, READERS, SHOP, Server, write_mesh
from kinesis_client import Boto

DATA = pathlib.Path(__file__).resolve().parent / "data"
ARN = "arn:aws:kinesis:us-east-1:111111111111:stream/orders"
COUNT = "select count(*) as n, min(order_id) as first, max(order_id) as last from sales.orders"


@pytest.fixture
def first_version(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with tarfile.open(DATA / "first_version.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    keys = json.loads((folder / "keys.json").read_text())
    (folder / "keys.json").unlink()
    server = Server(folder).start()
    server.keys = keys
    yield server
    server.stop()


def order(number):
    return json.dumps({"order_id": number, "country": "CH", "total": "1.25", "ts": "2026-11-02T10:00:00"})


def test_everything_is_as_it_was(first_version, tmp_path):
    server, keys = first_version, first_version.keys
    assert server.query(COUNT) == [{"n": 30, "first": 0, "last": 29}]
    # Users, their keys, what they may, and what they may not.
    assert server.query("select count(country) as n from sales.orders", key=keys["ada"]) == [{"n": 30}]
    assert server.weft("query", "select total from sales.orders", key=keys["ada"], ok=False).returncode == 1
    assert server.weft("query", COUNT, key=keys["eve"], ok=False).returncode == 1
    # What was declared: nothing is to be changed.
    mesh = write_mesh(tmp_path / "shop", SHOP)
    (mesh / "producers.json").write_text(PRODUCERS)
    (mesh / "readers.json").write_text(READERS)
    assert "No changes." in server.weft("plan", mesh)
    (bad,) = json.loads(server.weft("quarantine", "ls", "orders", "--json"))
    assert bad["errors"] == [{"field": "order_id", "index": 10, "reason": "is not an integer"}]
    assert "not a number" in server.weft("quarantine", "show", "orders", bad["id"])


def test_it_goes_on_from_there(first_version):
    server, keys = first_version, first_version.keys
    (bad,) = json.loads(server.weft("quarantine", "ls", "orders", "--json"))
    server.weft("put", "orders", "-", "--format", "ndjson", key=keys["press"], stdin=order(30) + "\n")
    api = Boto(server.endpoint, json.loads((server.folder / "client.json").read_text()))
    (shard,) = api.ListShards(StreamARN=ARN)["Shards"]
    api.PutRecord(StreamARN=ARN, Data=order(31).encode(), PartitionKey="k")
    where = {"StreamARN": ARN, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    read = api.records(api.GetShardIterator(**where)["ShardIterator"])["Records"]
    assert [json.loads(r["Data"])["order_id"] for r in read][-12:] == list(range(20, 32))
    assert server.query(COUNT) == [{"n": 32, "first": 0, "last": 31}]
    server.weft("flush", "orders")
    server.weft("quarantine", "drop", "orders", bad["id"])
    server.stop()
    server.start()
    assert server.query(COUNT) == [{"n": 32, "first": 0, "last": 31}]
    assert json.loads(server.weft("quarantine", "ls", "orders", "--json")) == []
    server.key("press")
