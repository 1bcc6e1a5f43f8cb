# SPDX-License-Identifier: Apache-2.0
"""The demo's processes: started by name, ended by pid, each with a log of its own."""

import os
import pathlib
import signal
import subprocess
import time

END_WAIT_S = 10


class Processes:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.running = {}

    def start(self, name, command):
        """Standard output and error go to NAME.log. A session of its own, so that Ctrl-C in the
        terminal reaches the demo only, which then ends the others in order."""
        with open(self.log_path(name), "ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        return self.running[name].pid

    def log_path(self, name):
        return self.folder / f"{name}.log"

    def has_ended(self, name):
        return self.running[name].poll() is not None

    def reap(self, name, timeout_s=END_WAIT_S):
        """Waits for one that was asked to end."""
        self.running.pop(name).wait(timeout_s)

    def stop(self, name):
        process = self.running.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(END_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self):
        for name in list(self.running):
            self.stop(name)


def mentioning(text):
    """Processes with this text in an argument: what was started for the demo by others."""
    found = set()
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if text.encode() in arguments:
            found.add(int(entry.name))
    return found


def end(pids):
    """SIGTERM, and SIGKILL for those that stay."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + END_WAIT_S / 2
        while time.monotonic() < deadline:
            pids = {pid for pid in pids if os.path.exists(f"/proc/{pid}/exe")}
            if not pids:
                return
            time.sleep(0.05)
