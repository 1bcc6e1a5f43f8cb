# SPDX-License-Identifier: Apache-2.0
"""POST plug/vip: what the interface, the namespace and the files are afterwards."""

import json
import os

import pytest

from harness import network_bed as net
from harness.network_bed import NetworkBed
from harness.plugging import (
    HOST_ROUTES, MEMBER_IP, VIP, VIP_6, VRRP_IP, VRRP_IP_6, additional_vip, plug_vip,
    plugged_network, plugged_vip, vip_body, vip_body_6)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

DEFAULT = f"0.0.0.0/0 via {net.VIP_GATEWAY} onlink"
DEFAULT_6 = f"::/0 via {net.VIP_GATEWAY_6} onlink"
HOST_ROUTE = f"{net.HOST_ROUTE} via {net.HOST_ROUTE_NEXTHOP} onlink"


@pytest.fixture
def amphora(bed_amphora):
    return bed_amphora.start()


@pytest.fixture
def pair(bed_amphora):
    """One of an ACTIVE_STANDBY pair."""
    bed_amphora.config.set("controller_worker", "loadbalancer_topology", "ACTIVE_STANDBY")
    return bed_amphora.start()


def main_routes(bed: NetworkBed):
    """But for that to the subnet, which the kernel makes by itself where it has an address."""
    return {route for route in bed.inside.routes("eth1")
            if route not in (net.VIP_NET, net.VIP_NET_6)}


def description(amphora, name="eth1"):
    return json.loads((amphora.base_path / "interfaces" / f"{name}.json").read_text())


def test_the_vip_of_a_single_amphora(bed, amphora):
    mac = bed.add_nic("vip")
    answer = plug_vip(amphora, vip_body(mac))
    assert answer.status == 202
    assert answer.json == {"message": "OK", "details": f"VIPs plugged on interface eth1: {VIP}"}
    assert bed.host.links() == {}
    assert bed.inside.name_of(mac) == "eth1"
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32"}
    assert main_routes(bed) == {DEFAULT, HOST_ROUTE}
    assert bed.inside.routes("eth1", 1) == {DEFAULT, HOST_ROUTE, f"{net.VIP_NET} src {VIP}"}
    assert bed.inside.rules() == [f"{VIP}/32 table 1"]
    link = bed.inside.links()["eth1"]
    assert link["mtu"] == 1450
    assert "UP" in link["flags"]


def test_the_vip_of_a_pair_leaves_keepalived_what_is_its(bed, pair):
    assert plug_vip(pair, vip_body(bed.add_nic("vip"))).status == 202
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP}/24"}
    assert main_routes(bed) == {DEFAULT, HOST_ROUTE}
    assert bed.inside.routes("eth1", 1) == {HOST_ROUTE}
    assert bed.inside.rules() == []
    assert {"address": VIP, "prefixlen": 32, "octavia_owned": False} in description(pair)["addresses"]


def test_an_ipv6_vip(bed, amphora):
    answer = plug_vip(amphora, vip_body_6(bed.add_nic("vip")), VIP_6)
    assert answer.status == 202, answer
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP_6}/64", f"{VIP_6}/128"}
    assert main_routes(bed) == {DEFAULT_6}
    assert bed.inside.routes("eth1", 1) == {DEFAULT_6, f"{net.VIP_NET_6} src {VIP_6}"}
    assert bed.inside.rules() == [f"{VIP_6}/128 table 1"]


def test_an_ipv6_vip_may_be_spelled_in_any_way(bed, amphora):
    spelled = "2001:0DB8:1:0:0:0:0:0010"
    assert plug_vip(amphora, vip_body_6(bed.add_nic("vip")), spelled).status == 202
    assert f"{VIP_6}/128" in bed.inside.addresses("eth1")


def test_a_dual_stack_vip(bed, amphora):
    answer = plug_vip(amphora, vip_body(bed.add_nic("vip"), additional_vips=[additional_vip()]))
    assert answer.json["details"] == (
        f"VIPs plugged on interface eth1: {VIP}, 2001:0db8:0001:0000:0000:0000:0000:0010")
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32", f"{VIP_6}/128"}
    assert main_routes(bed) == {DEFAULT, DEFAULT_6, HOST_ROUTE}
    assert bed.inside.routes("eth1", 1) == {
        DEFAULT, DEFAULT_6, HOST_ROUTE, f"{net.VIP_NET} src {VIP}", f"{net.VIP_NET_6} src {VIP_6}"}
    assert bed.inside.rules() == sorted([f"{VIP}/32 table 1", f"{VIP_6}/128 table 1"])


def test_of_two_gateways_of_one_family_the_first_wins(bed, amphora):
    other = additional_vip("192.0.2.10", "192.0.2.0/24", "192.0.2.1")
    assert plug_vip(amphora, vip_body(bed.add_nic("vip"), additional_vips=[other])).status == 202
    assert DEFAULT in main_routes(bed)
    assert not any("192.0.2.1 " in route for route in main_routes(bed))


def test_without_a_gateway_there_is_no_default_route(bed, amphora):
    assert plug_vip(amphora, vip_body(bed.add_nic("vip"), gateway=None)).status == 202
    assert main_routes(bed) == {HOST_ROUTE}
    assert bed.inside.routes("eth1", 1) == {HOST_ROUTE, f"{net.VIP_NET} src {VIP}"}


def test_only_three_keys_are_required_and_unknown_ones_are_ignored(bed, amphora):
    body = vip_body(bed.add_nic("vip"), mtu=..., host_routes=..., additional_vips=..., is_sriov=...,
                    dns_nameservers=["192.0.2.53"], grown={"by": ["a", "newer", "controller"]})
    assert plug_vip(amphora, body).status == 202
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32"}


def test_a_mac_may_be_in_capitals(bed, amphora):
    mac = bed.add_nic("vip", mac="fa:16:3e:ab:cd:ef")
    assert plug_vip(amphora, vip_body(mac.upper())).status == 202
    assert bed.inside.name_of(mac) == "eth1"
    assert plug_vip(amphora, vip_body(mac)).status == 409


def test_a_nic_of_any_name_becomes_eth1(bed, amphora):
    """The management interface may have the name already, out there."""
    management = bed.add_nic("outside", name="eth1")
    mac = bed.add_nic("vip", name="ens4", altname="enp0s4")
    assert plug_vip(amphora, vip_body(mac)).status == 202
    assert bed.inside.name_of(mac) == "eth1"
    assert bed.host.name_of(management) == "eth1"


def test_the_files_are_those_of_the_reference(bed, amphora):
    mac = bed.add_nic("vip")
    assert plug_vip(amphora, vip_body(mac)).status == 202
    assert (amphora.base_path / "plugged_interfaces").read_text() == f"{mac} eth1\n"
    assert (amphora.base_path / "interfaces" / "eth1.json").stat().st_mode & 0o777 == 0o644
    described = description(amphora)
    assert described["name"] == "eth1" and described["if_type"] == "vip"
    assert described["mtu"] == 1450


def test_the_namespace_is_ready_for_haproxy(bed, amphora):
    bed.host.set_sysctls({"net/ipv4/ip_forward": 0})
    assert plug_vip(amphora, vip_body(bed.add_nic("vip"))).status == 202
    lo, = bed.inside.show("link", "show", "lo")
    assert "UP" in lo["flags"]
    assert bed.inside.addresses("lo") >= {"127.0.0.1/8"}
    for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding",
                 "net/ipv4/ip_nonlocal_bind", "net/ipv6/ip_nonlocal_bind"):
        assert bed.inside.sysctl(name) == "1", name
    assert bed.host.sysctl("net/ipv4/ip_forward") == "0"


def test_the_second_time_is_a_409_that_changes_nothing(bed, amphora):
    body = vip_body(bed.add_nic("vip"))
    assert plug_vip(amphora, body).status == 202
    bed.inside.wait_until_settled()
    before = amphora.files(), bed.inside.show("address"), description(amphora)
    answer = plug_vip(amphora, body)
    assert answer.status == 409
    assert answer.json == {"message": "Interface already exists"}
    assert (amphora.files(), bed.inside.show("address"), description(amphora)) == before


def test_a_nic_that_is_missing_is_a_404_that_is_retried_until_it_appears(bed, amphora):
    mac = "fa:16:3e:00:00:01"
    files = amphora.files()
    answer = plug_vip(amphora, vip_body(mac))
    assert answer.status == 404
    assert answer.json == {"details": "No suitable network interface found"}
    assert amphora.files() == files
    assert bed.shield.rescans() or not os.path.exists("/sys/bus/pci/rescan")
    bed.add_nic("vip", mac)
    assert plug_vip(amphora, vip_body(mac)).status == 202


def test_host_routes_that_cannot_be_do_not_fail_the_plug(bed, amphora):
    wrong = [{"destination": "192.0.2.0/24"}, "192.0.2.0/24", None,
             {"destination": "nonsense", "nexthop": net.VIP_GATEWAY},
             {"destination": "192.0.2.0/24", "nexthop": net.VIP_GATEWAY_6},
             {"destination": "203.0.113.0/24", "nexthop": VRRP_IP},
             {"destination": net.VIP_NET, "nexthop": net.VIP_GATEWAY},
             {"destination": "203.0.113.128/25", "nexthop": "127.0.0.1"}]
    assert plug_vip(amphora, vip_body(bed.add_nic("vip"), host_routes=wrong + HOST_ROUTES)
                    ).status == 202
    assert HOST_ROUTE in main_routes(bed)
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32"}


# Which interface has an address

def test_the_interface_of_each_address_is_told(bed, amphora):
    plugged_vip(bed, amphora, additional_vips=[additional_vip()])
    plugged_network(bed, amphora)
    for address, name in {VIP: "eth1", VRRP_IP: "eth1", VIP_6: "eth1", MEMBER_IP: "eth2",
                          "2001:DB8:1:0:0:0:0:10": "eth1",
                          "2001:0db8:0001:0000:0000:0000:0000:0010": "eth1"}.items():
        answer = amphora.api.get(f"/1.0/interface/{address}")
        assert (answer.status, answer.json) == (200, {"message": "OK", "interface": name}), address


def test_the_vip_of_a_pair_is_found_where_keepalived_put_it(bed, pair):
    """That is how a controller learns who is MASTER."""
    plugged_vip(bed, pair)
    assert pair.api.get(f"/1.0/interface/{VIP}").status == 404
    bed.inside.ip("address", "add", f"{VIP}/32", "dev", "eth1")
    assert pair.api.get(f"/1.0/interface/{VIP}").json["interface"] == "eth1"
    bed.inside.ip("address", "delete", f"{VIP}/32", "dev", "eth1")
    assert pair.api.get(f"/1.0/interface/{VIP}").status == 404


def test_addresses_outside_the_namespace_do_not_count(bed, amphora):
    plugged_vip(bed, amphora)
    bed.add_nic("outside")
    bed.host.ip("address", "add", "192.0.2.99/24", "dev", "eth1")
    assert amphora.api.get("/1.0/interface/192.0.2.99").status == 404
