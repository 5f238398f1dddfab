# SPDX-License-Identifier: Apache-2.0
"""Records as the Kinesis Producer Library packs them into one."""

import hashlib

MAGIC = b"\xf3\x89\x9a\xc2"


def _varint(number):
    octets = bytearray()
    while True:
        octets.append((number & 0x7F) | (0x80 if number > 0x7F else 0))
        number >>= 7
        if number == 0:
            return bytes(octets)


def _field(number, value):
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def aggregate(records):
    """`records`: (partition key, explicit hash key or None, data)."""
    keys = list(dict.fromkeys(key for key, _, _ in records))
    hashes = list(dict.fromkeys(explicit for _, explicit, _ in records if explicit is not None))
    message = b"".join(_field(1, key.encode()) for key in keys)
    message += b"".join(_field(2, str(explicit).encode()) for explicit in hashes)
    for key, explicit, data in records:
        record = _field(1, keys.index(key))
        if explicit is not None:
            record += _field(2, hashes.index(explicit))
        message += _field(3, record + _field(3, data))
    return MAGIC + message + hashlib.md5(message).digest()
