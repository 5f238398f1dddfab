# SPDX-License-Identifier: Apache-2.0
"""Requests signed by botocore, sent by http.client."""

import http.client
import json
import urllib.parse

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def send(endpoint, method, path, body=b"", headers=None):
    url = urllib.parse.urlsplit(endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def sign(endpoint, key, service, method, path, body=b"", headers=None, presigned=False):
    """The path and headers of the request as botocore signs it."""
    request = AWSRequest(method=method, url=endpoint + path, data=body, headers=headers or {})
    credentials = Credentials(key["access_key_id"], key["secret_access_key"])
    if presigned:
        SigV4QueryAuth(credentials, service, "us-east-1", expires=300).add_auth(request)
    else:
        SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    url = urllib.parse.urlsplit(request.url)
    return url.path + ("?" + url.query if url.query else ""), dict(request.headers.items())


def call(server, key, service, method, path, body=b"", headers=None):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    signed_path, signed = sign(server.endpoint, key, service, method, path, body, headers)
    status, answer, answer_headers = send(server.endpoint, method, signed_path, body, signed)
    try:
        answer = json.loads(answer)
    except ValueError:
        pass
    return status, answer, answer_headers


def sink(server, key, body):
    return call(server, key, "execute-api", "POST", "/sink_data/", body)[:2]


def put(server, key, product, body, content_type="application/json", query=""):
    path = f"/api/v1/products/{product}/records{query}"
    return call(server, key, "weft", "POST", path, body, {"Content-Type": content_type})[:2]
