# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of Kinesis: `from kinesis_fixtures import *`. A server is shared by the tests of a file,
and each test makes streams of its own."""

import json

import pytest
from conftest import Server
from kinesis_client import CLIENTS, Boto

__all__ = ["weft", "admin", "boto", "api"]


@pytest.fixture(scope="module")
def weft(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("kinesis") / "data").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def admin(weft):
    return json.loads((weft.folder / "client.json").read_text())


@pytest.fixture(scope="module")
def boto(weft, admin):
    return Boto(weft.endpoint, admin)


@pytest.fixture(scope="module", params=CLIENTS)
def api(request, weft, admin):
    """Each of the clients in turn."""
    return CLIENTS[request.param](weft.endpoint, admin)
