# SPDX-License-Identifier: Apache-2.0
"""A private message bus with a systemd on it (harness/fake_systemd.py), for one amphora."""

import contextlib
import json
import os
import pathlib
import signal
import socket
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
    """One amphora's."""

    def __init__(self, directory):
        """directory: empty, and there until the agent has ended, which may write a unit at any
        time. The name of a socket has 107 bytes at most."""
        self.directory = pathlib.Path(directory)
        self.unit_dir = self.directory / "units"
        self.socket = self.directory / "bus"
        self.address = f"unix:path={self.socket}"
        # In front of the agent's command.
        self.wrapper = ("env", f"DBUS_SYSTEM_BUS_ADDRESS={self.address}")
        self._faults = self.directory / "faults.json"
        self._log = open(self.directory / "systemd.log", "wb")
        self._bus = None
        self._systemd = None

    def __enter__(self):
        self.bus_start()
        self._start()
        return self

    def _start(self):
        self._systemd = subprocess.Popen(
            [sys.executable, "-B", pathlib.Path(__file__).with_name("fake_systemd.py"),
             self.address, self.unit_dir, self._faults],
            stdout=subprocess.PIPE, stderr=self._log)
        assert self._systemd.stdout.readline() == b"ready\n", self.log()

    def power_off(self):
        """It ends, and with it all care for what runs; that is the caller's to kill."""
        self._systemd.kill()
        self._systemd.wait()
        self._systemd.stdout.close()
        self._systemd = None

    def boot(self):
        """It starts, and what is enabled."""
        self._start()
        for name in self.enabled():
            subprocess.run(
                ["busctl", f"--address={self.address}", "call", "org.freedesktop.systemd1",
                 "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StartUnit",
                 "ss", name, "replace"], check=True, stdout=subprocess.DEVNULL, timeout=60)

    def __exit__(self, *_):
        if self._systemd:
            self.power_off()
        if self._bus:
            self.bus_stop()
        self._log.close()

    def bus_start(self):
        config = self.directory / "bus.conf"
        config.write_text(BUS_CONFIG.format(socket=self.socket))
        self.socket.unlink(missing_ok=True)
        self._bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile",
             "--nosyslog"], stderr=self._log)
        eventually(self._bus_listens, "the bus listens")

    def _bus_listens(self):
        """Its socket is there a moment before."""
        assert self._bus.poll() is None, self.log()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            return True
        return False

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
