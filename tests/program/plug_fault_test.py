# SPDX-License-Identifier: Apache-2.0
"""Plugging with wrong bodies, vanishing interfaces, killed agents, and several at a time."""

import concurrent.futures
import http.client
import os
import threading
import time

import pytest

from harness import network_bed as net
from harness.eventually import eventually
from harness.plugging import (
    MEMBER_IP, VIP, VIP_6, VRRP_IP, VRRP_IP_6, additional_vip, fixed_ip, fixed_ip_6, network_body,
    plug_network, plug_vip, plugged_network, plugged_vip, vip_body, vip_body_6, vip_network_body)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

DETECTION_S = 5  # long enough for a slow machine to ask a question or two
STEPS = 16  # into which a plug is cut, to kill the agent at each


@pytest.fixture
def amphora(bed_amphora):
    return bed_amphora.start()


# Bad input

BAD_VIPS = ["nonsense", "198.51.100", "198.51.100.256", "0.0.0.0", "255.255.255.255", "224.0.0.18",
            "2001:db8::1::2", "ff02::1", "fe80::1%25eth1", "%31%39"]

BAD_VIP_BODIES = {
    "no subnet": {"subnet_cidr": ...},
    "no MAC": {"mac_address": ...},
    "no gateway key": {"gateway": ...},
    "a subnet with host bits": {"subnet_cidr": "198.51.100.1/24"},
    "a subnet that is none": {"subnet_cidr": "nonsense"},
    "a prefix that is too long": {"subnet_cidr": "198.51.100.0/33"},
    "a subnet that is a number": {"subnet_cidr": 24},
    "a subnet of the other family": {"subnet_cidr": net.VIP_NET_6},
    "a gateway that is none": {"gateway": "nonsense"},
    "a gateway of the other family": {"gateway": net.VIP_GATEWAY_6},
    "a MAC that is none": {"mac_address": "fa:16:3e:00:00"},
    "a MAC with too much": {"mac_address": "fa:16:3e:00:00:01:02"},
    "a MAC that is a path": {"mac_address": "../../../etc/passwd"},
    "an MTU that is negative": {"mtu": -1},
    "an MTU that is huge": {"mtu": 2 ** 40},
    "an MTU that is text": {"mtu": "large"},
    "an MTU that IPv6 does not take": {"mtu": 1279, "additional_vips": [additional_vip()]},
    "a MAC of everybody": {"mac_address": "ff:ff:ff:ff:ff:ff"},
    "a vrrp_ip that is none": {"vrrp_ip": "nonsense"},
    "host routes that are no list": {"host_routes": {"destination": "192.0.2.0/24"}},
    "additional VIPs that are no list": {"additional_vips": "2001:db8:1::10"},
    "an additional VIP without address": {
        "additional_vips": [{"subnet_cidr": net.VIP_NET_6, "gateway": None, "host_routes": []}]},
    "an additional VIP that is none": {"additional_vips": [additional_vip("nonsense")]},
    "an additional VIP with host bits in its subnet": {
        "additional_vips": [additional_vip(subnet="2001:db8:1::1/64")]},
    "is_sriov that is text": {"is_sriov": "yes"},
}

BAD_NETWORK_BODIES = {
    "no MAC": {"mac_address": ...},
    "a MAC that is none": {"mac_address": "nonsense"},
    "fixed IPs that are no list": {"fixed_ips": "203.0.113.10"},
    "a fixed IP that is no object": {"fixed_ips": ["203.0.113.10"]},
    "a fixed IP without address": {"fixed_ips": [{"subnet_cidr": net.MEMBER_NET}]},
    "a fixed IP that is none": {"fixed_ips": [fixed_ip("nonsense")]},
    "a subnet with host bits": {"fixed_ips": [fixed_ip(subnet="203.0.113.1/24")]},
    "a subnet of the other family": {"fixed_ips": [fixed_ip(subnet=net.MEMBER_NET_6)]},
    "an MTU that is negative": {"mtu": -1},
    "vip_net_info without vip": {"vip_net_info": {"subnet_cidr": net.VIP_NET, "gateway": None}},
    "vip_net_info that is text": {"vip_net_info": "198.51.100.10"},
}


@pytest.fixture
def untouched(bed, amphora):
    """A NIC that is there, and after the test still nothing else happened."""
    mac = bed.add_nic("vip")
    files, links = amphora.files(), bed.host.links()
    yield mac
    assert bed.host.links() == links
    assert amphora.files() == files


@pytest.mark.parametrize("vip", BAD_VIPS)
def test_a_vip_that_is_none_is_a_400(amphora, untouched, vip):
    answer = plug_vip(amphora, vip_body(untouched), vip)
    assert answer.status == 400, answer
    if "%" not in vip:
        assert answer.json["message"].startswith("Invalid VIP: ")


def test_a_wrong_vip_body_is_a_400_that_changes_nothing(amphora, untouched):
    for what, change in BAD_VIP_BODIES.items():
        answer = plug_vip(amphora, vip_body(untouched, **change))
        assert answer.status == 400, f"{what}: {answer}"
        assert not any(word in answer.text for word in ("null", "(null)")), f"{what}: {answer}"


def test_a_wrong_vrrp_ip_has_a_message_of_its_own(amphora, untouched):
    answer = plug_vip(amphora, vip_body(untouched, vrrp_ip="198.51.100.1111"))
    assert answer.status == 400
    assert answer.json["message"].startswith("Invalid VRRP Address: ")


def test_a_wrong_network_body_is_a_400_that_changes_nothing(amphora, untouched):
    for what, change in BAD_NETWORK_BODIES.items():
        answer = plug_network(amphora, network_body(untouched, **change))
        assert answer.status == 400, f"{what}: {answer}"


@pytest.mark.parametrize("path", [f"/1.0/plug/vip/{VIP}", "/1.0/plug/network"])
@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"text"', "[[[[", "\xff"])
def test_a_body_that_is_no_json_object_is_a_400(amphora, untouched, path, body):
    assert amphora.api.post(path, body).status == 400


# What vanishes, what is killed

def test_an_interface_that_vanishes_half_way_can_be_plugged_when_it_is_back(bed, amphora):
    """The address of an IPv6 VIP is awaited for a second: the NIC goes away meanwhile."""
    mac = bed.add_nic("vip")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        plug = pool.submit(plug_vip, amphora, vip_body_6(mac), VIP_6)
        eventually(lambda: bed.inside.exists() and bed.inside.name_of(mac), "it is inside",
                   pause_s=0)
        bed.remove_nic(mac)
        answer = plug.result()
    assert answer.status in (202, 404, 500), answer
    bed.add_nic("vip", mac)
    answer = plug_vip(amphora, vip_body_6(mac), VIP_6)
    assert answer.status == 202, answer
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP_6}/64", f"{VIP_6}/128"}
    assert (amphora.base_path / "plugged_interfaces").read_text() == f"{mac} eth1\n"


def kill_during_plug(amphora, after_s, path, body):
    """Kills the agent so long after a request was sent, and starts it again."""
    session = amphora.api.session()
    session.connection.connect()

    def request():
        try:
            session.request("POST", path, body)
        except (OSError, http.client.HTTPException):
            pass  # killed before it answered

    thread = threading.Thread(target=request)
    thread.start()
    time.sleep(after_s)
    amphora.kill()
    thread.join()
    session.close()
    amphora.start()


def test_an_agent_killed_while_it_plugs_ends_plugged_when_it_is_asked_again(bed, amphora):
    began = time.monotonic()
    macs = [plugged_network(bed, amphora, fixed_ip("203.0.113.12"))]
    whole_s = time.monotonic() - began
    for number in range(3, 3 + STEPS):
        after_s = whole_s * (number - 3) / (STEPS - 1)
        address = f"203.0.113.{number + 10}"
        macs.append(bed.add_nic("member"))
        body = network_body(macs[-1], fixed_ip(address))
        kill_during_plug(amphora, after_s, "/1.0/plug/network", body)
        answer = plug_network(amphora, body)
        assert answer.status == 202, f"killed after {after_s} s: {answer}"
        assert bed.inside.name_of(macs[-1]) == f"eth{number}", f"killed after {after_s} s"
        assert bed.inside.addresses(f"eth{number}") == {f"{address}/24"}
    assert bed.host.links() == {}
    lines = (amphora.base_path / "plugged_interfaces").read_text().splitlines()
    assert sorted(lines) == sorted(f"{mac} eth{number}" for number, mac in enumerate(macs, 2))
    assert sorted(path.name for path in (amphora.base_path / "interfaces").glob("eth*")) == sorted(
        f"eth{number}.json" for number in range(2, 3 + STEPS))


def test_an_agent_killed_while_it_plugs_the_vip_ends_plugged_as_well(bed, amphora):
    """Each time the VIP's NIC is another one."""
    began = time.monotonic()
    mac = plugged_vip(bed, amphora)
    whole_s = time.monotonic() - began
    for step in range(STEPS):
        bed.remove_nic(mac)
        eventually(lambda: "eth1" not in bed.inside.links(), "the NIC is gone")
        mac = bed.add_nic("vip")
        after_s = whole_s * step / (STEPS - 1)
        kill_during_plug(amphora, after_s, f"/1.0/plug/vip/{VIP}", vip_body(mac))
        assert plug_vip(amphora, vip_body(mac)).status in (202, 409)
        assert bed.inside.name_of(mac) == "eth1", f"killed after {after_s} s"
        eventually(lambda: bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32"},
                   f"both addresses, killed after {after_s} s")
        assert bed.inside.rules() == [f"{VIP}/32 table 1"]
        assert f"{net.VIP_NET} src {VIP}" in bed.inside.routes("eth1", 1)
    assert (amphora.base_path / "plugged_interfaces").read_text() == f"{mac} eth1\n"


# Several at a time

def test_the_same_vip_twice_at_once_is_plugged_once(bed, amphora):
    body = vip_body(bed.add_nic("vip"))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        plugs = [pool.submit(plug_vip, amphora, body) for _ in range(3)]
        assert sorted(plug.result().status for plug in plugs) == [202, 409, 409]
    assert bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32"}


def test_several_networks_at_once_get_a_name_each(bed, amphora):
    macs = [bed.add_nic("member") for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        plugs = [pool.submit(plug_network, amphora,
                             network_body(mac, fixed_ip(f"203.0.113.{number}")))
                 for number, mac in enumerate(macs, 10)]
        assert {plug.result().status for plug in plugs} == {202}
    assert {bed.inside.name_of(mac) for mac in macs} == {"eth2", "eth3", "eth4", "eth5"}


def test_who_only_asks_does_not_wait_for_a_plug(bed, amphora):
    plugged_vip(bed, amphora)
    mac = bed.add_nic("member")
    # The plug awaits the end of duplicate address detection.
    bed.inside.set_sysctls({"net/ipv6/conf/default/dad_transmits": DETECTION_S})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        plug = pool.submit(plug_network, amphora, network_body(mac, fixed_ip_6()))
        eventually(lambda: bed.inside.name_of(mac), "it is inside", pause_s=0)
        for path in ("/1.0/details", f"/1.0/interface/{VIP}"):
            assert amphora.api.get(path).status == 200
        assert not plug.done()
        assert plug.result().status == 202


def test_a_member_network_on_the_vip_port_before_the_vip_is_plugged(bed, amphora):
    """No controller sends it; whatever the answer, plug/vip works afterwards."""
    mac = bed.add_nic("vip")
    answer = plug_network(amphora, vip_network_body(mac, fixed_ip(
        VRRP_IP, net.VIP_NET, net.VIP_GATEWAY)))
    assert answer.status in (202, 400)
    assert plug_vip(amphora, vip_body(mac)).status in (202, 409)


def test_two_nics_of_one_amphora_may_have_addresses_of_one_subnet(bed, amphora):
    plugged_vip(bed, amphora)
    mac = bed.add_nic("member")
    answer = plug_network(amphora, network_body(mac, fixed_ip(), fixed_ip(
        "198.51.100.77", net.VIP_NET, net.VIP_GATEWAY)))
    assert answer.status == 202, answer
    assert bed.inside.addresses("eth2") == {f"{MEMBER_IP}/24", "198.51.100.77/24"}
