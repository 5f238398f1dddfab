# SPDX-License-Identifier: Apache-2.0
"""What a shard takes and gives in a second."""

import time

from kinesis_client import Fault
from kinesis_fixtures import *

FIRST = "shardId-000000000000"
BUSY = "ProvisionedThroughputExceededException"


def settle():
    time.sleep(1.5)


def batch(count, size=1, hash_key="0"):
    return [{"Data": b"x" * size, "PartitionKey": "k", "ExplicitHashKey": hash_key} for _ in range(count)]


def test_a_shard_takes_a_thousand_records_a_second(boto):
    name = boto.stream(2)
    settle()
    begin, taken, refused = time.monotonic(), 0, 0
    for _ in range(8):
        answer = boto.PutRecords(StreamName=name, Records=batch(500))
        failed = [r for r in answer["Records"] if "ErrorCode" in r]
        assert answer.get("FailedRecordCount", 0) == len(failed)
        for record in answer["Records"]:
            assert ("SequenceNumber" in record) != ("ErrorCode" in record)
        for record in failed:
            assert record["ErrorCode"] == BUSY
            assert f"Rate exceeded for shard {FIRST} in stream {name} under account 000000000000." == record["ErrorMessage"]
        taken, refused = taken + 500 - len(failed), refused + len(failed)
    seconds = time.monotonic() - begin
    assert refused > 0 and taken <= 1000 * (seconds + 1.05), (taken, seconds)
    assert taken >= 1000
    # The other shard has its own measure.
    other = boto.PutRecords(StreamName=name, Records=batch(500, hash_key=str(2**127)))
    assert other.get("FailedRecordCount", 0) == 0
    settle()
    assert boto.PutRecords(StreamName=name, Records=batch(500)).get("FailedRecordCount", 0) == 0


def test_a_shard_takes_a_mebibyte_a_second(boto):
    name = boto.stream()
    settle()
    begin, taken, refused = time.monotonic(), 0, 0
    for _ in range(12):
        try:
            boto.PutRecord(StreamName=name, Data=b"x" * 400_000, PartitionKey="k")
            taken += 400_000
        except Fault as fault:
            assert fault.kind == BUSY, fault
            assert fault.message == f"Rate exceeded for shard {FIRST} in stream {name} under account 000000000000."
            refused += 1
    seconds = time.monotonic() - begin
    assert refused > 0 and taken <= (1 << 20) * (seconds + 1.05), (taken, seconds)


def test_records_of_one_call_are_refused_one_by_one(boto):
    name = boto.stream(2)
    settle()
    full = batch(4, 500_000)
    free = batch(2, 10, hash_key=str(2**127))
    answer = boto.PutRecords(StreamName=name, Records=full + free)
    failed = ["ErrorCode" in r for r in answer["Records"]]
    assert 1 <= sum(failed[:4]) <= 3 and not any(failed[4:])
    assert answer["FailedRecordCount"] == sum(failed)
    kept = [r["SequenceNumber"] for r, bad in zip(answer["Records"][:4], failed) if not bad]
    assert [r["SequenceNumber"] for r in boto.read(name, FIRST)] == kept


def test_a_shard_answers_five_reads_a_second(boto):
    name = boto.stream()
    settle()
    iterator = boto.iterator(name, FIRST)
    begin, answered, refused = time.monotonic(), 0, 0
    while time.monotonic() - begin < 2:
        try:
            boto.GetRecords(ShardIterator=iterator)
            answered += 1
        except Fault as fault:
            assert fault.kind == BUSY and f"Rate exceeded for shard {FIRST} in stream {name}" in fault.message, fault
            refused += 1
    assert refused > 0 and 5 <= answered <= 16, (answered, refused)


def test_a_shard_gives_two_mebibytes_a_second(boto):
    name = boto.stream(MaxRecordSizeInKiB=10240)
    put = 0
    while put < 8:
        try:
            boto.PutRecord(StreamName=name, Data=b"x" * 1_000_000, PartitionKey="k")
            put += 1
        except Fault:
            time.sleep(0.3)
    settle()
    iterator = boto.iterator(name, FIRST)
    begin, given, moments = time.monotonic(), 0, []
    while given < 8_000_000:
        try:
            answer = boto.GetRecords(ShardIterator=iterator, Limit=3)
            given += sum(len(r["Data"]) for r in answer["Records"])
            iterator = answer["NextShardIterator"]
            moments.append(time.monotonic() - begin)
        except Fault as fault:
            assert fault.kind == BUSY, fault
        time.sleep(0.25)
    # Six before the last answer, of which two at once.
    assert moments[-1] > 1.7, moments


def test_on_demand_streams_take_more(boto):
    name = boto.stream(None, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    for _ in range(8):
        answer = boto.PutRecords(StreamName=name, Records=[{"Data": b"x" * 1000, "PartitionKey": "k"}] * 500)
        assert answer.get("FailedRecordCount", 0) == 0
