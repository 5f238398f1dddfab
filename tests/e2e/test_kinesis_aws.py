# SPDX-License-Identifier: Apache-2.0
"""The `aws` command against the real binary."""

import base64
import json
import pathlib
import subprocess
import sys

import pytest
from kinesis_fixtures import *

AWS = pathlib.Path(sys.executable).parent / "aws"


@pytest.fixture(scope="module")
def aws(weft, tmp_path_factory):
    environment = {**weft.environment(), "HOME": str(tmp_path_factory.mktemp("home")), "AWS_PAGER": ""}

    def run(*arguments, ok=True):
        done = subprocess.run(
            [sys.executable, str(AWS), "kinesis", *arguments, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if not ok:
            assert done.returncode != 0, done.stdout
            return done.stderr
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def test_a_stream_from_the_command_line(aws, tmp_path):
    assert aws("create-stream", "--stream-name", "clicks", "--shard-count", "2", "--tags", "team=web") is None
    aws("wait", "stream-exists", "--stream-name", "clicks")
    summary = aws("describe-stream-summary", "--stream-name", "clicks")["StreamDescriptionSummary"]
    arn = summary["StreamARN"]
    assert summary["OpenShardCount"] == 2 and arn.endswith(":stream/clicks")
    assert aws("list-streams")["StreamNames"] == ["clicks"]
    put = aws("put-record", "--stream-name", "clicks", "--partition-key", "u1", "--explicit-hash-key", "0",
              "--data", "hello")
    assert put["ShardId"] == "shardId-000000000000"
    records = [{"Data": f"n{i}", "PartitionKey": f"k{i}"} for i in range(5)]
    (tmp_path / "records.json").write_text(json.dumps(records))
    assert aws("put-records", "--stream-name", "clicks", "--records", f"file://{tmp_path / 'records.json'}")[
        "FailedRecordCount"] == 0
    iterator = aws("get-shard-iterator", "--stream-name", "clicks", "--shard-id", "shardId-000000000000",
                   "--shard-iterator-type", "TRIM_HORIZON")["ShardIterator"]
    first = aws("get-records", "--shard-iterator", iterator)["Records"][0]
    assert base64.b64decode(first["Data"]) == b"hello" and first["PartitionKey"] == "u1"
    iterator = aws("get-shard-iterator", "--stream-arn", arn, "--shard-id", "shardId-000000000000",
                   "--shard-iterator-type", "AT_TIMESTAMP", "--timestamp", "2024-01-01T00:00:00Z")["ShardIterator"]
    assert aws("get-records", "--shard-iterator", iterator, "--limit", "1")["Records"] == [first]


def test_shards_and_settings_from_the_command_line(aws):
    aws("create-stream", "--stream-name", "settings", "--shard-count", "1")
    aws("wait", "stream-exists", "--stream-name", "settings")
    aws("split-shard", "--stream-name", "settings", "--shard-to-split", "shardId-000000000000",
        "--new-starting-hash-key", "170141183460469231731687303715884105728")
    aws("wait", "stream-exists", "--stream-name", "settings")
    aws("merge-shards", "--stream-name", "settings", "--shard-to-merge", "shardId-000000000001",
        "--adjacent-shard-to-merge", "shardId-000000000002")
    aws("wait", "stream-exists", "--stream-name", "settings")
    listed = aws("list-shards", "--stream-name", "settings")["Shards"]
    assert [s["ShardId"][-1] for s in listed] == list("0123")
    # The command line asks page by page.
    described = aws("describe-stream", "--stream-name", "settings", "--page-size", "1")["StreamDescription"]
    assert len(described["Shards"]) == 4
    aws("update-shard-count", "--stream-name", "settings", "--target-shard-count", "2", "--scaling-type", "UNIFORM_SCALING")
    aws("wait", "stream-exists", "--stream-name", "settings")
    aws("increase-stream-retention-period", "--stream-name", "settings", "--retention-period-hours", "48")
    aws("add-tags-to-stream", "--stream-name", "settings", "--tags", "a=b,c=d")
    tags = aws("list-tags-for-stream", "--stream-name", "settings")["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]
    aws("enable-enhanced-monitoring", "--stream-name", "settings", "--shard-level-metrics", "IncomingBytes")
    summary = aws("describe-stream-summary", "--stream-name", "settings")["StreamDescriptionSummary"]
    assert summary["RetentionPeriodHours"] == 48 and summary["OpenShardCount"] == 2
    assert aws("describe-limits")["OpenShardCount"] >= 2


def test_consumers_from_the_command_line(aws):
    aws("create-stream", "--stream-name", "fans", "--stream-mode-details", "StreamMode=ON_DEMAND")
    aws("wait", "stream-exists", "--stream-name", "fans")
    arn = aws("describe-stream-summary", "--stream-name", "fans")["StreamDescriptionSummary"]["StreamARN"]
    consumer = aws("register-stream-consumer", "--stream-arn", arn, "--consumer-name", "fan")["Consumer"]["ConsumerARN"]
    described = aws("describe-stream-consumer", "--consumer-arn", consumer)["ConsumerDescription"]
    assert described["ConsumerName"] == "fan"
    assert len(aws("list-stream-consumers", "--stream-arn", arn)["Consumers"]) == 1
    aws("deregister-stream-consumer", "--consumer-arn", consumer)
    aws("delete-stream", "--stream-name", "fans")
    aws("wait", "stream-not-exists", "--stream-name", "fans")


def test_errors_as_the_command_line_tells_them(aws):
    told = aws("describe-stream", "--stream-name", "absent", ok=False)
    assert "(ResourceNotFoundException)" in told and "Stream absent under account 000000000000 not found." in told
    told = aws("put-record", "--stream-name", "a b", "--partition-key", "k", "--data", "aGk=", ok=False)
    assert "(ValidationException)" in told and "[a-zA-Z0-9_.-]+" in told
