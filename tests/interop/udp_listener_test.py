# SPDX-License-Identifier: Apache-2.0
"""Octavia's own driver and templates with UDP and SCTP listeners. A real keepalived judges each
upload; the one that runs only pretends to, because serving needs IPVS in the kernel."""

import types

import pytest
from octavia.common import constants

from harness import lvs_template
from harness.fake_keepalived import FakeKeepalived
from harness.lvs_listener import LvsListener
from harness.ports import free_port

UDP_MONITOR = {"type": constants.HEALTH_MONITOR_UDP_CONNECT}


@pytest.fixture
def keepalived():
    """Filled in before the agent starts."""
    return types.SimpleNamespace(fake=None)


@pytest.fixture
def make_amphora(make_amphora, keepalived):
    def make(**options):
        amphora = make_amphora(**options)
        keepalived.fake = FakeKeepalived(amphora, checker="/usr/sbin/keepalived")
        return amphora
    return make


def server(address, port=53):
    return types.SimpleNamespace(address=address, port=port)


class Site:
    """A load balancer with one UDP listener in the controller's database."""

    def __init__(self, controller, protocol="UDP", monitor=None, **fields):
        self.controller = controller
        self.id = controller.create_load_balancer()
        self.listener_id = self.add_listener(protocol, **fields)
        self.pool_id = controller.create_pool(self.id, self.listener_id, protocol, monitor)
        self.member_id = controller.create_member(self.pool_id, server("203.0.113.1"))

    def add_listener(self, protocol="UDP", **fields):
        return self.controller.create_listener(self.id, free_port(), protocol, **fields)

    def update(self):
        self.controller.update(self.id)
        return self

    def config(self, listener_id=None):
        path = f"/1.0/listeners/{listener_id or self.listener_id}/udp_listener"
        answer = self.controller.amphora.api.get(path)
        return answer.text if answer.status == 200 else None

    def statuses(self):
        controller = self.controller
        entries = controller.driver.clients["1.0"].get_all_listeners(
            controller.amphora_model_1_0())
        return {entry["uuid"]: entry["status"] for entry in entries}


@pytest.mark.parametrize("protocol, monitor", [
    ("UDP", None), ("UDP", UDP_MONITOR), ("UDP", {"type": "HTTP"}), ("UDP", {"type": "TCP"}),
    ("SCTP", None), ("SCTP", {"type": "SCTP"})])
def test_an_update_brings_a_listener_to_life(controller, keepalived, protocol, monitor):
    site = Site(controller, protocol, monitor).update()
    assert site.statuses() == {site.listener_id: "ACTIVE"}
    assert keepalived.fake.steps() == ["check", "start"]
    assert site.member_id in site.config()


def test_a_change_of_one_listener_reloads_that_one_alone(controller, keepalived):
    site = Site(controller, monitor=UDP_MONITOR)
    site.add_listener(default_pool_id=site.pool_id)
    other = site.add_listener()
    site.update()
    keepalived.fake.steps()
    site.update()
    assert keepalived.fake.steps() == []
    pool = controller.create_pool(site.id, other, "UDP")
    controller.create_member(pool, server("203.0.113.9"))
    site.update()
    assert keepalived.fake.steps() == ["check", "reload"]


def test_http_and_udp_listeners_live_side_by_side(controller):
    site = Site(controller)
    http = site.add_listener("HTTP")
    site.update()
    assert site.statuses() == {site.listener_id: "ACTIVE", http: "ACTIVE"}
    details = controller.driver.clients["1.0"].get_details(controller.amphora_model_1_0())
    assert details["listeners"] == sorted([site.listener_id, http])
    assert (details["haproxy_count"], details["lvs_listener_process_count"]) == (1, 1)


def test_a_listener_without_a_pool_or_disabled_is_offline(controller):
    site = Site(controller, enabled=False)
    without_pool = site.add_listener()
    site.update()
    assert site.statuses() == {site.listener_id: "OFFLINE", without_pool: "OFFLINE"}


def test_the_driver_starts_reloads_and_deletes_it(controller, keepalived):
    site = Site(controller).update()
    keepalived.fake.steps()
    load_balancer = controller.load_balancer(site.id)
    controller.driver.start(load_balancer)
    controller.driver.reload(load_balancer)
    assert keepalived.fake.steps() == []
    controller.driver.delete(load_balancer.listeners[0])
    assert site.statuses() == {}
    assert site.config() is None
    assert keepalived.fake.steps() == ["stop"]


def test_keepalived_runs_with_whatever_the_templates_render(make_amphora):
    amphora = make_amphora().start()
    for case, model in lvs_template.cases().items():
        text = lvs_template.render(model)
        listener = LvsListener(amphora, [], 0)
        answer = listener.upload(text)
        assert answer.status == 200, (case, answer)
        assert listener.read().text == text
