# SPDX-License-Identifier: Apache-2.0
"""Constant load from inside a network namespace, and what a client noticed of an outage."""

import pathlib
import subprocess
import sys
import threading
import time

from dataclasses import dataclass

from harness.eventually import eventually
from harness.requester import BEGUN, IN_TIME, LOST

REQUESTER = pathlib.Path(__file__).with_name("requester.py")


@dataclass
class Outage:
    """What a client noticed: the time from the last request before any was late or lost to the
    first one after the last of those (some between may have got through), and how many were lost.
    """

    away_s: float
    lost: int
    asked: int

    def __str__(self):
        return f"VIP away {self.away_s:.2f} s, {self.lost} of {self.asked} requests lost"


class RequestStream:
    """requester.py as a child; a context manager."""

    def __init__(self, namespace, address, port, protocol="tcp", period_s=0.02):
        """HTTP requests, or datagrams."""
        self._period_s = period_s
        self._command = ["ip", "netns", "exec", namespace.name, sys.executable, REQUESTER,
                         protocol, address, str(port), str(period_s)]
        self._seen = {}  # the fates, by when they began

    def __enter__(self):
        self._child = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._child.wait()
        self._reader.join()
        self._child.stdout.close()

    def _read(self):
        for line in self._child.stdout:
            started, fate = line.split()
            self._seen[float(started)] = fate

    def _between(self, since, until):
        """[(started, fate)], in order."""
        return sorted((started, fate) for started, fate in list(self._seen.items())
                      if since <= started < until)

    def flows(self, duration_s=1.0):
        """Whether all that ended of the last so many seconds' requests were answered in time."""
        now = time.monotonic()
        ended = [fate for _, fate in self._between(now - duration_s, now) if fate != BEGUN]
        return (len(ended) > duration_s / self._period_s / 2
                and all(fate == IN_TIME for fate in ended))

    def outage(self, since):
        """Of the requests from a moment of the shared clock on; ask when it flows again."""
        now = time.monotonic()
        eventually(lambda: all(fate != BEGUN for _, fate in self._between(since, now)),
                   "every request has ended")
        asked = self._between(since, now)
        missed = [started for started, fate in asked if fate != IN_TIME]
        if not missed:
            return Outage(0, 0, len(asked))
        before, _ = max(each for each in self._between(0, missed[0]) if each[1] == IN_TIME)
        # Of an outage in which the last request has its part the end is not known.
        after, _ = min((each for each in asked if each[1] == IN_TIME and each[0] > missed[-1]),
                       default=(now, None))
        return Outage(after - before, sum(fate == LOST for _, fate in asked), len(asked))
