# SPDX-License-Identifier: Apache-2.0
"""Octavia's own driver, with its TLS, its renderers and its data models, drives the agent."""

import ssl

from cryptography import x509
import pytest
from octavia.amphorae.driver_exceptions import exceptions as driver_exceptions
from octavia.amphorae.drivers.haproxy import exceptions as api_exceptions
from octavia.common import constants
from octavia.common.config import cfg
from octavia.db import api as db_api
from octavia.db import repositories

from harness import certificates, haproxy
from harness.api_client import tls_connect
from harness.eventually import eventually, stays_so
from harness.health_manager import HealthManager
from harness.ports import free_port
from harness.web_server import WebServer, share, who_answers


class Site:
    """One load balancer in the controller's database: a listener, a pool, two members."""

    def __init__(self, controller, servers, listener="HTTP", pool="HTTP", monitor=None, **fields):
        self.controller = controller
        self.port = free_port()
        self.id = controller.create_load_balancer()
        self.listener_id = controller.create_listener(self.id, self.port, listener, **fields)
        self.pool_id = controller.create_pool(self.id, self.listener_id, pool, monitor)
        self.member_ids = [controller.create_member(self.pool_id, server) for server in servers]

    def update(self):
        self.controller.update(self.id)
        return self


@pytest.fixture
def servers(resources):
    return [resources.enter_context(WebServer(name, f"127.0.0.{number}"))
            for number, name in enumerate(("one", "two"), 2)]


def test_info_is_what_the_driver_needs(controller):
    amphora = controller.amphora_model()
    info = controller.driver.get_info(amphora)
    assert amphora.api_version == "1.0"
    assert set(info) == {"hostname", "haproxy_version", "api_version", "keepalived_version",
                         "ipvsadm_version"}
    major, minor = controller.driver._get_haproxy_versions(amphora)
    assert int(major) >= 2 and int(minor) >= 0


def test_details_are_what_the_driver_needs(controller):
    amphora = controller.amphora_model()
    controller.driver._populate_amphora_api_version(amphora)
    details = controller.driver.clients["1.0"].get_details(amphora)
    assert isinstance(details["active_tuned_profiles"], str)
    assert "amphora" not in details["active_tuned_profiles"]
    memory = details["memory"]
    assert memory["free"] + memory["buffers"] + memory["cached"] > 0
    assert details["cpu_count"] >= 1


def test_the_driver_insists_on_the_amphoras_name_in_the_certificate(controller):
    amphora = controller.amphora_model()
    amphora.id = "somebody-else"
    with pytest.raises(driver_exceptions.TimeOutException):
        controller.driver.get_info(amphora, timeout_dict={constants.CONN_MAX_RETRIES: 1,
                                                          constants.CONN_RETRY_INTERVAL: 0})


@pytest.mark.parametrize("protocol", ["HTTP", "TCP"])
def test_an_update_brings_a_load_balancer_to_life(controller, servers, protocol):
    site = Site(controller, servers, protocol, protocol, {"type": protocol}).update()
    eventually(lambda: who_answers(site.port), "a member answers")
    assert share(site.port, 10) == {"one": 5, "two": 5}


@pytest.mark.parametrize("pool", ["PROXY", "PROXYV2"])
def test_a_pool_that_speaks_the_proxy_protocol_is_accepted(controller, servers, pool):
    """Our members do not speak it: that HAProxy runs and knows them is enough."""
    site = Site(controller, servers, "TCP", pool).update()
    socket = controller.amphora.stats_socket(site.id)
    assert haproxy.member_status(socket, site.member_ids[0]) == "no check"


def model_of(load_balancer):
    """The same load balancer as the agent's own API takes it."""
    listener, = load_balancer.listeners
    pool, = load_balancer.pools
    monitor = pool.health_monitor
    return {
        "id": load_balancer.id, "vip_address": load_balancer.vip.ip_address, "listeners": [{
            "id": listener.id, "protocol": listener.protocol,
            "protocol_port": listener.protocol_port, "connection_limit": listener.connection_limit,
            "default_pool": {
                "id": pool.id, "protocol": pool.protocol, "lb_algorithm": pool.lb_algorithm,
                "members": [{"id": member.id, "address": member.ip_address,
                             "protocol_port": member.protocol_port} for member in pool.members],
                "healthmonitor": {
                    "type": monitor.type, "delay": monitor.delay, "timeout": monitor.timeout,
                    "max_retries": monitor.rise_threshold,
                    "max_retries_down": monitor.fall_threshold, "url_path": monitor.url_path}}}]}


def test_from_the_drivers_file_to_a_model_and_back_no_member_changes_state(controller, servers):
    """A member that is down would be up until its next check, which is seconds away, if anything
    told it apart from what it was."""
    alive, dead = servers
    site = Site(controller, [alive, dead], monitor={"type": "HTTP", "delay": 6}).update()
    socket = controller.amphora.stats_socket(site.id)
    statuses = {id_: "DOWN" if number else "UP" for number, id_ in enumerate(site.member_ids)}
    dead.stop()

    def are_as_they_were():
        return {id_: haproxy.member_status(socket, id_) for id_ in site.member_ids} == statuses
    eventually(are_as_they_were, "the dead member is down")
    model = model_of(controller.load_balancer(site.id))
    for change in ("model", "file"):
        if change == "model":
            answer = controller.amphora.api.put(
                f"/1.0/loadbalancer/{controller.amphora.id}/{site.id}/model", model)
            assert (answer.status, answer.json["applied"]) == (200, "reload"), answer
        else:
            site.update()
        stays_so(are_as_they_were, f"they are as they were before the {change}", 1, pause_s=0.02)
        assert share(site.port, 4) == {"one": 4}


def test_the_listeners_are_those_of_the_database(controller, servers):
    site = Site(controller, servers).update()
    tcp = controller.create_listener(site.id, free_port(), "TCP")
    controller.update(site.id)
    listeners = controller.driver.clients["1.0"].get_all_listeners(controller.amphora_model_1_0())
    assert {(entry["uuid"], entry["type"], entry["status"]) for entry in listeners} == {
        (site.listener_id, "HTTP", "ACTIVE"), (tcp, "TCP", "ACTIVE")}


def test_reload_and_start_of_the_driver_are_accepted(controller, servers):
    site = Site(controller, servers).update()
    master = controller.amphora.haproxy_master(site.id)
    load_balancer = controller.load_balancer(site.id)
    controller.driver.reload(load_balancer)
    controller.driver.start(load_balancer)
    assert controller.amphora.haproxy_master(site.id) == master
    assert who_answers(site.port)


def test_every_monitor_and_header_of_release_11_is_accepted(controller, servers):
    for number, monitor in enumerate([
            {"type": "HTTP"}, {"type": "HTTPS"}, {"type": "TCP"}, {"type": "TLS-HELLO"},
            {"type": "HTTP", "http_version": 1.1, "domain_name": "www.example.com"},
            {"type": "HTTP", "http_version": 1.0, "expected_codes": "200-204"},
            {"type": "PING"}]):
        site = Site(controller, servers, monitor=monitor, insert_headers={
            "X-Forwarded-For": "true", "X-Forwarded-Port": "true", "X-Forwarded-Proto": "true"})
        site.update()
        eventually(lambda: haproxy.member_status(controller.amphora.stats_socket(site.id),
                                                 site.member_ids[0]),
                   f"monitor {number} is in HAProxy")
        controller.driver.delete(controller.load_balancer(site.id).listeners[0])
        controller.detach_amphora()


def test_session_persistence_is_accepted(controller, servers):
    site = Site(controller, servers)
    repositories.SessionPersistenceRepository().create(
        db_api.get_session(), pool_id=site.pool_id, type=constants.SESSION_PERSISTENCE_SOURCE_IP)
    site.update()
    eventually(lambda: who_answers(site.port), "a member answers")
    assert len(share(site.port, 6)) == 1


def test_deleting_one_listener_of_two_keeps_the_other(controller, servers):
    site = Site(controller, servers).update()
    other_port = free_port()
    other = controller.create_listener(site.id, other_port, default_pool_id=site.pool_id)
    controller.update(site.id)
    eventually(lambda: who_answers(other_port), "the other listener answers")
    doomed = next(listener for listener in controller.load_balancer(site.id).listeners
                  if listener.id == other)
    controller.driver.delete(doomed)
    assert who_answers(site.port)
    assert who_answers(other_port) is None


def test_deleting_the_last_listener_leaves_nothing(controller, servers):
    before = controller.amphora.files()
    site = Site(controller, servers).update()
    assert controller.amphora.files() != before
    controller.driver.delete(controller.load_balancer(site.id).listeners[0])
    assert controller.amphora.haproxy_pids() == []
    assert controller.amphora.files() == before
    assert who_answers(site.port) is None


def test_a_config_that_haproxy_refuses_is_an_exception_of_the_driver(controller, servers):
    client = controller.driver.clients["1.0"]
    amphora = controller.amphora_model_1_0()
    with pytest.raises(api_exceptions.InvalidRequest):
        client.upload_config(amphora, "some-lb", "nonsense\n")
    with pytest.raises(api_exceptions.NotFound):
        client.reload_listener(amphora, "some-lb")
    with pytest.raises(api_exceptions.InvalidRequest):
        client._action("explode", amphora, "some-lb")


# TLS of tenants

@pytest.fixture
def site_identity():
    return certificates.foreign_authority().issue("www.example.com", key="rsa")


def presented(port, name="www.example.com"):
    context = ssl.create_default_context(cadata=certificates.foreign_authority().pem.decode())
    with tls_connect(("127.0.0.1", port), context, name) as connection:
        return x509.load_der_x509_certificate(connection.getpeercert(True)).serial_number


def test_a_terminated_https_listener_with_sni_serves_both_certificates(
        controller, servers, site_identity):
    other = certificates.foreign_authority().issue("other.example.com", key="rsa")
    site = Site(controller, servers, constants.PROTOCOL_TERMINATED_HTTPS,
                tls_certificate_id=controller.store_certificate(site_identity))
    repositories.SNIRepository().create(
        db_api.get_session(), listener_id=site.listener_id,
        tls_container_id=controller.store_certificate(other), position=0)
    site.update()
    assert presented(site.port) == site_identity.serial_number
    assert presented(site.port, "other.example.com") == other.serial_number
    listeners = controller.driver.clients["1.0"].get_all_listeners(controller.amphora_model_1_0())
    assert [entry["type"] for entry in listeners] == ["TERMINATED_HTTPS"]


def test_an_unchanged_certificate_is_not_uploaded_again(controller, servers, site_identity):
    site = Site(controller, servers, constants.PROTOCOL_TERMINATED_HTTPS,
                tls_certificate_id=controller.store_certificate(site_identity))
    site.update()
    uploads = controller.amphora.log().count(f"PUT /1.0/loadbalancer/{site.id}/certificates/")
    assert uploads == 2  # the certificate and the crt-list
    site.update()
    assert controller.amphora.log().count(
        f"PUT /1.0/loadbalancer/{site.id}/certificates/") == uploads


def test_client_authentication_of_a_listener_works(controller, servers, site_identity):
    clients = certificates.Authority("tenant's clients")
    site = Site(controller, servers, constants.PROTOCOL_TERMINATED_HTTPS,
                tls_certificate_id=controller.store_certificate(site_identity),
                client_authentication=constants.CLIENT_AUTH_MANDATORY,
                client_ca_tls_certificate_id=controller.store_certificate(clients.as_identity()))
    site.update()
    context = ssl.create_default_context(cadata=certificates.foreign_authority().pem.decode())
    clients.issue("a client").load_into(context)
    with tls_connect(("127.0.0.1", site.port), context, "www.example.com") as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.")
    context = ssl.create_default_context(cadata=certificates.foreign_authority().pem.decode())
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with tls_connect(("127.0.0.1", site.port), context, "www.example.com") as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            if not connection.recv(1000):
                raise ConnectionError


def test_a_deleted_listener_takes_its_certificate_and_the_other_keeps_the_same_one(
        controller, servers, site_identity):
    reference = controller.store_certificate(site_identity)
    site = Site(controller, servers, constants.PROTOCOL_TERMINATED_HTTPS,
                tls_certificate_id=reference)
    other_port = free_port()
    other = controller.create_listener(
        site.id, other_port, constants.PROTOCOL_TERMINATED_HTTPS, default_pool_id=site.pool_id,
        tls_certificate_id=reference)
    site.update()
    assert presented(other_port) == site_identity.serial_number
    doomed = next(listener for listener in controller.load_balancer(site.id).listeners
                  if listener.id == other)
    controller.driver.delete(doomed)
    assert presented(site.port) == site_identity.serial_number
    folder = controller.amphora.base_path / "certs" / site.id
    assert f"{other}.pem" not in [path.name for path in folder.iterdir()]


# Rotation

def test_a_rotated_server_certificate_is_used_from_the_next_connection_on(controller):
    pem, certificate = controller.server_certificate()
    serial = x509.load_pem_x509_certificate(certificate).serial_number
    pid = controller.amphora.pid
    amphora = controller.amphora_model()
    controller.driver.upload_cert_amp(amphora, pem)
    assert controller.amphora.api.server_certificate_serial() == serial
    assert controller.driver.get_info(amphora)["api_version"] == "1.0"
    assert controller.amphora.pid == pid and controller.amphora.is_running()


def test_a_bad_server_certificate_is_an_exception_and_the_old_one_stays(controller):
    pem, _ = controller.server_certificate()
    with pytest.raises(api_exceptions.InvalidRequest):
        controller.driver.upload_cert_amp(controller.amphora_model(), pem[:-200])
    assert controller.driver.get_info(controller.amphora_model())


def test_a_new_agent_configuration_is_taken_up(controller):
    with HealthManager("a-new-key") as listener:
        cfg.CONF.set_override("heartbeat_key", "a-new-key", "health_manager")
        cfg.CONF.set_override("controller_ip_port_list", [listener.target], "health_manager")
        controller.driver.update_amphora_agent_config(
            controller.amphora_model(), controller.agent_config())
        assert controller.amphora.config_file.read_text() == controller.agent_config()
        listener.next_beat(what="a heartbeat with the new key for the new target")


def test_a_bad_agent_configuration_is_an_exception_of_the_driver(controller):
    before = controller.amphora.config_file.read_text()
    with pytest.raises(api_exceptions.InternalServerError):
        controller.driver.update_amphora_agent_config(
            controller.amphora_model(), "[haproxy_amphora]\nbind_port = nowhere\n")
    assert controller.amphora.config_file.read_text() == before


def test_an_address_that_nobody_has_ends_the_drivers_call_at_once(controller):
    """It is what the BACKUP of a pair answers. A 404 that is no JSON would be retried for minutes."""
    amphora = controller.amphora_model_1_0()
    before = controller.amphora.log().count("GET /1.0/interface/")
    assert controller.driver.get_interface_from_ip(amphora, "198.51.100.10") is None
    assert controller.amphora.log().count("GET /1.0/interface/") == before + 1
