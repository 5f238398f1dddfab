# SPDX-License-Identifier: Apache-2.0
"""Checks that an answer has the shape that botocore's model of Kinesis gives it."""

import base64
import re

import botocore.session

MODEL = botocore.session.get_session().get_service_model("kinesis")

# What any operation may fail with, beside the errors that the model lists for it.
COMMON_ERRORS = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InternalFailure",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}

# Where Kinesis itself answers with less than its model asks for: no failed record, no metric.
BELOW_MINIMUM = {"PositiveIntegerObject", "MetricsNameList"}

# What Kinesis leaves out at the end of a shard, and its clients know the end by.
ABSENT_AT_THE_END = {("SubscribeToShardEvent", "ContinuationSequenceNumber")}

INTEGERS = {"integer": 2**31, "long": 2**63}


class Moment(int):
    """A timestamp on the CBOR wire: milliseconds, as an integer with tag 1."""


class Mismatch(AssertionError):
    pass


def check_answer(operation, answer, wire):
    """`answer` as parsed from JSON or CBOR, before a client makes anything of it; `wire` says which."""
    shape = MODEL.operation_model(operation).output_shape
    if shape is None:
        if answer not in (None, {}):
            raise Mismatch(f"{operation} answers nothing, but here {answer!r}")
        return
    check(shape, answer, operation, wire)


def check_error(operation, kind):
    known = {shape.name for shape in MODEL.operation_model(operation).error_shapes}
    if kind not in known | COMMON_ERRORS:
        raise Mismatch(f"{operation} does not fail with {kind}")


def check(shape, value, at, wire):
    getattr(_Check, shape.type_name)(shape, value, at, wire)


def _ensure(condition, at, what, value):
    if not condition:
        raise Mismatch(f"{at}: {what}: {value!r}"[:500])


def _bounded(shape, size, at, value):
    low = 0 if shape.name in BELOW_MINIMUM else shape.metadata.get("min", 0)
    _ensure(low <= size, at, f"less than {low}", value)
    _ensure(size <= shape.metadata.get("max", size), at, "more than the maximum", value)


class _Check:
    @staticmethod
    def structure(shape, value, at, wire):
        _ensure(isinstance(value, dict), at, "not an object", value)
        for name in value:
            _ensure(name in shape.members, at, "unknown member", name)
        for name in shape.required_members:
            optional = (shape.name, name) in ABSENT_AT_THE_END and value.get("ChildShards")
            _ensure(name in value or optional, at, f"without {name}", value)
        for name, member in value.items():
            check(shape.members[name], member, f"{at}.{name}", wire)

    @staticmethod
    def list(shape, value, at, wire):
        _ensure(isinstance(value, list), at, "not a list", value)
        _bounded(shape, len(value), at, value)
        for index, item in enumerate(value):
            check(shape.member, item, f"{at}[{index}]", wire)

    @staticmethod
    def map(shape, value, at, wire):
        _ensure(isinstance(value, dict), at, "not a map", value)
        _bounded(shape, len(value), at, value)
        for key, item in value.items():
            check(shape.key, key, at, wire)
            check(shape.value, item, f"{at}.{key}", wire)

    @staticmethod
    def string(shape, value, at, wire):
        _ensure(isinstance(value, str), at, "not text", value)
        _bounded(shape, len(value), at, value)
        if "pattern" in shape.metadata:
            _ensure(re.fullmatch(shape.metadata["pattern"], value), at, "not of the pattern", value)
        if getattr(shape, "enum", None):
            _ensure(value in shape.enum, at, "not in the enumeration", value)

    @staticmethod
    def integer(shape, value, at, wire):
        _ensure(type(value) is int and abs(value) < INTEGERS[shape.type_name], at, "not a number of that size", value)
        _bounded(shape, value, at, value)

    long = integer

    @staticmethod
    def boolean(shape, value, at, wire):
        _ensure(isinstance(value, bool), at, "not a boolean", value)

    @staticmethod
    def timestamp(shape, value, at, wire):
        if wire == "cbor":
            _ensure(isinstance(value, Moment), at, "not milliseconds with tag 1", value)
            seconds = value / 1000
        else:
            _ensure(type(value) in (int, float), at, "not a number of seconds", value)
            seconds = value
        _ensure(10**9 < seconds < 10**10, at, "not a moment of our time", value)

    @staticmethod
    def blob(shape, value, at, wire):
        if wire == "json":
            _ensure(isinstance(value, str), at, "not base64", value)
            value = base64.b64decode(value, validate=True)
        _ensure(isinstance(value, bytes), at, "not bytes", value)
        _bounded(shape, len(value), at, value)
