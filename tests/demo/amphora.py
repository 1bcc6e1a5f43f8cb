# SPDX-License-Identifier: Apache-2.0
"""The demo's amphora: the agent's configuration, and its API as curl lines."""

import json
import os
import pathlib
import socket
import subprocess

import network

ID = "demo-amphora"
LOAD_BALANCER_ID = "demo"
HEARTBEAT_KEY = "a-secret-of-the-demo"
WEB_PORT = 8080
API_PORT = 9443

CONFIGURATION = """\
[haproxy_amphora]
base_path = {folder}/base
bind_host = {address}
bind_port = {api_port}

[health_manager]
controller_ip_port_list = {controller}:{health_port}
heartbeat_interval = 1
heartbeat_key = {key}

[amphora_agent]
agent_server_ca = {folder}/ca.pem
agent_server_cert = {folder}/server.pem
agent_server_network_dir = {folder}/interfaces
amphora_id = {id}
"""

DROP_IN = """\
[agent]
service_manager = direct
network_namespace = {namespace}
runtime_dir = {folder}/run
"""

PLUG_VIP = f"""\
{{"mac_address": "{network.VIP_MAC}", "vrrp_ip": "{network.VRRP_IP}",
 "subnet_cidr": "{network.VIP_SUBNET}", "gateway": "{network.CLIENT_ADDRESS}"}}
"""

PLUG_NETWORK = f"""\
{{"mac_address": "{network.MEMBER_MAC}", "fixed_ips": [
   {{"ip_address": "{network.MEMBER_IP}", "subnet_cidr": "{network.MEMBER_SUBNET}"}}]}}
"""

MODEL = """\
{{"vip_address": "{vip}",
 "listeners": [{{"id": "http", "protocol": "TCP", "protocol_port": 80,
   "default_pool": {{"id": "web", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
     "members": [
{members}],
     "healthmonitor": {{"type": "TCP", "delay": "1s", "timeout": "1s", "max_retries": 2}}}}}}]}}
"""


def _free_port(preferred):
    """A UDP port that nobody uses, the preferred one if it is free."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise RuntimeError("no free UDP port")


class Amphora:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.health_port = _free_port(5555)
        self.api = f"https://{network.AMPHORA_ADDRESS}:{API_PORT}/1.0"
        self.load_balancer = f"{self.api}/loadbalancer/{LOAD_BALANCER_ID}"
        self.model = f"{self.api}/loadbalancer/{ID}/{LOAD_BALANCER_ID}/model"

    def configure(self):
        """Writes agent.conf, as a controller would, a drop-in with what is ours alone, and what the
        controller will send to plug the two NICs."""
        drop_ins = self.folder / "conf.d"
        drop_ins.mkdir()
        (self.folder / "agent.conf").write_text(CONFIGURATION.format(
            folder=self.folder, address=network.AMPHORA_ADDRESS, api_port=API_PORT,
            controller=network.CONTROLLER_ADDRESS, health_port=self.health_port,
            key=HEARTBEAT_KEY, id=ID))
        (drop_ins / "direct.conf").write_text(DROP_IN.format(
            folder=self.folder, namespace=network.HAPROXY))
        (self.folder / "plug-vip.json").write_text(PLUG_VIP)
        (self.folder / "plug-network.json").write_text(PLUG_NETWORK)

    def command(self):
        build = pathlib.Path(os.environ.get("AMPHORA_BUILD", "build")).resolve()
        return network.command_inside(network.AMPHORA, [
            build / "amphora-agent", "--config-file", self.folder / "agent.conf",
            "--config-dir", self.folder / "conf.d"])

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex((network.AMPHORA_ADDRESS, API_PORT)) == 0

    def write_model(self, servers, weights):
        """servers: addresses by name; weights: those that are not 1, by name."""
        members = []
        for name, address in servers.items():
            weight = f', "weight": {weights[name]}' if name in weights else ""
            members.append(f'      {{"id": "{name}", "address": "{address}", '
                           f'"protocol_port": {WEB_PORT}{weight}}}')
        (self.folder / "model.json").write_text(MODEL.format(
            vip=network.VIP, members=",\n".join(members)))

    @staticmethod
    def curl(words):
        """The shell command that asks the agent as its controller; run in the demo's folder."""
        return f"curl -s --cacert ca.pem --cert client.pem {words}"

    def members(self):
        """Those of the one pool, as the status tree has them now."""
        done = subprocess.run(["sh", "-c", self.curl(f"{self.load_balancer}/status")],
                              cwd=self.folder, capture_output=True, text=True, check=True)
        tree = json.loads(done.stdout)["statuses"]["loadbalancer"]
        return tree["listeners"][0]["pools"][0]["members"]
