# SPDX-License-Identifier: Apache-2.0
"""Free ports, each handed out to one test process on this machine only.

They lie below the range from which the kernel takes the source ports of outgoing connections, so
nothing sits on one by chance between its choice and its use. Who has taken a port says so with an
abstract UNIX socket, which the kernel frees with the process, however it ends.
"""

import random
import socket

FIRST, LAST = 10000, 32000

_reservations = []


def _reserve(port):
    reservation = socket.socket(socket.AF_UNIX)
    try:
        reservation.bind(f"\0amphora-test-port-{port}")
    except OSError:
        reservation.close()
        return False
    _reservations.append(reservation)
    return True


def free_port(address="127.0.0.1", kind=socket.SOCK_STREAM):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        port = random.randint(FIRST, LAST)
        if not _reserve(port):
            continue
        with socket.socket(family, kind) as probe:
            try:
                probe.bind((address, port))
                return port
            except OSError:
                pass  # somebody else's
