# SPDX-License-Identifier: Apache-2.0
"""Two amphorae with one VIP: each agent's HAProxy and keepalived in a namespace of its own, joined
by a bridge with a client, which is the member as well."""

import contextlib
import os
import signal
import subprocess
import sys
import time

from harness import haproxy, processes
from harness.eventually import eventually
from harness.network_namespace import NetworkNamespace
from harness.pair_config import PairConfig
from harness.request_stream import RequestStream

VIP, PORT = "198.51.100.13", 80
CLIENT, MEMBER_PORT = "198.51.100.100", 8080
SUBNET, GATEWAY = "198.51.100.0/24", "198.51.100.254"
NODES = (("MASTER", "198.51.100.15"), ("BACKUP", "198.51.100.16"))

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


class Node:
    """One of the two."""

    def __init__(self, amphora, namespace, address, role, config):
        self.amphora = amphora
        self.namespace = namespace
        self.address = address
        self.role = role
        self.config = config
        self.model = config.add_amphora(amphora.id, address, role)

    def serve(self, has_state_line):
        """What a controller sends to an amphora of a pair; its agent runs."""
        api, base_path = self.amphora.api, self.amphora.base_path
        lb_path = f"/1.0/loadbalancer/{self.config.id}"
        keepalived = self.config.keepalived(self.model, base_path)
        if not has_state_line:
            keepalived = keepalived.replace(f"    state {self.role}\n", "")
        for path, body in (
                (f"/1.0/loadbalancer/{self.amphora.id}/{self.config.id}/haproxy",
                 self.config.haproxy(self.model, base_path)),
                (f"{lb_path}/reload", None),
                ("/1.0/vrrp/upload", keepalived),
                ("/1.0/vrrp/start", None)):
            answer = api.put(path, body)
            assert answer.status in (200, 202), f"{path}: {answer}"

    def serve_model(self, model):
        """The same, told as a model."""
        answer = self.amphora.api.put(
            f"/1.0/loadbalancer/{self.amphora.id}/{self.config.id}/model", model)
        assert answer.status == 200, answer
        return answer.json

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
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # one may end with another
                os.kill(pid, signal.SIGKILL)

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

    def stop_keepalived(self):
        assert self.amphora.api.put("/1.0/vrrp/stop").status == 202

    def start_keepalived(self):
        assert self.amphora.api.put("/1.0/vrrp/start").status == 202


class Pair:
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
        self.nodes.append(Node(amphora.start(), namespace, address, role, self.config))

    def master(self):
        """The one that holds the VIP, once exactly one does."""
        def only_one():
            holders = [node for node in self.nodes if node.has_vip()]
            return holders[0] if len(holders) == 1 else None
        return eventually(only_one, "exactly one amphora holds the VIP", 20)

    def backup(self):
        master = self.master()
        return next(node for node in self.nodes if node is not master)

    def measure(self, mishap, *arguments):
        """The Outage that a mishap brings to a client."""
        with RequestStream(self.client, VIP, PORT) as stream:
            eventually(stream.flows, "the client is served", 20)
            since = time.monotonic() - 0.5
            mishap(*arguments)
            time.sleep(1)
            eventually(stream.flows, "the client is served again", 30)
            return stream.outage(since)


class ModelPair(Pair):
    """The same pair as a model. The agents' settings say nothing of it."""

    def model(self):
        return {
            "vip_address": VIP, "subnet_cidr": SUBNET, "gateway": GATEWAY,
            "host_routes": [{"destination": "233.252.0.0/24", "nexthop": GATEWAY}],
            "topology": "ACTIVE_STANDBY",
            "vrrp": {"virtual_router_id": 1, "auth_type": "PASS", "auth_pass": "b5e00e6",
                     "advert_int": 1},
            "amphorae": [
                {"id": node.amphora.id, "vrrp_ip": node.address, "vrrp_interface": "eth1",
                 "vrrp_priority": 100 if node.role == "MASTER" else 90} for node in self.nodes],
            "listeners": [{
                "protocol": "HTTP", "protocol_port": PORT, "default_pool": {
                    "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN",
                    "session_persistence": {"type": "SOURCE_IP"},
                    "members": [{"address": CLIENT, "protocol_port": MEMBER_PORT}]}}]}

    def _serve(self):
        for node in self.nodes:
            node.serve_model(self.model())
