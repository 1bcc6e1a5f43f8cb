# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up: changes are refused in clear words, what runs goes on, and nobody has to do
anything once there is room again."""

import pytest

from harness.controller import HEARTBEAT_KEY
from harness.health_manager import HealthManager
from harness.image_site import ImageSite

ROOM_KIB = 300
LARGE = "# padding that means nothing to HAProxy\n" * 25000


@pytest.fixture
def health_manager(amphora, resources):
    return resources.enter_context(HealthManager(HEARTBEAT_KEY, port=amphora.heartbeat_port))


@pytest.fixture
def site(amphora, bed, resources):
    return ImageSite(amphora, bed, resources)


def free_kib(shell):
    return int(shell.run("df --output=avail -k / | tail -1"))


def limit_of(site):
    """The connection limit of its HTTP listener, as installed."""
    model = site.amphora.api.get(f"/1.0/loadbalancer/{site.id}/model").json
    return model["loadbalancer"]["listeners"][0]["connection_limit"]


def config_of(site):
    return site.amphora.api.get(f"/1.0/loadbalancer/{site.id}/haproxy").text


def upload(site, config):
    """As a controller does that knows nothing of models."""
    return site.amphora.api.put(f"/1.0/loadbalancer/{site.amphora.id}/{site.id}/haproxy", config)


def assert_refused(answer):
    assert answer.status == 500, answer
    assert "no space left on device" in answer.text.lower(), answer


def assert_goes_on(site, health_manager):
    assert site.answers() == ["one"] * 3
    health_manager.next_beat(site.is_told, "it beats and tells of everything", 30)


def test_a_disk_that_fills_up(amphora, site, health_manager):
    shell = amphora.machine.shell
    shell.run(f"fallocate -l {free_kib(shell) - ROOM_KIB}K /var/filler")
    assert_refused(upload(site, config_of(site) + LARGE))
    site.apply(site.model(connection_limit=1001))
    assert_goes_on(site, health_manager)

    shell.run("dd if=/dev/zero of=/var/filler2 bs=4k 2>/dev/null; sync")
    assert free_kib(shell) < 16
    assert_refused(site.put(site.model(connection_limit=1002)))
    assert limit_of(site) == 1001
    assert_goes_on(site, health_manager)
    # An agent that starts meanwhile finds what it needs.
    shell.run("systemctl restart amphora-agent.service", 120)
    amphora.wait_until_it_answers()
    assert_goes_on(site, health_manager)

    shell.run("rm /var/filler /var/filler2; sync")
    assert upload(site, config_of(site) + LARGE).status == 202
    site.apply(site.model(connection_limit=1003))
    assert limit_of(site) == 1003
    assert_goes_on(site, health_manager)
