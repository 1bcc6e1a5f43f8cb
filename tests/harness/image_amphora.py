# SPDX-License-Identifier: Apache-2.0
"""An amphora as its image makes it: a virtual machine with a config drive of Octavia's."""

import concurrent.futures
import contextlib
import pathlib
import re
import socket
import time
import uuid

from octavia.common import constants

from harness import certificates
from harness.api_client import ApiClient
from harness.config_drive import DHCP, ConfigDrive, network_data, octavia_files, octavia_user_data
from harness.controller import HEARTBEAT_KEY
from harness.eventually import eventually
from harness.virtual_machine import BOOT_S, CONTROLLER_HOST, MANAGEMENT_MAC, VirtualMachine

# The snapshot that tests go on from.
BOOTED = "booted"

# For a first answer: how often it is asked for, and for how long each time. Longer than a handshake
# takes under emulation.
ASK_PERIOD_S, ASK_TIMEOUT_S = 0.1, 3

# Of a machine that is emulated on a crowded one, where a start takes longer than two heartbeats.
SLOW = re.compile("this process was held up|is left out")
# How the C library says what a sandbox takes away.
PREVENTED = re.compile("permission denied|not permitted|read-only file system", re.IGNORECASE)


class ImageAmphora:
    """To a Controller it is what Amphora is; its paths are those inside the machine."""

    base_path = pathlib.Path("/var/lib/octavia")
    certificate_dir = pathlib.Path("/etc/octavia/certs")
    interfaces_dir = pathlib.Path("/etc/octavia/interfaces")
    controller_host = CONTROLLER_HOST
    bind_host = "::"

    def __init__(self, machine, amphora_id, heartbeat_port):
        self.machine = machine
        self.id = amphora_id
        self.heartbeat_port = heartbeat_port
        self.port = machine.port
        self.connect_host = machine.address
        self.api = ApiClient(self.connect_host, self.port, self.id,
                             certificates.amphora_authority(), certificates.controller_identity())

    @classmethod
    def new(cls, folder, image, port, heartbeat_port, address="127.0.0.1", has_user_data_only=False,
            drive_form="iso", topology=constants.TOPOLOGY_SINGLE, firmware=(), **options):
        """One that was never powered on. drive_form: nova's config_drive_format, "iso" or "vfat"; None
        for no drive. options: more of the controller's, as group__name."""
        folder, amphora_id = pathlib.Path(folder), str(uuid.uuid4())
        files = octavia_files(amphora_id, topology, **{
            "haproxy_amphora__bind_host": cls.bind_host, "haproxy_amphora__bind_port": port,
            "health_manager__controller_ip_port_list": [f"{CONTROLLER_HOST}:{heartbeat_port}"],
            "health_manager__heartbeat_key": HEARTBEAT_KEY,
            "health_manager__heartbeat_interval": 1,
            "amphora_agent__agent_server_network_dir": str(cls.interfaces_dir), **options})
        drive = ConfigDrive(
            folder / "drive", files=None if has_user_data_only else files,
            user_data=octavia_user_data(files if has_user_data_only else {}),
            network=network_data(DHCP, mac=MANAGEMENT_MAC), name=f"amphora-{amphora_id}",
            hostname=f"amphora-{amphora_id}.novalocal")
        path = folder / f"drive.{drive_form}" if drive_form else None
        if path:
            {"iso": drive.iso, "vfat": drive.vfat}[drive_form](path)
        machine = VirtualMachine(folder, image, path, port, address, firmware)
        return cls(machine, amphora_id, heartbeat_port)

    def copy(self, folder):
        """The same amphora with its snapshots, on a machine of its own."""
        return ImageAmphora(self.machine.copy(folder), self.id, self.heartbeat_port)

    @contextlib.contextmanager
    def gone_on(self, folder):
        """A copy that goes on from the snapshot BOOTED, and answers."""
        twin = self.copy(folder)
        with twin.machine as machine:
            machine.start(BOOTED)
            twin.wait_until_it_answers()
            yield twin

    def answers(self):
        try:
            return self.api.get("/", timeout=ASK_TIMEOUT_S).status == 200
        except OSError:
            return False

    def wait_for_first_answer(self):
        """Returns when it arrived, on the clock of time.monotonic(). Connections overlap: one that met
        a network that was not there yet would tell no more than when it gave up."""
        def ask():
            return time.monotonic() if self.answers() else None

        deadline, asked = time.monotonic() + BOOT_S, []
        with concurrent.futures.ThreadPoolExecutor(int(ASK_TIMEOUT_S / ASK_PERIOD_S)) as pool:
            while time.monotonic() < deadline:
                asked.append(pool.submit(ask))
                time.sleep(ASK_PERIOD_S)
                arrived = [done.result() for done in asked if done.done() and done.result()]
                if arrived:
                    return min(arrived)
        raise AssertionError(f"after {BOOT_S} s the amphora does not answer GET /")

    def wait_until_it_answers(self, timeout_s=BOOT_S):
        eventually(self.answers, "the amphora answers GET /", timeout_s, pause_s=0.1)

    def wait_for_boot(self, before=None, timeout_s=BOOT_S):
        """Until it answers in another boot than `before` and has brought back what it brings back."""
        def booted():
            try:
                return self.machine.boot_id(timeout_s=5) != before
            except socket.timeout:
                return False  # asked while it went down
        eventually(booted, "the machine boots", timeout_s)
        self.wait_until_it_answers()
        self.wait_until_ready()

    def wait_until_ready(self, timeout_s=BOOT_S):
        """Until it has brought back what it brings back. It is not kept busy with being asked."""
        eventually(lambda: self._is_active("amphora-agent"), "the agent is ready", timeout_s, 0.5)

    def wait_until_idle(self):
        """Until nothing that a boot starts is still to come."""
        eventually(lambda: self._is_active("prometheus-proxy")
                   and not self.machine.shell.run("systemctl list-jobs --no-legend"),
                   "nothing is being started", BOOT_S, 0.5)

    def _is_active(self, unit):
        return self.machine.shell.ask(f"systemctl is-active {unit}.service")[0] == 0

    def haproxy_workers(self, lb_id):
        """Pids: one, and more while a reload's old ones still serve."""
        said = self.machine.shell.run(
            f"pgrep --parent $(systemctl show --value --property=MainPID haproxy-{lb_id})")
        return [int(pid) for pid in said.split()]

    def inside(self, command):
        """What a command says in the network namespace of the data plane."""
        return self.machine.shell.run(f"ip netns exec amphora-haproxy {command}")

    def warnings(self):
        """What its programs have said that somebody should look at, and what the kernel or systemd
        kept them from."""
        ours = self.machine.shell.run(
            "journalctl --no-pager --priority=warning _COMM=amphora-agent + _COMM=amphora-heartbe + "
            "_COMM=prometheus-prox + _COMM=amphora-interfa --output=cat")
        prevented = [line for line in self.machine.shell.run(
            "journalctl --no-pager --output=cat").splitlines() if PREVENTED.search(line)]
        return [line for line in ours.splitlines() if not SLOW.search(line)] + prevented

    def show(self):
        """What it said, for who reads why a test failed."""
        print(f"console:\n{self.machine.console()[-4000:]}")
        if not self.machine.is_running():
            return
        try:
            print(f"journal:\n{self.machine.shell.ask('journalctl --no-pager --lines=300')[1]}")
        except OSError as why:
            print(f"journal: it does not answer: {why}")

    def journal(self, *units):
        words = " ".join(f"--unit={unit}" for unit in units)
        return self.machine.shell.run(f"journalctl --no-pager --output=short-monotonic {words}")
