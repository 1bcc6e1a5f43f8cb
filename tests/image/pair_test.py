# SPDX-License-Identifier: Apache-2.0
"""Two machines with one VIP: what a client notices when the one that holds it is stopped, killed, or
loses its power, and that the other is in step. Figures are printed; the limit is that of two machines
that are emulated side by side on a crowded one."""

import contextlib
import statistics
import tempfile

import pytest
from octavia.common import constants

from harness import network_bed as net
from harness.controller import Controller
from harness.eventually import eventually, stays_so
from harness.image_amphora import ImageAmphora
from harness.image_pair import ImagePair
from harness.pair import PORT, VIP
from harness.ports import free_port
from harness.web_server import DatagramServer

BOOTED = "booted"
LIMIT_S = 10


@pytest.fixture(scope="module")
def booted_pair(image, session_folder):
    """The two amphorae, powered off, whose machines have the snapshot BOOTED."""
    port, heartbeat_port, amphorae = free_port(), free_port(), []
    with contextlib.ExitStack() as stack:
        for number in (1, 2):
            folder = session_folder / f"pair-{number}"
            folder.mkdir()
            amphorae.append(ImageAmphora.new(
                folder, image, port, heartbeat_port, address=f"127.0.0.{number}", processors=1,
                topology=constants.TOPOLOGY_ACTIVE_STANDBY))
            stack.enter_context(amphorae[-1].machine).start()
        for amphora in amphorae:
            amphora.wait_for_boot()
        for amphora in amphorae:
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
            print(f"console:\n{copy.machine.console()[-4000:]}")
            if copy.machine.is_running():
                print(f"journal:\n{copy.machine.shell.ask('journalctl --no-pager --lines=300')[1]}")


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
    pair = make_pair()
    pair.start_keepalived()
    pair.add_listener("HTTP", PORT, server, "HTTP", constants.SESSION_PERSISTENCE_SOURCE_IP)
    pair.update()
    pair.master()
    return pair


def test_explore(pair, figure):
    import time
    t = time.monotonic()
    print(pair.measure(lambda: None), time.monotonic() - t)
    master, backup = pair.master(), pair.backup()
    print("has_vip took", time.monotonic() - t)
    for n in pair.nodes:
        print(n.shell.run("systemctl --failed; uptime; cat /var/lib/octavia/vrrp/check_script.sh; cat /var/lib/octavia/vrrp/octavia-keepalived.conf; cat /etc/systemd/system/octavia-keepalived.service; journalctl -u octavia-keepalived --no-pager -o short-monotonic"))
        print(n.sticky_clients())
    for _ in range(3):
        master = pair.master()
        print("stop", pair.measure(master.stop_keepalived))
        t = time.monotonic()
        master.amphora.api.put("/1.0/vrrp/start")
        print("start took", time.monotonic() - t)
        time.sleep(4)
    for _ in range(3):
        master = pair.master()
        print("kill", pair.measure(master.kill_keepalived))
        time.sleep(10)
    assert 0
