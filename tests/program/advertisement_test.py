# SPDX-License-Identifier: Apache-2.0
"""Gratuitous ARP and unsolicited neighbour advertisements: a neighbour that knew somebody else under
an address knows better after plug/network, and after start and reload."""

import ipaddress
import os
import socket
import struct

import pytest

from harness import network_bed as net
from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.plugging import (
    MEMBER_IP, MEMBER_IP_6, VIP, VIP_6, additional_vip, fixed_ip, fixed_ip_6, network_body,
    plug_network, plugged_vip)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

SOMEBODY_ELSE = "02:00:00:00:00:99"
ETH_P_ARP, ETH_P_IPV6 = 0x0806, 0x86dd
EVERYBODY = b"\xff" * 6
ALL_NODES, ALL_NODES_MAC = ipaddress.ip_address("ff02::1").packed, bytes.fromhex("333300000001")
NEIGHBOUR_ADVERTISEMENT = 136


@pytest.fixture
def amphora(bed_amphora):
    return bed_amphora.start()


def mistake(namespace, *addresses):
    """The neighbour takes somebody else for the owner of these addresses."""
    for address in addresses:
        namespace.ip("neighbour", "replace", address, "lladdr", SOMEBODY_ELSE, "dev", "eth0",
                     "nud", "stale")


def wait_until_known(namespace, mac, *addresses):
    for address in addresses:
        eventually(lambda: namespace.neighbour_mac(address) == mac,
                   f"the neighbour learns who has {address}")


class Sniffer:
    """The frames of one kind that arrive at a namespace's eth0."""

    def __init__(self, namespace, kind):
        with namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind))
            self._socket.bind(("eth0", kind))
        self._socket.settimeout(30)

    def first(self, accept):
        """The first frame that accept() makes something of; that."""
        while True:
            found = accept(self._socket.recv(2048))
            if found:
                return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()


def gratuitous_arp(frame):
    """(destination, source, operation, sender's MAC, sender, target) of an ARP whose sender is its
    target."""
    operation, sender_mac, sender, _, target = struct.unpack("!6xH6s4s6s4s", frame[14:42])
    if sender != target:
        return None
    return frame[:6], frame[6:12], operation, sender_mac, socket.inet_ntoa(sender)


def unsolicited_advertisement(frame):
    """(destination MAC, destination, hop limit, flags, target, MAC) of a neighbour advertisement."""
    ip, icmp = frame[14:54], frame[54:]
    if ip[6] != socket.IPPROTO_ICMPV6 or icmp[0] != NEIGHBOUR_ADVERTISEMENT:
        return None
    target = str(ipaddress.ip_address(icmp[8:24]))
    return frame[:6], ip[24:40], ip[7], icmp[4] >> 5, target, icmp[26:32]


def octets(mac):
    return bytes.fromhex(mac.replace(":", ""))


def test_member_addresses_are_advertised_after_a_plug(bed, amphora):
    mistake(bed.members, MEMBER_IP, MEMBER_IP_6)
    mac = bed.add_nic("member")
    assert plug_network(amphora, network_body(mac, fixed_ip(), fixed_ip_6())).status == 202
    wait_until_known(bed.members, mac, MEMBER_IP, MEMBER_IP_6)
    mistake(bed.members, MEMBER_IP)
    assert plug_network(amphora, network_body(mac, fixed_ip(), fixed_ip_6())).status == 202
    wait_until_known(bed.members, mac, MEMBER_IP)


def test_the_form_of_the_advertisements(bed, amphora):
    mac = bed.add_nic("member")
    with Sniffer(bed.members, ETH_P_ARP) as arp, Sniffer(bed.members, ETH_P_IPV6) as ipv6:
        assert plug_network(amphora, network_body(mac, fixed_ip(), fixed_ip_6())).status == 202
        destination, source, operation, sender_mac, sender = arp.first(gratuitous_arp)
        assert (destination, source, sender_mac) == (EVERYBODY, octets(mac), octets(mac))
        assert (operation, sender) == (1, MEMBER_IP)
        assert ipv6.first(
            lambda frame: (found := unsolicited_advertisement(frame))
            and found[4] == MEMBER_IP_6 and found) == (
                ALL_NODES_MAC, ALL_NODES, 255, 0b101, MEMBER_IP_6, octets(mac))


@pytest.fixture
def balancer(bed, amphora):
    plugged_vip(bed, amphora, additional_vips=[additional_vip()])
    balancer = LoadBalancer(amphora, [], address=VIP, port=80, check="")
    balancer.listener_lines = (f"bind [{VIP_6}]:80",)
    return balancer


@pytest.mark.parametrize("action", ["start", "reload"])
def test_the_vips_of_a_single_amphora_are_advertised_after(bed, amphora, balancer, action):
    assert balancer.upload().status == 202
    mistake(bed.neighbour, VIP, VIP_6)
    assert balancer.act(action).status == 202
    mac = bed.inside.links()["eth1"]["address"]
    wait_until_known(bed.neighbour, mac, VIP, VIP_6)
    mistake(bed.neighbour, VIP, VIP_6)
    assert balancer.act("reload").status == 202
    wait_until_known(bed.neighbour, mac, VIP, VIP_6)


def test_the_vip_of_a_pair_is_advertised_by_keepalived_alone(bed, bed_amphora):
    bed_amphora.config.set("controller_worker", "loadbalancer_topology", "ACTIVE_STANDBY")
    amphora = bed_amphora.start()
    plugged_vip(bed, amphora)
    balancer = LoadBalancer(amphora, [], address=VIP, port=80, check="")
    assert balancer.upload().status == 202
    mistake(bed.neighbour, VIP)
    with Sniffer(bed.neighbour, ETH_P_ARP) as arp:
        assert balancer.act("reload").status == 202
        arp._socket.settimeout(1)
        with pytest.raises(TimeoutError):
            arp.first(gratuitous_arp)
    assert bed.neighbour.neighbour_mac(VIP) == SOMEBODY_ELSE


def test_the_neighbours_own_traffic_needs_no_second_try(bed, amphora, resources):
    """What it is for: the address moved here from another amphora, and clients notice nothing."""
    plugged_vip(bed, amphora)
    vip_mac = bed.inside.links()["eth1"]["address"]
    assert plug_network(amphora, network_body(bed.add_nic("member"))).status == 202
    server = resources.enter_context(bed.web_server("one", net.MEMBERS[0]))
    balancer = LoadBalancer(amphora, [server], address=VIP, port=80, check="")
    assert balancer.upload().status == 202
    mistake(bed.neighbour, VIP)
    assert balancer.act("reload").status == 202
    # Before it asks anything, which would be another way for it to find out.
    wait_until_known(bed.neighbour, vip_mac, VIP)
    eventually(lambda: bed.ask(VIP, 80, bed.neighbour) == "one", "it is answered")
