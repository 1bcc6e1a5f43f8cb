# SPDX-License-Identifier: Apache-2.0
"""What the kernel knows about processes: memory, CPU, kin."""

import os
import pathlib
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _stat_fields(pid):
    """/proc/PID/stat behind the command name, so that field N of proc(5) is at N - 3."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def cpu_s(pid):
    """CPU time of a process, its ended threads, and its children that it has waited for.

    The process's clock (clock_getcpuclockid(3)) counts nanoseconds; children count in ticks."""
    own = time.clock_gettime(~pid << 3 | 2)
    fields = _stat_fields(pid)
    return own + (int(fields[16 - 3]) + int(fields[17 - 3])) / TICKS_PER_S


def pss_mib(pid):
    """Proportional set size: shared pages count by the number of their users."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc/{pid}/smaps_rollup has no Pss line")


def peak_mib(pid):
    """The most that was resident at once so far."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc/{pid}/status has no VmHWM line")


def pids():
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]


def running(program):
    """The processes that run this program, oldest first."""
    found = []
    for pid in sorted(pids()):
        try:
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == program:
                found.append(pid)
        except OSError:
            continue
    return found


def children(parent):
    """The direct children of a process, oldest first."""
    found = []
    for pid in sorted(pids()):
        try:
            if int(_stat_fields(pid)[4 - 3]) == parent:
                found.append(pid)
        except OSError:
            continue
    return found
