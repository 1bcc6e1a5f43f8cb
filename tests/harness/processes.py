# SPDX-License-Identifier: Apache-2.0
"""Processes of one test, found by their command line and ended by their number."""

import contextlib
import os
import pathlib
import signal
import time

EXEC_WAIT_S = 10


def _stat(pid):
    """The fields of /proc/PID/stat (proc(5)) from the third on, the state."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _has_no_arguments_yet(pid):
    """In the middle of an exec (proc(5): arg_end of /proc/PID/stat). What has no program, a
    kernel's thread or a zombie, is not."""
    try:
        os.readlink(f"/proc/{pid}/exe")
        return _stat(pid)[46] == "0"
    except OSError:
        return False


def command_line(pid):
    """The arguments of a process; [] when it is gone or a zombie. One that is becoming another
    program has none for a moment, which is waited for."""
    deadline = time.monotonic() + EXEC_WAIT_S
    while True:
        is_last = time.monotonic() > deadline or not _has_no_arguments_yet(pid)
        try:
            text = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return []
        if text or is_last:
            return [part.decode(errors="replace") for part in text.split(b"\0")[:-1]]
        time.sleep(0.001)


def is_alive(pid):
    """Runs, and is no zombie."""
    try:
        return _stat(pid)[0] != "Z"
    except OSError:
        return False


def leads_session(pid):
    """Whether it is what the agent started, and no worker of it, orphaned or not."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def started_s(pid):
    """When it was made, by CLOCK_BOOTTIME, to a clock tick."""
    return int(_stat(pid)[19]) / os.sysconf("SC_CLK_TCK")


def user_of(pid):
    """The four user ids (real, effective, saved, file system) of a process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("Uid:"):
            return [int(number) for number in line.split()[1:]]
    raise AssertionError(f"/proc/{pid}/status has no Uid line")


def groups_of(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("Groups:"):
            return [int(number) for number in line.split()[1:]]
    raise AssertionError(f"/proc/{pid}/status has no Groups line")


def mentioning(text, program=None):
    """Pids of living processes with `text` in their command line, and argv[0] a `program`."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        arguments = command_line(entry)
        if not any(text in argument for argument in arguments):
            continue
        if program and os.path.basename(arguments[0]) != program:
            continue
        if is_alive(entry):
            found.append(int(entry))
    return sorted(found)


def kill_each(pids):
    """SIGKILL to those that are still there: who watches over one may end the others with it."""
    for pid in pids:
        assert pid > 1, f"no process of a test's: {pids}"
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end_all_mentioning(text, timeout_s=30.0):
    """Kills them, one by one, until there is none; returns how many there were."""
    ended = set()
    deadline = time.monotonic() + timeout_s
    while pids := mentioning(text):
        if time.monotonic() > deadline:
            raise AssertionError(f"processes {pids} mentioning {text} do not end")
        ended.update(pids)
        kill_each(pids)
        time.sleep(0.01)
    return len(ended)
