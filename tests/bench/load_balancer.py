# SPDX-License-Identifier: Apache-2.0
"""A load balancer of any size, as a controller would send it: the text of its haproxy.cfg."""

import uuid

NAMESPACE = uuid.UUID("5b6fbe39-3a0a-4d0e-9d39-6c5c1a3b7f11")
FIRST_PORT = 10000
MEMBER_PORT = 8080


def _id(*words):
    """Looks like the random ids of a controller, but is the same in every run."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, words))))


class LoadBalancer:
    """listeners, each with one pool of members_each members.

    Every member has a health check, so that the statistics carry what real ones do; its interval
    is an hour, so that checks cost nothing while something else is measured."""

    def __init__(self, base_path, listeners, members_each, vip="127.0.0.1"):
        self.base_path = base_path
        self.listeners = listeners
        self.members_each = members_each
        self.vip = vip
        self.id = _id(vip, listeners, members_each)
        self.members = listeners * members_each

    @property
    def socket(self):
        return f"{self.base_path}/{self.id}.sock"

    def config(self, weight=1, timeout_server_ms=50000):
        """The file. weight is the first member's: a change that HAProxy's Runtime API can do;
        another timeout takes a reload."""
        parts = [self._global()]
        for number in range(self.listeners):
            parts.append(self._listener(number, weight if number == 0 else 1, timeout_server_ms))
        return "\n".join(parts)

    def _global(self):
        return f"""\
# Load balancer {self.id}
global
    daemon
    user nobody
    log /run/rsyslog/octavia/log local0
    log /run/rsyslog/octavia/log local1 notice
    stats socket {self.socket} mode 0666 level user
    server-state-file {self.base_path}/{self.id}/servers-state
    maxconn 2000

defaults
    log global
    retries 3
    option redispatch
    option http-keep-alive
"""

    def _listener(self, number, first_weight, timeout_server_ms):
        listener = _id(self.id, "listener", number)
        pool = f"{_id(self.id, 'pool', number)}:{listener}"
        lines = [
            f"frontend {listener}",
            "    maxconn 2000",
            f"    bind {self.vip}:{FIRST_PORT + number}",
            "    mode http",
            f"    default_backend {pool}",
            "    timeout client 50000",
            "",
            f"backend {pool}",
            "    mode http",
            "    http-reuse safe",
            "    balance roundrobin",
            "    load-server-state-from-file global",
            "    timeout check 10s",
            "    option forwardfor",
            "    fullconn 2000",
            "    option allbackups",
            "    timeout connect 5000",
            f"    timeout server {timeout_server_ms}",
        ]
        for member in range(self.members_each):
            lines.append(f"    server {_id(pool, 'member', member)} "
                         f"127.1.{member // 250}.{member % 250 + 1}:{MEMBER_PORT} "
                         f"weight {1 if member else first_weight} check inter 3600s fall 3 rise 2")
        return "\n".join(lines) + "\n"
