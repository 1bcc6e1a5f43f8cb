# SPDX-License-Identifier: Apache-2.0
"""Two amphorae with one VIP, wherever they run: what a client and somebody who looks inside see."""

import contextlib
import time

from harness.eventually import eventually
from harness.request_stream import RequestStream

SUBNET, GATEWAY = "198.51.100.0/24", "198.51.100.254"
VIP, PORT = "198.51.100.13", 80
NODES = (("MASTER", "198.51.100.15"), ("BACKUP", "198.51.100.16"))
PRIORITIES = {"MASTER": 100, "BACKUP": 90}
ADVERT_S = 1


def without_state_line(config, role):
    """What newer releases make of a keepalived config of release 11."""
    line = f"    state {role}\n"
    assert line in config, config
    return config.replace(line, "")


class Node:
    """One of the two. Has also has_vip(), sticky_clients(), and what may befall it."""

    def __init__(self, amphora, role, address, load_balancer_id):
        self.amphora = amphora
        self.role = role
        self.address = address
        self.load_balancer_id = load_balancer_id

    def __str__(self):
        return f"{self.role} {self.address}"

    def serve_model(self, model):
        answer = self.amphora.api.put(
            f"/1.0/loadbalancer/{self.amphora.id}/{self.load_balancer_id}/model", model)
        assert answer.status == 200, answer
        return answer.json

    def stop_keepalived(self):
        assert self.amphora.api.put("/1.0/vrrp/stop").status == 202

    def start_keepalived(self):
        assert self.amphora.api.put("/1.0/vrrp/start").status == 202


class Pair:
    """`nodes` in the order of NODES; `client` is a namespace."""

    # Between a client's requests, while it is measured what it notices.
    period_s = 0.02
    # Between two looks at who holds the VIP.
    look_s = 0.02

    def master(self):
        """The one that holds the VIP, once exactly one does."""
        def only_one():
            holders = [node for node in self.nodes if node.has_vip()]
            return holders[0] if len(holders) == 1 else None
        return eventually(only_one, "exactly one amphora holds the VIP", 60, self.look_s)

    def backup(self):
        master = self.master()
        return next(node for node in self.nodes if node is not master)

    def measure(self, mishap, *arguments):
        """The Outage that a mishap brings to a client."""
        outage, = self.measure_listeners([("tcp", PORT)], mishap, *arguments)
        return outage

    def measure_listeners(self, listeners, mishap, *arguments):
        """The same of several: ("tcp" or "udp", port) each."""
        with contextlib.ExitStack() as stack:
            streams = [
                stack.enter_context(RequestStream(self.client, VIP, port, protocol, self.period_s))
                for protocol, port in listeners]
            eventually(lambda: all(stream.flows() for stream in streams),
                       "the client is served", 60)
            since = time.monotonic() - 0.5
            mishap(*arguments)
            time.sleep(1)
            eventually(lambda: all(stream.flows() for stream in streams),
                       "the client is served again", 60)
            return [stream.outage(since) for stream in streams]

    def model(self, member):
        """The pair's load balancer as a model. member: (address, port)."""
        return {
            "vip_address": VIP, "subnet_cidr": SUBNET, "gateway": GATEWAY,
            "host_routes": [{"destination": "233.252.0.0/24", "nexthop": GATEWAY}],
            "topology": "ACTIVE_STANDBY",
            "vrrp": {"virtual_router_id": 1, "auth_type": "PASS", "auth_pass": "b5e00e6",
                     "advert_int": ADVERT_S},
            "amphorae": [
                {"id": node.amphora.id, "vrrp_ip": node.address, "vrrp_interface": "eth1",
                 "vrrp_priority": PRIORITIES[node.role]} for node in self.nodes],
            "listeners": [{
                "protocol": "HTTP", "protocol_port": PORT, "default_pool": {
                    "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN",
                    "session_persistence": {"type": "SOURCE_IP"},
                    "members": [{"address": member[0], "protocol_port": member[1]}]}}]}
