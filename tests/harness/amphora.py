# SPDX-License-Identifier: Apache-2.0
"""A throw-away amphora: a directory, a configuration, and the agent that runs on them."""

import contextlib
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

from harness import agent_config, certificates, processes
from harness.api_client import ApiClient
from harness.eventually import eventually
from harness.ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("AMPHORA_BUILD", "build")
# How long a file may be on its way to its name.
REPLACED_S = 5
SANITIZER_REPORT = re.compile(r"(?:Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:")


class Amphora:
    """Everything lies below `directory`, whose name stands in the command line of every process
    that the agent causes: that is how `destroy` finds them."""

    def __init__(self, bind_host="127.0.0.1", network_namespace="", amphora_id=None, wrapper=()):
        """wrapper: a command in front of the agent's, which it replaces itself by."""
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="amphora-test-"))
        self.directory.chmod(0o755)  # HAProxy and the sender run as somebody else
        self.id = amphora_id or str(uuid.uuid4())
        self.bind_host = bind_host
        self.connect_host = {"::": "::1", "0.0.0.0": "127.0.0.1"}.get(bind_host, bind_host)
        self.port = free_port(self.connect_host)
        # Where it finds its controller, and on which port: one of the controller's choice.
        self.controller_host, self.heartbeat_port = "127.0.0.1", None
        self.base_path = self.directory / "lib"
        self.runtime_dir = self.directory / "run"
        self.config_file = self.directory / "etc" / "amphora-agent.conf"
        self.config_dir = self.directory / "etc" / "conf.d"
        self.certificate_dir = self.directory / "etc" / "certs"
        self.interfaces_dir = self.base_path / "interfaces"
        self.log_file = self.directory / "agent.log"
        for path in (self.base_path, self.runtime_dir, self.config_dir, self.certificate_dir):
            path.mkdir(parents=True)

        self.server_identity = certificates.amphora_authority().issue(self.id)
        (self.certificate_dir / "client_ca.pem").write_bytes(
            certificates.controller_authority().pem)
        self.server_identity.write_to(self.certificate_dir / "server.pem")
        self.config = agent_config.controller_config(
            self.id, self.base_path, self.certificate_dir, bind_host, self.port)
        self.drop_in = agent_config.drop_in(self.runtime_dir, network_namespace)
        self.api = self.client()
        self._programs = BUILD
        self._wrapper = wrapper
        self._agent = None
        self._log_begins = 0  # where the present agent's part of the log does

    def client(self, identity=True, **tls_versions):
        """An API client; identity: True the controller's, None none, or one of your own."""
        if identity is True:
            identity = certificates.controller_identity()
        return ApiClient(self.connect_host, self.port, self.id,
                         certificates.amphora_authority(), identity, **tls_versions)

    # The agent's life

    def install(self):
        """Its programs lie where everybody may run them, as those of a package do, wherever this
        repository is. To be called before `start`."""
        self._programs = self.directory / "usr" / "bin"
        self._programs.mkdir(parents=True)
        for program in BUILD.iterdir():
            if program.is_file() and os.access(program, os.X_OK):
                shutil.copy2(program, self._programs)
        shutil.copytree(ROOT / "templates",
                        self.directory / "usr" / "share" / "amphora-agent" / "templates")
        return self

    def write_config(self):
        self.config_file.write_text(self.config.text())
        (self.config_dir / "10-test.conf").write_text(self.drop_in.text())

    def start(self, wait=True):
        """Starts the agent on what `config` and `drop_in` say; with wait, until it answers."""
        assert not self.is_running()
        program = self._programs / "amphora-agent"
        assert program.exists(), f"{program} is not built: run make"
        self.write_config()
        with open(self.log_file, "ab") as log:
            self._log_begins = log.tell()
            self._agent = subprocess.Popen(
                [*self._wrapper, program, "--config-file", self.config_file,
                 "--config-dir", self.config_dir],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if wait:
            self.wait_until_it_answers()
        return self

    def wait_until_it_answers(self, timeout_s=60):
        def answers():
            assert self.is_running(), f"the agent ended at once:\n{self.log()}"
            try:
                return self.api.get("/", timeout=5).status == 200
            except OSError:
                return False
        eventually(answers, "the agent answers GET /", timeout_s, pause_s=0.01)

    def wait_until_ready(self):
        """Until all runs that it restores and starts: it answers earlier. One that has ended writes
        no more."""
        eventually(lambda: "serving on port" in self.log_of_present_agent()
                   or not self.is_running(), "the agent has started everything", 60)

    @property
    def pid(self):
        return self._agent.pid

    def is_running(self):
        return self._agent is not None and self._agent.poll() is None

    def stop(self, timeout_s=60):
        """SIGTERM; returns the exit status."""
        return self.signal(signal.SIGTERM, timeout_s)

    def kill(self):
        return self.signal(signal.SIGKILL)

    def signal(self, number, timeout_s=60):
        """Sends a signal that ends the agent; returns its exit status."""
        self._agent.send_signal(number)
        try:
            status = self._agent.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"signal {number} did not end the agent in {timeout_s} s")
        return status

    def wait_until_ended(self, timeout_s=60):
        """Of an agent that somebody else ends."""
        self._agent.wait(timeout_s)

    def restart(self):
        assert self.stop() == 0, self.log()
        return self.start()

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_of_present_agent(self):
        if not self.log_file.exists():
            return ""
        return self.log_file.read_bytes()[self._log_begins:].decode(errors="replace")

    # What it caused

    def processes(self, program=None):
        return processes.mentioning(str(self.directory), program)

    def haproxy_pids(self, lb_id=None):
        """All HAProxy processes (masters, workers) of one load balancer, or of all."""
        wanted = str(self.base_path / lb_id) + "/" if lb_id else str(self.base_path)

        def is_wanted(arguments):  # of one that has ended there are none any more
            return any(wanted in argument for argument in arguments) and "-c" not in arguments
        return [pid for pid in self.processes("haproxy")
                if is_wanted(processes.command_line(pid))]

    def haproxy_master(self, lb_id):
        """The pid of the process that the agent started, 0 when there is none."""
        masters = [pid for pid in self.haproxy_pids(lb_id) if processes.leads_session(pid)]
        assert len(masters) <= 1, f"several HAProxy masters of {lb_id}: {masters}"
        return masters[0] if masters else 0

    def haproxy_workers(self, lb_id):
        return [pid for pid in self.haproxy_pids(lb_id)
                if not processes.leads_session(pid) and processes.is_alive(pid)]

    def heartbeat_pid(self):
        """The pid of the sender, 0 when it does not run."""
        pids = self.processes("amphora-heartbeat")
        assert len(pids) <= 1, f"several senders: {pids}"
        return pids[0] if pids else 0

    def prometheus_pid(self):
        """The pid of the Prometheus proxy, 0 when it does not run."""
        pids = self.processes("prometheus-proxy")
        assert len(pids) <= 1, f"several Prometheus proxies: {pids}"
        return pids[0] if pids else 0

    def stats_socket(self, lb_id):
        return self.base_path / f"{lb_id}.sock"

    def config_path(self, lb_id):
        return self.base_path / lb_id / "haproxy.cfg"

    def files(self):
        """Every path below the state and run-time directories, but what the sender keeps. Of an
        agent that runs, once it has made what it makes at its start. What is being replaced, as the
        agent does with its ledgers at any time, is waited for."""
        self.wait_until_ready()
        ended = time.monotonic() + REPLACED_S
        while True:
            paths = self._paths()
            if time.monotonic() > ended or not any(".tmp-" in path for path in paths):
                return paths
            time.sleep(0.01)

    def _paths(self):
        of_sender = {self.base_path / "heartbeat", self.runtime_dir / "amphora-heartbeat.sock"}
        found = set()
        for top in (self.base_path, self.runtime_dir):
            for folder, *names in os.walk(top):
                paths = [pathlib.Path(folder) / name for name in itertools.chain(*names)]
                found.update(str(path.relative_to(self.directory)) for path in paths
                             if of_sender.isdisjoint([path, *path.parents]))
        return found

    def write_script(self, name, text):
        """An executable shell script of this amphora; returns its path."""
        path = self.directory / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
        return path

    # Its end

    def faults(self):
        """What no run may leave in any log: reports of the sanitizers."""
        found = []
        for path in self.directory.rglob("*log*"):
            if path.is_file() and path.stat().st_size < 64 * 1024 * 1024:
                text = path.read_text(errors="replace")
                if SANITIZER_REPORT.search(text):
                    found.append(f"{path}:\n{text}")
        return found

    def destroy(self):
        """Ends every process and removes every file, whatever state the test left."""
        if self.is_running():
            self._agent.kill()
            self._agent.wait()
        processes.end_all_mentioning(str(self.directory))
        shutil.rmtree(self.directory, ignore_errors=False)

    def end_well(self):
        """The orderly end of a test: the agent ends on SIGTERM, status 0, and no sanitizer spoke."""
        status = self.stop() if self.is_running() else 0
        for pid in filter(None, [self.heartbeat_pid(), self.prometheus_pid()]):
            with contextlib.suppress(ProcessLookupError):  # it was about to end
                os.kill(pid, signal.SIGTERM)
            eventually(lambda: not processes.is_alive(pid), "a companion ends on SIGTERM")
        assert status == 0, f"the agent ended with {status}:\n{self.log()}"
        faults = self.faults()
        assert not faults, "\n".join(faults)


def wait_for_end(pid, timeout_s=30):
    """Waits for the end of a process that is not our child."""
    eventually(lambda: not processes.is_alive(pid), f"process {pid} ends", timeout_s)
