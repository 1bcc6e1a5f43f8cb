# SPDX-License-Identifier: Apache-2.0
"""PUT interface/IP/rules: an SR-IOV amphora lets in whom the list names, and nobody else."""

import concurrent.futures
import os
import socket

import pytest

from harness import network_bed as net
from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.plugging import (
    MEMBER_IP_6, VIP, VIP_6, VRRP_IP, additional_vip, fixed_ip_6, network_body, plug_network,
    plugged_network, plugged_vip)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

PORT = 80
# Less than the second after which a lost SYN is sent again: the first one gets in, or none.
SHORT_S = 0.8


def rule(cidr, port=PORT, protocol="TCP"):
    return {"protocol": protocol, "cidr": cidr, "port": port}


@pytest.fixture
def amphora(bed_amphora):
    return bed_amphora.start()


@pytest.fixture
def balancer(bed, amphora, resources):
    """Serves behind an SR-IOV NIC with a dual-stack VIP, on every address."""
    plugged_vip(bed, amphora, is_sriov=True, additional_vips=[additional_vip()])
    plugged_network(bed, amphora, is_sriov=True)
    server = resources.enter_context(bed.web_server("one", net.MEMBERS[0]))
    balancer = LoadBalancer(amphora, [server], address="::", bind_options="v4v6", port=PORT)
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    return balancer


def put_rules(amphora, *rules, address=VIP):
    return amphora.api.put(f"/1.0/interface/{address}/rules", list(rules))


def reaches(bed, whence, address=VIP, port=PORT):
    return bed.ask(address, port, whence, connect_timeout=SHORT_S) == "one"


def wait_until_it_serves(bed, amphora):
    assert put_rules(amphora, rule(None)).status == 200
    eventually(lambda: reaches(bed, bed.client), "the client is served")


def test_before_the_first_rules_nobody_gets_in(bed, amphora, balancer):
    assert not reaches(bed, bed.client) and not reaches(bed, bed.neighbour)
    assert "table inet amphora_table" in bed.inside.rule_set()


def test_null_is_anybody(bed, amphora, balancer):
    wait_until_it_serves(bed, amphora)
    for whence in (bed.client, bed.neighbour):
        for address in (VIP, VIP_6):
            assert reaches(bed, whence, address), (whence, address)


def test_a_source_lets_in_itself_and_nobody_else(bed, amphora, balancer):
    wait_until_it_serves(bed, amphora)
    assert put_rules(amphora, rule("192.0.2.0/24")).status == 200
    assert reaches(bed, bed.client)
    assert not reaches(bed, bed.neighbour)
    assert not reaches(bed, bed.client, VIP_6)
    assert put_rules(amphora, rule(f"{net.NEIGHBOUR_6}/128")).status == 200
    assert reaches(bed, bed.neighbour, VIP_6)
    assert not reaches(bed, bed.neighbour) and not reaches(bed, bed.client)


def test_zeroes_of_ipv4_are_anybody_of_both_families_and_of_ipv6_of_that_one(
        bed, amphora, balancer):
    wait_until_it_serves(bed, amphora)
    assert put_rules(amphora, rule("0.0.0.0/0")).status == 200
    assert reaches(bed, bed.client) and reaches(bed, bed.client, VIP_6)
    assert put_rules(amphora, rule("::/0")).status == 200
    assert reaches(bed, bed.client, VIP_6) and not reaches(bed, bed.client)


def test_another_port_stays_closed(bed, amphora, balancer):
    wait_until_it_serves(bed, amphora)
    assert put_rules(amphora, rule(None, port=443)).status == 200
    assert not reaches(bed, bed.client)


def test_an_empty_list_closes_everything(bed, amphora, balancer):
    wait_until_it_serves(bed, amphora)
    assert put_rules(amphora).status == 200
    assert not reaches(bed, bed.client) and not reaches(bed, bed.neighbour)


def test_the_members_are_reached_through_a_closed_list(bed, amphora, balancer):
    """The amphora's own connections come back, whatever the list says."""
    wait_until_it_serves(bed, amphora)
    assert put_rules(amphora, rule("192.0.2.0/24")).status == 200
    for _ in range(5):
        assert reaches(bed, bed.client)


@pytest.mark.parametrize("bad", [
    {}, [[]], [{}], [{"protocol": "TCP", "port": 80}], [rule(None) | {"more": 1}],
    [rule(None, protocol="ICMP")], [rule(None, port=0)], [rule(None, port=65536)],
    [rule(None, port="80")], [rule(None, port=80.5)], [rule("nonsense")],
    [rule(None), rule("192.0.2.0/99")], [rule(17)]])
def test_a_list_that_does_not_fit_is_a_400_and_the_one_before_stays(bed, amphora, bad):
    plugged_vip(bed, amphora, is_sriov=True)
    assert put_rules(amphora, rule("192.0.2.0/24")).status == 200
    before = bed.inside.rule_set(), (amphora.base_path / "nftables-vip.rules").read_bytes()
    assert amphora.api.put(f"/1.0/interface/{VIP}/rules", bad).status == 400
    assert (bed.inside.rule_set(),
            (amphora.base_path / "nftables-vip.rules").read_bytes()) == before


def test_a_list_does_not_wait_for_a_plug(bed, amphora):
    """Whose wait, for duplicate address detection or DHCP, may be half of a controller's patience."""
    plugged_vip(bed, amphora, is_sriov=True)
    bed.inside.set_sysctls({"net/ipv6/conf/default/dad_transmits": 5})  # one a second
    network = network_body(bed.add_nic("member"), fixed_ip_6())

    def plug_waits():
        return any(address.get("local") == MEMBER_IP_6 and address.get("tentative")
                   for link in bed.inside.show("address", "show") if link
                   for address in link["addr_info"])

    with concurrent.futures.ThreadPoolExecutor() as pool:
        plug = pool.submit(plug_network, amphora, network)
        eventually(plug_waits, "the plug waits for duplicate address detection")
        assert put_rules(amphora, rule(None)).status == 200
        assert plug_waits(), "the list came no sooner than the plug's end"
        assert plug.result().status == 202


def test_rules_for_an_address_that_nobody_has_are_a_404(bed, amphora):
    assert put_rules(amphora, rule(None), address="198.51.100.99").status == 404


def test_a_vrrp_peer_may_speak_vrrp_and_haproxys_peers_protocol(bed, amphora):
    plugged_vip(bed, amphora, is_sriov=True, additional_vips=[additional_vip()])
    for peer in (net.NEIGHBOUR, net.NEIGHBOUR_6):
        prefix = "128" if ":" in peer else "32"
        assert put_rules(amphora, rule(f"{peer}/{prefix}", 112, "vrrp")).status == 200, peer
        with bed.inside.entered():
            listener = socket.create_server(
                ("::", 1025), family=socket.AF_INET6, dualstack_ipv6=True)
        with listener:
            vip = VIP_6 if ":" in peer else VRRP_IP
            with bed.neighbour.entered():
                socket.create_connection((vip, 1025), SHORT_S).close()
            with bed.client.entered(), pytest.raises(TimeoutError):
                socket.create_connection((vip, 1025), SHORT_S)
        assert speaks_vrrp(bed, vip), peer


def speaks_vrrp(bed, address):
    """Whether a VRRP packet of the neighbour is let in."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with bed.inside.entered():
        receiver = socket.socket(family, socket.SOCK_RAW, 112)
    with receiver:
        receiver.settimeout(10)
        with bed.neighbour.entered(), socket.socket(family, socket.SOCK_RAW, 112) as sender:
            sender.sendto(b"\x21" + bytes(19), (address, 0))
        try:
            return bool(receiver.recv(100))
        except TimeoutError:
            return False


def test_the_list_of_an_amphora_without_sriov_is_taken(bed, amphora):
    """Controllers send it for SR-IOV only; it does no harm to have it."""
    plugged_vip(bed, amphora)
    assert put_rules(amphora, rule(None)).status == 200
