# SPDX-License-Identifier: Apache-2.0
"""UDP: members that say who they are, and clients that ask through a listener."""

import socket
import socketserver

from harness.background_server import BackgroundServer
from harness.ports import free_port


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class DatagramMember(BackgroundServer):
    """In a network namespace; answers every datagram with its identity. A context manager; while it is
    stopped its port is closed."""

    def __init__(self, identity, namespace, address, port=None):
        self.identity = identity
        self.address = address
        self._namespace = namespace
        with namespace.entered():
            self.port = port or free_port(address)
        super().__init__()

    def make_server(self):
        kind = type("Server", (socketserver.UDPServer,), {
            "address_family": family_of(self.address)})
        with self._namespace.entered():
            return kind((self.address, self.port), self._answer)

    def _answer(self, request, client_address, _):
        request[1].sendto(self.identity.encode(), client_address)


class DatagramFlow:
    """A client, whose datagrams all come from one port of a network namespace. A context manager."""

    def __init__(self, namespace, address, port, timeout_s=5):
        with namespace.entered():
            self._socket = socket.socket(family_of(address), socket.SOCK_DGRAM)
        self._socket.settimeout(timeout_s)
        self._socket.connect((address, port))

    def ask(self, size_bytes=100):
        """The identity of the member that answers one more datagram; None when none does."""
        try:
            self._socket.send(bytes(size_bytes))
            return self._socket.recv(1000).decode()
        except OSError:
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()


def who_answers(namespace, address, port, timeout_s=5):
    """The identity that a new flow of one datagram meets; None when it meets nobody."""
    with DatagramFlow(namespace, address, port, timeout_s) as flow:
        return flow.ask()


def all_who_answer(namespace, address, port, count):
    """Those whom so many flows meet, in order."""
    return [who_answers(namespace, address, port) for _ in range(count)]
