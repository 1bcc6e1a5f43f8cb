# SPDX-License-Identifier: Apache-2.0
"""POST plug/network: a member network, plugged and plugged again; DHCP and SLAAC."""

import contextlib
import json
import os
import subprocess

import pytest

from harness import network_bed as net
from harness.eventually import eventually
from harness.plugging import (
    MEMBER_IP, MEMBER_IP_6, VIP, VIP_6, VRRP_IP, additional_vip, fixed_ip, fixed_ip_6, network_body,
    plug_network, plug_vip, plugged_network, plugged_vip, vip_body, vip_network_body)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

ROUTES = [{"destination": "233.252.0.0/24", "nexthop": "203.0.113.253"}]
HOST_ROUTE = "233.252.0.0/24 via 203.0.113.253 onlink"
KEEPALIVEDS = "18"


@pytest.fixture
def amphora(bed_amphora):
    return bed_amphora.start()


def test_a_member_network(bed, amphora):
    mac = bed.add_nic("member")
    answer = plug_network(amphora, network_body(mac, fixed_ip(routes=ROUTES)))
    assert (answer.status, answer.json) == (
        202, {"message": "OK", "details": "Plugged on interface eth2"})
    assert bed.inside.name_of(mac) == "eth2"
    assert bed.inside.addresses("eth2") == {f"{MEMBER_IP}/24"}
    assert bed.inside.routes("eth2") == {HOST_ROUTE}  # a gateway of members is nobody's default
    assert bed.inside.links()["eth2"]["mtu"] == 1400
    assert (amphora.base_path / "plugged_interfaces").read_text() == f"{mac} eth2\n"
    described = json.loads((amphora.base_path / "interfaces" / "eth2.json").read_text())
    assert described["if_type"] == "backend"


def test_a_dual_stack_member_network(bed, amphora):
    plugged_network(bed, amphora, fixed_ip(), fixed_ip_6())
    assert bed.inside.addresses("eth2") == {f"{MEMBER_IP}/24", f"{MEMBER_IP_6}/64"}


def test_each_network_gets_the_next_free_name(bed, amphora):
    macs = [bed.add_nic("member") for _ in range(3)]
    for number, mac in enumerate(macs, 2):
        body = network_body(mac, fixed_ip(f"203.0.113.1{number}"))
        assert plug_network(amphora, body).json["details"] == f"Plugged on interface eth{number}"
    lines = (amphora.base_path / "plugged_interfaces").read_text().splitlines()
    assert lines == [f"{mac} eth{number}" for number, mac in enumerate(macs, 2)]


def test_the_name_of_a_nic_that_is_gone_stays_its_own(bed, amphora):
    """It may be back after the next boot."""
    gone = plugged_network(bed, amphora)
    bed.remove_nic(gone)
    eventually(lambda: "eth2" not in bed.inside.links(), "the interface is gone")
    late = plugged_network(bed, amphora, fixed_ip("203.0.113.11"))
    assert bed.inside.name_of(late) == "eth3"
    bed.add_nic("member", gone)
    assert plug_network(amphora, network_body(gone)).json["details"] == (
        "Plugged on interface eth2")


def test_the_second_time_updates_and_doubles_nothing(bed, amphora):
    mac = bed.add_nic("member")
    body = network_body(mac, fixed_ip(routes=ROUTES))
    assert plug_network(amphora, body).status == 202
    bed.inside.wait_until_settled()
    before = bed.inside.show("address"), bed.inside.show("route"), bed.inside.rule_set()
    for _ in range(2):
        answer = plug_network(amphora, body)
        assert (answer.status, answer.json["details"]) == (202, "Updated existing interface eth2")
    assert (bed.inside.show("address"), bed.inside.show("route"),
            bed.inside.rule_set()) == before
    assert (amphora.base_path / "plugged_interfaces").read_text() == f"{mac} eth2\n"


def test_addresses_and_routes_that_are_no_longer_named_go_and_those_of_others_stay(bed, amphora):
    mac = plugged_network(bed, amphora, fixed_ip(routes=ROUTES), fixed_ip("203.0.113.11"))
    bed.inside.ip("address", "add", "203.0.113.77/32", "dev", "eth2")
    bed.inside.ip("route", "add", "192.0.2.128/25", "via", net.MEMBER_GATEWAY, "dev", "eth2",
                  "protocol", KEEPALIVEDS)
    bed.inside.wait_until_settled()
    link_local = bed.inside.show("-6", "address", "show", "dev", "eth2", "scope", "link")
    answer = plug_network(amphora, network_body(mac, fixed_ip("203.0.113.12")))
    assert answer.json["details"] == "Updated existing interface eth2"
    assert bed.inside.addresses("eth2") == {"203.0.113.12/24", "203.0.113.77/32"}
    assert bed.inside.routes("eth2") == {f"192.0.2.128/25 via {net.MEMBER_GATEWAY}"}
    assert bed.inside.show("-6", "address", "show", "dev", "eth2", "scope", "link") == link_local


def test_the_vip_port_gets_more_addresses(bed, amphora):
    """A member network that is the VIP's; what was recorded has an IPv6 subnet as well."""
    mac = plugged_vip(bed, amphora)
    body = vip_network_body(
        mac, fixed_ip(VRRP_IP, net.VIP_NET, net.VIP_GATEWAY),
        fixed_ip("2001:db8:1::11", net.VIP_NET_6, net.VIP_GATEWAY_6))
    answer = plug_network(amphora, body)
    assert (answer.status, answer.json["details"]) == (202, "Updated existing interface eth1")
    assert bed.inside.addresses("eth1") == {
        f"{VRRP_IP}/24", f"{VIP}/32", "2001:db8:1::11/64"}
    default_6 = f"::/0 via {net.VIP_GATEWAY_6} onlink"
    assert default_6 in bed.inside.routes("eth1")
    assert default_6 in bed.inside.routes("eth1", 1)
    assert bed.inside.rules() == [f"{VIP}/32 table 1"]
    # and they go again with the member
    assert plug_network(amphora, vip_network_body(
        mac, fixed_ip(VRRP_IP, net.VIP_NET, net.VIP_GATEWAY))).status == 202
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32"}
    assert default_6 not in bed.inside.routes("eth1")


def test_additional_vips_survive_a_member_on_the_vip_network(bed, amphora):
    """vip_net_info never names them."""
    mac = plugged_vip(bed, amphora, additional_vips=[additional_vip()])
    body = vip_network_body(mac, fixed_ip("198.51.100.12", net.VIP_NET, net.VIP_GATEWAY))
    assert plug_network(amphora, body).status == 202
    assert bed.inside.addresses("eth1") == {
        f"{VRRP_IP}/24", f"{VIP}/32", f"{VIP_6}/128", "198.51.100.12/24"}
    assert bed.inside.rules() == sorted([f"{VIP}/32 table 1", f"{VIP_6}/128 table 1"])


def test_what_keepalived_put_on_the_vip_interface_stays(bed, bed_amphora):
    bed_amphora.config.set("controller_worker", "loadbalancer_topology", "ACTIVE_STANDBY")
    amphora = bed_amphora.start()
    mac = plugged_vip(bed, amphora)
    bed.inside.ip("address", "add", f"{VIP}/32", "dev", "eth1")
    for words in (f"{net.VIP_NET} dev eth1 src {VIP} scope link table 1",
                  f"default via {net.VIP_GATEWAY} dev eth1 onlink table 1"):
        bed.inside.ip("route", "add", *words.split(), "protocol", KEEPALIVEDS)
    bed.inside.ip("rule", "add", "from", VIP, "table", "1", "priority", "100",
                  "protocol", KEEPALIVEDS)
    before = bed.inside.addresses("eth1"), bed.inside.routes("eth1", 1), bed.inside.rules()
    assert f"{VIP}/32" in before[0] and before[2] == [f"{VIP}/32 table 1"]
    assert plug_network(amphora, vip_network_body(
        mac, fixed_ip(VRRP_IP, net.VIP_NET, net.VIP_GATEWAY))).status == 202
    assert (bed.inside.addresses("eth1"), bed.inside.routes("eth1", 1),
            bed.inside.rules()) == before


def test_a_nic_that_is_missing_is_a_404_that_is_retried_until_it_appears(bed, amphora):
    mac = "fa:16:3e:00:00:02"
    answer = plug_network(amphora, network_body(mac))
    assert answer.status == 404
    assert answer.json == {"details": "No suitable network interface found"}
    bed.add_nic("member", mac)
    assert plug_network(amphora, network_body(mac)).status == 202


def test_unknown_keys_are_ignored(bed, amphora):
    mac = bed.add_nic("member")
    address = {**fixed_ip(), "grown": True}
    assert plug_network(amphora, network_body(mac, address, tags=["new"])).status == 202
    assert bed.inside.addresses("eth2") == {f"{MEMBER_IP}/24"}


def test_udp_and_sctp_are_masqueraded_and_tcp_is_not_tracked(bed, amphora):
    plugged_vip(bed, amphora)
    plugged_network(bed, amphora, fixed_ip(), fixed_ip_6())
    rules = bed.inside.rule_set()
    for table in ("ip octavia-ipv4", "ip6 octavia-ipv6"):
        assert f"table {table} {{" in rules
    assert all(word in rules for word in ('"eth1"', '"eth2"', "masquerade", "notrack"))


# No address is given

@contextlib.contextmanager
def dnsmasq(bed, network, *options):
    """A DHCP server of the router on a network."""
    with bed.router.entered():
        server = subprocess.Popen(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--port=0",
             "--pid-file=", "--leasefile-ro", "--bind-interfaces", f"--interface={network}",
             "--no-resolv", "--no-hosts", "--no-ping", *options],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.kill()
        server.wait()


def starts_with(addresses, prefix):
    return any(address.startswith(prefix) for address in addresses)


def test_without_fixed_ips_addresses_come_from_dhcp_and_slaac(bed, amphora):
    mac = bed.add_nic("member")
    with dnsmasq(bed, "member", "--dhcp-range=203.0.113.50,203.0.113.59,255.255.255.0,1h",
                 "--enable-ra", "--dhcp-range=2001:db8:2::,ra-only,64",
                 "--ra-param=member,1,1200"):
        answer = plug_network(amphora, network_body(mac, fixed_ips=None), timeout=60)
        assert answer.status == 202, answer
        eventually(lambda: starts_with(bed.inside.addresses("eth2"), "203.0.113.5")
                   and starts_with(bed.inside.addresses("eth2"), "2001:db8:2:"),
                   "addresses of both families", 60)
        before = bed.inside.addresses("eth2")
        answer = plug_network(amphora, network_body(mac, fixed_ips=...), timeout=60)
        assert answer.json["details"] == "Updated existing interface eth2"
        assert bed.inside.addresses("eth2") == before


def test_a_vip_without_vrrp_ip_gets_its_address_by_dhcp(bed, amphora):
    mac = bed.add_nic("vip")
    with dnsmasq(bed, "vip", "--dhcp-range=198.51.100.50,198.51.100.59,255.255.255.0,1h"):
        answer = plug_vip(amphora, vip_body(mac, vrrp_ip=None), timeout=60)
        assert answer.status == 202, answer
        eventually(lambda: starts_with(bed.inside.addresses("eth1"), "198.51.100.5"),
                   "an address", 60)
        assert f"{VIP}/32" in bed.inside.addresses("eth1")


def test_a_dhcp_server_that_comes_late_is_heard_all_the_same(bed, amphora):
    mac = bed.add_nic("member")
    answer = plug_network(amphora, network_body(mac, fixed_ips=None), timeout=60)
    assert answer.status in (202, 500), answer
    assert bed.inside.name_of(mac) == "eth2"
    with dnsmasq(bed, "member", "--dhcp-range=203.0.113.50,203.0.113.59,255.255.255.0,1h"):
        eventually(lambda: starts_with(bed.inside.addresses("eth2"), "203.0.113.5"),
                   "an address", 60)
