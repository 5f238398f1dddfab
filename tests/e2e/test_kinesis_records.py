# SPDX-License-Identifier: Apache-2.0
"""Records: put, found by an iterator of every kind, and read as they were put."""

import base64
import datetime
import hashlib
import random
import time

import pytest
from kinesis_client import UTC, fails
from kinesis_fixtures import *

FIRST = "shardId-000000000000"


def put_all(api, name, payloads, key="k"):
    answer = api.PutRecords(StreamName=name, Records=[{"Data": p, "PartitionKey": key} for p in payloads])
    assert answer.get("FailedRecordCount", 0) == 0
    return [r["SequenceNumber"] for r in answer["Records"]]


def data(records):
    return [r["Data"] for r in records]


def owner(shards, hash_key):
    for shard in shards:
        bounds = shard["HashKeyRange"]
        if int(bounds["StartingHashKey"]) <= hash_key <= int(bounds["EndingHashKey"]):
            return shard["ShardId"]
    raise AssertionError("no shard has the key")


def test_bytes_come_back_as_they_were_put(api):
    name = api.stream()
    seed = random.Random(7)
    payloads = [b"", b"\x00", "ünï ☃".encode(), bytes(range(256)), seed.randbytes(300_000), b'{"a": 1}\n']
    keys = ["k", "ü☃", "x" * 256, "\U0001f600" * 64, " ", "\\\""]
    for payload, key in zip(payloads, keys):
        api.PutRecord(StreamName=name, Data=payload, PartitionKey=key)
    records = api.read(name, FIRST, count=len(payloads))
    assert data(records) == payloads
    assert [r["PartitionKey"] for r in records] == keys


def test_keys_choose_shards_by_their_md5(boto):
    name = boto.stream(4)
    shards = boto.shards(name)
    keys = [f"key-{i}" for i in range(100)] + ["é", "日本"]
    answer = boto.PutRecords(StreamName=name, Records=[{"Data": b"x", "PartitionKey": k} for k in keys])
    for key, placed in zip(keys, answer["Records"]):
        hashed = int.from_bytes(hashlib.md5(key.encode()).digest(), "big")
        assert placed["ShardId"] == owner(shards, hashed)
    for explicit in [0, 1, 2**64, 2**127, 2**128 - 1]:
        placed = boto.PutRecord(StreamName=name, Data=b"x", PartitionKey="k", ExplicitHashKey=str(explicit))
        assert placed["ShardId"] == owner(shards, explicit)
    with fails("InvalidArgumentException"):
        boto.PutRecord(StreamName=name, Data=b"x", PartitionKey="k", ExplicitHashKey=str(2**128))


def test_sequence_numbers_sort_as_the_records_came(api):
    name = api.stream()
    numbers = [api.PutRecord(StreamName=name, Data=b"x", PartitionKey=str(i))["SequenceNumber"] for i in range(20)]
    numbers += put_all(api, name, [b"y"] * 30)
    assert numbers == sorted(numbers, key=int) and len(set(numbers)) == 50
    assert [r["SequenceNumber"] for r in api.read(name, FIRST, count=50)] == numbers
    # As clients use it: each record names the one before it.
    last = api.PutRecord(StreamName=name, Data=b"z", PartitionKey="1", SequenceNumberForOrdering=numbers[-1])
    assert int(last["SequenceNumber"]) > int(numbers[-1])


def test_iterators_of_every_kind(api):
    name = api.stream()
    numbers = put_all(api, name, [b"0", b"1", b"2"])
    time.sleep(1.2)
    between = datetime.datetime.now(UTC)
    time.sleep(1.2)
    latest = api.iterator(name, FIRST, "LATEST")
    numbers += put_all(api, name, [b"3", b"4"])
    assert data(api.read(name, FIRST)) == [b"0", b"1", b"2", b"3", b"4"]
    assert data(api.records(latest)["Records"]) == [b"3", b"4"]
    at = {"StartingSequenceNumber": numbers[2]}
    assert data(api.read(name, FIRST, "AT_SEQUENCE_NUMBER", **at)) == [b"2", b"3", b"4"]
    assert data(api.read(name, FIRST, "AFTER_SEQUENCE_NUMBER", **at)) == [b"3", b"4"]
    assert data(api.read(name, FIRST, "AT_TIMESTAMP", Timestamp=between)) == [b"3", b"4"]
    early = datetime.datetime(2020, 1, 1, tzinfo=UTC)
    time.sleep(0.5)
    assert data(api.read(name, FIRST, "AT_TIMESTAMP", Timestamp=early)) == [b"0", b"1", b"2", b"3", b"4"]
    # What a shard says of its beginning is a place to read from.
    begin = api.shards(name)[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    time.sleep(0.5)
    assert data(api.read(name, FIRST, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=begin))[0] == b"0"


def test_iterators_that_make_no_sense(boto):
    name, other = boto.stream(2), boto.stream()
    number = put_all(boto, other, [b"x"])[0]
    absent = f"Could not find shard shardId-000000000007 in stream {name} under account 000000000000."
    with fails("ResourceNotFoundException", absent):
        boto.iterator(name, "shardId-000000000007")
    with fails("ResourceNotFoundException"):
        boto.iterator(name, "nonsense")
    for kind in ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"]:
        with fails("InvalidArgumentException"):
            boto.iterator(name, FIRST, kind)
        for wrong in [number, "7", "9" * 56, "1" * 129]:
            with fails("InvalidArgumentException"):
                boto.iterator(name, FIRST, kind, StartingSequenceNumber=wrong)
        with fails("ValidationException", "regular expression pattern"):
            boto.iterator(name, FIRST, kind, StartingSequenceNumber="x7")
    with fails("InvalidArgumentException"):
        boto.iterator(name, FIRST, "AT_TIMESTAMP")
    with fails("InvalidArgumentException"):
        boto.iterator(name, FIRST, "AT_TIMESTAMP", Timestamp=datetime.datetime.now(UTC) + datetime.timedelta(hours=1))
    with fails("ValidationException", "Member must satisfy enum value set"):
        boto.iterator(name, FIRST, "NEWEST")
    with fails("InvalidArgumentException"):
        boto.iterator(name, FIRST, "TRIM_HORIZON", StartingSequenceNumber=number)


def test_tampered_iterators_are_refused(boto):
    name = boto.stream()
    good = boto.iterator(name, FIRST)
    middle = len(good) // 2
    flipped = good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1 :]
    for wrong in [flipped, good[:-4], good + "AAAA", "x", "AAAA", base64.b64encode(b"\0" * 152).decode()]:
        with fails("InvalidArgumentException", "Invalid ShardIterator."):
            boto.GetRecords(ShardIterator=wrong)
    with fails("ValidationException", "Member must have length less than or equal to 512"):
        boto.records("A" * 513)
    # An iterator belongs to the making of the stream, not to its name.
    boto.DeleteStream(StreamName=name)
    with fails("ResourceNotFoundException"):
        boto.GetRecords(ShardIterator=good)
    boto.CreateStream(StreamName=name, ShardCount=1)
    boto.wait_active(name)
    with pytest.raises(Exception) as refused:
        boto.GetRecords(ShardIterator=good)
    assert refused.value.kind in ("InvalidArgumentException", "ResourceNotFoundException")


def test_reading_goes_on_where_it_stopped(boto):
    name = boto.stream()
    for begin in range(0, 1000, 250):
        put_all(boto, name, [b"%d" % i for i in range(begin, begin + 250)])
        time.sleep(0.3)
    iterator, found, calls = boto.iterator(name, FIRST), [], 0
    while len(found) < 1000:
        answer = boto.records(iterator, Limit=300)
        assert len(answer["Records"]) <= 300
        found += data(answer["Records"])
        iterator, calls = answer["NextShardIterator"], calls + 1
        assert (answer["MillisBehindLatest"] == 0) == (len(found) == 1000)
        time.sleep(0.21)
    assert found == [b"%d" % i for i in range(1000)] and calls == 4
    # An iterator can be used again, and an empty answer leads on.
    assert boto.records(iterator)["Records"] == []
    time.sleep(0.3)
    put_all(boto, name, [b"late"])
    assert data(boto.records(iterator)["Records"]) == [b"late"]


def test_an_answer_holds_at_most_ten_megabytes(boto):
    name = boto.stream(MaxRecordSizeInKiB=10240)
    big = random.Random(3).randbytes(1_000_000)
    for i in range(12):
        boto_put(boto, name, big + bytes([i]))
    iterator, sizes, found = boto.iterator(name, FIRST), [], []
    for _ in range(40):
        answer = boto.records(iterator)
        found += [r["Data"][-1] for r in answer["Records"]]
        sizes.append(sum(len(r["Data"]) for r in answer["Records"]))
        iterator = answer["NextShardIterator"]
        if len(found) == 12:
            break
    assert found == list(range(12)) and max(sizes) <= 10 * 1024 * 1024


def boto_put(boto, name, payload):
    return retry(lambda: boto.PutRecord(StreamName=name, Data=payload, PartitionKey="k"))


def retry(what):
    """As an SDK does when a shard is busy."""
    from kinesis_client import Fault

    for _ in range(60):
        try:
            return what()
        except Fault as fault:
            assert fault.kind == "ProvisionedThroughputExceededException", fault
            time.sleep(0.25)
    raise AssertionError("throttled for ever")


def test_a_call_takes_500_records_of_10_megabytes(boto):
    name = boto.stream(None, StreamModeDetails={"StreamMode": "ON_DEMAND"}, MaxRecordSizeInKiB=10240)
    one = {"Data": b"x", "PartitionKey": "k"}
    assert len(boto.PutRecords(StreamName=name, Records=[one] * 500)["Records"]) == 500
    with fails("ValidationException", "Member must have length less than or equal to 500"):
        boto.PutRecords(StreamName=name, Records=[one] * 501)
    with fails("ValidationException", "Member must have length greater than or equal to 1"):
        boto.PutRecords(StreamName=name, Records=[])
    half = {"Data": b"x" * (5 * 1024 * 1024 - 1), "PartitionKey": "k"}
    assert boto.PutRecords(StreamName=name, Records=[half, half]).get("FailedRecordCount", 0) == 0
    with fails("InvalidArgumentException"):
        boto.PutRecords(StreamName=name, Records=[half, half, one])


def test_records_of_a_call_are_judged_one_by_one(boto):
    name = boto.stream()
    with fails("ValidationException", "Value null at 'records.2.member.data' failed to satisfy constraint: Member must "
               "not be null"):
        boto.PutRecords(StreamName=name, Records=[{"Data": b"x", "PartitionKey": "k"}, {"PartitionKey": "k"}])
    with fails("ValidationException", "2 validation errors detected: "):
        boto.PutRecords(StreamName=name, Records=[{"Data": b"", "PartitionKey": ""}, {"Data": b"", "PartitionKey": "x" * 257}])
    with fails("InvalidArgumentException"):
        boto.PutRecords(StreamName=name, Records=[{"Data": b"", "PartitionKey": "k", "ExplicitHashKey": str(2**128)}])
    assert boto.read(name, FIRST) == []


def test_many_write_at_once(weft, admin, boto):
    import threading

    from kinesis_client import CLIENTS

    name = boto.stream(4)
    put = {}

    def write(number):
        api = list(CLIENTS.values())[number % 3](weft.endpoint, admin)
        for i in range(40):
            payload = f"{number}-{i}".encode()
            put[payload] = api.PutRecord(StreamName=name, Data=payload, PartitionKey=f"writer-{number}")

    threads = [threading.Thread(target=write, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(put) == 12 * 40
    found = {}
    for shard in boto.shards(name):
        for record in boto.read(name, shard["ShardId"]):
            assert record["Data"] not in found
            found[record["Data"]] = {"ShardId": shard["ShardId"], "SequenceNumber": record["SequenceNumber"]}
    assert found == {p: {k: a[k] for k in ("ShardId", "SequenceNumber")} for p, a in put.items()}
    for number in range(12):
        mine = [int(put[f"{number}-{i}".encode()]["SequenceNumber"]) for i in range(40)]
        assert mine == sorted(mine)
