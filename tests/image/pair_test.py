# SPDX-License-Identifier: Apache-2.0
"""Two machines with one VIP: what a client notices when the one that holds it is stopped, killed, or
loses its power, and that the other is in step. Figures are printed; the limit is that of two machines
that are emulated side by side on a crowded one."""

import contextlib
import re
import socket
import statistics
import tempfile

import pytest
from octavia.common import constants

from harness import network_bed as net
from harness.controller import Controller
from harness.datagram import DatagramMember
from harness.eventually import eventually, stays_so
from harness.image_amphora import BOOTED, ImageAmphora
from harness.image_pair import LOOK_S, ImageNode, ImagePair
from harness.pair import PORT
from harness.ports import free_port
from harness.virtual_machine import BOOT_S

UDP_PORT = 5300
LIMIT_S = 10
# Two checks, 5 s apart, that fail; before them two that succeed.
CHECKED_S = 40
# Of a program that its unit forbids too much.
COMPLAINT = re.compile("unable|denied|not permitted|read-only", re.IGNORECASE)
STARTS = re.compile(r"^\[ *([\d.]+)\].*(?:Starting Keepalived|Startup complete)", re.MULTILINE)


@pytest.fixture(scope="module")
def booted_pair(image, session_folder):
    """The two amphorae, powered off, whose machines have the snapshot BOOTED."""
    port, heartbeat_port, amphorae = free_port(), free_port(kind=socket.SOCK_DGRAM), []
    with contextlib.ExitStack() as stack:
        for number in (1, 2):
            folder = session_folder / f"pair-{number}"
            folder.mkdir()
            amphorae.append(ImageAmphora.new(
                folder, image, port, heartbeat_port, address=f"127.0.0.{number}",
                topology=constants.TOPOLOGY_ACTIVE_STANDBY))
            stack.enter_context(amphorae[-1].machine).start()
        for amphora in amphorae:
            amphora.wait_for_boot(timeout_s=2 * BOOT_S)  # both at once
        for amphora in amphorae:
            amphora.wait_until_idle()
            amphora.machine.save(BOOTED)
    return amphorae


@pytest.fixture
def amphorae(booted_pair, folder):
    with contextlib.ExitStack() as stack:
        copies = []
        for number, amphora in enumerate(booted_pair):
            (folder / str(number)).mkdir()
            copies.append(amphora.copy(folder / str(number)))
            stack.enter_context(copies[-1].machine).start(BOOTED)
        for copy in copies:
            copy.wait_until_it_answers()
        yield copies
        for copy in copies:
            copy.show()


@pytest.fixture
def make_pair(amphorae, bed, resources):
    def make(**options):
        directory = resources.enter_context(tempfile.TemporaryDirectory(prefix="controller-test-"))
        controller = Controller(amphorae[0], directory)
        resources.callback(controller.close)
        controller.add_amphora(amphorae[1])
        return ImagePair(controller, bed, **options).plug()
    return make


@pytest.fixture
def server(bed, resources):
    return resources.enter_context(bed.web_server("one", net.MEMBERS[0]))


@pytest.fixture
def pair(make_pair, server):
    """It serves HTTP."""
    return serve_http(make_pair(), server)


def serve_http(pair, server):
    pair.add_listener("HTTP", PORT, server, "HTTP", constants.SESSION_PERSISTENCE_SOURCE_IP)
    pair.update()
    pair.start_keepalived()
    pair.master()
    return pair


def thrice(pair, mishap, remedy=lambda _: None):
    """The outages when it befalls whoever is the master then."""
    outages = []
    for _ in range(3):
        master = pair.master()
        outages.append(pair.measure(mishap, master))
        assert pair.master() is not master
        remedy(master)
    return outages


def start_again(node):
    """Its keepalived, until it knows that the other one has the VIP."""
    states = node.vrrp_states()
    node.start_keepalived()
    node.stands_by_again(states)


def show(figure, what, *outages):
    seconds = [outage.away_s for outage in outages]
    text = f"{statistics.median(seconds):.1f} s"
    if len(seconds) > 1:
        text += " (" + ", ".join(f"{second:.1f}" for second in seconds) + ")"
    figure(f"VIP away: {what}", text)
    assert max(seconds) < LIMIT_S


def slowest_start(node):
    """Of its keepalived's, in seconds; none of which missed anything."""
    journal = node.amphora.journal("octavia-keepalived")
    assert not [line for line in journal.splitlines() if COMPLAINT.search(line)]
    moments = [float(seconds) for seconds in STARTS.findall(journal)]
    return max(ready - began for began, ready in zip(moments[::2], moments[1::2]))


def test_an_orderly_stop_hands_the_vip_over(pair, figure):
    show(figure, "PUT /1.0/vrrp/stop, median of 3",
         *thrice(pair, ImageNode.stop_keepalived, start_again))
    master, backup = pair.master(), pair.backup()
    show(figure, "systemctl stop octavia-keepalived", pair.measure(master.stop_unit))
    assert pair.master() is backup
    start_again(master)
    stays_so(lambda: pair.master() is backup, "the VIP stays where it is", 4)
    start_s = max(map(slowest_start, pair.nodes))
    figure("keepalived's slowest start in an emulated machine", f"{start_s:.1f} s")
    assert start_s < LIMIT_S


def test_what_is_killed_comes_back(pair, figure):
    """And only without keepalived the VIP moves."""
    master, states = pair.master(), [node.vrrp_states() for node in pair.nodes]
    assert pair.measure(master.kill_agent).lost == 0
    outage = pair.measure(master.kill_haproxy)
    figure("HAProxy killed, the VIP stays: not served for", f"{outage.away_s:.1f} s")
    assert outage.away_s < LIMIT_S
    assert [node.vrrp_states() for node in pair.nodes] == states
    assert pair.master() is master
    show(figure, "keepalived killed, median of 3", *thrice(pair, ImageNode.kill_keepalived))


def test_the_vip_leaves_a_master_without_a_cable(pair, figure):
    show(figure, "cable out of the master, median of 3",
         *thrice(pair, ImageNode.lose_interface, ImageNode.get_interface_back))
    backup = pair.backup()
    stays_so(lambda: pair.backup() is backup, "the VIP stays where it is", 4)


def test_a_master_that_loses_its_power_comes_back_as_the_standby(pair, figure):
    """Each machine is the master once, and the client's member is never forgotten."""
    first, second = pair.master(), pair.backup()
    eventually(lambda: second.sticky_clients() == 0, "no client yet")
    show(figure, "power cut of the master", pair.measure(first.power_cut))
    assert pair.master() is second and second.sticky_clients() == 1

    first.machine.start()
    first.amphora.wait_for_boot()
    first.stands_by_again([])
    stays_so(lambda: pair.master() is second, "the VIP stays where it is", 4)
    eventually(lambda: first.sticky_clients() == 1, "its stick table is in step", 60)

    boot = second.machine.boot_id()
    show(figure, "orderly reboot of the master", pair.measure(second.reboot, first))
    second.amphora.wait_for_boot(boot)
    second.stands_by_again([])
    assert pair.master() is first
    eventually(lambda: second.sticky_clients() == 1, "its stick table is in step", 60)


def test_a_udp_listener_goes_where_the_vip_goes(make_pair, server, bed, resources, figure):
    pair, listeners = make_pair(), [("tcp", PORT), ("udp", UDP_PORT)]
    member = resources.enter_context(
        DatagramMember("one", bed.members, net.MEMBERS[0], UDP_PORT))
    listener = pair.add_listener("UDP", UDP_PORT, member, "UDP-CONNECT")
    serve_http(pair, server)
    master, backup = pair.master(), pair.backup()
    http, udp = pair.measure_listeners(listeners, master.stop_keepalived)
    show(figure, "PUT /1.0/vrrp/stop, HTTP beside UDP", http)
    show(figure, "PUT /1.0/vrrp/stop, UDP", udp)
    start_again(master)
    stays_so(lambda: pair.master() is backup, "the VIP stays where it is", 4)

    backup.freeze_haproxy()
    eventually(lambda: master.has_vip() and not backup.has_vip(), "the VIP moves", CHECKED_S, LOOK_S)
    backup.thaw_haproxy()
    master.shell.run(f"systemctl stop octavia-keepalivedlvs-{listener}")
    eventually(lambda: backup.has_vip() and not master.has_vip(), "the VIP moves", CHECKED_S, LOOK_S)


def test_a_pair_of_one_model(make_pair, server, figure):
    pair = make_pair()
    pair.serve_model(server)
    master, backup = pair.master(), pair.backup()
    show(figure, "power cut of the master, a model", pair.measure(master.power_cut))
    assert pair.master() is backup


def test_the_config_of_release_11(make_pair, server, figure):
    """With its `state` line."""
    pair = serve_http(make_pair(has_state_line=True), server)
    show(figure, "PUT /1.0/vrrp/stop, release 11", pair.measure(pair.nodes[0].stop_keepalived))
    assert pair.master() is pair.nodes[1]
