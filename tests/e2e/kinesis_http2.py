# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 with prior knowledge on a plain port: one connection, one request after the other."""

import contextlib
import socket
import urllib.parse

import h2.config
import h2.connection
import h2.events


class Http2:
    def __init__(self, endpoint):
        self.url = urllib.parse.urlsplit(endpoint)
        self.kept = None

    def _connect(self):
        connection = _Connection(self.url.hostname, self.url.port)
        return connection

    def send(self, method, path, headers, body):
        if self.kept is None:
            self.kept = self._connect()
        try:
            status, answer_headers, pieces = self.kept.request(self.url, method, path, headers, body)
            return status, answer_headers, b"".join(pieces)
        except OSError:
            self.close()
            raise

    @contextlib.contextmanager
    def stream(self, method, path, headers, body):
        with contextlib.closing(self._connect()) as connection:
            yield connection.request(self.url, method, path, headers, body)

    def close(self):
        if self.kept is not None:
            self.kept.close()
        self.kept = None


class _Connection:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=60)
        self.state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.state.initiate_connection()
        self._flush()

    def close(self):
        self.socket.close()

    def _flush(self):
        self.socket.sendall(self.state.data_to_send())

    def _receive(self):
        octets = self.socket.recv(65536)
        if not octets:
            raise ConnectionError("the server closed the connection")
        events = self.state.receive_data(octets)
        for event in events:
            if isinstance(event, h2.events.ConnectionTerminated):
                raise ConnectionError(f"GOAWAY {event.error_code}")
        self._flush()
        return events

    def request(self, url, method, path, headers, body):
        stream = self.state.get_next_available_stream_id()
        fields = [(":method", method), (":path", path), (":scheme", url.scheme), (":authority", url.netloc)]
        fields += [(name.lower(), str(value)) for name, value in headers.items()]
        fields.append(("content-length", str(len(body))))
        early = []
        self.state.send_headers(stream, fields)
        self._flush()
        sent = 0
        while sent < len(body):
            window = min(self.state.local_flow_control_window(stream), self.state.max_outbound_frame_size)
            if window == 0:
                early += self._receive()
                continue
            self.state.send_data(stream, body[sent : sent + window])
            sent += window
            self._flush()
        self.state.end_stream(stream)
        self._flush()
        events = self._events(stream, early)
        for event in events:
            if isinstance(event, h2.events.ResponseReceived):
                answer = dict(event.headers)
                return int(answer.pop(":status")), answer, self._pieces(stream, events)
        raise ConnectionError("no answer")

    def _events(self, stream, early):
        yield from (event for event in early if getattr(event, "stream_id", None) == stream)
        while True:
            yield from (event for event in self._receive() if getattr(event, "stream_id", None) == stream)

    def _pieces(self, stream, events):
        for event in events:
            if isinstance(event, h2.events.DataReceived):
                self.state.acknowledge_received_data(event.flow_controlled_length, stream)
                self._flush()
                yield event.data
            elif isinstance(event, h2.events.StreamEnded):
                return
            elif isinstance(event, h2.events.StreamReset):
                raise ConnectionError(f"the stream was reset: {event.error_code}")
