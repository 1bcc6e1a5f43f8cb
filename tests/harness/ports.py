# SPDX-License-Identifier: Apache-2.0
"""Free ports: found by binding port 0, and never handed out twice in one run."""

import socket

_handed_out = set()


def free_port(address="127.0.0.1", kind=socket.SOCK_STREAM):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        with socket.socket(family, kind) as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        if (kind, port) not in _handed_out:
            _handed_out.add((kind, port))
            return port
