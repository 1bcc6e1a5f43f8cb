# SPDX-License-Identifier: Apache-2.0
"""This project's agent, run from the build folder."""

import contextlib
import time

import process
from subject import Subject

START_WAIT_S = 10


class Counts:
    """How often things are done to it."""
    starts = 15
    keepalive_requests = 20000
    new_connections = 1000
    long_run_requests = 100000
    uploads = 15
    reloads = 5
    gets_meanwhile = 50
    scrapes = 50
    scrapers = 100
    health_checks = 200


class AmphoraAgent(Subject):
    name = "agent"
    port = 9443
    health_port = 5555
    counts = Counts

    def __init__(self, folder, certificates, tls_client, build):
        super().__init__(folder, certificates, tls_client)
        self.executable = build / "amphora-agent"
        self.health_checker = [build / "amphora-health-checker"]
        self.amphoractl = build / "amphoractl"
        self.base_path = self.folder / "base"
        self.base_path.mkdir()
        (self.folder / "conf.d").mkdir()
        self.use_network_namespace("")

    def use_network_namespace(self, name):
        """From the next start on; "": none."""
        (self.folder / "conf.d" / "agent.conf").write_text(f"""\
[agent]
service_manager = direct
network_namespace = {name}
runtime_dir = {self.folder}/run
""")

    def command(self):
        return [self.executable, "--config-file", self.folder / "agent.conf",
                "--config-dir", self.folder / "conf.d"]

    def programs(self):
        return {name: process.running(name)
                for name in ("amphora-agent", "amphora-heartbeat", "prometheus-proxy")}

    def api_pids(self):
        return [self.process.pid]

    def sender_pid(self):
        return process.running("amphora-heartbeat")[-1]

    @contextlib.contextmanager
    def prometheus_proxy(self):
        """Its pid; the agent runs it, once it serves."""
        deadline = time.monotonic() + START_WAIT_S
        while not (found := process.running("prometheus-proxy")):
            if time.monotonic() > deadline:
                raise RuntimeError("the agent starts no Prometheus proxy")
            time.sleep(0.01)
        yield found[-1]

    def left_behind(self):
        return [*process.running("amphora-heartbeat"), *process.running("prometheus-proxy")]
