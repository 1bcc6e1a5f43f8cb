# SPDX-License-Identifier: Apache-2.0
"""Constant load, and what becomes of each request.

usage: requester.py tcp|udp ADDRESS PORT PERIOD_S

Starts a request (of HTTP, or a datagram) in every period until it is killed, and prints "START FATE"
for each when it begins and when it ends, START on the clock that all processes share."""

import concurrent.futures
import contextlib
import os
import signal
import socket
import struct
import sys
import time

# Less than the second after which a lost SYN is sent again: no request of an outage is answered
# in it.
TIMEOUT_S = 0.8
# Who has got the request, and is slow to answer it, may be on a machine that is slow.
PATIENCE_S = 5
TCPI_TOTAL_RETRANS = 100  # where it is in struct tcp_info, <linux/tcp.h>

# What becomes of a request.
BEGUN, IN_TIME, LATE, LOST = "begun", "in-time", "late", "lost"


def was_sent_again(connection):
    """Whether anything of a connection was, because nobody had acknowledged it."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCPI_TOTAL_RETRANS + 4)
    return struct.unpack_from("=I", info, TCPI_TOTAL_RETRANS)[0] > 0


def late_answer(connection):
    """After TIMEOUT_S."""
    give_up = time.monotonic() + PATIENCE_S
    while not was_sent_again(connection) and time.monotonic() < give_up:
        with contextlib.suppress(TimeoutError):
            return connection.recv(1000)
    return b""


def ask_tcp(address, port):
    try:
        with socket.create_connection((address, port), TIMEOUT_S) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            try:
                answer, fate = connection.recv(1000), IN_TIME
            except TimeoutError:
                answer, fate = late_answer(connection), LATE
            return fate if b" 200 " in answer else LOST
    except OSError:
        return LOST


def ask_udp(address, port):
    """Each datagram is of a flow of its own."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.connect((address, port))
            connection.send(b"x")
            return IN_TIME if connection.recv(1000) else LOST
    except OSError:
        return LOST


ASK = {"tcp": ask_tcp, "udp": ask_udp}


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # it ends with its reader, however that ended
    protocol, address, port, period = sys.argv[1:]
    ask, period_s = ASK[protocol], float(period)

    def tell(started, fate):
        os.write(sys.stdout.fileno(), f"{started} {fate}\n".encode())  # one call, one line

    def run(started):
        tell(started, ask(address, int(port)))

    due = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(int(2 * PATIENCE_S / period_s)) as pool:
        while True:
            tell(due, BEGUN)
            pool.submit(run, due)
            due += period_s
            time.sleep(max(0, due - time.monotonic()))


if __name__ == "__main__":
    main()
