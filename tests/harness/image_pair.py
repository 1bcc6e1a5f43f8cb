# SPDX-License-Identifier: Apache-2.0
"""A pair of virtual machines with the image. Their NICs, the client and the members are in a
NetworkBed; what they serve comes from the controller's own driver and templates."""

import re
import uuid

from octavia.amphorae.drivers.keepalived.jinja import jinja_cfg as keepalived_jinja
from octavia.common import constants
from octavia.db import api as db_api
from octavia.db import repositories
from octavia.network import data_models

from harness.eventually import eventually
from harness.neutron import MEMBER_SUBNET, VIP_SUBNET, port
from harness.pair import NODES, PRIORITIES, VIP, Node, Pair, without_state_line

NAMESPACE = "amphora-haproxy"
MEMBER_IPS = {"MASTER": "203.0.113.15", "BACKUP": "203.0.113.16"}
VIP_MACS = {"MASTER": "fa:16:3e:00:01:15", "BACKUP": "fa:16:3e:00:01:16"}
MEMBER_MACS = {"MASTER": "fa:16:3e:00:02:15", "BACKUP": "fa:16:3e:00:02:16"}
# Between two looks into a machine whose processor has something else to do. (A VIP that has moved is the
# client's to notice, and it does so in time.)
LOOK_S = 0.5

# Asks one of HAProxy's sockets; the image has no other program that can.
ASK_SOCKET = """\
use IO::Socket::UNIX;
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!";
print $socket "$ARGV[1]\\n";
$socket->shutdown(1);  # or a master CLI waits for more
print while <$socket>;
"""


class ImageNode(Node):
    """One of the two."""

    def __init__(self, amphora, role, address, load_balancer_id):
        super().__init__(amphora, role, address, load_balancer_id)
        self.machine = amphora.machine
        self.haproxy = f"haproxy-{load_balancer_id}"

    @property
    def shell(self):
        return self.machine.shell

    def has_vip(self):
        return self.machine.is_running() and (
            f" {VIP}/32 " in self.shell.run(f"ip -netns {NAMESPACE} address"))

    def sticky_clients(self):
        """How many clients its HAProxy knows a member for, in the one table that it keeps of them."""
        tables = self._ask_haproxy("show table").splitlines()
        name = next(line for line in tables if "type: ip" in line).split()[2].rstrip(",")
        return self._ask_haproxy(f"show table {name}").count(" key=")

    def _ask_haproxy(self, command):
        socket = f"/run/octavia/{self.load_balancer_id}.master.sock"
        return self.shell.run(f"perl -e '{ASK_SOCKET}' {socket} '@1 {command}'")

    def vrrp_states(self):
        """Those that its keepalived entered, since it was started first."""
        return re.findall(r"Entering (\w+) STATE", self.amphora.journal("octavia-keepalived"))

    def stands_by_again(self, states):
        """states: what vrrp_states() was before it was started. It hears the other one then."""
        eventually(lambda: self.vrrp_states()[len(states):], "keepalived is in a state again", 30,
                   LOOK_S)

    def main_pid(self, unit):
        return int(self.shell.run(f"systemctl show --value --property=MainPID {unit}"))

    # What may befall it

    def kill(self, unit):
        """Every process of it; until it runs again."""
        before = self.main_pid(unit)
        self.shell.run(f"systemctl kill --signal=KILL {unit}")
        eventually(lambda: self.main_pid(unit) not in (0, before), f"{unit} runs again", 30, LOOK_S)

    def kill_keepalived(self):
        """The VIP stays until the next one clears it away."""
        self.kill("octavia-keepalived")
        eventually(lambda: not self.has_vip(), "the new keepalived has cleared the VIP", 30, LOOK_S)

    def kill_haproxy(self):
        self.kill(self.haproxy)

    def kill_agent(self):
        self.kill("amphora-agent")
        self.amphora.wait_until_ready()

    def stop_unit(self):
        self.shell.run("systemctl stop octavia-keepalived")

    def start_unit(self):
        self.shell.run("systemctl start octavia-keepalived")

    def lose_interface(self):
        self.machine.plug_cable(VIP_MACS[self.role], False)

    def get_interface_back(self):
        self.machine.plug_cable(VIP_MACS[self.role], True)

    def power_cut(self):
        self.machine.power_cut()

    def reboot(self, other):
        """Until the other one has the VIP."""
        self.machine.reboot()
        eventually(other.has_vip, "the other takes over", 30, LOOK_S)

    def freeze_haproxy(self):
        """It does not end, so only the check can notice."""
        self.shell.run(f"systemctl kill --signal=STOP {self.haproxy}")

    def thaw_haproxy(self):
        self.shell.run(f"systemctl kill --signal=CONT {self.haproxy}")


class ImagePair(Pair):
    """Its amphorae answer, and have no NIC but that of the management network. With has_state_line
    keepalived's configs are those of release 11, else of the newer ones, which leave out one line."""

    # More would keep an emulated processor busy, and be answered late when its machine does more.
    period_s = 0.1
    look_s = LOOK_S

    def __init__(self, controller, bed, has_state_line=False):
        self.controller = controller
        self.bed = bed
        self.client = bed.client
        self._has_state_line = has_state_line
        self.id = controller.create_load_balancer(
            VIP, topology=constants.TOPOLOGY_ACTIVE_STANDBY)
        self.nodes = [ImageNode(amphora, role, address, self.id)
                      for amphora, (role, address) in zip(controller.amphorae, NODES)]
        self.networks = {}
        for node in self.nodes:
            self._describe(node)

    def _describe(self, node):
        """What the flows before the plugging write down."""
        port_id = str(uuid.uuid4())
        self.controller.update_amphora(
            node.amphora, role=node.role, vrrp_ip=node.address, ha_ip=VIP, vrrp_port_id=port_id,
            vrrp_interface="eth1", vrrp_id=1, vrrp_priority=PRIORITIES[node.role])
        self.networks[node.amphora.id] = data_models.AmphoraNetworkConfig(
            amphora=self.controller.amphora_model(node.amphora), vip_subnet=VIP_SUBNET,
            vrrp_subnet=VIP_SUBNET, vrrp_port=port(
                VIP_MACS[node.role], (node.address, VIP_SUBNET), port_id=port_id))

    @property
    def driver(self):
        return self.controller.driver

    def load_balancer(self):
        return self.controller.load_balancer(self.id)

    # What a controller does

    def plug(self):
        for node in self.nodes:
            self.plug_cables(node)
        for node in self.nodes:
            amphora = self.controller.amphora_model(node.amphora)
            self.driver.post_vip_plug(amphora, self.load_balancer(), self.networks)
            member_port = port(MEMBER_MACS[node.role], (MEMBER_IPS[node.role], MEMBER_SUBNET))
            self.driver.post_network_plug(amphora, member_port, self.networks[amphora.id])
        return self

    def plug_cables(self, node):
        """Its NICs, as nova plugs them; those that it has when it is powered on, too."""
        node.machine.add_nic(self.bed.open_tap("vip"), VIP_MACS[node.role])
        node.machine.add_nic(self.bed.open_tap("member"), MEMBER_MACS[node.role])
        node.machine.wait_for_nics(VIP_MACS[node.role], MEMBER_MACS[node.role])

    def start_keepalived(self):
        for node in self.nodes:
            amphora = self.controller.amphora_model_1_0(node.amphora)
            self.driver.clients["1.0"].upload_vrrp_config(amphora, self.keepalived_config(node))
            self.driver.start_vrrp_service(amphora)

    def keepalived_config(self, node):
        text = keepalived_jinja.KeepalivedJinjaTemplater().build_keepalived_config(
            self.load_balancer(), self.controller.amphora_model(node.amphora),
            self.networks[node.amphora.id])
        return text if self._has_state_line else without_state_line(text, node.role)

    def add_listener(self, protocol, listener_port, server, monitor, persistence=None):
        """Of which the amphorae do not know before `update`."""
        listener = self.controller.create_listener(self.id, listener_port, protocol)
        pool = self.controller.create_pool(self.id, listener, protocol, {"type": monitor})
        if persistence:
            repositories.SessionPersistenceRepository().create(
                db_api.get_session(), pool_id=pool, type=persistence)
        self.controller.create_member(pool, server)
        return listener

    def update(self):
        self.controller.update(self.id)

    def serve_model(self, member):
        for node in self.nodes:
            node.serve_model(self.model((member.address, member.port)))
