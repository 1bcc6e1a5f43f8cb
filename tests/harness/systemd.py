# SPDX-License-Identifier: Apache-2.0
"""A private message bus with a systemd on it (harness/fake_systemd.py), for one amphora."""

import json
import os
import pathlib
import signal
import subprocess
import sys

from harness.eventually import eventually

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
  </policy>
</busconfig>
"""


class Systemd:
    """Its files lie in `directory`, beside those of the amphora that it serves."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        self.unit_dir = self.directory / "units"
        self.socket = self.directory / "bus"
        self.address = f"unix:path={self.socket}"
        self._faults = self.directory / "faults.json"
        self._log = open(self.directory / "systemd.log", "wb")
        self._bus = None
        self._systemd = None

    def __enter__(self):
        self.bus_start()
        self._systemd = subprocess.Popen(
            [sys.executable, "-B", pathlib.Path(__file__).with_name("fake_systemd.py"),
             self.address, self.unit_dir, self._faults],
            stdout=subprocess.PIPE, stderr=self._log)
        assert self._systemd.stdout.readline() == b"ready\n", self.log()
        return self

    def __exit__(self, *_):
        for process in (self._systemd, self._bus):
            if process:
                process.kill()
                process.wait()
        if self._systemd:
            self._systemd.stdout.close()
        self._log.close()

    def bus_start(self):
        config = self.directory / "bus.conf"
        config.write_text(BUS_CONFIG.format(socket=self.socket))
        self.socket.unlink(missing_ok=True)
        self._bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile",
             "--nosyslog"], stderr=self._log)
        eventually(self.socket.exists, "the bus listens")

    def bus_stop(self):
        self._bus.kill()
        self._bus.wait()

    def fail(self, **results):
        """fail(StartUnit="failed"): what jobs come to from now on; fail(): what they ought to."""
        new = self._faults.with_suffix(".new")
        new.write_text(json.dumps(results))
        os.rename(new, self._faults)

    def units(self):
        """The names of all unit files."""
        return sorted(path.name for path in self.unit_dir.glob("*.service"))

    def enabled(self):
        """What a boot would start."""
        links = self.unit_dir.glob("multi-user.target.wants/*.service")
        return sorted(link.name for link in links if link.resolve().is_file())

    def freeze(self):
        """It answers nobody until `thaw`."""
        self._systemd.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._systemd.send_signal(signal.SIGCONT)

    def log(self):
        return (self.directory / "systemd.log").read_text(errors="replace")
