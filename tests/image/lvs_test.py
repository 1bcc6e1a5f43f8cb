# SPDX-License-Identifier: Apache-2.0
"""UDP and SCTP listeners in the image, as Octavia's own driver makes them: its kernel's IPVS, keepalived
as a unit, our monitors, and datagrams from outside through both VIPs."""

import pytest

from harness import network_bed as net
from harness import prometheus
from harness import sctp_machine as sctp
from harness.controller import all_online
from harness.datagram import DatagramFlow, DatagramMember, all_who_answer
from harness.eventually import eventually
from harness.image_amphora import BOOTED
from harness.plugging import VIP, VIP_6
from harness.site import PATIENT, TOLD_S

UDP_PORT, PROMETHEUS_PORT = 53, 8088
# Of headers, each way.
UDP_BYTES, UDP_BYTES_6 = 28, 48


@pytest.fixture
def members(bed, resources):
    """Two of IPv4, one of IPv6."""
    return [resources.enter_context(DatagramMember(identity, bed.members, address))
            for identity, address in (("one", net.MEMBERS[0]), ("two", net.MEMBERS[1]),
                                      ("six", net.MEMBERS_6[0]))]


def wait_for_statistics(controller, listener, **wanted):
    def counted():
        controller.health_manager.check()
        row = vars(controller.statistics(listener))
        return {name: row[name] for name in wanted} == wanted
    eventually(counted, f"the database says {wanted}", TOLD_S)


def reloads_and_loses_nobody(site, members, added):
    """The controller's change takes effect, and no heartbeat says that one of members is not ONLINE."""
    controller = site.controller
    site.update()

    def is_online():
        controller.health_manager.check()
        now = controller.operating_statuses(site.id)
        assert {now[member] for member in members} == {"ONLINE"}
        return now[added] == "ONLINE"
    eventually(is_online, "the member that was added is ONLINE", TOLD_S)


def units_of(amphora):
    return [line.split()[0] for line in amphora.machine.shell.run(
        "systemctl list-units --no-legend 'octavia-keepalivedlvs-*.service'").splitlines()]


def test_udp_from_outside_to_members_monitors_statistics_and_a_reload(
        site, bed, members, amphora, controller, resources):
    listener, pool, (one, two, six) = site.add_listener("UDP", UDP_PORT, members, "UDP-CONNECT", **PATIENT)
    site.update()
    controller.wait_for(site.id, all_online(site.id, listener, pool, one, two, six))
    assert units_of(amphora) == [f"octavia-keepalivedlvs-{listener}.service"]

    for whence in (bed.client, bed.neighbour):
        answers = all_who_answer(whence, VIP, UDP_PORT, 10)
        assert sorted(answers) == ["one"] * 5 + ["two"] * 5
        assert all_who_answer(whence, VIP_6, UDP_PORT, 3) == ["six"] * 3
    wait_for_statistics(
        controller, listener, total_connections=26,
        bytes_in=20 * (100 + UDP_BYTES) + 6 * (100 + UDP_BYTES_6),
        bytes_out=20 * (3 + UDP_BYTES) + 6 * (3 + UDP_BYTES_6))

    flows = [resources.enter_context(DatagramFlow(bed.client, VIP, UDP_PORT)) for _ in range(4)]
    served_by = [flow.ask() for flow in flows]
    assert sorted(served_by) == ["one", "one", "two", "two"]
    pid = amphora.machine.shell.run(f"systemctl show -P MainPID {units_of(amphora)[0]}")
    three = resources.enter_context(DatagramMember("three", bed.members, net.MEMBERS[0]))
    added = controller.create_member(pool, three)
    reloads_and_loses_nobody(site, (one, two, six), added)
    assert [flow.ask() for flow in flows] == served_by
    assert amphora.machine.shell.run(f"systemctl show -P MainPID {units_of(amphora)[0]}") == pid
    assert set(all_who_answer(bed.client, VIP, UDP_PORT, 6)) == {"one", "two", "three"}

    members[0].stop()
    controller.wait_for(site.id, {one: "ERROR", pool: "DEGRADED", site.id: "DEGRADED",
                                  **all_online(two, six, added)})
    assert set(all_who_answer(bed.client, VIP, UDP_PORT, 4)) == {"two", "three"}
    members[0].start()
    controller.wait_for(site.id, all_online(site.id, pool, one))
    assert amphora.warnings() == []


@pytest.fixture
def peers(booted, bed, resources, folder):
    """A client and members whose kernel speaks SCTP."""
    (folder / "peers").mkdir()
    machine = booted[0].machine.copy(folder / "peers", address="127.0.0.2")
    resources.enter_context(machine).start(BOOTED)
    return sctp.SctpMachine(machine, bed)


def test_sctp_from_outside_to_members_monitors_statistics_and_a_reload(
        peers, site, amphora, controller):
    members = [peers.serve(address) for address in (sctp.MEMBERS[0], *sctp.MEMBERS_6)]
    listener, pool, (one, six) = site.add_listener("SCTP", sctp.PORT, members, "SCTP", **PATIENT)
    site.update()
    controller.wait_for(site.id, all_online(site.id, listener, pool, one, six))

    assert peers.ask(VIP, 3) == [sctp.MEMBERS[0]] * 3
    assert peers.ask(VIP_6, 3) == [sctp.MEMBERS_6[0]] * 3
    wait_for_statistics(controller, listener, total_connections=6)

    members.append(peers.serve(sctp.MEMBERS[1]))
    two = controller.create_member(pool, members[2])
    reloads_and_loses_nobody(site, (one, six), two)
    assert sorted(peers.ask(VIP, 4)) == [sctp.MEMBERS[0]] * 2 + [sctp.MEMBERS[1]] * 2

    members[0].stop()
    controller.wait_for(site.id, {one: "ERROR", pool: "DEGRADED", **all_online(two, six)})
    assert peers.ask(VIP, 2) == [sctp.MEMBERS[1]] * 2
    members[0].start()
    controller.wait_for(site.id, all_online(site.id, pool, one))
    assert amphora.warnings() == []


def test_the_listeners_of_one_load_balancer_are_scraped_through_the_vip(
        site, bed, members, controller):
    """HAProxy's and the kernel's figures in one answer."""
    listener, _, ids = site.add_listener("UDP", UDP_PORT, members, "UDP-CONNECT", **PATIENT)
    controller.create_listener(site.id, PROMETHEUS_PORT, "PROMETHEUS")
    site.update()
    controller.wait_for(site.id, all_online(*ids))
    all_who_answer(bed.client, VIP, UDP_PORT, 7)

    def is_counted():
        with bed.client.entered():
            samples = prometheus.scrape(PROMETHEUS_PORT, VIP).samples
        return samples.get(
            ("octavia_listener_sessions_total", f'{{listener="{listener}"}}')) == "7"
    eventually(is_counted, "the scrape has seven sessions", TOLD_S)
