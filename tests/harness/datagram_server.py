# SPDX-License-Identifier: Apache-2.0
"""UDP members, which answer every datagram with who they are, and a client's question."""

import socket
import threading


class DatagramServer:
    """A context manager; the socket is of the network namespace that it is made in."""

    def __init__(self, identity, address, port):
        self.identity, self.address, self.port = identity, address, port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(0.1)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self):
        while not self._stopped.is_set():
            try:
                _, client = self._socket.recvfrom(65536)
                self._socket.sendto(self.identity.encode(), client)
            except socket.timeout:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()
        self._socket.close()


def who_answers_datagram(address, port, timeout_s=1):
    """The identity of the member that answers a new flow; None when none does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout_s)
        try:
            client.connect((address, port))
            client.send(b"who?")
            return client.recv(65536).decode()
        except OSError:
            return None
