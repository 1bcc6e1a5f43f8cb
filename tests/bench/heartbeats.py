# SPDX-License-Identifier: Apache-2.0
"""What a heartbeat costs the sender and HAProxy, by the number of members, and what arrives."""

import socket
import time

import process
from load_balancer import LoadBalancer
from subject import Unavailable

# Shapes (listeners, members each), and the sender's limit in ms of CPU.
SHAPES = ((1, 2, None), (10, 10, None), (50, 20, 5), (50, 54, None), (50, 100, 25))
# What still fits into a datagram has to arrive whole.
WHOLE_UP_TO = 2700
BEATS = 5
INTERVAL_S = 1
READY_WAIT_S = 20
READY_WAIT_BEATS = 5
OWN_QUERIES = 5
# HAProxy is asked once, not twice; with fewer members its own idling shows in the figure.
ONE_QUERY, ONE_QUERY_FROM = 1.5, 1000


def _haproxy_cpu_s():
    return sum(process.cpu_s(pid) for pid in process.running("haproxy"))


def _show_stat(path):
    """Asks HAProxy as a sender does; the number of members in the answer."""
    text = b""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(b"show stat\n")
        while part := connection.recv(65536):
            text += part
    rows = [line.split(b",")[1] for line in text.splitlines() if b"," in line]
    return sum(name not in (b"svname", b"FRONTEND", b"BACKEND") for name in rows)


def _wait_until_up(load_balancer):
    deadline = time.monotonic() + READY_WAIT_S
    while time.monotonic() < deadline:
        try:
            if _show_stat(load_balancer.socket) == load_balancer.members:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"HAProxy with {load_balancer.members} members does not come up")


class Heartbeats:
    """The figures of one subject and one load balancer, each of one beat."""

    def __init__(self, subject, load_balancer):
        subject.put_config(load_balancer)
        subject.reload(load_balancer)
        _wait_until_up(load_balancer)
        last = subject.health_manager.wait_for(
            lambda beat: beat.listeners == load_balancer.listeners, READY_WAIT_BEATS * INTERVAL_S)
        sender = subject.sender_pid()
        sender_s, haproxy_s = process.cpu_s(sender), _haproxy_cpu_s()
        for _ in range(BEATS):
            if last is None:
                time.sleep(INTERVAL_S)
            else:
                last = subject.health_manager.receive(3 * INTERVAL_S) or last
        self.sender_ms = (process.cpu_s(sender) - sender_s) * 1000 / BEATS
        self.haproxy_ms = (_haproxy_cpu_s() - haproxy_s) * 1000 / BEATS
        self.show_stats = self.haproxy_ms / self._show_stat_ms(load_balancer)
        self.bytes = last.size_bytes if last else Unavailable("no heartbeat arrives")
        self.arrives = self._what_arrives(load_balancer, last)
        subject.delete(load_balancer)

    @staticmethod
    def _show_stat_ms(load_balancer):
        before_s = _haproxy_cpu_s()
        for _ in range(OWN_QUERIES):
            _show_stat(load_balancer.socket)
        return (_haproxy_cpu_s() - before_s) * 1000 / OWN_QUERIES

    @staticmethod
    def _what_arrives(load_balancer, heartbeat):
        if heartbeat is None:
            return "nothing"
        if heartbeat.members == load_balancer.members:
            return "whole"
        return "some members" if heartbeat.members else "listeners only"


def measure(subjects, report):
    results = {}
    for subject in subjects:
        subject.start(heartbeat_interval_s=INTERVAL_S)
        for listeners, members_each, _ in SHAPES:
            load_balancer = LoadBalancer(subject.base_path, listeners, members_each)
            results[subject, load_balancer.members] = Heartbeats(subject, load_balancer)
        subject.stop()
    for listeners, members_each, limit_ms in SHAPES:
        members = listeners * members_each
        found = [results[subject, members] for subject in subjects]
        report.section(f"heartbeat, {members} members, {listeners} listeners")
        report.row("the sender's CPU", [one.sender_ms for one in found], "ms", below=limit_ms)
        report.row("HAProxy's CPU", [one.haproxy_ms for one in found], "ms")
        report.row("so many times what one `show stat` costs it",
                   [one.show_stats for one in found],
                   below=ONE_QUERY if members >= ONE_QUERY_FROM else None)
        report.row("datagram", [one.bytes for one in found], "bytes")
        report.row("what arrives", [one.arrives for one in found],
                   wanted="whole" if members <= WHOLE_UP_TO else None)
