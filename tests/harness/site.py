# SPDX-License-Identifier: Apache-2.0
"""A load balancer where it is: its amphora's NICs on the networks of the bed, what Neutron would say
about them, and what Octavia's own driver makes of it."""

from octavia.common import constants
from octavia.network import data_models

from harness.neutron import VIP_PORT_ID, VIP_SUBNET, port
from harness.plugging import VIP, VRRP_IP

# Within which a heartbeat tells of what is so, on a machine that is emulated on a crowded one.
TOLD_S = 60
# Of monitors that such a machine asks by.
PATIENT = {"delay": 1, "timeout": 5, "fall_threshold": 2}


class Site:
    """Of a Controller and its one amphora. add_nic: what nova does; called with the name of a network
    it returns the new NIC's MAC."""

    def __init__(self, controller, add_nic, vip=VIP, vrrp_ip=VRRP_IP, vip_subnet=VIP_SUBNET,
                 additional=(), topology=constants.TOPOLOGY_SINGLE):
        self.controller, self.vip_subnet = controller, vip_subnet
        self._add_nic = add_nic
        self.id = controller.create_load_balancer(
            vip, [address for address, _ in additional], topology)
        controller.update_amphora(
            vrrp_ip=vrrp_ip, ha_ip=vip, vrrp_port_id=VIP_PORT_ID, vrrp_interface="eth1", vrrp_id=1,
            vrrp_priority=100)
        self.vip_port = port(add_nic("vip"), (vrrp_ip, vip_subnet), port_id=VIP_PORT_ID)
        self.networks = {controller.amphora.id: data_models.AmphoraNetworkConfig(
            vip_subnet=vip_subnet, vrrp_port=self.vip_port, vrrp_subnet=vip_subnet,
            additional_vip_data=[
                data_models.AdditionalVipData(ip_address=address, subnet=of)
                for address, of in additional])}

    @property
    def driver(self):
        return self.controller.driver

    @property
    def network(self):
        return self.networks[self.controller.amphora.id]

    def plug_vip(self):
        self.driver.post_vip_plug(self.controller.amphora_model(),
                                  self.controller.load_balancer(self.id), self.networks)

    def plug_network(self, *fixed_ips, mac=None):
        """A port on the member network, or the VIP's port with more addresses."""
        plugged = (port(mac, *fixed_ips, port_id=VIP_PORT_ID) if mac
                   else port(self._add_nic("member"), *fixed_ips, mtu=1400))
        self.driver.post_network_plug(self.controller.amphora_model(), plugged, self.network)
        return plugged

    def add_listener(self, protocol, listener_port, servers, monitor_type, **monitor):
        """In the database, with a pool of the same protocol. Returns the ids of the listener, of its
        pool, and of its members."""
        listener = self.controller.create_listener(self.id, listener_port, protocol)
        pool = self.controller.create_pool(
            self.id, listener, protocol, {"type": monitor_type, **monitor})
        return listener, pool, [self.controller.create_member(pool, server) for server in servers]

    def update(self):
        self.controller.update(self.id)

    def interface_of(self, address):
        return self.driver.get_interface_from_ip(self.controller.amphora_model_1_0(), address)
