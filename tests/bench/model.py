# SPDX-License-Identifier: Apache-2.0
"""A model from its JSON to the haproxy.cfg it leads to: `amphoractl render` from exec to exit, its
peak of memory, and whether both grow as the model does."""

import json
import os
import statistics
import subprocess
import time

import process
from subject import Unavailable

LISTENERS = 100
RENDERINGS = 11
SIZES = (1000, 10000, 50000)
IN_CONTROLLER = Unavailable("the reference's controller renders, its agent does not")
POOL = {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "healthmonitor": {
    "type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 3, "url_path": "/healthz"}}


def _member(number):
    return {"address": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            "protocol_port": 8080, "weight": 1 + number % 256}


def _model(member_count):
    each = member_count // LISTENERS
    return {"vip_address": "192.0.2.1", "listeners": [{
        "protocol": "HTTP", "protocol_port": 1 + number, "default_pool": dict(
            POOL, members=[_member(1 + number * each + i) for i in range(each)])}
        for number in range(LISTENERS)]}


def _render_ms(command):
    quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1)]
    start_s = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    _, status = os.waitpid(pid, 0)
    duration_ms = (time.monotonic() - start_s) * 1000
    if status != 0:
        raise RuntimeError(f"amphoractl refuses {command[-1]}")
    return duration_ms


def _peak_mib(command):
    """Everything is rendered before the first byte is written; into a pipe, the rest of the text
    waits until it is read."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as rendering:
        os.read(rendering.stdout.fileno(), 1)
        peak_mib = process.peak_mib(rendering.pid)
        while os.read(rendering.stdout.fileno(), 1 << 16):
            pass
    return peak_mib


def _measure(subject, member_count):
    """(median milliseconds, MiB)."""
    path = subject.folder / "model.json"
    path.write_text(json.dumps(_model(member_count)))
    command = [subject.amphoractl, "render", path]
    _render_ms(command)
    return (statistics.median(_render_ms(command) for _ in range(RENDERINGS)), _peak_mib(command))


def measure(subjects, report):
    report.section(f"models, {LISTENERS} listeners")
    others = [IN_CONTROLLER for _ in subjects[1:]]
    figures = {size: _measure(subjects[0], size) for size in SIZES}
    limits = {10000: (100, 64)}
    for size, (render_ms, peak_mib) in figures.items():
        below_ms, below_mib = limits.get(size, (None, None))
        report.row(f"{size:,} members, checked and rendered", [render_ms, *others], "ms",
                   below=below_ms)
        report.row(f"{size:,} members, peak of memory", [peak_mib, *others], "MiB",
                   below=below_mib)
    for less, more in zip(SIZES, SIZES[1:]):
        report.row(f"{more:,} members take, times those of {less:,}",
                   [figures[more][0] / figures[less][0], *others], below=1.5 * more / less)
