# SPDX-License-Identifier: Apache-2.0
"""An Octavia controller of one amphora, or of a pair: its own driver, renderers and health manager on a scratch
database. Nothing of Octavia is replaced here; it is only configured."""

import os
import pathlib
import socket
import types
import uuid

from octavia.amphorae.backends.agent import agent_jinja_cfg
from octavia.amphorae.drivers.haproxy import rest_api_driver
from octavia.amphorae.drivers.health import heartbeat_udp
from octavia.certificates.generator import local as certificate_generator
from octavia.certificates.manager import local as certificate_manager
from octavia.common import constants
from octavia.common.config import cfg
from octavia.db import api as db_api
from octavia.db import base_models, models, repositories
from octavia.statistics import stats_base
from oslo_log import log

from harness import certificates
from harness.eventually import eventually
from harness.ports import free_port

CONF = cfg.CONF
log.register_options(CONF)
PROJECT = "1234567890abcdef1234567890abcdef"
HEARTBEAT_KEY = "controller-key"
# Whoever retries for ten minutes in production gives up soon here.
RETRIES, RETRY_PAUSE_S = 2, 1

LOOKUP_TABLES = {
    models.ProvisioningStatus: constants.SUPPORTED_PROVISIONING_STATUSES,
    models.OperatingStatus: constants.SUPPORTED_OPERATING_STATUSES,
    models.HealthMonitorType: constants.SUPPORTED_HEALTH_MONITOR_TYPES,
    models.Algorithm: constants.SUPPORTED_LB_ALGORITHMS,
    models.Protocol: constants.SUPPORTED_PROTOCOLS,
    models.SessionPersistenceType: constants.SUPPORTED_SP_TYPES,
    models.AmphoraRoles: constants.SUPPORTED_AMPHORA_ROLES,
    models.LBTopology: constants.SUPPORTED_LB_TOPOLOGIES,
    models.L7RuleType: constants.SUPPORTED_L7RULE_TYPES,
    models.L7RuleCompareType: constants.SUPPORTED_L7RULE_COMPARE_TYPES,
    models.L7PolicyAction: constants.SUPPORTED_L7POLICY_ACTIONS,
    models.ClientAuthenticationMode: constants.SUPPORTED_CLIENT_AUTH_MODES,
    models.VRRPAuthMethod: constants.SUPPORTED_VRRP_AUTH,
}


def all_online(*ids):
    """For Controller.wait_for."""
    return dict.fromkeys(ids, constants.ONLINE)


class ScratchDatabase:
    """Octavia's tables in an SQLite file; each reader opens it for itself."""

    def __init__(self, path):
        CONF.set_override("connection", f"sqlite:///{path}", "database")
        CONF.set_override("sqlite_synchronous", False, "database")  # nothing has to last
        self.forget_engine()
        base_models.BASE.metadata.create_all(db_api.get_engine())
        session = db_api.get_session()
        with session.begin():
            for table, names in LOOKUP_TABLES.items():
                session.add_all(table(name=name) for name in names)

    @staticmethod
    def forget_engine():
        """A process that is forked from now on makes its own connection."""
        if db_api._FACADE is not None:
            db_api.get_engine().dispose()
        db_api._FACADE = None
        stats_base._STATS_HANDLERS = None


class Controller:
    """Drives a throw-away amphora as the real one would, or the two of a pair, which differ in their
    addresses alone. `close` undoes the configuration."""

    def __init__(self, amphora, directory):
        self.directory = pathlib.Path(directory)
        self.amphora = amphora
        self.amphorae = []
        self.heartbeat_port = amphora.heartbeat_port or free_port(kind=socket.SOCK_DGRAM)
        self._configure()
        self.database = ScratchDatabase(self.directory / "octavia.sqlite")
        self.driver = rest_api_driver.HaproxyAmphoraLoadBalancerDriver()
        self.add_amphora(amphora)
        self.health_manager = self._start_health_manager()

    def _configure(self):
        CONF([], project="octavia", default_config_files=[], default_config_dirs=[])
        amphora = self.amphora
        client = certificates.controller_identity().write_to(self.directory / "client.pem")
        server_ca = self.directory / "server_ca.pem"
        server_ca.write_bytes(certificates.amphora_authority().pem)
        secrets = self.directory / "secrets"
        secrets.mkdir()
        self._generate_authority()
        for group, options in {
            "haproxy_amphora": {
                "bind_host": amphora.bind_host, "bind_port": amphora.port,
                "base_path": str(amphora.base_path),
                "base_cert_dir": str(amphora.base_path / "certs"),
                "client_cert": client, "server_ca": str(server_ca),
                "connection_max_retries": RETRIES, "connection_retry_interval": RETRY_PAUSE_S},
            "amphora_agent": {
                "agent_server_ca": str(amphora.certificate_dir / "client_ca.pem"),
                "agent_server_cert": str(amphora.certificate_dir / "server.pem"),
                "agent_server_network_dir": str(amphora.interfaces_dir)},
            "certificates": {
                "cert_manager": "local_cert_manager", "storage_path": str(secrets)},
            "health_manager": {
                "bind_ip": "127.0.0.1", "bind_port": self.heartbeat_port,
                "controller_ip_port_list": [f"{amphora.controller_host}:{self.heartbeat_port}"],
                "heartbeat_key": HEARTBEAT_KEY, "heartbeat_interval": 1,
                "health_update_threads": 1, "stats_update_threads": 1},
        }.items():
            for name, value in options.items():
                CONF.set_override(name, value, group)

    @staticmethod
    def _start_health_manager():
        """Octavia's receiver: each `check` takes a datagram and hands it to a process, which
        updates the database."""
        ScratchDatabase.forget_engine()
        manager = heartbeat_udp.UDPStatusGetter()
        # SQLite knows one writer at a time: health and statistics take turns in one process. It is
        # forked here, before the test opens sockets that it would keep open.
        manager.stats_executor = manager.health_executor
        manager.health_executor.submit(os.getpid).result()
        return manager

    def _generate_authority(self):
        """Octavia's own generator signs server certificates with what the agent's files hold."""
        authority = certificates.amphora_authority().as_identity()
        key = self.directory / "server_ca.key"
        key.write_bytes(authority.key_pem)
        certificate = self.directory / "signing_ca.pem"
        certificate.write_bytes(authority.certificate_pem)
        CONF.set_override("ca_certificate", str(certificate), "certificates")
        CONF.set_override("ca_private_key", str(key), "certificates")
        CONF.set_override("ca_private_key_passphrase", None, "certificates")

    def close(self):
        self.health_manager.sock.close()
        self.health_manager.health_executor.shutdown()
        ScratchDatabase.forget_engine()
        CONF.clear()
        CONF.reset()
        for group in ("haproxy_amphora", "amphora_agent", "certificates", "health_manager",
                      "keepalived_vrrp", "database"):
            for name in list(CONF[group]):
                CONF.clear_override(name, group)

    # What the controller writes for the amphora

    def agent_config(self, topology=constants.TOPOLOGY_SINGLE):
        """amphora-agent.conf as cloud-init and a configuration update bring it."""
        return agent_jinja_cfg.AgentJinjaTemplater().build_agent_config(self.amphora.id, topology)

    def server_certificate(self):
        """(PEM as the controller uploads it, certificate PEM) for the amphora, 30 days long."""
        made = certificate_generator.LocalCertGenerator.generate_cert_key_pair(
            cn=self.amphora.id, validity=30 * 24 * 3600)
        return made.certificate + made.private_key, made.certificate

    def store_certificate(self, identity):
        """What a tenant would put into Barbican; returns its reference."""
        return certificate_manager.LocalCertManager.store_cert(
            None, identity.certificate_pem, identity.key_pem,
            intermediates=identity.chain_pem or None)

    # The database: what the API service would have written

    def add_amphora(self, amphora):
        """Before the load balancer, which gets all of them."""
        session = db_api.get_session()
        with session.begin():
            session.add(models.Amphora(
                id=amphora.id, status=constants.AMPHORA_ALLOCATED, role=constants.ROLE_STANDALONE,
                lb_network_ip=amphora.connect_host, vrrp_ip="127.0.0.1", ha_ip="127.0.0.1",
                compute_id=str(uuid.uuid4())))
        self.amphorae.append(amphora)

    @staticmethod
    def _common(**fields):
        return {"project_id": PROJECT, "provisioning_status": constants.ACTIVE,
                "operating_status": constants.OFFLINE, "enabled": True, **fields}

    def create_load_balancer(self, vip="127.0.0.1", additional_vips=(),
                             topology=constants.TOPOLOGY_SINGLE):
        session, lb_id = db_api.get_session(), str(uuid.uuid4())
        repositories.LoadBalancerRepository().create(
            session, id=lb_id, name="lb", topology=topology, **self._common())
        for repository, address in [(repositories.VipRepository(), vip), *(
                (repositories.AdditionalVipRepository(), address) for address in additional_vips)]:
            repository.create(
                session, load_balancer_id=lb_id, ip_address=address, subnet_id=str(uuid.uuid4()),
                network_id=str(uuid.uuid4()), port_id=str(uuid.uuid4()))
        if topology == constants.TOPOLOGY_ACTIVE_STANDBY:
            repositories.VRRPGroupRepository().create(
                session, load_balancer_id=lb_id, vrrp_group_name=lb_id.replace("-", ""),
                vrrp_auth_type=constants.VRRP_AUTH_DEFAULT, vrrp_auth_pass="b5e00e6", advert_int=1)
        for amphora in self.amphorae:
            repositories.AmphoraRepository().associate(session, lb_id, amphora.id)
        return lb_id

    def update_amphora(self, amphora=None, **fields):
        """What the flows learn about it on their way: addresses, ports, its part in a pair."""
        repositories.AmphoraRepository().update(
            db_api.get_session(), (amphora or self.amphora).id, **fields)

    def create_listener(self, lb_id, port, protocol="HTTP", **fields):
        session, listener_id = db_api.get_session(), str(uuid.uuid4())
        repositories.ListenerRepository().create(
            session, id=listener_id, load_balancer_id=lb_id, name="listener", protocol=protocol,
            protocol_port=port, peer_port=1025, connection_limit=500,
            **self._common(**{"insert_headers": {}, **fields}))
        return listener_id

    def create_pool(self, lb_id, listener_id, protocol="HTTP", monitor=None, **fields):
        session, pool_id = db_api.get_session(), str(uuid.uuid4())
        repositories.PoolRepository().create(
            session, id=pool_id, load_balancer_id=lb_id, name="pool", protocol=protocol,
            lb_algorithm=constants.LB_ALGORITHM_ROUND_ROBIN, tls_enabled=False,
            **self._common(**fields))
        repositories.ListenerRepository().update(session, listener_id, default_pool_id=pool_id)
        if monitor:
            repositories.HealthMonitorRepository().create(
                session, id=str(uuid.uuid4()), pool_id=pool_id, name="monitor",
                **self._common(**{
                    "delay": 1, "timeout": 5, "rise_threshold": 1, "fall_threshold": 1,
                    "http_method": "GET", "url_path": "/healthz", "expected_codes": "200",
                    **monitor}))
        return pool_id

    def create_member(self, pool_id, server, weight=1, **fields):
        session, member_id = db_api.get_session(), str(uuid.uuid4())
        repositories.MemberRepository().create(
            session, id=member_id, pool_id=pool_id, name="member", ip_address=server.address,
            protocol_port=server.port, weight=weight, backup=False, **self._common(**fields))
        return member_id

    def detach_amphora(self):
        """It belongs to one load balancer at a time."""
        repositories.AmphoraRepository().update(
            db_api.get_session(), self.amphora.id, load_balancer_id=None)

    def load_balancer(self, lb_id):
        """The data model graph that a flow hands to the driver."""
        return repositories.LoadBalancerRepository().get(db_api.get_session(), id=lb_id)

    def amphora_model(self, amphora=None):
        return repositories.AmphoraRepository().get(
            db_api.get_session(), id=(amphora or self.amphora).id)

    def amphora_model_1_0(self, amphora=None):
        """The same, of which the driver has asked the version already."""
        amphora = self.amphora_model(amphora)
        self.driver._populate_amphora_api_version(amphora)
        return amphora

    def update(self, lb_id):
        """What every change of a listener, pool or member ends in."""
        load_balancer = self.load_balancer(lb_id)
        for amphora in load_balancer.amphorae:
            self.driver.update_amphora_listeners(load_balancer, amphora)
        for listener in self.load_balancer(lb_id).listeners:
            assert listener.provisioning_status != constants.ERROR, "the driver gave a listener up"

    def operating_statuses(self, lb_id):
        """Everything's operating status, by id."""
        load_balancer = self.load_balancer(lb_id)
        statuses = {load_balancer.id: load_balancer.operating_status}
        for listener in load_balancer.listeners:
            statuses[listener.id] = listener.operating_status
        for pool in load_balancer.pools:
            statuses[pool.id] = pool.operating_status
            statuses.update({member.id: member.operating_status for member in pool.members})
        return statuses

    def wait_for(self, lb_id, wanted, timeout_s=60):
        """Lets the health manager take heartbeats until the database has these operating statuses."""
        def reached():
            self.health_manager.check()
            return wanted.items() <= self.operating_statuses(lb_id).items()
        eventually(reached, f"the database says {wanted}", timeout_s)

    def settle_health_manager(self):
        """Until what it has taken is in the database: its process does one thing after another."""
        self.health_manager.health_executor.submit(os.getpid).result()

    def statistics(self, listener_id):
        """What the statistics driver has summed up for a listener."""
        row = repositories.ListenerStatisticsRepository().get(
            db_api.get_session(), listener_id=listener_id)
        return row and types.SimpleNamespace(**row.get_stats())

    def last_health(self):
        """When the health manager last took the amphora for alive."""
        row = repositories.AmphoraHealthRepository().get(
            db_api.get_session(), amphora_id=self.amphora.id)
        return row and row.last_update
