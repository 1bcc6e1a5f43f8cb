# SPDX-License-Identifier: Apache-2.0
"""Octavia's own health manager receives our heartbeats and updates its database."""

import datetime

import pytest
from octavia.amphorae.backends.health_daemon import status_message
from octavia.db import api as db_api
from octavia.db import repositories

from harness import haproxy
from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.ports import free_port
from harness.web_server import WebServer, share, who_answers


@pytest.fixture
def servers(resources):
    return [resources.enter_context(WebServer(name, f"127.0.0.{number}"))
            for number, name in enumerate(("one", "two"), 2)]


class Site:
    def __init__(self, controller, servers):
        self.controller = controller
        self.port = free_port()
        self.id = controller.create_load_balancer()
        self.listener_id = controller.create_listener(self.id, self.port)
        self.pool_id = controller.create_pool(
            self.id, self.listener_id, monitor={"type": "HTTP"})
        self.member_ids = [controller.create_member(self.pool_id, server) for server in servers]
        controller.update(self.id)
        eventually(lambda: who_answers(self.port), "a member answers")

    def wait_for(self, **wanted):
        names = {"load_balancer": self.id, "listener": self.listener_id, "pool": self.pool_id,
                 "first": self.member_ids[0], "second": self.member_ids[1]}
        self.controller.wait_for(
            self.id, {names[name]: status for name, status in wanted.items()})


@pytest.fixture
def site(controller, servers):
    return Site(controller, servers)


def test_a_healthy_load_balancer_is_online_down_to_its_members(site):
    site.wait_for(load_balancer="ONLINE", listener="ONLINE", pool="ONLINE", first="ONLINE",
                  second="ONLINE")


def test_a_member_that_fails_its_checks_is_error_and_comes_back_online(site, servers):
    site.wait_for(first="ONLINE", second="ONLINE")
    servers[0].health_status = 503
    site.wait_for(load_balancer="DEGRADED", listener="ONLINE", pool="DEGRADED", first="ERROR",
                  second="ONLINE")
    servers[1].stop()
    site.wait_for(load_balancer="ERROR", pool="ERROR", first="ERROR", second="ERROR")
    servers[0].health_status = 200
    servers[1].start()
    site.wait_for(load_balancer="ONLINE", pool="ONLINE", first="ONLINE", second="ONLINE")


def test_a_drained_and_a_disabled_member_have_octavias_words(site):
    site.wait_for(first="ONLINE", second="ONLINE")
    members = repositories.MemberRepository()
    members.update(db_api.get_session(), site.member_ids[0], weight=0)
    members.update(db_api.get_session(), site.member_ids[1], enabled=False)
    site.controller.update(site.id)
    site.wait_for(first="DRAINING", second="OFFLINE")


def test_every_heartbeat_of_a_complete_amphora_renews_its_health(site):
    manager = site.controller.health_manager
    site.wait_for(listener="ONLINE")
    site.controller.settle_health_manager()
    began = datetime.datetime.utcnow()
    for _ in range(3):
        before = site.controller.last_health()

        def renewed():
            manager.check()
            last = site.controller.last_health()
            return last and last != before
        eventually(renewed, "the amphora's health is renewed")
    assert began < site.controller.last_health() < datetime.datetime.utcnow()


def test_a_listener_that_is_missing_in_the_amphora_renews_no_health(site):
    """The other way round: the manager's check that the count of listeners fits does bite."""
    site.wait_for(listener="ONLINE")
    site.controller.create_listener(site.id, free_port())  # and the amphora never hears of it
    site.controller.settle_health_manager()
    before = site.controller.last_health()
    for _ in range(3):
        site.controller.health_manager.check()
    site.controller.settle_health_manager()
    assert site.controller.last_health() == before


def test_the_statistics_add_up_to_the_traffic(site, servers):
    site.wait_for(listener="ONLINE")
    manager = site.controller.health_manager
    share(site.port, 25)
    socket = site.controller.amphora.stats_socket(site.id)
    row = haproxy.settled_row(socket, site.listener_id)

    def added_up():
        manager.check()
        stats = site.controller.statistics(site.listener_id)
        return stats and (stats.total_connections, stats.bytes_in, stats.bytes_out) == (
            int(row["stot"]), int(row["bin"]), int(row["bout"]))
    eventually(added_up, "the database's statistics equal HAProxy's", 60)


def test_an_envelope_is_accepted_with_the_right_key_only(make_amphora, resources):
    manager = resources.enter_context(HealthManager("the right key"))
    amphora = make_amphora()
    amphora.config.set("health_manager", "heartbeat_key", "the right key")
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    amphora.start()
    datagram = manager.next_beat().datagram
    assert status_message.unwrap_envelope(datagram, "the right key")["id"] == amphora.id
    with pytest.raises(Exception):
        status_message.unwrap_envelope(datagram, "the wrong key")
    assert datagram[-64:] == datagram[-64:].lower()
    assert len(datagram[-64:]) == 64
