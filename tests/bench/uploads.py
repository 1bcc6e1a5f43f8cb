# SPDX-License-Identifier: Apache-2.0
"""Uploads of a configuration with 1,000 members beside a bare `haproxy -c` of the same file, the
reload behind it, and what others wait for while an upload is slow."""

import os
import statistics
import threading
import time

from load_balancer import LoadBalancer
from subject import HAPROXY

LISTENERS, MEMBERS_EACH = 50, 20
SLOW_CHECK_S = 1
RELOAD_PAUSE_S = 1


def _bare_check_ms(path):
    """How long `haproxy -c` takes by itself."""
    quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    start_s = time.monotonic()
    pid = os.posix_spawn(HAPROXY, [HAPROXY, "-c", "-f", path], os.environ, file_actions=quiet)
    _, status = os.waitpid(pid, 0)
    duration_ms = (time.monotonic() - start_s) * 1000
    if status != 0:
        raise RuntimeError(f"haproxy -c refuses {path}")
    return duration_ms


class Uploads:
    """The figures of one subject; checks and uploads take turns, each upload a new file."""

    def __init__(self, subject):
        load_balancer = LoadBalancer(subject.base_path, LISTENERS, MEMBERS_EACH)
        subject.start()
        checks_ms, uploads_ms = [], []
        for number in range(subject.counts.uploads):
            uploads_ms.append(subject.put_config(load_balancer, weight=1 + number % 2))
            checks_ms.append(_bare_check_ms(subject.folder / "upload.cfg"))
        subject.reload(load_balancer)
        self.weight_ms = self._change_ms(subject, load_balancer, "weight", 3)
        self.timeout_ms = self._change_ms(subject, load_balancer, "timeout_server_ms", 40000)
        subject.stop()
        self.upload_ms = statistics.median(uploads_ms)
        self.check_ms = statistics.median(checks_ms)
        self.difference_ms = statistics.median(
            upload_ms - check_ms for upload_ms, check_ms in zip(uploads_ms, checks_ms))

    @staticmethod
    def _change_ms(subject, load_balancer, name, first):
        """PUT reload after a change; pauses in between let old workers of HAProxy end."""
        reloads_ms = []
        for number in range(subject.counts.reloads):
            time.sleep(RELOAD_PAUSE_S)
            subject.put_config(load_balancer, **{name: first + number})
            reloads_ms.append(subject.reload(load_balancer))
        return statistics.median(reloads_ms)


class Meanwhile:
    """The GETs of others while one PUT waits for a slow check."""

    def __init__(self, subject):
        load_balancer = LoadBalancer(subject.base_path, 1, 2)
        put_ms = []
        subject.start(check_pause_s=SLOW_CHECK_S)
        subject.client.measure("/1.0/info", 1)
        put = threading.Thread(target=lambda: put_ms.append(subject.put_config(load_balancer)))
        put.start()
        time.sleep(SLOW_CHECK_S / 4)
        found = subject.client.measure("/1.0/info", subject.counts.gets_meanwhile,
                                       new_connections=True)
        self.during = "yes" if put.is_alive() else "no"
        put.join()
        subject.stop()
        self.get_ms = found["max_ms"]
        self.put_ms = put_ms[0]


def measure(subjects, report):
    report.section(f"PUT haproxy, {LISTENERS * MEMBERS_EACH} members")
    found = [Uploads(subject) for subject in subjects]
    report.row("p50", [one.upload_ms for one in found], "ms")
    report.row("a bare haproxy -c of that file", [one.check_ms for one in found], "ms",
               better=None)
    report.row("difference", [one.difference_ms for one in found], "ms", below=10)
    report.row("PUT reload, a member's weight changed", [one.weight_ms for one in found], "ms")
    report.row("PUT reload, a time-out changed", [one.timeout_ms for one in found], "ms")

    report.section(f"GET info while a PUT takes {SLOW_CHECK_S} s longer")
    found = [Meanwhile(subject) for subject in subjects]
    report.row("that PUT", [one.put_ms for one in found], "ms", better=None)
    report.row("answered while it lasts", [one.during for one in found], wanted="yes")
    report.row("the slowest", [one.get_ms for one in found], "ms")
