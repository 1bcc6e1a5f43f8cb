# SPDX-License-Identifier: Apache-2.0
"""A health manager's ear: receives heartbeats and opens them with Octavia's own code."""

import socket
import struct
import threading
import time

from octavia.amphorae.backends.health_daemon import status_message

from harness.eventually import eventually

# <asm-generic/socket.h>; with it comes a struct timespec: when the kernel got the datagram.
SO_TIMESTAMPNS = SCM_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("qq")


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


def _arrived_s(ancillary):
    """By time.monotonic(), whenever we came to read the datagram."""
    (_, _, stamp), = ancillary
    seconds, nanoseconds = TIMESPEC.unpack(stamp)
    return time.monotonic() - (time.time() - seconds - nanoseconds / 1e9)


class HealthManager:
    """Listens on one UDP socket; `beats` and `refused` grow while it lives."""

    def __init__(self, key, address="127.0.0.1", port=0):
        self.key = key
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
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
                datagram, ancillary, _, source = self._socket.recvmsg(
                    65536, socket.CMSG_SPACE(TIMESPEC.size))
            except socket.timeout:
                continue
            arrived_s = _arrived_s(ancillary)
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

    def beats_in_a_row(self, count, condition=lambda beat: True, what="heartbeats arrive",
                       since=None):
        """The first so many consecutive ones for which condition holds, from now on or since the
        one of that index. A single one may be without a HAProxy that a busy machine held up."""
        seen = len(self.beats) if since is None else since

        def found():
            beats = self.beats[seen:]
            rows = (beats[start:start + count] for start in range(len(beats) - count + 1))
            return next((row for row in rows if all(map(condition, row))), None)
        return eventually(found, f"{count} times in a row: {what}")

    def is_in_time(self, since, count, interval_s=1):
        """Whether so many beats or more, from the one of that index on, do not drift; none may be
        missing. A busy machine may make single ones late: the least late of the first half and of
        the second half are compared, which agree in the end, but never those of one that drifts."""
        times = [beat.arrived_s for beat in self.beats[since:]]
        if len(times) < count:
            return False
        lateness = [time_s - number * interval_s for number, time_s in enumerate(times)]
        assert max(lateness) - min(lateness) < 0.9 * interval_s, lateness
        half = len(times) // 2
        return abs(min(lateness[half:]) - min(lateness[:half])) < 0.1

    def wait_until_in_time(self, count, interval_s=1):
        """For the next so many beats, or more."""
        self.next_beat()
        seen = len(self.beats)
        eventually(lambda: self.is_in_time(seen, count, interval_s),
                   f"{count} heartbeats are in time")

    def stop(self):
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
