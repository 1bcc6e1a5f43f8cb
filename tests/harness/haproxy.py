# SPDX-License-Identifier: Apache-2.0
"""HAProxy configurations in a controller's shape, and questions to a running HAProxy."""

import csv
import io
import socket

from harness.eventually import eventually


def configuration(amphora, lb_id, *proxies, in_global=()):
    """A whole haproxy.cfg for the load balancer: what a controller's template begins with, then
    the proxies (texts of `frontend` and `backend`)."""
    lines = [
        f"# Configuration for loadbalancer {lb_id}",
        "global",
        "    daemon",
        "    user nobody",
        "    log /run/rsyslog/octavia/log local0",
        "    log /run/rsyslog/octavia/log local1 notice",
        f"    stats socket {amphora.stats_socket(lb_id)} mode 0666 level user",
        f"    server-state-file {amphora.base_path}/{lb_id}/servers-state",
        "    maxconn 2000",
        *(f"    {line}" for line in in_global),
        "",
        "defaults",
        "    log global",
        "    retries 3",
        "    option redispatch",
        "    option splice-request",
        "    option splice-response",
        "    option http-keep-alive",
        "",
    ]
    return "\n".join(lines) + "\n" + "\n".join(proxies)


def frontend(listener_id, port, pool_id=None, mode="tcp", address="127.0.0.1", bind_options="",
             lines=()):
    text = [
        f"frontend {listener_id}",
        "    maxconn 500",
        f"    bind {address}:{port} {bind_options}".rstrip(),
        f"    mode {mode}",
    ]
    if pool_id:
        text.append(f"    default_backend {pool_id}:{listener_id}")
    text += ["    timeout client 50000", *(f"    {line}" for line in lines)]
    return "\n".join(text) + "\n"


def backend(pool_id, listener_id, members, mode="tcp", check="check inter 1s fall 1 rise 1",
            lines=()):
    """members: (member id, address, port) or (member id, address, port, weight)."""
    text = [
        f"backend {pool_id}:{listener_id}",
        f"    mode {mode}",
        "    balance roundrobin",
        "    load-server-state-from-file global",
        "    timeout check 5s",
        *(f"    {line}" for line in lines),
        "    fullconn 500",
        "    option allbackups",
        "    timeout connect 5000",
        "    timeout server 50000",
    ]
    for member_id, address, port, *weight in members:
        weight = weight[0] if weight else 1
        text.append(f"    server {member_id} {address}:{port} weight {weight} {check}".rstrip())
    return "\n".join(text) + "\n"


def ask(socket_path, command, timeout_s=30):
    """One command to a stats socket, the whole answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        connection.connect(str(socket_path))
        connection.sendall(command.encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)  # or a master CLI waits for more
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer.decode()


def statistics(socket_path):
    """`show stat` as {(proxy, server): row}."""
    text = ask(socket_path, "show stat").lstrip("# ")
    return {(row["pxname"], row["svname"]): row for row in csv.DictReader(io.StringIO(text))}


def settled_row(socket_path, listener_id):
    """A listener's row once no session is open: HAProxy adds up the bytes of one when it ends,
    which a client may see before."""
    def settled():
        row = statistics(socket_path).get((listener_id, "FRONTEND"))
        return row if row and row["scur"] == "0" else None
    return eventually(settled, f"the sessions of listener {listener_id} end")


def member_status(socket_path, member_id):
    """The status column of a member, whatever its pool; None when HAProxy does not know it."""
    for (_, server), row in statistics(socket_path).items():
        if server == member_id:
            return row["status"]
    return None
