# SPDX-License-Identifier: Apache-2.0
"""A health manager's ear: receives heartbeats and opens them with Octavia's own code."""

import socket
import threading
import time

from octavia.amphorae.backends.health_daemon import status_message

from harness.eventually import eventually


class Beat:
    """One accepted heartbeat."""

    def __init__(self, message, datagram, source, arrived_s):
        self.message = message
        self.datagram = datagram
        self.source = source
        self.arrived_s = arrived_s

    @property
    def listeners(self):
        return self.message["listeners"]

    @property
    def pools(self):
        return self.message["pools"]

    def members(self):
        """Every member's status, whatever its pool."""
        return {member: status for pool in self.pools.values()
                for member, status in pool["members"].items()}


class HealthManager:
    """Listens on one UDP socket; `beats` and `refused` grow while it lives."""

    def __init__(self, key, address="127.0.0.1", port=0):
        self.key = key
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self.target = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        self.beats = []
        self.refused = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self):
        while not self._stopped.is_set():
            try:
                datagram, source = self._socket.recvfrom(65536)
            except socket.timeout:
                continue
            arrived_s = time.monotonic()
            try:
                message = status_message.unwrap_envelope(datagram, self.key)
            except Exception as refusal:
                self.refused.append((datagram, refusal))
            else:
                self.beats.append(Beat(message, datagram, source, arrived_s))

    def next_beat(self, condition=lambda beat: True, what="a heartbeat arrives", timeout_s=30):
        """The first heartbeat from now on for which condition holds."""
        seen = len(self.beats)
        return eventually(
            lambda: next((beat for beat in self.beats[seen:] if condition(beat)), None),
            what, timeout_s)

    def stop(self):
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
