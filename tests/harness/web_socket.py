# SPDX-License-Identifier: Apache-2.0
"""WebSockets (RFC 6455), as much as a member needs that echoes short texts, and its client."""

import base64
import hashlib
import os
import socket
import socketserver

from harness.background_server import BackgroundServer

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT = 0x81  # a whole message in one frame
MASKED = 0x80


def _accept_key(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def _read_exactly(file, size):
    data = file.read(size)
    if len(data) < size:
        raise ConnectionError("the connection has ended")
    return data


def _read_text(file):
    opcode, size = _read_exactly(file, 2)
    assert opcode == TEXT and size & ~MASKED < 126
    mask = _read_exactly(file, 4) if size & MASKED else bytes(4)
    data = _read_exactly(file, size & ~MASKED)
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)).decode()


def _frame(text, mask=None):
    data = text.encode()
    assert len(data) < 126
    if not mask:
        return bytes([TEXT, len(data)]) + data
    return (bytes([TEXT, MASKED | len(data)]) + mask
            + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)))


def _read_head(file):
    """The first line, and the headers by name in lower case."""
    first = file.readline().decode().strip()
    headers = {}
    while line := file.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return first, headers


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            _, headers = _read_head(self.rfile)
            if headers.get("upgrade", "").lower() != "websocket":
                return
            key = _accept_key(headers["sec-websocket-key"])
            self.wfile.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n\r\n".encode())
            while True:
                text = _read_text(self.rfile)
                self.wfile.write(_frame(f"{self.server.identity} {text}"))
        except OSError:
            pass  # a health check, or a client that is gone


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


class WebSocketServer(BackgroundServer):
    """A member that sends each text back with its identity in front."""

    def __init__(self, identity, address, port):
        self._identity, self._address = identity, (address, port)
        super().__init__()

    def make_server(self):
        server = _Server(self._address, _Handler)
        server.identity = self._identity
        return server


class WebSocket:
    """A client, upgraded; an OSError when the connection ends."""

    def __init__(self, address, port, timeout=30):
        self._socket = socket.create_connection((address, port), timeout)
        self._file = self._socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(f"GET /chat HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                             f"Sec-WebSocket-Version: 13\r\n\r\n".encode())
        first, headers = _read_head(self._file)
        assert first.split()[:2] == ["HTTP/1.1", "101"], first
        assert headers["sec-websocket-accept"] == _accept_key(key)

    def ask(self, text):
        """What comes back."""
        self._socket.sendall(_frame(text, os.urandom(4)))
        return _read_text(self._file)

    def wait_for_end(self):
        """Until the other side ends it."""
        assert self._file.read(1) == b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self._socket.close()
