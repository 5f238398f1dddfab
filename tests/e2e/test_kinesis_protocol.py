# SPDX-License-Identifier: Apache-2.0
"""What every operation has in common: protocols, signatures, types, constraints, and the words of their errors."""

import json

import cbor2
import pytest
from http_client import send, sign
from kinesis_client import REQUEST_ID, Cbor, Fault, check_headers, decode, fails
from kinesis_fixtures import *
from kinesis_model import MODEL

JSON = "application/x-amz-json-1.1"
CBOR = "application/x-amz-cbor-1.1"


def post(weft, key, operation, body, content_type=JSON, headers=None, change=None):
    """Status, body and headers of a signed request; `change` may tamper with its headers."""
    if not isinstance(body, bytes):
        body = cbor2.dumps(body) if content_type == CBOR else json.dumps(body).encode()
    given = {"X-Amz-Target": f"Kinesis_20131202.{operation}"} if operation else {}
    if content_type:
        given["Content-Type"] = content_type
    path, signed = sign(weft.endpoint, key, "kinesis", "POST", "/", body, {**given, **(headers or {})})
    if change:
        change(signed)
    status, answer, answer_headers = send(weft.endpoint, "POST", path, body, signed)
    headers = {k.lower(): v for k, v in answer_headers.items()}
    check_headers(headers)
    return status, answer, headers


def refused(answer, kind, status=400, content_type=JSON):
    got, body, headers = answer
    assert headers["content-type"] == content_type
    body = decode(body) if content_type == CBOR else json.loads(body)
    assert (got, body["__type"]) == (status, kind), body
    return body


@pytest.mark.parametrize(
    "operation, member, value, text",
    [
        ("DescribeStream", "StreamName", True, "class java.lang.Boolean can not be converted to an String"),
        ("DescribeStream", "StreamName", 7, "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be "
         "converted to an String"),
        ("DescribeStream", "Limit", "7", "class java.lang.String can not be converted to an Integer"),
        ("DescribeStream", "Limit", True, "class java.lang.Boolean can not be converted to an Integer"),
        ("DeleteStream", "EnforceConsumerDeletion", "23", "'23' can not be converted to an Boolean"),
        ("DeleteStream", "EnforceConsumerDeletion", 23, "class com.amazon.coral.value.json.numbers.TruncatingBigNumber "
         "can not be converted to an Boolean"),
        ("PutRecord", "Data", True, "class java.lang.Boolean can not be converted to a Blob"),
        ("PutRecord", "Data", 7, "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to "
         "a Blob"),
        ("PutRecord", "Data", "23456", "'23456' can not be converted to a Blob: Base64 encoded length is expected a "
         "multiple of 4 bytes but found: 5"),
        ("PutRecord", "Data", "=234", "'=234' can not be converted to a Blob: Invalid Base64 character: '='"),
        ("PutRecord", "Data", "+/+=", "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character "
         "dectected"),
        ("GetShardIterator", "Timestamp", "now", "class java.lang.String can not be converted to milliseconds since "
         "epoch"),
        ("GetShardIterator", "Timestamp", False, "class java.lang.Boolean can not be converted to milliseconds since "
         "epoch"),
        ("PutRecords", "Records", "x", "Expected list or null"),
        ("AddTagsToStream", "Tags", "x", "Expected map or null"),
        ("UpdateStreamMode", "StreamModeDetails", "x", "Expected null"),
        ("DescribeStream", "StreamName", ["x"], "Start of list found where not expected"),
        ("AddTagsToStream", "Tags", ["x"], "Start of list found where not expected"),
        ("DescribeStream", "StreamName", {"a": 1}, "Start of structure or map found where not expected."),
        ("PutRecords", "Records", {"a": 1}, "Start of structure or map found where not expected."),
    ],
)
def test_wrong_types_are_told_in_the_words_of_aws(weft, admin, operation, member, value, text):
    body = refused(post(weft, admin, operation, {member: value}), "SerializationException")
    assert body["Message"] == text


@pytest.mark.parametrize(
    "operation, input, problems",
    [
        ("CreateStream", {}, ["Value null at 'streamName' failed to satisfy constraint: Member must not be null"]),
        ("CreateStream", {"StreamName": "", "ShardCount": 0}, [
            "Value '' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: "
            "[a-zA-Z0-9_.-]+",
            "Value '' at 'streamName' failed to satisfy constraint: Member must have length greater than or equal to 1",
            "Value '0' at 'shardCount' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ]),
        ("CreateStream", {"StreamName": "a" * 129}, [
            f"Value '{'a' * 129}' at 'streamName' failed to satisfy constraint: Member must have length less than or "
            "equal to 128",
        ]),
        ("DescribeStream", {"StreamName": "a b", "Limit": 10001}, [
            "Value 'a b' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: "
            "[a-zA-Z0-9_.-]+",
            "Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000",
        ]),
        ("GetShardIterator", {"StreamName": "a", "ShardIteratorType": "NEWEST"}, [
            "Value null at 'shardId' failed to satisfy constraint: Member must not be null",
            "Value 'NEWEST' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: "
            "[AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]",
        ]),
        ("PutRecords", {"StreamName": "a", "Records": [{"Data": ""}, {"PartitionKey": "k"}]}, [
            "Value null at 'records.1.member.partitionKey' failed to satisfy constraint: Member must not be null",
            "Value null at 'records.2.member.data' failed to satisfy constraint: Member must not be null",
        ]),
        ("PutRecord", {"StreamName": "a", "Data": "", "PartitionKey": "k" * 257, "ExplicitHashKey": "01"}, [
            f"Value '{'k' * 257}' at 'partitionKey' failed to satisfy constraint: Member must have length less than or "
            "equal to 256",
            "Value '01' at 'explicitHashKey' failed to satisfy constraint: Member must satisfy regular expression "
            "pattern: 0|([1-9]\\d{0,38})",
        ]),
        ("UpdateStreamMode", {"StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/a", "StreamModeDetails": {}}, [
            "Value null at 'streamModeDetails.streamMode' failed to satisfy constraint: Member must not be null",
        ]),
        ("RemoveTagsFromStream", {"StreamName": "a", "TagKeys": []}, [
            "Value '[]' at 'tagKeys' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ]),
    ],
)
def test_broken_constraints_are_told_all_at_once(weft, admin, operation, input, problems):
    message = refused(post(weft, admin, operation, input), "ValidationException")["message"]
    head, _, rest = message.partition(" detected: ")
    assert head == f"{len(problems)} validation error{'s' if len(problems) > 1 else ''}"
    told = rest.split("; ")
    if "enum value set" in message:  # in an order of their own
        told = [t.split(": [")[0] for t in told]
        problems = [p.split(": [")[0] for p in problems]
    assert sorted(told) == sorted(problems)


def test_the_whole_body_must_be_an_object(weft, admin):
    for body in [b"", b"{", b"[]", b"7", b'{"StreamName": }', b"\xff\xfe", b"{}x", b"null", b'{"a":' * 5000]:
        if body == b"":
            continue
        refused(post(weft, admin, "ListStreams", body), "SerializationException")
    for body in [b"\xbf", b"\xa1", b"\x80", b"\x07", b"\xff", b"\xa0\xa0", b"\xbf\x63abc", b"\x9f" * 5000, b"\xa1\x01\x01"]:
        refused(post(weft, admin, "ListStreams", body, CBOR), "SerializationException", content_type=CBOR)


def test_null_members_are_absent_ones_and_unknown_ones_are_passed_over(weft, admin):
    status, body, _ = post(weft, admin, "ListStreams", {"Limit": None, "ExclusiveStartStreamName": None})
    assert status == 200 and "StreamNames" in json.loads(body)
    status, body, _ = post(weft, admin, "ListStreams", {"Surprise": [1, {"a": None}]})
    assert status == 200


def test_large_numbers_are_cut(weft, admin):
    message = refused(post(weft, admin, "DescribeStream", {"StreamName": "a", "Limit": 2**40}), "ValidationException")
    assert "Value '2147483647' at 'limit'" in message["message"]


def test_unknown_operations(weft, admin):
    for content_type in (JSON, CBOR):
        for operation in ["Nothing", "listStreams", ""]:
            answer = post(weft, admin, operation, {}, content_type)
            body = refused(answer, "UnknownOperationException", content_type=content_type)
            assert set(body) == {"__type"}
    headers = {"X-Amz-Target": "Kinesis_20991231.ListStreams"}
    refused(post(weft, admin, None, {}, headers=headers), "UnknownOperationException")


def test_signatures(weft, admin):
    def without(signed):
        del signed["Authorization"]

    body = refused(post(weft, admin, "ListStreams", {}, change=without), "MissingAuthenticationTokenException")
    assert body["message"] == "Missing Authentication Token"

    def spoilt(signed):
        flipped = "0" if signed["Authorization"][-1] != "0" else "1"
        signed["Authorization"] = signed["Authorization"][:-1] + flipped

    refused(post(weft, admin, "ListStreams", {}, change=spoilt), "InvalidSignatureException")

    def incomplete(signed):
        signed["Authorization"] = "AWS4-HMAC-SHA256 a"

    body = refused(post(weft, admin, "ListStreams", {}, change=incomplete), "IncompleteSignatureException")
    for part in ("Credential", "Signature", "SignedHeaders"):
        assert f"Authorization header requires '{part}' parameter." in body["message"], body
    stranger = {"access_key_id": "AKIAAAAAAAAAAAAAAAAA", "secret_access_key": "x" * 40}
    body = refused(post(weft, stranger, "ListStreams", {}), "UnrecognizedClientException")
    assert body["message"] == "The security token included in the request is invalid."
    # Nobody learns from an operation before it is known who asks.
    refused(post(weft, admin, "ListStreams", b"{", change=without), "MissingAuthenticationTokenException")
    refused(post(weft, stranger, "CreateStream", {}), "UnrecognizedClientException")


def test_a_signature_for_another_service_is_not_taken(weft, admin):
    body = b"{}"
    headers = {"X-Amz-Target": "Kinesis_20131202.ListStreams", "Content-Type": JSON}
    path, signed = sign(weft.endpoint, admin, "firehose", "POST", "/", body, headers)
    status, answer, _ = send(weft.endpoint, "POST", path, body, signed)
    assert status in (400, 403) and json.loads(answer)["__type"] != "UnknownOperationException"


def test_request_ids_differ_and_answers_are_json(weft, admin):
    ids = set()
    for _ in range(5):
        status, body, headers = post(weft, admin, "ListStreams", {})
        assert status == 200 and headers["content-type"] == JSON and int(headers["content-length"]) == len(body)
        assert REQUEST_ID.fullmatch(headers["x-amzn-requestid"])
        ids.add(headers["x-amzn-requestid"])
    assert len(ids) == 5


def test_errors_of_a_web_page_may_be_read_by_it(weft, admin):
    status, body, headers = send(
        weft.endpoint, "OPTIONS", "/", headers={
            "Origin": "https://example.com",
            "Access-Control-Request-Headers": "a,b",
            "Access-Control-Request-Method": "POST",
        },
    )
    assert status == 200 and body == b""
    assert headers["Access-Control-Allow-Origin"] == "*" and headers["Access-Control-Max-Age"] == "172800"
    assert headers["Access-Control-Allow-Headers"] == "a,b" and headers["Access-Control-Allow-Methods"] == "POST"
    _, _, headers = post(weft, admin, "ListStreams", {}, headers={"Origin": "https://example.com"})
    assert headers["access-control-expose-headers"] == (
        "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date"
    )


def test_cbor_of_every_form_is_read(weft, admin, boto):
    """Lengths known and unknown, texts in pieces, halves and doubles of a whole number, keys in any order."""
    name = boto.stream()
    target = name.encode()
    text = lambda t: bytes([0x60 | len(t)]) + t if len(t) < 24 else bytes([0x78, len(t)]) + t
    forms = [
        b"\xa1" + text(b"StreamName") + text(target),
        b"\xbf" + text(b"StreamName") + text(target) + b"\xff",
        b"\xbf" + text(b"StreamName") + b"\x7f" + text(target[:3]) + text(target[3:]) + b"\xff\xff",
        b"\xb9\x00\x01" + b"\x79\x00\x0aStreamName" + b"\x7a\x00\x00\x00" + bytes([len(target)]) + target,
        b"\xa2" + text(b"ExclusiveStartShardId") + b"\xf6" + text(b"StreamName") + text(target),
        b"\xa2" + text(b"Other") + b"\x9f\x01\xf9\x3c\x00\xff" + text(b"StreamName") + text(target),
    ]
    for form in forms:
        status, body, headers = post(weft, admin, "DescribeStreamSummary", form, CBOR)
        assert status == 200, (form, body)
        assert decode(body)["StreamDescriptionSummary"]["StreamName"] == name
    for form in [b"\x9f\x62ab\xff", b"\x18\x07", b"\xf5", b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00"]:
        body = b"\xa1" + text(b"StreamName") + form
        refused(post(weft, admin, "DescribeStreamSummary", body, CBOR), "SerializationException", content_type=CBOR)


def test_errors_in_cbor_are_as_in_json(weft, admin, boto):
    api = Cbor(weft.endpoint, admin)
    for operation, input in [
        ("CreateStream", {}),
        ("DescribeStream", {"StreamName": "absent"}),
        ("PutRecords", {"StreamName": "a", "Records": [{"Data": b"", "PartitionKey": ""}]}),
        ("DescribeStream", {"StreamName": "a b", "Limit": 0}),
        ("GetRecords", {"ShardIterator": "x"}),
    ]:
        told = []
        for client in (api, boto):
            with pytest.raises(Fault) as fault:
                client.call(operation, **input)
            told.append((fault.value.kind, fault.value.message, fault.value.status))
        assert told[0] == told[1]


def test_every_operation_refuses_what_the_model_refuses(weft, admin):
    """Without required members, and with a number where none belongs."""
    for operation in MODEL.operation_names:
        shape = MODEL.operation_model(operation).input_shape
        if shape.required_members:
            message = refused(post(weft, admin, operation, {}), "ValidationException")["message"]
            for member in shape.required_members:
                assert f"at '{member[0].lower()}{member[1:]}' failed to satisfy constraint: Member must not be null" in message
        for member, kind in shape.members.items():
            wrong = "text" if kind.type_name not in ("string", "blob") else 7
            refused(post(weft, admin, operation, {member: wrong}), "SerializationException")
