# SPDX-License-Identifier: Apache-2.0
"""Octavia's own driver plugs NICs into the running machine and gives it HTTP and TCP listeners; a client
beyond the router and a neighbour use them, and its health manager learns of it."""

import pytest

from harness import network_bed as net
from harness import prometheus
from harness.controller import all_online
from harness.eventually import eventually
from harness.plugging import MEMBER_IP, MEMBER_IP_6, VIP, VIP_6, VRRP_IP
from harness.site import PATIENT, TOLD_S

HTTP_PORT, TCP_PORT, PROMETHEUS_PORT = 80, 81, 8088


@pytest.fixture
def servers(bed, resources):
    return [resources.enter_context(bed.web_server(identity, address)) for identity, address in (
        ("one", net.MEMBERS[0]), ("two", net.MEMBERS[1]), ("six", net.MEMBERS_6[0]))]


def test_nics_that_are_hot_plugged_carry_the_vips_and_the_way_to_the_members(site, amphora):
    assert [site.interface_of(address) for address in (VRRP_IP, VIP, VIP_6, MEMBER_IP, MEMBER_IP_6)] \
        == ["eth1", "eth1", "eth1", "eth2", "eth2"]
    mtus = amphora.inside("cat /sys/class/net/eth1/mtu /sys/class/net/eth2/mtu")
    assert mtus.split() == ["1450", "1400"]
    sysctls = amphora.inside(
        "sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.vs.conntrack "
        "net.ipv4.ip_nonlocal_bind net.ipv6.ip_nonlocal_bind")
    assert sysctls.split() == ["1"] * 5
    rules = amphora.inside("nft list ruleset")
    for protocol in ("udp", "sctp"):
        for chain in (f"ip-{protocol}-masq", f"ip6-{protocol}-masq"):
            assert chain in rules
    assert amphora.warnings() == []


def test_http_and_tcp_listeners_serve_and_their_states_and_statistics_arrive(
        site, bed, servers, amphora, controller):
    one = servers[0]
    http, http_pool, http_members = site.add_listener("HTTP", HTTP_PORT, servers, "HTTP", **PATIENT)
    # HAProxy gives the program that checks until the next check, whatever the timeout is.
    tcp, tcp_pool, tcp_members = site.add_listener(
        "TCP", TCP_PORT, servers[:2], "PING", **{**PATIENT, "delay": 5})
    site.update()
    controller.wait_for(site.id, all_online(
        site.id, http, http_pool, *http_members, tcp, tcp_pool, *tcp_members))

    for address in (VIP, VIP_6):
        for whence in (bed.client, bed.neighbour):
            assert {bed.ask(address, HTTP_PORT, whence) for _ in range(3)} == {"one", "two", "six"}
            assert {bed.ask(address, TCP_PORT, whence) for _ in range(2)} == {"one", "two"}

    def counted():
        controller.health_manager.check()
        rows = [controller.statistics(listener) for listener in (http, tcp)]
        return [row.total_connections for row in rows] == [12, 8] and all(
            row.bytes_in > 0 and row.bytes_out > 0 and row.active_connections == 0 for row in rows)
    eventually(counted, "the database has counted every connection once", TOLD_S)

    one.health_status = 503
    controller.wait_for(site.id, {
        http_members[0]: "ERROR", http_pool: "DEGRADED", site.id: "DEGRADED",
        **all_online(*http_members[1:], *tcp_members, tcp_pool)})
    assert {bed.ask(VIP, HTTP_PORT) for _ in range(4)} == {"two", "six"}
    one.health_status = 200
    controller.wait_for(site.id, all_online(site.id, http_members[0]))
    assert amphora.warnings() == []


def test_a_change_of_members_reloads_nothing(site, bed, servers, amphora, controller):
    _, pool, members = site.add_listener("HTTP", HTTP_PORT, servers[:1], "HTTP", **PATIENT)
    site.update()
    controller.wait_for(site.id, all_online(*members))
    workers = amphora.haproxy_workers(site.id)
    assert len(workers) == 1
    added = controller.create_member(pool, servers[1])
    site.update()
    controller.wait_for(site.id, all_online(added, *members))
    assert {bed.ask(VIP, HTTP_PORT) for _ in range(4)} == {"one", "two"}
    assert amphora.haproxy_workers(site.id) == workers


def test_haproxys_unit_lets_it_have_a_million_connections(site, servers, amphora):
    site.add_listener("HTTP", HTTP_PORT, servers, "HTTP", **PATIENT)
    site.update()
    unit = f"haproxy-{site.id}.service"
    shell = amphora.machine.shell
    limits = shell.run(f"systemctl show --property=LimitNOFILE,LimitNOFILESoft {unit}").split()
    assert limits == ["LimitNOFILE=2600000", "LimitNOFILESoft=2600000"]
    worker, = amphora.haproxy_workers(site.id)
    assert "2600000" in shell.run(f"grep 'open files' /proc/{worker}/limits")
    assert shell.run(f"ps -o user= -p {worker}") == "nobody\n"
    assert not [line for line in amphora.journal(unit).splitlines()
                if "[WARNING]" in line or "[ALERT]" in line]


def test_prometheus_is_answered_through_the_vip(site, bed, servers, controller):
    http, _, members = site.add_listener("HTTP", HTTP_PORT, servers, "HTTP", **PATIENT)
    controller.create_listener(site.id, PROMETHEUS_PORT, "PROMETHEUS")
    site.update()
    controller.wait_for(site.id, all_online(*members))
    for _ in range(5):
        bed.ask(VIP, HTTP_PORT)
    for address in (VIP, VIP_6):
        with bed.client.entered():
            samples = prometheus.scrape(PROMETHEUS_PORT, address).samples
        assert samples["octavia_listener_sessions_total", f'{{listener="{http}"}}'] == "5"
        assert float(samples["octavia_memory_pool_allocated_bytes", None]) > 0
