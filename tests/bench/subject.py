# SPDX-License-Identifier: Apache-2.0
"""An agent under measurement: what both agents have in common."""

import os
import pathlib
import signal
import subprocess
import time

import process
from client import Client
from health_manager import HealthManager

AMPHORA_ID = "6d5c7f5e-2a8c-4f6e-9a43-0c2d6f4b1e77"
HEARTBEAT_KEY = "a-key-of-the-bench"
HAPROXY = "/usr/sbin/haproxy"
END_WAIT_S = 10


class Unavailable(Exception):
    """A figure that cannot be had from this agent, and why."""


class Subject:
    """Subclasses give: name, port, health_port, counts, base_path, executable, command(),
    programs(), api_pids(), sender_pid(), prometheus_proxy(), left_behind() and health_checker."""

    def __init__(self, folder, certificates, tls_client):
        self.folder = pathlib.Path(folder)
        self.commands = self.folder / "commands"
        self.commands.mkdir(parents=True)
        self.certificates = certificates
        self.client = Client(tls_client, certificates, "127.0.0.1", self.port)
        self.health_manager = HealthManager(self.health_port, HEARTBEAT_KEY)
        self.process = None
        self.log = open(self.folder / "log", "ab")

    def configuration(self, heartbeat_interval_s, haproxy_cmd):
        """amphora-agent.conf, as the controller writes it."""
        return f"""\
[DEFAULT]
debug = False

[haproxy_amphora]
base_path = {self.base_path}
base_cert_dir = {self.base_path}/certs
bind_host = 127.0.0.1
bind_port = {self.port}
haproxy_cmd = {haproxy_cmd}

[health_manager]
controller_ip_port_list = 127.0.0.1:{self.health_port}
heartbeat_interval = {heartbeat_interval_s}
heartbeat_key = {HEARTBEAT_KEY}

[amphora_agent]
agent_server_ca = {self.certificates.ca}
agent_server_cert = {self.certificates.server}
agent_server_network_dir = {self.folder}/interfaces
agent_tls_protocol = TLSv1.2
amphora_id = {AMPHORA_ID}

[controller_worker]
loadbalancer_topology = SINGLE
"""

    def start(self, heartbeat_interval_s=10, check_pause_s=0, libraries=None):
        """Starts it; returns after how many seconds it answered its first request.
        check_pause_s makes each `haproxy -c` of the agent take that much longer; libraries is a
        folder with shared libraries that come before the system's."""
        haproxy_cmd = self._haproxy(check_pause_s) if check_pause_s else HAPROXY
        environment = dict(os.environ, PATH=f"{self.commands}:{os.environ['PATH']}")
        if libraries:
            environment["LD_LIBRARY_PATH"] = str(libraries)
        (self.folder / "agent.conf").write_text(
            self.configuration(heartbeat_interval_s, haproxy_cmd))
        waiting = self.client.wait_for_answer()
        start_s = time.monotonic()
        self.process = subprocess.Popen(self.command(), env=environment, cwd="/",
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        return waiting.result() - start_s

    def _haproxy(self, check_pause_s):
        """A haproxy that sleeps before it checks a configuration, first in the agent's PATH."""
        wrapper = self.commands / "haproxy"
        wrapper.write_text(f"""\
#!/bin/sh
case " $* " in *" -c "*) sleep {check_pause_s} ;; esac
exec {HAPROXY} "$@"
""")
        wrapper.chmod(0o755)
        return wrapper

    def stop(self):
        """Ends the agent and all that it started: in the sandbox nobody else runs HAProxy."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(END_WAIT_S)
        self.process = None
        (self.commands / "haproxy").unlink(missing_ok=True)
        left = [*self.left_behind(), *process.running("haproxy")]
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + END_WAIT_S
        while any(os.path.exists(f"/proc/{pid}/exe") for pid in left):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: processes {left} do not end")
            time.sleep(0.01)

    def api_cpu_s(self):
        return sum(process.cpu_s(pid) for pid in self.api_pids())

    def pss_mib(self):
        """Of every program of the agent, HAProxy not among them."""
        return {name: sum(process.pss_mib(pid) for pid in pids)
                for name, pids in self.programs().items()}

    def use_network_namespace(self, name):
        """Where the agent plugs interfaces and runs HAProxy. Unavailable where it cannot plug."""
        raise Unavailable("it plugs with commands that only its image has")

    def put_config(self, load_balancer, **changes):
        """Uploads a configuration; how long that took, in ms."""
        body = self.folder / "upload.cfg"
        body.write_text(load_balancer.config(**changes))
        return self.client.measure(f"/1.0/loadbalancer/{AMPHORA_ID}/{load_balancer.id}/haproxy", 1,
                                   method="PUT", body=body)["p50_ms"]

    def reload(self, load_balancer):
        return self.client.measure(f"/1.0/loadbalancer/{load_balancer.id}/reload", 1,
                                   method="PUT")["p50_ms"]

    def delete(self, load_balancer):
        self.client.measure(f"/1.0/listeners/{load_balancer.id}", 1, method="DELETE")
