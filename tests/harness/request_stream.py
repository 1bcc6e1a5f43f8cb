# SPDX-License-Identifier: Apache-2.0
"""Constant load from inside a network namespace, and what became of each request.

As a program (request_stream.py tcp|udp ADDRESS PORT PERIOD_S): starts a request in every period until
it is killed, and prints "START OK" for each when it ends, START on the clock that all processes share."""

import concurrent.futures
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from dataclasses import dataclass

# Less than the second after which a lost SYN is sent again: a request of the outage fails in it.
TIMEOUT_S = 0.8
# Who has got the request, and is slow to answer it, may be on a machine that is slow.
PATIENCE_S = 5
TCPI_TOTAL_RETRANS = 100  # where it is in struct tcp_info, <linux/tcp.h>


def was_sent_again(connection):
    """Whether anything of a connection was, because nobody had acknowledged it."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCPI_TOTAL_RETRANS + 4)
    return struct.unpack_from("=I", info, TCPI_TOTAL_RETRANS)[0] > 0


def ask_tcp(address, port):
    try:
        with socket.create_connection((address, port), TIMEOUT_S) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            give_up = time.monotonic() + PATIENCE_S
            while True:
                try:
                    return b" 200 " in connection.recv(1000)
                except TimeoutError:
                    if was_sent_again(connection) or time.monotonic() > give_up:
                        return False
    except OSError:
        return False


def ask_udp(address, port):
    """Each datagram is of a flow of its own."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.connect((address, port))
            connection.send(b"x")
            return connection.recv(1000) != b""
    except OSError:
        return False


ASK = {"tcp": ask_tcp, "udp": ask_udp}


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # it ends with its reader, however that ended
    ask, address, port, period_s = ASK[sys.argv[1]], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])

    def run(started):
        ok = ask(address, port)
        os.write(sys.stdout.fileno(), f"{started} {int(ok)}\n".encode())  # one call, one line

    due = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(int(2 * PATIENCE_S / period_s)) as pool:
        while True:
            pool.submit(run, due)
            due += period_s
            time.sleep(max(0, due - time.monotonic()))


@dataclass
class Outage:
    """What a client noticed: the time from the last request before any failed to the first one
    after the last that failed (some between may have got through), and how many failed."""

    away_s: float
    failed: int
    asked: int

    def __str__(self):
        return f"VIP away {self.away_s:.2f} s, {self.failed} of {self.asked} requests failed"


class RequestStream:
    """The program above as a child; a context manager."""

    def __init__(self, namespace, address, port, protocol="tcp", period_s=0.02):
        """HTTP requests, or datagrams."""
        self._period_s = period_s
        self._command = ["ip", "netns", "exec", namespace.name, sys.executable, __file__,
                         protocol, address, str(port), str(period_s)]
        self._seen = []  # (started, ok)

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
            started, ok = line.split()
            self._seen.append((float(started), ok == "1"))

    def flows(self, duration_s=1.0):
        """Whether all requests of the last so many seconds succeeded."""
        since = time.monotonic() - duration_s
        recent = [ok for started, ok in self._seen if started >= since]
        return len(recent) > duration_s / self._period_s / 2 and all(recent)

    def outage(self, since):
        """Of the requests from a moment of the shared clock on; ask when it flows again. Of one that
        fails once more the end is not known: it lasts until now."""
        seen = sorted(request for request in self._seen if request[0] >= since)
        failed = [started for started, ok in seen if not ok]
        if not failed:
            return Outage(0, 0, len(seen))
        before = max(started for started, ok in self._seen if ok and started < failed[0])
        after = min((started for started, ok in seen if ok and started > failed[-1]),
                    default=time.monotonic())
        return Outage(after - before, len(failed), len(seen))


if __name__ == "__main__":
    main()
