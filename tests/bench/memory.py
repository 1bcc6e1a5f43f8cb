# SPDX-License-Identifier: Apache-2.0
"""PSS of the agent's programs: idle, with idle connections, after many requests.

PSS divides a page by its users, and anybody on this machine may use the same libraries. So that
the figure does not depend on them, the subject runs on copies of its libraries that only its own
programs share; what the C library would share with the rest of an amphora counts in full."""

import shutil
import subprocess
import time

IDLE_S = 2
IDLE_CONNECTIONS = 8
WARM_REQUESTS = 100
# What one page more here and there may cost without being called a leak.
FLAT_MIB = 0.25


def copy_libraries(subject):
    """A folder with copies of the shared libraries of the subject's program."""
    folder = subject.folder / "libraries"
    folder.mkdir(exist_ok=True)
    listed = subprocess.run(["ldd", subject.executable], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        name, arrow, rest = line.partition(" => ")
        if arrow:
            shutil.copy(rest.split()[0], folder / name.strip())
    return folder


class Memory:
    """The figures of one subject, in MiB, by program."""

    def __init__(self, subject):
        self.requests = subject.counts.long_run_requests
        subject.start(libraries=copy_libraries(subject))
        time.sleep(IDLE_S)
        self.idle = subject.pss_mib()
        connections = subject.client.idle_connections(IDLE_CONNECTIONS)
        self.connected = subject.pss_mib()
        for connection in connections:
            connection.close()
        subject.client.measure("/1.0/info", WARM_REQUESTS)
        self.before = subject.pss_mib()
        subject.client.measure("/1.0/info", self.requests)
        self.after = subject.pss_mib()
        subject.stop()


def _total(figures):
    return sum(figures.values())


def measure(subjects, report):
    report.section("memory (PSS)")
    memories = [Memory(subject) for subject in subjects]
    for owner, memory in enumerate(memories):
        for program, mib in memory.idle.items():
            values = [""] * len(memories)
            values[owner] = mib
            report.row(f"idle: {program}", values, "MiB")
    report.row("idle: all", [_total(memory.idle) for memory in memories], "MiB")
    report.row(f"all, with {IDLE_CONNECTIONS} idle connections",
               [_total(memory.connected) for memory in memories], "MiB", below=12)
    report.row("requests over keep-alive (GET info)",
               [memory.requests for memory in memories], better=None)
    report.row("all, after them", [_total(memory.after) for memory in memories], "MiB", below=12)
    report.row("grown by", [_total(memory.after) - _total(memory.before) for memory in memories],
               "MiB", below=FLAT_MIB)
