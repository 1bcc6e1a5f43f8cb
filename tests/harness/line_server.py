# SPDX-License-Identifier: Apache-2.0
"""Members that tell each connection in one line what they know of it, then echo: over TLS, and
behind the PROXY protocol."""

import socket
import socketserver
import ssl
import struct

from harness.background_server import BackgroundServer

PROXY_V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            self.request.settimeout(300)
            connection, line = self.server.member.welcome(
                self.request, "{}:{}".format(*self.client_address))
            if line is None:
                return
            connection.sendall(line.encode() + b"\n")
            while data := connection.recv(65536):
                connection.sendall(data)
            connection.close()
        except OSError:
            pass  # a health check, or somebody who had enough


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


class _LineServer(BackgroundServer):
    """The rest is in welcome(connection, peer): what to go on with, and the line; None for it ends
    the connection."""

    def __init__(self, identity, address, port):
        self.identity = identity
        self.address = address
        self.port = port
        super().__init__()

    def make_server(self):
        server = _Server((self.address, self.port), _Handler)
        server.member = self
        return server


class TlsServer(_LineServer):
    """Ends TLS itself, with the certificate of the name that the client asks for. Its line:
    IDENTITY NAME ALPN CLIENT, the common name of the client's certificate, "-" for none."""

    def __init__(self, identity, address, port, identities, alpn=("h2", "http/1.1"),
                 clients=None):
        """identities: certificates by name; clients: the authority of those who may connect."""
        self._contexts = {name: self._context(certificate, alpn, clients)
                          for name, certificate in identities.items()}
        for context in self._contexts.values():
            context.sni_callback = self._choose
        super().__init__(identity, address, port)

    @staticmethod
    def _context(certificate, alpn, clients):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.load_into(context)
        context.set_alpn_protocols(list(alpn))
        if clients:
            context.load_verify_locations(cadata=clients.pem.decode())
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _choose(self, connection, name, _):
        if name not in self._contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._contexts[name]
        connection.asked_for = name
        return None

    def welcome(self, connection, _):
        first = next(iter(self._contexts.values()))
        connection = first.wrap_socket(connection, server_side=True)
        subject = (connection.getpeercert() or {}).get("subject", ())
        client = next((value for part in subject for key, value in part if key == "commonName"),
                      "-")
        return connection, " ".join((self.identity, connection.asked_for,
                                     connection.selected_alpn_protocol() or "-", client))


class ProxyServer(_LineServer):
    """Wants a PROXY header of either version in front. Its line: IDENTITY VERSION CLIENT:PORT, the
    two that the header names. `checks` counts connections of HAProxy's own: version 1 names HAProxy
    as their client then, version 2 says LOCAL."""

    def __init__(self, identity, address, port):
        self.checks = 0
        super().__init__(identity, address, port)

    def welcome(self, connection, peer):
        start = _receive(connection, len(PROXY_V2_SIGNATURE))
        version, client = (_read_v2(connection) if start == PROXY_V2_SIGNATURE
                           else _read_v1(connection, start))
        if client in (None, peer):
            self.checks += 1
            return connection, None
        return connection, f"{self.identity} {version} {client}"


def _receive(connection, size):
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise ConnectionError("the connection ended within the PROXY header")
        data += chunk
    return data


def _read_v1(connection, start):
    """The header is a line, of at most 107 bytes."""
    line = start
    while not line.endswith(b"\r\n") and len(line) < 107:
        line += _receive(connection, 1)
    words = line.decode("latin-1").split()
    if words[:1] != ["PROXY"]:
        raise ConnectionError(f"no PROXY header: {line!r}")
    return "v1", f"{words[2]}:{words[4]}"


def _read_v2(connection):
    command, family, size = struct.unpack("!BBH", _receive(connection, 4))
    body = _receive(connection, size)
    if command == 0x20:
        return "v2", None
    if (command, family) != (0x21, 0x11):
        raise ConnectionError(f"PROXY command {command:x}, family {family:x}")
    port, = struct.unpack("!H", body[8:10])
    return "v2", f"{socket.inet_ntoa(body[:4])}:{port}"


class Line:
    """A client's connection: the line that it was welcomed with, then echoes."""

    def __init__(self, address, port, source=None, context=None, name=None, timeout=20):
        """context: an ssl.SSLContext to speak TLS by, with `name`."""
        self.socket = socket.create_connection(
            (address, port), timeout, (source, 0) if source else None)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        self.local_port = self.socket.getsockname()[1]
        self.text = self._line()

    def _line(self):
        line = b""
        while not line.endswith(b"\n"):
            chunk = self.socket.recv(1)
            if not chunk:
                break
            line += chunk
        return line.decode().strip()

    def echoes(self, text):
        self.socket.sendall(text.encode() + b"\n")
        return self._line() == text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
