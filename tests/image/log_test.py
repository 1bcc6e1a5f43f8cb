# SPDX-License-Identifier: Apache-2.0
"""Logs as the controller's configuration asks for them: rsyslog sends them to the operator's and the
tenants' targets, and what stays on the disk rotates."""

import re
import socketserver

import pytest

from harness.background_server import BackgroundServer
from harness.controller import HEARTBEAT_KEY
from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.image_amphora import ImageAmphora
from harness.image_site import HTTP_PORT, ImageSite
from harness.ports import free_port
from harness.virtual_machine import CONTROLLER_HOST

LOGGED_S = 60


class LogTarget(BackgroundServer):
    """A syslog server, by UDP or TCP; `lines` grows while it lives."""

    def __init__(self, is_tcp=False):
        self.lines = []
        self._is_tcp = is_tcp
        super().__init__()
        self.address = f"{CONTROLLER_HOST}:{self._server.server_address[1]}"

    def make_server(self):
        lines = self.lines

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self):
                lines.append(self.request[0].decode())

        class Stream(socketserver.StreamRequestHandler):
            def handle(self):
                lines.extend(line.decode() for line in self.rfile)

        server = (socketserver.ThreadingTCPServer(("127.0.0.1", 0), Stream) if self._is_tcp
                  else socketserver.UDPServer(("127.0.0.1", 0), Datagram))
        server.daemon_threads = True
        return server

    def wait_for(self, pattern, timeout_s=LOGGED_S):
        def found():
            return next((line for line in list(self.lines) if re.search(pattern, line)), None)
        return eventually(found, f"a line like {pattern} arrives", timeout_s)


@pytest.fixture
def health_manager(resources):
    return resources.enter_context(HealthManager(HEARTBEAT_KEY))


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
def test_log_lines_arrive_at_their_targets(image, folder, bed, resources, health_manager, protocol):
    admin, tenant = (resources.enter_context(LogTarget(protocol == "TCP")) for _ in range(2))
    amphora = ImageAmphora.new(
        folder, image, free_port(), health_manager.port,
        amphora_agent__admin_log_targets=[admin.address],
        amphora_agent__tenant_log_targets=[tenant.address],
        amphora_agent__log_protocol=protocol)
    resources.enter_context(amphora.machine).start()
    amphora.wait_for_boot()
    site = ImageSite(amphora, bed, resources)
    # HAProxy's line of a request, in the format of the controller's log_format.
    line = tenant.wait_for(rf'{site.id}.* {site.listener_ids[HTTP_PORT]} .*"GET / HTTP/1.1" 200')
    assert re.match(r"<134>", line), line  # local0.info
    assert f"amphora-{amphora.id}" in line, line
    # The agent's.
    line = admin.wait_for("PUT /1.0/loadbalancer/.* 200")
    assert re.match(r"<142>", line) and "amphora-agent" in line, line  # local1.info
    assert not [line for line in admin.lines if site.listener_ids[HTTP_PORT] in line
                and "GET /" in line], "tenants' traffic is not the operator's"


def test_local_files_rotate(amphora):
    shell = amphora.machine.shell
    assert "logrotate.timer" in shell.run("systemctl list-timers --no-legend")
    shell.run("logger -p local1.info before")
    eventually(lambda: "before" in shell.run("cat /var/log/syslog"), "rsyslog writes the file", 30)
    shell.run("logrotate --force /etc/logrotate.conf")
    shell.run("logger -p local1.info after")
    eventually(lambda: "after" in shell.run("cat /var/log/syslog"), "rsyslog writes the new file", 30)
    assert "before" in shell.run("cat /var/log/syslog.1*")
