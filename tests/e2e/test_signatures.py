# SPDX-License-Identifier: Apache-2.0
"""Requests signed by botocore and by curl are accepted; tampered ones are not."""

import datetime
import json
import subprocess

import pytest
from http_client import send, sign
from test_main_job import order

BODY = json.dumps({"schema": "orders", "data": [order(1)]}).encode()


def test_botocore_in_the_header_and_in_the_query(shop):
    press = shop.key("press")
    path, signed = sign(
        shop.endpoint, press, "execute-api", "POST", "/sink_data/", BODY, {"Content-Type": "application/json"}
    )
    status, answer, _ = send(shop.endpoint, "POST", path, BODY, signed)
    assert status == 200, answer
    # botocore presigns requests without a body.
    admin = json.loads((shop.folder / "client.json").read_text())
    path, signed = sign(shop.endpoint, admin, "weft", "GET", "/api/v1/products", presigned=True)
    status, answer, _ = send(shop.endpoint, "GET", path, headers=signed)
    assert status == 200 and json.loads(answer)["products"][0]["product"] == "orders", answer
    assert send(shop.endpoint, "GET", path.replace("Expires=300", "Expires=301"))[0] == 403


def test_any_region_is_taken_but_the_service_is_the_doors(shop):
    press = shop.key("press")
    path, signed = sign(shop.endpoint, press, "weft", "POST", "/sink_data/", BODY)
    status, answer, _ = send(shop.endpoint, "POST", path, BODY, signed)
    assert status == 403, answer


def test_curl_signs_what_the_server_checks(shop):
    press = shop.key("press")
    for path, service, body in [
        ("/sink_data/", "execute-api", BODY.decode()),
        ("/api/v1/products/orders/records", "weft", json.dumps(order(2))),
    ]:
        done = subprocess.run(
            ["curl", "-sS", "-w", "\n%{http_code}", "--aws-sigv4", f"aws:amz:eu-west-1:{service}",
             "--user", f"{press['access_key_id']}:{press['secret_access_key']}",
             "-H", "Content-Type: application/json", "--data-binary", body, shop.endpoint + path],
            capture_output=True,
            text=True,
        )
        assert done.stdout.endswith("\n200"), done.stdout + done.stderr


@pytest.mark.parametrize("what", ["body", "path", "header", "signature", "key", "unsigned"])
def test_a_tampered_request_is_refused(shop, what):
    press = shop.key("press")
    path, signed = sign(
        shop.endpoint, press, "execute-api", "POST", "/sink_data/", BODY, {"X-Amz-Meta-Note": "a"}
    )
    body = BODY
    authorization = signed["Authorization"]
    if what == "body":
        body = BODY.replace(b'"CH"', b'"DE"')
    elif what == "path":
        path = "/sink_data/?x=1"
    elif what == "header":
        signed["X-Amz-Meta-Note"] = "b"
    elif what == "signature":
        flipped = "0" if authorization[-1] != "0" else "1"
        signed["Authorization"] = authorization[:-1] + flipped
    elif what == "key":
        signed["Authorization"] = authorization.replace(press["access_key_id"], "AKIAAAAAAAAAAAAAAAAA")
    else:
        del signed["Authorization"]
    status, answer, _ = send(shop.endpoint, "POST", path, body, signed)
    answer = json.loads(answer)
    assert status == 403 and answer["code"] == "unauthenticated"
    if what == "unsigned":
        assert answer["message"] == "Missing Authentication Token"
    assert shop.query("select count(*) n from sales.orders") == [{"n": 0}]


@pytest.mark.parametrize("minutes, status", [(-14, 200), (14, 200), (-16, 403), (16, 403)])
def test_a_clock_may_differ_by_a_quarter_of_an_hour(shop, monkeypatch, minutes, status):
    import botocore.auth

    press = shop.key("press")
    shifted = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: shifted.replace(tzinfo=None))
    path, signed = sign(shop.endpoint, press, "execute-api", "POST", "/sink_data/", BODY)
    assert shifted.strftime("%Y%m%dT%H%M") in signed["X-Amz-Date"]
    assert send(shop.endpoint, "POST", path, BODY, signed)[0] == status
