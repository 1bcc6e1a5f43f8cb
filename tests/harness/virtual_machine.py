# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with the image, under qemu's emulation: what nova makes of it, and what may befall
it. Its management network is qemu's own: the machine's port is one of `address` on the host, which it
reaches as CONTROLLER_HOST. More NICs are plugged in while it runs, as taps of a NetworkBed; it has
them from the beginning when it is powered on again."""

import base64
import contextlib
import copy
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from harness.eventually import eventually

MANAGEMENT_MAC = "fa:16:3e:00:00:01"
CONTROLLER_HOST = "10.0.2.2"
# NICs that can be plugged in at a time.
SLOTS = 4
MEMORY_MIB = 1024
# Emulated, beside whatever else this machine does.
BOOT_S = 300

SHELL_UNIT = """\
[Unit]
Description=Shell of the test
DefaultDependencies=no
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh -c 'exec /bin/sh <>/dev/virtio-ports/shell >&0 2>&1'
Restart=always
RestartSec=200ms
OOMScoreAdjust=-1000
"""
SHELL_WANTED = "[Unit]\nWants=test-shell.service\n"


def _credential(name, text):
    encoded = base64.b64encode(text.encode()).decode()
    return f"value=io.systemd.credential.binary:{name}={encoded}"


# What systemd reads from the firmware (systemd.system-credentials(7)): the disk stays as it was built.
SHELL_CREDENTIALS = ",".join([
    "type=11", _credential("systemd.extra-unit.test-shell.service", SHELL_UNIT),
    _credential("systemd.unit-dropin.sysinit.target", SHELL_WANTED)])


# Where nova attaches a config drive, by its form.
DRIVES = {
    ".iso": ["-drive", "file={path},if=none,id=drive,format=raw,media=cdrom,readonly=on",
             "-device", "ide-cd,drive=drive,bus=ide.0"],
    ".vfat": ["-drive", "file={path},if=none,id=drive,format=raw",
              "-device", "virtio-scsi-pci,id=scsi", "-device", "scsi-hd,drive=drive,bus=scsi.0"]}


def _connected(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection


class Monitor:
    """qemu's, which speaks QMP."""

    def __init__(self, connection):
        self._connection = connection
        self._lines = self._connection.makefile("rb")
        self._lines.readline()
        self.execute("qmp_capabilities")

    def execute(self, command, descriptor=None, **arguments):
        request = json.dumps({"execute": command, "arguments": arguments}).encode()
        socket.send_fds(self._connection, [request], [descriptor] if descriptor else [])
        while True:
            line = self._lines.readline()
            assert line, f"qemu has ended before it answered {command}"
            answer = json.loads(line)
            assert "error" not in answer, f"qemu refuses {command}: {answer['error']}"
            if "return" in answer:
                return answer["return"]

    def hmp(self, line):
        """For what QMP has no command."""
        said = self.execute("human-monitor-command", **{"command-line": line})
        assert not said, f"qemu says to {line!r}: {said}"

    def close(self):
        self._lines.close()
        self._connection.close()


class Shell:
    """root's, in the machine, and not over its networks."""

    SCRIPT = ("echo {script} | base64 -d >/run/shell.in; "
              "sh /run/shell.in </dev/null >/run/shell.out 2>&1; "
              'echo "{mark} $? $(stat -c %s /run/shell.out)"; cat /run/shell.out\n')

    def __init__(self, path):
        self._path = path
        self._connection = None
        self._marks = (f"answer{number}-{os.urandom(4).hex()}" for number in itertools.count())

    def connect(self):
        """The machine is on."""
        self._connection = self._connection or _connected(self._path)

    def close(self):
        """The machine is off."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def run(self, script, timeout_s=60):
        """What it says; one that fails fails the test."""
        status, said = self.ask(script, timeout_s)
        assert status == 0, f"in the machine, status {status} of\n{script}\n{said}"
        return said

    def ask(self, script, timeout_s=60):
        """(exit status, what it says)."""
        mark = next(self._marks)
        self.connect()
        self._connection.settimeout(timeout_s)
        line = self.SCRIPT.format(script=base64.b64encode(script.encode()).decode(), mark=mark)
        self._connection.sendall(line.encode())
        received = b""
        while not (header := re.search(rb"%s (\d+) (\d+)\n" % mark.encode(), received)):
            received += self._more()
        said = received[header.end():]
        while len(said) < int(header[2]):
            said += self._more()
        return int(header[1]), said.decode(errors="replace")

    def _more(self):
        chunk = self._connection.recv(65536)
        assert chunk, "the machine is gone"
        return chunk

    def wait(self, script=lambda: "true", timeout_s=BOOT_S):
        """Until one of a machine that boots, or goes on, has done what script() says."""
        def answers():
            try:
                return self.ask(script(), 2)[0] == 0
            except socket.timeout:
                return False  # nobody has read it
        eventually(answers, "the machine's shell answers", timeout_s)


class VirtualMachine:
    """A context manager; `folder` is its own and holds its disk, a layer above the image."""

    def __init__(self, folder, image, drive, port, address="127.0.0.1", firmware=()):
        """drive: an image of its config drive, named NAME.iso or NAME.vfat; None for a machine without
        one. firmware: qemu's options for another than the BIOS."""
        self.folder = pathlib.Path(folder)
        self.drive = drive
        self.port = port
        self.address = address
        self.shell = Shell(self.folder / "shell")
        self.monitor = None
        self.started_s = None
        self._firmware = firmware
        self._process = None
        self._nics = {}
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2",
                        "-b", pathlib.Path(image).resolve(), self.disk], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_running():
            self.power_cut()
        for _, tap in self._nics.values():
            os.close(tap)
        self._nics = {}

    @property
    def disk(self):
        return self.folder / "disk.qcow2"

    def console(self):
        """Everything that it said on its serial line."""
        path = self.folder / "console"
        return path.read_text(errors="replace") if path.exists() else ""

    # Power

    def start(self, snapshot=None):
        """Powers it on; with the name of a snapshot it goes on from there, without NICs."""
        assert not self.is_running() and not (snapshot and self._nics)
        for name in ("monitor", "shell"):
            (self.folder / name).unlink(missing_ok=True)
        self.started_s = time.monotonic()
        with open(self.folder / "qemu.log", "ab") as log:
            self._process = subprocess.Popen(
                self._command() + (["-loadvm", snapshot] if snapshot else []),
                pass_fds=[tap for _, tap in self._nics.values()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.monitor = Monitor(eventually(self._monitor_socket, "qemu's monitor answers", 60))
        # A shell that nobody is connected to ends, and is started again, and again.
        self.shell.connect()
        if snapshot:
            # It takes now for the moment of the snapshot. Its shell may begin anew, and lose what it is
            # asked, for the connection that it knew is gone.
            self.shell.wait(lambda: f"date -s @{time.time():.3f}")
        return self

    def _monitor_socket(self):
        assert self.is_running(), f"qemu has ended: {(self.folder / 'qemu.log').read_text()}"
        with contextlib.suppress(OSError):
            return _connected(self.folder / "monitor")
        return None

    def _command(self):
        """Of qemu, which ends with this process, however that ends."""
        slots = [word for number in range(SLOTS) for word in (
            "-device", f"pcie-root-port,id=slot{number},chassis={number + 1}")]
        return [
            "setpriv", "--pdeathsig", "KILL",
            # One processor, as Octavia's flavor for amphorae has. With more qemu 7.2 lets a kernel
            # that patches itself panic ("Oops: int3"), once in hundreds of boots.
            "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "max",
            "-smp", "1", "-m", str(MEMORY_MIB), "-nodefaults", "-display", "none",
            *self._firmware,
            "-drive", f"file={self.disk},if=none,id=disk,format=qcow2,cache=unsafe",
            "-device", "virtio-blk-pci,drive=disk,bootindex=1",
            *self._drive_options(),
            "-netdev", "user,id=management,"
                       f"hostfwd=tcp:{self.address}:{self.port}-:{self.port}",
            "-device", f"virtio-net-pci,netdev=management,mac={MANAGEMENT_MAC},romfile=",
            "-device", "virtio-rng-pci", *slots, *self._nic_options(),
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=shell,path={self.folder / 'shell'},server=on,wait=off",
            "-device", "virtserialport,chardev=shell,name=shell",
            "-smbios", SHELL_CREDENTIALS,
            "-chardev", f"file,id=console,path={self.folder / 'console'},append=on",
            "-serial", "chardev:console",
            "-qmp", f"unix:{self.folder / 'monitor'},server=on,wait=off"]

    def _drive_options(self):
        form = DRIVES[pathlib.Path(self.drive).suffix] if self.drive else []
        return [word.format(path=self.drive) for word in form]

    def _nic_options(self):
        return [word for mac, (slot, tap) in self._nics.items() for word in (
            "-netdev", f"tap,id=net{slot},fd={tap}", "-device",
            f"virtio-net-pci,id=nic{slot},mac={mac},netdev=net{slot},bus=slot{slot},romfile=")]

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def power_cut(self):
        """What the machine has not written to its disk is lost."""
        self._process.send_signal(signal.SIGKILL)
        self.wait_until_off()

    def press_power_button(self):
        """What nova's soft reboot, stop and delete begin with; returns at once."""
        self.monitor.execute("system_powerdown")

    def wait_until_off(self, timeout_s=BOOT_S):
        self._process.wait(timeout_s)
        if self.monitor:
            self.monitor.close()
        self.shell.close()

    def reboot(self):
        """In order, as somebody inside would do it; returns at once."""
        self.shell.run("systemd-run --quiet --on-active=0.1 --timer-property=AccuracySec=1ms "
                       "systemctl reboot")  # by default a timer may elapse a minute later

    def boot_id(self, timeout_s=60):
        return self.shell.run("cat /proc/sys/kernel/random/boot_id", timeout_s).strip()

    def save(self, name):
        """A snapshot; NICs that were plugged in cannot be in it."""
        assert not self._nics
        self.monitor.hmp(f"savevm {name}")

    def copy(self, folder, address=None):
        """Another machine, with this one's disk and snapshots, that is not running yet."""
        twin = copy.copy(self)
        twin.folder, twin.address = pathlib.Path(folder), address or self.address
        twin.shell = Shell(twin.folder / "shell")
        twin.monitor, twin._process, twin._nics = None, None, {}
        shutil.copyfile(self.disk, twin.disk)
        return twin

    # NICs

    def add_nic(self, tap, mac):
        """tap: what NetworkBed.open_tap returned; it is this machine's from now on."""
        slot = next(slot for slot in range(SLOTS)
                    if slot not in [taken for taken, _ in self._nics.values()])
        self.monitor.execute("getfd", tap, fdname=f"tap{slot}")
        self.monitor.execute("netdev_add", type="tap", id=f"net{slot}", fd=f"tap{slot}")
        self.monitor.execute("device_add", driver="virtio-net-pci", id=f"nic{slot}", mac=mac,
                             netdev=f"net{slot}", bus=f"slot{slot}", romfile="")
        self._nics[mac] = slot, tap

    def wait_for_nics(self, *macs):
        """Until it sees them."""
        eventually(lambda: set(macs) <= self._macs(), "the machine sees its NICs", 60)

    def _macs(self):
        return set(self.shell.run("cat /sys/class/net/*/address").split())

    def plug_cable(self, mac, is_plugged):
        """Out of a NIC, or in again."""
        self.monitor.execute("set_link", name=f"nic{self._nics[mac][0]}", up=is_plugged)

    def remove_nic(self, mac):
        slot, tap = self._nics.pop(mac)
        self.monitor.execute("device_del", id=f"nic{slot}")
        eventually(lambda: mac not in self._macs(), f"the NIC {mac} is gone", 30)
        self.monitor.execute("netdev_del", id=f"net{slot}")
        os.close(tap)
