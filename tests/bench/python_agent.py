# SPDX-License-Identifier: Apache-2.0
"""Octavia's own agent, Debian's octavia-agent, in the sandbox.

It has paths of its own wired in (/var/lib/octavia, its log in /var/log, unit files under
/usr/lib/systemd/system), takes the machine for systemd's by the name of process 1, and starts
HAProxy through /usr/sbin/service. So each of these is mounted over, inside the sandbox only."""

import contextlib
import os
import pathlib
import socket
import subprocess
import threading

import process
import sandbox
from subject import Subject

PROGRAM = "/usr/bin/amphora-agent"
BASE_PATH = pathlib.Path("/var/lib/octavia")

# What the unit that it renders does: check, then start or signal the master.
SERVICE = r"""#!/bin/sh
id=${1#haproxy-}
base=/var/lib/octavia
set -- "$2" -f $base/$id/haproxy.cfg -f $base/haproxy-default-user-group.conf
action=$1
shift
case $action in
start) exec setsid /usr/sbin/haproxy -Ws -p $base/$id/$id.pid "$@" </dev/null >/dev/null 2>&1 & ;;
reload) /usr/sbin/haproxy -c -q "$@" && kill -USR2 "$(cat $base/$id/$id.pid)" ;;
stop) kill "$(cat $base/$id/$id.pid)" ;;
esac
"""


class Counts:
    """It is two orders of magnitude slower: fewer of each, so that a run ends in minutes."""
    starts = 5
    keepalive_requests = 100
    new_connections = 100
    long_run_requests = 300
    uploads = 9
    reloads = 5
    gets_meanwhile = 1
    scrapes = 3
    scrapers = 10
    health_checks = 20


# Its main enters a namespace by a fixed name, where in here no HAProxy is: the server alone.
PROMETHEUS_PROXY = """\
import http.server
from octavia.cmd import prometheus_proxy
http.server.ThreadingHTTPServer(
    ("127.0.0.1", 9102), prometheus_proxy.PrometheusProxy).serve_forever()
"""


def install():
    """From Debian, starting no service. Outside the sandbox: inside there is no network."""
    installer = pathlib.Path(__file__).parent.parent / "install_packages.sh"
    subprocess.run([installer, "octavia-agent"], check=True)


class PythonAgent(Subject):
    name = "python"
    port = 9543
    health_port = 5556
    counts = Counts
    base_path = BASE_PATH
    executable = os.path.realpath("/usr/bin/python3")
    health_checker = [executable, "-c", "from octavia.cmd import health_checker as h; h.main()"]

    def __init__(self, folder, certificates, tls_client):
        super().__init__(folder, certificates, tls_client)
        self._mount()
        self._read_log()

    def _mount(self):
        for path in ("/run", "/var/log", "/usr/lib/systemd/system", BASE_PATH):
            sandbox.mount_empty(path)
        subprocess.run(["ip", "netns", "add", "amphora-haproxy"], check=True)
        (BASE_PATH / "haproxy-default-user-group.conf").write_text("global\n    group nogroup\n")
        sandbox.mount_file(self._write("comm", "systemd\n"), "/proc/1/comm")
        sandbox.mount_file(self._write("service", SERVICE), "/usr/sbin/service")
        self._write("systemctl", "#!/bin/sh\n")

    def _write(self, name, text):
        path = self.commands / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def _read_log(self):
        """It cannot start without a log socket, and blocks when nobody reads it."""
        folder = pathlib.Path("/run/rsyslog/octavia")
        folder.mkdir(parents=True)
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log.bind(str(folder / "log"))

        def read():
            while log.recv(65536):
                pass

        threading.Thread(target=read, daemon=True).start()

    def command(self):
        return [PROGRAM, "--config-file", self.folder / "agent.conf"]

    def programs(self):
        """The arbiter forks the sender first, its one worker second."""
        sender, worker = process.children(self.process.pid)
        return {"arbiter": [self.process.pid], "worker": [worker], "sender": [sender]}

    def api_pids(self):
        return [self.process.pid, *self.programs()["worker"]]

    def sender_pid(self):
        return self.programs()["sender"][0]

    @contextlib.contextmanager
    def prometheus_proxy(self):
        """Its pid; an image runs it as a unit of its own."""
        with subprocess.Popen(["/usr/bin/python3", "-c", PROMETHEUS_PROXY], stdin=subprocess.DEVNULL,
                              stdout=self.log, stderr=self.log) as proxy:
            try:
                yield proxy.pid
            finally:
                proxy.kill()

    def left_behind(self):
        return []
