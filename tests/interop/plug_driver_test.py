# SPDX-License-Identifier: Apache-2.0
"""Octavia's own driver plugs a real network: addresses, rules, VRRP, and traffic from a client beyond
the router through the VIP to members on a network of their own."""

import os

import pytest
from octavia.amphorae.drivers.haproxy import exceptions as api_exceptions
from octavia.common import constants
from octavia.common.config import cfg
from octavia.common.jinja.lvs import jinja_cfg as lvs_jinja

from harness import network_bed as net
from harness.eventually import eventually
from harness.neutron import MEMBER_SUBNET, MEMBER_SUBNET_6, VIP_SUBNET, VIP_SUBNET_6, port
from harness.plugging import MEMBER_IP, MEMBER_IP_6, VIP, VIP_6, VRRP_IP, VRRP_IP_6
from harness.site import Site

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

PORT = 80


@pytest.fixture
def controller(controller_of, bed_amphora):
    return controller_of(bed_amphora)


@pytest.fixture
def server(bed, resources):
    return resources.enter_context(bed.web_server("one", net.MEMBERS[0]))


@pytest.fixture
def server_6(bed, resources):
    return resources.enter_context(bed.web_server("six", net.MEMBERS_6[0]))


def serve(site, *servers):
    site.add_listener("HTTP", PORT, servers, "HTTP")
    site.update()


def wait_until_served(bed, address, by):
    eventually(lambda: {bed.ask(address, PORT, timeout=1) for _ in range(2)} == set(by),
               f"{by} answer on {address}", 60)


def test_traffic_flows_through_what_the_driver_plugged(controller, bed, server):
    site = Site(controller, bed.add_nic)
    site.plug_vip()
    site.plug_network((MEMBER_IP, MEMBER_SUBNET))
    serve(site, server)
    wait_until_served(bed, VIP, {"one"})
    assert bed.ask(VIP, PORT, bed.neighbour) == "one"
    assert server.requests > 0
    assert (site.interface_of(VRRP_IP), site.interface_of(VIP), site.interface_of(MEMBER_IP)) == (
        "eth1", "eth1", "eth2")
    assert site.interface_of("198.51.100.99") is None


def test_ipv6_traffic_flows_through_what_the_driver_plugged(controller, bed, server_6):
    site = Site(controller, bed.add_nic, VIP_6, VRRP_IP_6, VIP_SUBNET_6)
    site.plug_vip()
    site.plug_network((MEMBER_IP_6, MEMBER_SUBNET_6))
    serve(site, server_6)
    wait_until_served(bed, VIP_6, {"six"})
    assert bed.ask(VIP_6, PORT, bed.neighbour) == "six"
    assert site.interface_of("2001:db8:1:0::10") == "eth1"


def test_a_dual_stack_load_balancer(controller, bed, server, server_6):
    site = Site(controller, bed.add_nic, additional=[(VIP_6, VIP_SUBNET_6)])
    site.plug_vip()
    site.plug_network((MEMBER_IP, MEMBER_SUBNET), (MEMBER_IP_6, MEMBER_SUBNET_6))
    serve(site, server, server_6)
    for address in (VIP, VIP_6):
        wait_until_served(bed, address, {"one", "six"})


def test_plugging_again_is_fine_for_the_driver(controller, bed):
    site = Site(controller, bed.add_nic)
    site.plug_vip()
    site.plug_vip()
    plugged = site.plug_network((MEMBER_IP, MEMBER_SUBNET))
    controller.driver.post_network_plug(controller.amphora_model(), plugged, site.network)
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32"}
    assert bed.inside.addresses("eth2") == {f"{MEMBER_IP}/24"}


def test_members_on_the_vip_network(controller, bed, resources):
    """The neighbour is the member; the VIP's port gets a second fixed IP."""
    near = resources.enter_context(bed.web_server("near", net.NEIGHBOUR, bed.neighbour))
    site = Site(controller, bed.add_nic)
    site.plug_vip()
    site.plug_network((VRRP_IP, VIP_SUBNET), ("198.51.100.12", VIP_SUBNET),
                      mac=site.vip_port.mac_address)
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32", "198.51.100.12/24"}
    serve(site, near)
    wait_until_served(bed, VIP, {"near"})


def test_a_nic_that_comes_late_is_waited_for_by_the_driver(controller, bed):
    site = Site(controller, bed.add_nic)
    site.plug_vip()
    late = port("fa:16:3e:00:00:03", (MEMBER_IP, MEMBER_SUBNET))
    with pytest.raises(Exception):
        controller.driver.post_network_plug(controller.amphora_model(), late, site.network)
    assert controller.amphora.log().count("POST /1.0/plug/network 404") > 1
    bed.add_nic("member", late.mac_address)
    controller.driver.post_network_plug(controller.amphora_model(), late, site.network)
    assert bed.inside.addresses("eth2") == {f"{MEMBER_IP}/24"}


# VRRP

@pytest.fixture
def pair_controller(controller_of, bed_amphora):
    controller = controller_of(bed_amphora, topology=constants.TOPOLOGY_ACTIVE_STANDBY)
    cfg.CONF.set_override("vrrp_check_interval", 1, "keepalived_vrrp")
    controller.update_amphora(role=constants.ROLE_MASTER)
    return controller


@pytest.mark.parametrize("vip, vrrp_ip, vip_subnet, other", [
    (VIP, VRRP_IP, VIP_SUBNET, (VIP_6, VIP_SUBNET_6)),
    (VIP_6, VRRP_IP_6, VIP_SUBNET_6, (VIP, VIP_SUBNET))], ids=["IPv4 first", "IPv6 first"])
def test_keepalived_brings_the_vips_of_a_pair(
        pair_controller, bed, server, vip, vrrp_ip, vip_subnet, other):
    site = Site(pair_controller, bed.add_nic, vip, vrrp_ip, vip_subnet, [other],
                constants.TOPOLOGY_ACTIVE_STANDBY)
    driver, amphora = site.driver, pair_controller.amphora_model
    site.plug_vip()
    site.plug_network((MEMBER_IP, MEMBER_SUBNET))
    assert site.interface_of(vrrp_ip) == "eth1"
    driver.update_vrrp_conf(pair_controller.load_balancer(site.id), site.networks, amphora())
    driver.start_vrrp_service(amphora())
    serve(site, server)
    for address in (vip, other[0]):
        wait_until_served(bed, address, {"one"})
        assert site.interface_of(address) == "eth1"
    driver.start_vrrp_service(amphora())  # what runs is reloaded
    driver.reload_vrrp_service(pair_controller.load_balancer(site.id))
    for address in (vip, other[0]):
        wait_until_served(bed, address, {"one"})
    driver.stop_vrrp_service(pair_controller.load_balancer(site.id))
    assert site.interface_of(vip) is None
    assert bed.ask(vip, PORT, timeout=0.5) is None


# UDP

def test_a_udp_listener_is_taken_and_given_back(controller, bed, server):
    """What the driver's own template renders; its data path needs IPVS, which is another test's."""
    site = Site(controller, bed.add_nic, additional=[(VIP_6, VIP_SUBNET_6)])
    site.plug_vip()
    listener_id = controller.create_listener(site.id, 53, "UDP")
    pool = controller.create_pool(site.id, listener_id, "UDP", {"type": "UDP-CONNECT"})
    controller.create_member(pool, server)
    listener, = controller.load_balancer(site.id).listeners
    config = lvs_jinja.LvsJinjaTemplater(
        base_amp_path=str(controller.amphora.base_path)).build_config(listener=listener)
    client = site.driver.clients["1.0"]
    client.upload_udp_config(controller.amphora_model_1_0(), listener_id, config)
    answer = controller.amphora.api.get(f"/1.0/listeners/{listener_id}/udp_listener")
    assert (answer.status, answer.text) == (200, config)
    with pytest.raises(api_exceptions.InvalidRequest):
        client.upload_udp_config(controller.amphora_model_1_0(), listener_id, config + "}\n")
    assert controller.amphora.api.get(
        f"/1.0/listeners/{listener_id}/udp_listener").text == config
