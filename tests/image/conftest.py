# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that boot the image (make test-image): one machine boots and is saved, and each
test goes on from there in a copy."""

import contextlib
import dataclasses
import os
import pathlib
import socket
import tempfile

import pytest

from harness.amphora import ROOT
from harness.controller import HEARTBEAT_KEY, Controller
from harness.eventually import eventually
from harness.health_manager import Beat, HealthManager
from harness.image_amphora import BOOTED, ImageAmphora
from harness.image_site import ImageSite
from harness.network_bed import NetworkBed, new_mac
from harness.neutron import MEMBER_SUBNET, MEMBER_SUBNET_6, VIP_SUBNET_6
from harness.plugging import MEMBER_IP, MEMBER_IP_6, VIP_6
from harness.ports import free_port
from harness.site import Site

FIGURES = pytest.StashKey()


def pytest_configure(config):
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter, config):
    for name, value in config.stash[FIGURES]:
        terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def figure(request):
    """Called with a name and a text, which the run shows at its end."""
    return lambda name, value: request.config.stash[FIGURES].append((name, value))


@pytest.fixture(scope="session")
def image():
    path = pathlib.Path(os.environ.get("AMPHORA_IMAGE", ROOT / "build/image/amphora-amd64.qcow2"))
    assert path.exists(), f"{path} is not built: run make image"
    return path


@pytest.fixture(scope="session")
def session_folder():
    """On a disk: machines have large ones."""
    with tempfile.TemporaryDirectory(prefix="image-test-", dir=ROOT / "build") as folder:
        yield pathlib.Path(folder)


@pytest.fixture
def folder(session_folder):
    """A machine's."""
    with tempfile.TemporaryDirectory(dir=session_folder) as folder:
        yield pathlib.Path(folder)


@dataclasses.dataclass
class Boot:
    """Moments on the clock of time.monotonic(), and what it said on its serial line."""

    started_s: float
    first_answer_s: float
    first_beat: Beat
    console: str


@pytest.fixture(scope="session")
def booted(image, session_folder):
    """(the amphora, powered off, whose machine has the snapshot BOOTED; what was seen of its Boot)"""
    folder = session_folder / "booted"
    folder.mkdir()
    with HealthManager(HEARTBEAT_KEY, port=free_port(kind=socket.SOCK_DGRAM)) as health_manager:
        amphora = ImageAmphora.new(folder, image, free_port(), health_manager.port)
        with amphora.machine as machine:
            machine.start()
            first_answer_s = amphora.wait_for_first_answer()
            eventually(lambda: health_manager.beats, "a heartbeat arrives", 60)
            amphora.wait_for_boot()
            amphora.wait_until_idle()
            boot = Boot(
                machine.started_s, first_answer_s, health_manager.beats[0], machine.console())
            machine.save(BOOTED)
    return amphora, boot


@pytest.fixture
def amphora(booted, folder):
    """One that answers; its config drive was applied, and it has no load balancer."""
    with booted[0].gone_on(folder) as amphora:
        yield amphora
        amphora.show()


@pytest.fixture
def bed(resources):
    return resources.enter_context(NetworkBed())


@pytest.fixture
def health_manager(amphora, resources):
    """The one that the amphora beats to, where there is no controller."""
    return resources.enter_context(HealthManager(HEARTBEAT_KEY, port=amphora.heartbeat_port))


@pytest.fixture
def balancer(amphora, bed, resources):
    """An ImageSite: served, without a controller."""
    return ImageSite(amphora, bed, resources)


@pytest.fixture
def add_nic(amphora, bed):
    """Called with the name of a network, it gives the amphora a NIC there, and returns its MAC."""
    def add_nic(network):
        mac = new_mac()
        amphora.machine.add_nic(bed.open_tap(network), mac)
        # A controller that plugs it asks again for a long time; the test's is given two tries.
        amphora.machine.wait_for_nics(mac)
        return mac
    return add_nic


@pytest.fixture
def controller(amphora, resources):
    directory = resources.enter_context(tempfile.TemporaryDirectory(prefix="controller-test-"))
    controller = Controller(amphora, directory)
    resources.callback(controller.close)
    return controller


@pytest.fixture
def site(controller, add_nic):
    """A load balancer with VIP and VIP_6, plugged; it has no listener."""
    site = Site(controller, add_nic, additional=[(VIP_6, VIP_SUBNET_6)])
    site.plug_vip()
    site.plug_network((MEMBER_IP, MEMBER_SUBNET), (MEMBER_IP_6, MEMBER_SUBNET_6))
    return site
