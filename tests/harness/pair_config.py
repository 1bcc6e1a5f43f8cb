# SPDX-License-Identifier: Apache-2.0
"""What a controller renders for the two amphorae of a pair: Octavia's own templates and data models
on the paths of throw-away directories."""

import uuid

from octavia.amphorae.drivers.keepalived.jinja import jinja_cfg as keepalived_jinja
from octavia.common import constants, data_models
from octavia.common.config import cfg
from octavia.common.jinja.haproxy.combined_listeners import jinja_cfg as haproxy_jinja
from octavia.network import data_models as network_models

PROJECT = "1234567890abcdef1234567890abcdef"
HAPROXY_VERSIONS = ("2", "6")
PRIORITIES = {constants.ROLE_MASTER: constants.ROLE_MASTER_PRIORITY,
              constants.ROLE_BACKUP: constants.ROLE_BACKUP_PRIORITY}


class PairConfig:
    """One load balancer with one HTTP listener and one member, sticky by the client's address."""

    def __init__(self, vip, subnet_cidr, gateway, listener_port, member):
        """member: (address, port)."""
        self.subnet = network_models.Subnet(
            id=str(uuid.uuid4()), cidr=subnet_cidr, gateway_ip=gateway, ip_version=4,
            host_routes=[network_models.HostRoute(destination="233.252.0.0/24", nexthop=gateway)])
        self.load_balancer = data_models.LoadBalancer(
            id=str(uuid.uuid4()), project_id=PROJECT, name="pair", enabled=True,
            topology=constants.TOPOLOGY_ACTIVE_STANDBY,
            vip=data_models.Vip(ip_address=vip, subnet_id=self.subnet.id))
        self.load_balancer.vrrp_group = data_models.VRRPGroup(
            vrrp_group_name=self.load_balancer.id.replace("-", ""), advert_int=1,
            vrrp_auth_type=constants.VRRP_AUTH_DEFAULT, vrrp_auth_pass="b5e00e6")
        pool = data_models.Pool(
            id=str(uuid.uuid4()), project_id=PROJECT, enabled=True, protocol=constants.PROTOCOL_HTTP,
            lb_algorithm=constants.LB_ALGORITHM_ROUND_ROBIN, load_balancer=self.load_balancer,
            operating_status=constants.ONLINE, provisioning_status=constants.ACTIVE,
            session_persistence=data_models.SessionPersistence(
                type=constants.SESSION_PERSISTENCE_SOURCE_IP))
        pool.members = [data_models.Member(
            id=str(uuid.uuid4()), project_id=PROJECT, pool=pool, ip_address=member[0],
            protocol_port=member[1], weight=1, enabled=True, backup=False,
            operating_status=constants.ONLINE, provisioning_status=constants.ACTIVE)]
        self.listener = data_models.Listener(
            id=str(uuid.uuid4()), project_id=PROJECT, enabled=True, peer_port=1025,
            protocol=constants.PROTOCOL_HTTP, protocol_port=listener_port, connection_limit=500,
            default_pool=pool, pools=[pool], load_balancer=self.load_balancer,
            timeout_client_data=50000, timeout_member_connect=5000, timeout_member_data=50000,
            timeout_tcp_inspect=0, provisioning_status=constants.ACTIVE)
        pool.listeners = [self.listener]
        self.load_balancer.listeners = [self.listener]
        self.load_balancer.pools = [pool]

    @property
    def id(self):
        return self.load_balancer.id

    @property
    def stick_table(self):
        return f"{self.listener.default_pool.id}:{self.listener.id}"

    def add_amphora(self, amphora_id, vrrp_ip, role):
        """Returns what the renderers below take."""
        self.load_balancer.amphorae.append(data_models.Amphora(
            id=amphora_id, load_balancer_id=self.id, status=constants.AMPHORA_ALLOCATED,
            vrrp_ip=vrrp_ip, ha_ip=self.load_balancer.vip.ip_address, lb_network_ip="127.0.0.1",
            role=role, vrrp_interface="eth1", vrrp_id=1, vrrp_priority=PRIORITIES[role]))
        return self.load_balancer.amphorae[-1]

    def haproxy(self, amphora, base_path):
        templater = haproxy_jinja.JinjaTemplater(
            base_amp_path=str(base_path), base_crt_dir=f"{base_path}/certs")
        return templater.build_config(amphora, [self.listener], {}, HAPROXY_VERSIONS)

    def keepalived(self, amphora, base_path):
        cfg.CONF.set_override("base_path", str(base_path), "haproxy_amphora")
        try:
            return keepalived_jinja.KeepalivedJinjaTemplater().build_keepalived_config(
                self.load_balancer, amphora,
                network_models.AmphoraNetworkConfig(amphora=amphora, vip_subnet=self.subnet))
        finally:
            cfg.CONF.clear_override("base_path", "haproxy_amphora")
