# SPDX-License-Identifier: Apache-2.0
"""Clients of Kinesis: boto3, and one of our own that speaks CBOR, over HTTP/1.1 or HTTP/2.

All are called alike, `api.PutRecord(StreamName=...)`, answer alike, and fail with Fault. Each answer is checked
against botocore's model on the way."""

import contextlib
import datetime
import functools
import http.client
import io
import itertools
import json
import re
import time
import urllib.parse

import boto3
import botocore.eventstream
import cbor2
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from http_client import sign
from kinesis_http2 import Http2
from kinesis_model import MODEL, Moment, check, check_answer, check_error

UTC = datetime.timezone.utc
EVENT = MODEL.shape_for("SubscribeToShardEvent")
REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_names = itertools.count(1)


class Fault(Exception):
    def __init__(self, kind, message, status, answer=None):
        super().__init__(f"{status} {kind}: {message}")
        self.kind, self.message, self.status, self.answer = kind, message, status, answer


@contextlib.contextmanager
def fails(kind, text=None):
    """What is called within fails with the error `kind`, whose text is or contains `text`."""
    try:
        yield
    except Fault as fault:
        assert fault.kind == kind, fault
        assert text is None or text in (fault.message or ""), fault
    else:
        raise AssertionError(f"no {kind}")


def check_headers(headers):
    assert REQUEST_ID.fullmatch(headers["x-amzn-requestid"]), headers
    assert 64 <= len(headers["x-amz-id-2"]) <= 108, headers


class Api:
    """Any operation as a method; what all clients have in common."""

    def __getattr__(self, operation):
        if operation not in MODEL.operation_names:
            raise AttributeError(operation)
        return functools.partial(self.call, operation)

    def stream(self, shards=1, **settings):
        """The name of a new stream that can be written to."""
        name = f"stream-{next(_names)}"
        if shards is not None:
            settings = {"ShardCount": shards, **settings}
        self.CreateStream(StreamName=name, **settings)
        self.wait_active(name)
        return name

    def wait_active(self, name):
        from conftest import wait_for

        def active():
            summary = self.DescribeStreamSummary(StreamName=name)["StreamDescriptionSummary"]
            return summary if summary["StreamStatus"] == "ACTIVE" else None

        return wait_for(active)

    def arn(self, name):
        return self.DescribeStreamSummary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]

    def shards(self, name, **filters):
        return self.ListShards(StreamName=name, **filters)["Shards"]

    def open_shards(self, name):
        return [s for s in self.shards(name) if "EndingSequenceNumber" not in s["SequenceNumberRange"]]

    def iterator(self, name, shard, kind="TRIM_HORIZON", **position):
        return self.GetShardIterator(StreamName=name, ShardId=shard, ShardIteratorType=kind, **position)["ShardIterator"]

    def records(self, iterator, **limits):
        """GetRecords, sent again where the shard is busy, as SDKs do."""
        while True:
            try:
                return self.GetRecords(ShardIterator=iterator, **limits)
            except Fault as fault:
                if fault.kind != "ProvisionedThroughputExceededException":
                    raise
                time.sleep(0.25)

    def read(self, name, shard, kind="TRIM_HORIZON", count=None, seconds=20, **position):
        """Records of a shard: `count` of them, or all up to its end, or up to now where it is open."""
        iterator, found = self.iterator(name, shard, kind, **position), []
        until = time.monotonic() + seconds
        while True:
            answer = self.records(iterator)
            found += answer["Records"]
            iterator = answer.get("NextShardIterator")
            if iterator is None or (count is None and answer["MillisBehindLatest"] == 0):
                return found
            if count is not None and len(found) >= count:
                return found
            assert time.monotonic() < until, f"{len(found)} records only"


class Boto(Api):
    wire = "json"

    def __init__(self, endpoint, key, region="us-east-1", **config):
        session = boto3.session.Session()
        self.client = session.client(
            "kinesis",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            verify=config.pop("verify", None),
            config=Config(
                parameter_validation=False,
                retries={"total_max_attempts": 1},
                read_timeout=60,
                max_pool_connections=50,
                **config,
            ),
        )
        self.client.meta.events.register("before-parse.kinesis", self._check)

    @staticmethod
    def _check(operation_model, response_dict, **_):
        headers, status = response_dict["headers"], response_dict["status_code"]
        check_headers(headers)
        if operation_model.has_event_stream_output and status == 200:
            assert headers["content-type"] == "application/vnd.amazon.eventstream"
            return
        body = response_dict["body"]
        answer = json.loads(body) if body else None
        if status == 200:
            check_answer(operation_model.name, answer, "json")
        else:
            assert headers["content-type"] == "application/x-amz-json-1.1", headers
            check_error(operation_model.name, answer["__type"])

    def call(self, operation, **input):
        try:
            answer = getattr(self.client, _snake(operation))(**input)
        except ClientError as error:
            found = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise Fault(found["Code"], found["Message"], status, error.response) from None
        answer.pop("ResponseMetadata", None)
        return answer

    @contextlib.contextmanager
    def subscribe(self, consumer, shard, kind="TRIM_HORIZON", **position):
        """Within: an iterator of SubscribeToShardEvents."""
        answer = self.SubscribeToShard(
            ConsumerARN=consumer, ShardId=shard, StartingPosition={"Type": kind, **position}
        )["EventStream"]

        def events():
            try:
                for event in answer:
                    yield event["SubscribeToShardEvent"]
            except EventStreamError as error:
                raise Fault(error.response["Error"]["Code"], error.response["Error"]["Message"], 200) from None

        with contextlib.closing(answer):
            yield events()


class Http1:
    """One request after the other, on connections of HTTP/1.1."""

    def __init__(self, endpoint):
        self.url = urllib.parse.urlsplit(endpoint)
        self.kept = None

    def send(self, method, path, headers, body):
        if self.kept is None:
            self.kept = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)
        try:
            self.kept.request(method, path, body=body, headers=headers)
            answer = self.kept.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except (http.client.HTTPException, OSError):
            self.close()
            raise

    @contextlib.contextmanager
    def stream(self, method, path, headers, body):
        """Within: status, headers, and an iterator of pieces of the body."""
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            pieces = iter(functools.partial(answer.read1, 65536), b"")
            yield answer.status, {k.lower(): v for k, v in answer.headers.items()}, pieces

    def close(self):
        if self.kept is not None:
            self.kept.close()
        self.kept = None


def encode(value):
    """CBOR as the SDKs write it: timestamps are milliseconds."""

    def moments(item):
        if isinstance(item, datetime.datetime):
            return cbor2.CBORTag(1, round(item.timestamp() * 1000))
        if isinstance(item, dict):
            return {key: moments(member) for key, member in item.items()}
        if isinstance(item, list):
            return [moments(member) for member in item]
        return item

    return cbor2.dumps(moments(value))


def decode(octets):
    source = io.BytesIO(octets)
    value = cbor2.load(source, semantic_decoders={1: _moment})
    assert source.read() == b"", "more than one value"
    return value


def _moment(value, *_):
    assert type(value) is int, value
    return Moment(value)


def _as_boto(value):
    if isinstance(value, Moment):
        return datetime.datetime.fromtimestamp(value / 1000, UTC)
    if isinstance(value, dict):
        return {key: _as_boto(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_as_boto(member) for member in value]
    return value


def _snake(operation):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


class Cbor(Api):
    wire = "cbor"

    def __init__(self, endpoint, key, connection=Http1):
        self.endpoint, self.key = endpoint, key
        self.connection = connection(endpoint)

    def request(self, operation, input):
        body = encode(input)
        headers = {
            "Content-Type": "application/x-amz-cbor-1.1",
            "X-Amz-Target": f"Kinesis_20131202.{operation}",
        }
        path, signed = sign(self.endpoint, self.key, "kinesis", "POST", "/", body, headers)
        return "POST", path, signed, body

    def call(self, operation, **input):
        status, headers, body = self.connection.send(*self.request(operation, input))
        return self.judge(operation, status, headers, body)

    def judge(self, operation, status, headers, body):
        check_headers(headers)
        answer = decode(body) if body else None
        if status != 200:
            assert headers["content-type"] == "application/x-amz-cbor-1.1", headers
            check_error(operation, answer["__type"])
            raise Fault(answer["__type"], answer.get("message", answer.get("Message")), status, answer)
        if answer is not None:
            assert headers["content-type"] == "application/x-amz-cbor-1.1", headers
        check_answer(operation, answer, "cbor")
        return _as_boto(answer or {})

    @contextlib.contextmanager
    def subscribe(self, consumer, shard, kind="TRIM_HORIZON", **position):
        input = {"ConsumerARN": consumer, "ShardId": shard, "StartingPosition": {"Type": kind, **position}}
        with self.connection.stream(*self.request("SubscribeToShard", input)) as (status, headers, pieces):
            if status != 200:
                self.judge("SubscribeToShard", status, headers, b"".join(pieces))
            check_headers(headers)
            assert headers["content-type"] == "application/vnd.amazon.eventstream", headers
            yield self._events(pieces)

    @staticmethod
    def _events(pieces):
        buffer = botocore.eventstream.EventStreamBuffer()
        first = True
        for piece in pieces:
            buffer.add_data(piece)
            for message in buffer:
                headers = message.headers
                if headers[":message-type"] == "exception":
                    raise Fault(headers[":exception-type"], decode(message.payload).get("message"), 200)
                assert headers[":message-type"] == "event", headers
                if first:
                    assert headers[":event-type"] == "initial-response", headers
                    first = False
                    continue
                assert headers[":event-type"] == "SubscribeToShardEvent", headers
                assert headers[":content-type"] == "application/x-amz-cbor-1.1", headers
                event = decode(message.payload)
                check(EVENT, event, "SubscribeToShardEvent", "cbor")
                yield _as_boto(event)


CLIENTS = {
    "boto3": Boto,
    "cbor": Cbor,
    "cbor-http2": functools.partial(Cbor, connection=Http2),
}
