# SPDX-License-Identifier: Apache-2.0
"""A pair in namespaces: each agent's HAProxy and keepalived in one of its own, joined by a bridge with
a client, which is the member as well."""

import contextlib
import os
import signal
import subprocess
import sys

from harness import haproxy, processes
from harness.network_namespace import NetworkNamespace
from harness.pair import GATEWAY, NODES, PORT, SUBNET, VIP, Node, Pair, without_state_line
from harness.pair_config import PairConfig

CLIENT, MEMBER_PORT = "198.51.100.100", 8080

MEMBER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


class NamespaceNode(Node):
    """One of the two."""

    def __init__(self, amphora, namespace, address, role, config):
        super().__init__(amphora, role, address, config.id)
        self.namespace = namespace
        self.config = config
        self.model = config.add_amphora(amphora.id, address, role)

    def serve(self, has_state_line):
        """What a controller sends to an amphora of a pair; its agent runs."""
        api, base_path = self.amphora.api, self.amphora.base_path
        lb_path = f"/1.0/loadbalancer/{self.config.id}"
        keepalived = self.config.keepalived(self.model, base_path)
        if not has_state_line:
            keepalived = without_state_line(keepalived, self.role)
        for path, body in (
                (f"/1.0/loadbalancer/{self.amphora.id}/{self.config.id}/haproxy",
                 self.config.haproxy(self.model, base_path)),
                (f"{lb_path}/reload", None),
                ("/1.0/vrrp/upload", keepalived),
                ("/1.0/vrrp/start", None)):
            answer = api.put(path, body)
            assert answer.status in (200, 202), f"{path}: {answer}"

    def has_vip(self):
        shown = subprocess.run(["ip", "-n", self.namespace.name, "address"],
                               capture_output=True, text=True, check=True).stdout
        return f" {VIP}/32 " in shown

    def sticky_clients(self):
        """How many clients its HAProxy knows a member for."""
        answer = haproxy.ask(self.amphora.runtime_dir / f"{self.config.id}.master.sock",
                             f"@1 show table {self.config.stick_table}")
        return answer.count(" key=")

    # What may befall it

    @staticmethod
    def _kill(pids):
        """All at once: keepalived's child would tidy up when it loses its parent."""
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):  # one may end with another
                    os.kill(pid, number)

    def kill_haproxy(self):
        self._kill(self.amphora.haproxy_pids(self.config.id))

    def keepalived_pids(self):
        """Its main process first."""
        pids = self.amphora.processes("keepalived")
        return sorted(pids, key=processes.leads_session, reverse=True)

    def kill_keepalived(self):
        self._kill(self.keepalived_pids())

    def lose_interface(self):
        self.namespace.ip("link", "set", "eth1", "down")

    def get_interface_back(self):
        self.namespace.ip("link", "set", "eth1", "up")


class NamespacePair(Pair):
    """A context manager; make_amphora(network_namespace=…) makes amphorae and ends them. With
    has_state_line the configs are those of release 11, else of the newer ones, which leave out one
    line."""

    def __init__(self, make_amphora, has_state_line=False):
        self._stack = contextlib.ExitStack()
        self._make_amphora = make_amphora
        self._has_state_line = has_state_line
        self.config = PairConfig(VIP, SUBNET, GATEWAY, PORT, (CLIENT, MEMBER_PORT))
        self.nodes = []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.push(self)
            self.client = self._stack.enter_context(NetworkNamespace())
            self.client.ip("link", "add", "br0", "type", "bridge")
            self.client.ip("address", "add", f"{CLIENT}/24", "dev", "br0")
            self.client.ip("link", "set", "br0", "up")
            self._start_member()
            for role, address in NODES:
                self._add_node(role, address)
            self._serve()
            self.master()
            stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _serve(self):
        for node in self.nodes:
            node.serve(self._has_state_line)

    def _start_member(self):
        member = subprocess.Popen(["ip", "netns", "exec", self.client.name, sys.executable, "-c",
                                   MEMBER, CLIENT, str(MEMBER_PORT)])
        self._stack.callback(member.wait)
        self._stack.callback(member.kill)

    def _add_node(self, role, address):
        namespace = self._stack.enter_context(NetworkNamespace())
        namespace.ip("link", "add", "eth1", "type", "veth", "peer", "name", role,
                     "netns", self.client.name)
        namespace.ip("address", "add", f"{address}/24", "dev", "eth1")
        namespace.ip("link", "set", "eth1", "up")
        self.client.ip("link", "set", role, "master", "br0", "up")
        # HAProxy binds the VIP wherever that is (amphora-api.md, "The namespace").
        subprocess.run(["ip", "netns", "exec", namespace.name, "sh", "-c",
                        "echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind"], check=True)
        amphora = self._make_amphora(network_namespace=namespace.name)
        amphora.config.set("controller_worker", "loadbalancer_topology", "ACTIVE_STANDBY")
        self.nodes.append(NamespaceNode(amphora.start(), namespace, address, role, self.config))


class ModelPair(NamespacePair):
    """The same pair as a model. The agents' settings say nothing of it."""

    def model(self, member=(CLIENT, MEMBER_PORT)):
        return super().model(member)

    def _serve(self):
        for node in self.nodes:
            node.serve_model(self.model())
