#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""org.freedesktop.systemd1 as far as the agent uses it: runs what the unit files of a folder say.

usage: fake_systemd.py BUS_ADDRESS UNIT_DIR FAULTS_FILE

It knows the settings that the agent writes, and refuses every other one. FAULTS_FILE, if it is
there, is a JSON object of METHOD: RESULT; a job of that method ends with that result and does
nothing, or, if the result is "hang", never ends.
"""

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import time

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.freedesktop.systemd1"
MANAGER_PATH = "/org/freedesktop/systemd1"
MANAGER = f"{NAME}.Manager"
TICK_MS = 5
BUS_PAUSE_MS = 50


def seconds(text):
    number = text.removesuffix("ms")
    return float(number) / 1000 if number != text else float(text)


def words_of(value):
    return [word.replace("%%", "%") for word in shlex.split(value)]


class UnitFile:
    """What a unit file says. Reading it anew is "daemon-reload"."""

    IGNORED = {"Description", "CollectMode", "StartLimitIntervalSec", "WantedBy"}
    FIXED = {"Type": "exec", "KillMode": "mixed", "Restart": "always"}

    @classmethod
    def load(cls, path):
        """None: there is none, or another thread of the agent's has just removed it."""
        try:
            return cls(path)
        except FileNotFoundError:
            return None

    def __init__(self, path):
        self.before, self.command, self.namespace, self.output = [], [], None, None
        self.stop_signal, self.stop_timeout_s, self.restart_s = signal.SIGTERM, 90, 0.1
        self.modified = path.stat().st_mtime_ns
        for line in path.read_text().splitlines():
            if line and line[0] not in "#[":
                self._take(*line.split("=", 1))

    def _take(self, key, value):
        if key == "ExecStartPre":
            self.before.append(words_of(value.removeprefix("-:")))
        elif key == "ExecStart":
            self.command = words_of(value.removeprefix(":"))
        elif key == "NetworkNamespacePath":
            self.namespace = value
        elif key == "StandardOutput":
            self.output = value.removeprefix("append:").replace("%%", "%")
        elif key == "KillSignal":
            self.stop_signal = int(value)
        elif key == "TimeoutStopSec":
            self.stop_timeout_s = seconds(value)
        elif key == "RestartSec":
            self.restart_s = seconds(value)
        else:
            assert key in self.IGNORED or self.FIXED.get(key) == value, f"{key}={value}"


class Unit:
    """One service: at most one process, and what to do when it ends."""

    def __init__(self, manager, name, file):
        self.manager, self.name, self.file = manager, name, file
        self.process = None
        self.restarts = 0
        self.restart_at = None  # waiting to be started again
        self.kill_at = None  # being stopped
        self.jobs = []  # what waits for the end
        self.starts_after_stop = False

    @property
    def pid(self):
        """Until tick() has noticed its end: as long as a start would find it running."""
        return self.process.pid if self.process else 0

    def start(self, job):
        if self.kill_at:
            self.starts_after_stop = True
            self.jobs.append(job)
            return
        if not self.process:
            self.restarts = 0
            self.restart_at = None
            if not self.execute():
                self.manager.finish(job, self, "failed")
                return
        self.manager.finish(job, self, "done")

    def execute(self):
        for command in self.file.before:
            subprocess.run(command, check=False)
        if not shutil.which(self.file.command[0]):
            return False
        inside = ["nsenter", f"--net={self.file.namespace}"] if self.file.namespace else []
        output = open(self.file.output, "ab") if self.file.output else subprocess.DEVNULL
        self.process = subprocess.Popen(
            inside + self.file.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, cwd="/", env={"PATH": os.environ["PATH"]})
        if output is not subprocess.DEVNULL:
            output.close()
        return True

    def stop(self, job, then_start=False):
        self.restart_at = None
        self.starts_after_stop = then_start
        self.jobs.append(job)
        if self.process and not self.kill_at:
            self.process.send_signal(self.file.stop_signal)
            self.kill_at = time.monotonic() + self.file.stop_timeout_s

    def tick(self):
        """Looks after what has ended, and what does not end."""
        if self.process and self.process.poll() is not None:
            self.kill_session(self.process.pid)
            self.process = None
            if not self.kill_at:
                self.restart_at = time.monotonic() + self.file.restart_s
        if self.process and self.kill_at and time.monotonic() > self.kill_at:
            self.kill_session(self.process.pid)
        if not self.process and self.jobs:
            self.kill_at = None
            self.stopped()
        if self.restart_at and time.monotonic() > self.restart_at:
            self.restart_at = None
            self.restarts += 1
            if not self.execute():
                self.restart_at = time.monotonic() + self.file.restart_s

    def stopped(self):
        jobs, self.jobs = self.jobs, []
        fine = True
        if self.starts_after_stop:
            self.starts_after_stop = False
            self.restarts = 0
            fine = self.execute()
        for job in jobs:
            self.manager.finish(job, self, "done" if fine else "failed")

    @staticmethod
    def kill_session(leader):
        """The control group's part."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getsid(int(entry)) == leader:
                    os.kill(int(entry), signal.SIGKILL)
            except ProcessLookupError:
                pass


class Manager:
    """Units, jobs and the bus, which may come and go."""

    def __init__(self, address, folder, faults):
        self.address, self.folder, self.faults = address, folder, faults
        self.units = {}
        self.job_count = 0
        self.api = None
        self.connect()
        GLib.timeout_add(TICK_MS, self.tick)

    def connect(self):
        try:
            bus = dbus.bus.BusConnection(self.address)
            bus.request_name(NAME)
        except dbus.DBusException:
            return True  # again
        bus.set_exit_on_disconnect(False)
        bus.call_on_disconnection(self.disconnected)
        self.api = ManagerApi(bus, self)
        UnitApi(bus, self)
        return False

    def disconnected(self, _bus):
        self.api = None
        GLib.timeout_add(BUS_PAUSE_MS, self.connect)

    def tick(self):
        for unit in list(self.units.values()):
            unit.tick()
        return True

    def find(self, name):
        """None: there is neither a file nor anything left of one."""
        if name not in self.units:
            file = UnitFile.load(self.folder / name)
            if not file:
                return None
            self.units[name] = Unit(self, name, file)
        return self.units[name]

    def reload(self):
        for name, unit in list(self.units.items()):
            file = UnitFile.load(self.folder / name)
            if file:
                unit.file = file
            elif not unit.process:
                del self.units[name]

    def enqueue(self, method, name):
        unit = self.find(name)
        if not unit:
            raise dbus.DBusException(f"Unit {name} not found.", name=f"{NAME}.NoSuchUnit")
        self.job_count += 1
        job = (self.job_count, dbus.ObjectPath(f"{MANAGER_PATH}/job/{self.job_count}"))
        fault = json.loads(self.faults.read_text()).get(method) if self.faults.exists() else None
        if fault == "hang":
            return job[1]
        if fault:
            self.finish(job, unit, fault)
        elif method == "StartUnit":
            unit.start(job)
        else:
            unit.stop(job, then_start=method == "RestartUnit")
        return job[1]

    def finish(self, job, unit, result):
        if self.api:
            self.api.JobRemoved(job[0], job[1], unit.name, result)


class ManagerApi(dbus.service.Object):
    def __init__(self, bus, manager):
        super().__init__(bus, MANAGER_PATH)
        self.manager = manager

    @dbus.service.method(MANAGER)
    def Subscribe(self):
        pass

    @dbus.service.method(MANAGER)
    def Reload(self):
        self.manager.reload()

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o")
    def StartUnit(self, name, _mode):
        return self.manager.enqueue("StartUnit", name)

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o")
    def StopUnit(self, name, _mode):
        return self.manager.enqueue("StopUnit", name)

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o")
    def RestartUnit(self, name, _mode):
        return self.manager.enqueue("RestartUnit", name)

    @dbus.service.signal(MANAGER, signature="uoss")
    def JobRemoved(self, number, job, unit, result):
        pass


class UnitApi(dbus.service.FallbackObject):
    """Every unit's object: its name stands in the path, escaped."""

    def __init__(self, bus, manager):
        super().__init__(bus, f"{MANAGER_PATH}/unit")
        self.manager = manager

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v",
                         rel_path_keyword="path")
    def Get(self, _interface, name, path=None):
        parts = path.strip("/").split("_")
        unit_name = parts[0] + "".join(chr(int(part[:2], 16)) + part[2:] for part in parts[1:])
        unit = self.manager.find(unit_name)
        if name == "MainPID":
            return dbus.UInt32(unit.pid if unit else 0)
        if name == "NRestarts":
            return dbus.UInt32(unit.restarts if unit else 0)
        assert name == "NeedDaemonReload", name
        file = UnitFile.load(self.manager.folder / unit_name)
        return dbus.Boolean(bool(unit and file) and unit.file.modified != file.modified)


def main():
    address, folder, faults = sys.argv[1:]
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    manager = Manager(address, pathlib.Path(folder), pathlib.Path(faults))
    assert manager.api, f"no bus at {address}"
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
