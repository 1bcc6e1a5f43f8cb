# SPDX-License-Identifier: Apache-2.0
"""What keepalived and HAProxy run for each member every few seconds: from exec to exit, against
peers in the kernel or next to it, so that hardly any of it is the network."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

from subject import Unavailable

PEER = pathlib.Path(__file__).resolve().parents[1] / "harness" / "sctp_peer.py"
ADDRESS, PORT = "127.0.0.2", "4242"
FINE, REFUSED = 0, 1


class SctpPeer:
    """Answers every INIT with an INIT ACK."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, PEER, ADDRESS, PORT, "init-ack"],
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def _check_ms(command, expected):
    quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    start_s = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    _, status = os.waitpid(pid, 0)
    duration_ms = (time.monotonic() - start_s) * 1000
    if os.waitstatus_to_exitcode(status) != expected:
        raise RuntimeError(f"{' '.join(map(str, command))}: unexpected exit status {status}")
    return duration_ms


def _checks_ms(subject, arguments, expected):
    """Every check's milliseconds, sorted. One before reads the files in."""
    command = [*subject.health_checker, *arguments]
    _check_ms(command, expected)
    return sorted(_check_ms(command, expected) for _ in range(subject.counts.health_checks))


def _figures(subjects, arguments, expected, only_ours=None):
    """(medians, 95th percentiles)."""
    medians, slow = [], []
    for number, subject in enumerate(subjects):
        if number and only_ours:
            medians.append(Unavailable(only_ours))
            slow.append(Unavailable(only_ours))
            continue
        checks_ms = _checks_ms(subject, arguments, expected)
        medians.append(statistics.median(checks_ms))
        slow.append(checks_ms[len(checks_ms) * 95 // 100])
    return medians, slow


def measure(subjects, report):
    report.section("health checks")
    scripts = "the reference's are scripts around nc and ping, which are not measured"
    with SctpPeer():
        sctp = _figures(subjects, ["sctp", ADDRESS, PORT], FINE)
    udp = _figures(subjects, ["udp", ADDRESS, PORT], REFUSED, scripts)
    ping = _figures(subjects, ["ping", ADDRESS], FINE, scripts)
    for name, (medians, slow) in (("SCTP", sctp), ("UDP", udp), ("ping", ping)):
        report.row(f"{name}, median", medians, "ms", below=5)
        report.row(f"{name}, 95 of 100 within", slow, "ms")
