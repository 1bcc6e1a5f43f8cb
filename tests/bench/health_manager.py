# SPDX-License-Identifier: Apache-2.0
"""The controller's end of the heartbeat: receives, checks the HMAC, unpacks."""

import hashlib
import hmac
import json
import socket
import time
import zlib

HMAC_HEX_SIZE = 64


class Heartbeat:
    def __init__(self, datagram, key):
        packed, signature = datagram[:-HMAC_HEX_SIZE], datagram[-HMAC_HEX_SIZE:]
        expected = hmac.new(key, packed, hashlib.sha256).hexdigest().encode()
        if not hmac.compare_digest(signature, expected):
            raise ValueError("a heartbeat whose HMAC is wrong")
        message = json.loads(zlib.decompress(packed))
        self.size_bytes = len(datagram)
        self.listeners = len(message["listeners"])
        self.members = sum(len(pool["members"]) for pool in message["pools"].values())


class HealthManager:
    """Listens on a port of its own; several in one run do not hear each other."""

    def __init__(self, port, key):
        self.key = key.encode()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))

    def receive(self, timeout_s):
        """The next heartbeat, or None when none comes in time."""
        self.socket.settimeout(max(timeout_s, 0.001))
        try:
            return Heartbeat(self.socket.recv(65536), self.key)
        except TimeoutError:
            return None

    def forget(self):
        """Drops what has arrived so far."""
        while self.receive(0) is not None:
            pass

    def wait_for(self, accept, timeout_s):
        """The first heartbeat from now on that accept() takes, or None."""
        self.forget()
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            heartbeat = self.receive(left)
            if heartbeat is not None and accept(heartbeat):
                return heartbeat
        return None
