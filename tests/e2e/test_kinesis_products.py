# SPDX-License-Identifier: Apache-2.0
"""A product's stream is a Kinesis stream: what is put there is checked by the product's contract."""

import json

import pytest
from conftest import wait_for, write_mesh
from kinesis_aggregate import aggregate
from kinesis_client import Boto, Cbor, fails

MESH = """
mesh: shop
accounts:
  sales: {{ id: "111111111111" }}
products:
  orders:
    account: sales
    database: sales
    columns:
      - {{ name: order_id, type: bigint }}
      - {{ name: country, type: string }}
    ingest: {{ mode: {mode} }}
    delivery: {{ buffer_interval: {interval} }}
"""
ARN = "arn:aws:kinesis:us-east-1:111111111111:stream/orders"


class Shop:
    def __init__(self, server, mode, tmp_path, interval="900 s"):
        folder = write_mesh(tmp_path / "shop", MESH.format(mode=mode, interval=interval))
        server.weft("apply", folder)
        self.server = server
        self.admin = json.loads((server.folder / "client.json").read_text())
        self.api = Boto(server.endpoint, self.admin)

    def put(self, *payloads):
        records = [{"Data": p, "PartitionKey": f"k{i}"} for i, p in enumerate(payloads)]
        answer = self.api.PutRecords(StreamARN=ARN, Records=records)
        assert answer.get("FailedRecordCount", 0) == 0
        return answer["Records"]

    def rows(self):
        return self.server.query("select order_id, country from sales.orders order by order_id")

    def read(self):
        found = []
        for shard in self.api.ListShards(StreamARN=ARN)["Shards"]:
            iterator = self.api.GetShardIterator(
                StreamARN=ARN, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            found += self.api.records(iterator)["Records"]
        return found

    def quarantined(self):
        return json.loads(self.server.weft("quarantine", "ls", "orders", "--json"))


@pytest.fixture
def partial(server, tmp_path):
    return Shop(server, "partial", tmp_path)


@pytest.fixture
def atomic(server, tmp_path):
    return Shop(server, "atomic", tmp_path)


def order(number, **more):
    return json.dumps({"order_id": number, "country": "CH", **more}).encode()


def row(number):
    return {"order_id": number, "country": "CH"}


def test_the_products_stream_is_one_of_its_accounts(partial):
    summary = partial.api.DescribeStreamSummary(StreamARN=ARN)["StreamDescriptionSummary"]
    assert summary["StreamName"] == "orders" and summary["StreamARN"] == ARN
    assert summary["StreamStatus"] == "ACTIVE"
    assert "orders" not in partial.api.ListStreams()["StreamNames"], "it is another account's"


def test_good_records_become_rows_and_are_read_as_they_were_put(partial):
    payloads = [order(1), b'  {"country": "CH", "order_id": 2}\n']
    placed = partial.put(*payloads)
    one = partial.api.PutRecord(StreamARN=ARN, Data=order(3), PartitionKey="k2")
    assert partial.rows() == [row(1), row(2), row(3)]
    read = {r["SequenceNumber"]: (r["Data"], r["PartitionKey"]) for r in partial.read()}
    numbers = [p["SequenceNumber"] for p in placed] + [one["SequenceNumber"]]
    assert read == {n: (p, f"k{i}") for i, (n, p) in enumerate(zip(numbers, payloads + [order(3)]))}
    assert partial.quarantined() == []


BAD = [b"", b"{", b"7", b'{"order_id": "seven"}', b'{"order_id": 1, "surprise": 2}', b"\xff\x00", b"[]"]


def test_partial_takes_the_good_and_quarantines_the_bad(partial):
    placed = partial.put(order(1), *BAD, order(2))
    assert len({p["SequenceNumber"] for p in placed}) == len(BAD) + 2
    assert partial.rows() == [row(1), row(2)]
    assert len(partial.quarantined()) == len(BAD)
    assert sorted(r["Data"] for r in partial.read()) == [order(1), order(2)]
    # One alone is answered as taken, too.
    partial.api.PutRecord(StreamARN=ARN, Data=b"nonsense", PartitionKey="k")
    assert len(partial.quarantined()) == len(BAD) + 1 and len(partial.read()) == 2


def test_a_bad_record_has_its_place_among_the_good_also_as_the_first(partial):
    numbers = []
    for data in (b"bad", b"worse", order(1), b"bad again", order(2)):
        placed = partial.api.PutRecord(StreamARN=ARN, Data=data, PartitionKey="k")
        numbers.append(int(placed["SequenceNumber"]))
    assert numbers == sorted(set(numbers))
    shard = placed["ShardId"]
    begin = next(s for s in partial.api.ListShards(StreamARN=ARN)["Shards"] if s["ShardId"] == shard)
    assert int(begin["SequenceNumberRange"]["StartingSequenceNumber"]) < numbers[0]
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        for number, left in zip(numbers, ([1, 2], [1, 2], [1, 2] if kind.startswith("AT") else [2], [2])):
            position = {"ShardIteratorType": kind, "StartingSequenceNumber": str(number)}
            iterator = partial.api.GetShardIterator(StreamARN=ARN, ShardId=shard, **position)["ShardIterator"]
            assert [r["Data"] for r in partial.api.records(iterator)["Records"]] == [order(n) for n in left]


@pytest.mark.parametrize("bad", BAD, ids=lambda b: repr(b)[:20])
def test_atomic_refuses_the_call_and_names_the_record(atomic, bad):
    with fails("InvalidArgumentException", "ecord 1"):
        atomic.put(order(1), bad, order(2))
    with fails("InvalidArgumentException"):
        atomic.api.PutRecord(StreamARN=ARN, Data=bad, PartitionKey="k")
    assert atomic.rows() == [] and atomic.read() == [] and atomic.quarantined() == []


def test_atomic_says_which_field_and_why(atomic):
    with fails("InvalidArgumentException", "order_id"):
        atomic.put(order(1), b'{"order_id": "seven"}')
    with fails("InvalidArgumentException", "surprise"):
        atomic.put(order(1, surprise=7))
    atomic.put(order(1), order(2))
    assert atomic.rows() == [row(1), row(2)]


def test_aggregates_are_taken_apart_for_rows_and_left_whole_for_readers(partial):
    packed = aggregate([(f"k{i % 3}", None if i % 2 else i * 2**100, order(i)) for i in range(100)])
    (placed,) = partial.put(packed)
    assert partial.rows() == [row(i) for i in range(100)]
    (read,) = partial.read()
    assert read["Data"] == packed and read["SequenceNumber"] == placed["SequenceNumber"]


def test_bad_records_of_an_aggregate_go_to_quarantine_alone(partial):
    packed = aggregate([("k", None, order(1)), ("k", None, b"{"), ("k", None, order(3))])
    partial.put(packed, order(4))
    assert partial.rows() == [row(1), row(3), row(4)]
    assert len(partial.quarantined()) == 1
    assert sorted(r["Data"] for r in partial.read()) == sorted([packed, order(4)])


def test_what_only_looks_like_an_aggregate_is_a_record_as_it_stands(partial):
    packed = aggregate([("k", None, order(1))])
    partial.put(packed[:-1] + bytes([packed[-1] ^ 1]), packed[:10], order(5))
    assert partial.rows() == [row(5)] and len(partial.quarantined()) == 2


def test_atomic_refuses_an_aggregate_with_a_bad_record(atomic):
    packed = aggregate([("k", None, order(1)), ("k", None, b'{"order_id": "x"}')])
    with fails("InvalidArgumentException", "order_id"):
        atomic.put(order(0), packed)
    assert atomic.rows() == []
    atomic.put(aggregate([("k", None, order(i)) for i in range(3)]))
    assert atomic.rows() == [row(i) for i in range(3)]


def test_all_doors_write_to_one_stream(partial):
    partial.put(order(1))
    path = partial.server.folder.parent / "orders.json"
    path.write_text('{"order_id": 2, "country": "CH"}\n')
    partial.server.weft("put", "orders", path)
    Cbor(partial.server.endpoint, partial.admin).PutRecord(StreamARN=ARN, Data=order(3), PartitionKey="k")
    assert partial.rows() == [row(1), row(2), row(3)]
    assert sorted(json.loads(r["Data"])["order_id"] for r in partial.read()) == [1, 2, 3]


def test_rows_are_there_once_after_a_crash_and_after_delivery(server, tmp_path):
    shop = Shop(server, "partial", tmp_path, interval="1 s")
    shop.put(*(order(i) for i in range(50)), b"{", aggregate([("k", None, order(i)) for i in range(50, 60)]))
    server.kill()
    server.start()
    shop.api = Boto(server.endpoint, shop.admin)
    shop.put(*(order(i) for i in range(60, 70)))
    expected = [row(i) for i in range(70)]
    assert shop.rows() == expected
    wait_for(lambda: server.objects("**/*.parquet"))
    assert shop.rows() == expected and len(shop.quarantined()) == 1


def test_a_products_stream_is_not_deleted_by_a_stream_call(partial):
    partial.put(order(1))
    with fails("InvalidArgumentException", "its existence is declared in mesh.yaml"):
        partial.api.DeleteStream(StreamARN=ARN)
    with fails("InvalidArgumentException", "mesh.yaml"):
        partial.api.IncreaseStreamRetentionPeriod(StreamARN=ARN, RetentionPeriodHours=200)
    assert partial.rows() == [row(1)]


def test_a_products_stream_is_resharded_like_any(partial):
    shards = partial.api.ListShards(StreamARN=ARN)["Shards"]
    partial.put(*(order(i) for i in range(10)))
    partial.api.UpdateStreamMode(StreamARN=ARN, StreamModeDetails={"StreamMode": "PROVISIONED"})
    partial.api.SplitShard(
        StreamARN=ARN,
        ShardToSplit=shards[0]["ShardId"],
        NewStartingHashKey=str(int(shards[0]["HashKeyRange"]["StartingHashKey"]) + 2**100),
    )
    partial.put(*(order(i) for i in range(10, 20)))
    assert partial.rows() == [row(i) for i in range(20)]
    assert sorted(json.loads(r["Data"])["order_id"] for r in partial.read()) == list(range(20))
