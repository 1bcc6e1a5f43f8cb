# SPDX-License-Identifier: Apache-2.0
"""Members: tiny servers that say who they are, and clients that ask through a listener."""

import collections
import http.client
import http.server
import socket
import socketserver
import ssl

from harness.background_server import BackgroundServer
from harness.ports import free_port


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        member = self.server.member
        if self.path == member.health_path:
            member.checks += 1
            member.check_hosts.append(self.headers.get("Host"))
            self._answer(member.health_status, b"")
        else:
            member.requests += 1
            member.last_headers = self.headers
            self._answer(200, member.identity.encode())

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.member.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, handler):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def get_request(self):
        connection, address = super().get_request()
        if self.member.tls:  # its thread shakes hands, with the first byte that it reads
            connection = self.member.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request, client_address):
        """Whoever speaks no TLS to a member that does, is that member's business alone."""
        if not self.member.tls:
            super().handle_error(request, client_address)

    def server_bind(self):
        """Without HTTPServer's question for a name, which no name server answers in a namespace."""
        socketserver.TCPServer.server_bind(self)


class WebServer(BackgroundServer):
    """An HTTP member: every path answers its identity, /healthz answers `health_status`. With a
    certificate (harness.certificates.Identity) it speaks HTTPS."""

    health_path = "/healthz"

    def __init__(self, identity, address="127.0.0.1", port=None, certificate=None):
        self.identity = identity
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.load_into(self.tls)
        self.address = address
        self.port = port or free_port(address)
        self.health_status = 200
        self.headers = {}  # in every answer
        self.requests = 0
        self.last_headers = None
        self.checks = 0
        self.check_hosts = []
        super().__init__()

    def make_server(self):
        server = _Server((self.address, self.port), _Handler)
        server.member = self
        return server


class _Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class _EchoListener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


class EchoServer(BackgroundServer):
    """A TCP member whose streams live as long as the client wants."""

    def __init__(self, address="127.0.0.1", port=None):
        self.address = address
        self.port = port or free_port(address)
        super().__init__()

    def make_server(self):
        return _EchoListener((self.address, self.port), _Echo)


class Stream:
    """A long-lived TCP connection through a listener to an EchoServer."""

    def __init__(self, port, address="127.0.0.1"):
        self._socket = socket.create_connection((address, port), timeout=20)

    def is_open(self):
        """Whether the other end has not closed it: nothing else is waited for."""
        self._socket.setblocking(False)
        try:
            return self._socket.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        finally:
            self._socket.settimeout(20)

    def echoes(self, text):
        """Whether `text` comes back: the connection lives in both directions."""
        data = text.encode()
        self._socket.sendall(data)
        received = b""
        while len(received) < len(data):
            chunk = self._socket.recv(65536)
            if not chunk:
                return False
            received += chunk
        return received == data

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def who_answers(port, address="127.0.0.1", timeout=10, connect_timeout=None):
    """The identity of the member behind one new connection to a listener; None when there is
    no answer of a member. connect_timeout: of the first part alone, which is the kernel's work."""
    connection = http.client.HTTPConnection(address, port, timeout=connect_timeout or timeout)
    try:
        connection.connect()
        connection.sock.settimeout(timeout)
        connection.request("GET", "/", headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read()
        return body.decode() if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def share(port, requests, address="127.0.0.1"):
    """How many of so many requests each member answered."""
    return collections.Counter(who_answers(port, address) for _ in range(requests))
