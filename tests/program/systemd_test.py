# SPDX-License-Identifier: Apache-2.0
"""The service manager `systemd`: units and jobs on a private bus, beside what has to be the same
with every service manager. The units themselves are judged by systemd's own parser."""

import os
import signal
import subprocess
import time

import pytest

from harness.eventually import eventually, stays_so
from harness.load_balancer import LoadBalancer
from harness.systemd import Systemd
from program.supervision_test import (  # noqa: F401
    KEY,
    echo,
    manager,
    server,
    test_a_frozen_haproxy_can_be_deleted,
    test_a_frozen_master_is_a_clear_500_well_within_a_controllers_patience,
    test_a_frozen_worker_delays_no_question_and_a_reload_replaces_it,
    test_a_haproxy_whose_master_alone_was_killed_is_restarted,
    test_a_killed_agent_drops_no_connection_and_its_successor_takes_over,
    test_a_killed_haproxy_is_restarted_at_once,
    test_a_killed_sender_is_restarted_at_once,
    test_a_stop_by_the_next_agent_ends_what_the_dead_one_started,
    test_a_stopped_haproxy_is_not_restarted,
    test_an_agent_that_cannot_start_leaves_the_sender_running,
    test_only_one_sender_runs_after_a_crash_of_the_agent,
    test_sighup_reads_the_configuration_anew,
    test_sigterm_ends_the_agent_with_status_0_and_haproxy_goes_on,
    test_what_died_while_no_agent_ran_is_started_by_the_next,
)


@pytest.fixture
def systemd(make_amphora, tmp_path):
    """Ends before the amphora, whose processes it would start again."""
    with Systemd(tmp_path / "systemd") as systemd:
        yield systemd


@pytest.fixture
def amphora(systemd, make_amphora, manager):  # noqa: F811
    amphora = make_amphora(wrapper=("env", f"DBUS_SYSTEM_BUS_ADDRESS={systemd.address}"))
    amphora.config.set("health_manager", "heartbeat_key", KEY)
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    amphora.drop_in.set("agent", "service_manager", "systemd")
    amphora.drop_in.set("agent", "unit_dir", systemd.unit_dir)
    return amphora.start()


@pytest.fixture
def balancer(amphora, server):  # noqa: F811
    return LoadBalancer(amphora, [server]).serve()


def unit_of(balancer):
    return f"haproxy-{balancer.id}.service"


def test_a_load_balancer_is_a_unit_that_a_boot_starts_until_it_is_stopped(systemd, balancer):
    assert unit_of(balancer) in systemd.units()
    assert systemd.enabled() == [unit_of(balancer)]
    assert balancer.act("stop").status == 202
    assert unit_of(balancer) in systemd.units()
    assert systemd.enabled() == []
    assert balancer.act("start").status == 202
    assert systemd.enabled() == [unit_of(balancer)]
    balancer.wait_until_it_serves()


def test_deleting_a_load_balancer_removes_its_unit(amphora, systemd, balancer):
    assert balancer.delete().status == 200
    assert unit_of(balancer) not in systemd.units()
    assert systemd.enabled() == []
    assert amphora.haproxy_pids() == []


def test_the_sender_is_a_unit_that_the_agent_alone_starts_and_ends(amphora, systemd, manager):  # noqa: F811
    manager.next_beat()
    assert "amphora-heartbeat.service" in systemd.units()
    assert systemd.enabled() == []
    assert amphora.stop() == 0
    assert amphora.heartbeat_pid() == 0


def test_haproxy_is_no_child_of_the_agent(amphora, balancer):
    with open(f"/proc/{balancer.master}/stat", encoding="ascii") as stat:
        parent = int(stat.read().rpartition(")")[2].split()[1])
    assert parent != amphora.pid


def test_a_reload_is_haproxys_own_and_keeps_its_master(balancer):
    master = balancer.master
    balancer.listener_lines = ("timeout client 40s",)
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    assert balancer.master == master
    balancer.wait_until_it_serves()


def test_a_config_with_which_haproxy_does_not_start_is_answered_in_its_own_words(
        amphora, systemd, server):  # noqa: F811
    balancer = LoadBalancer(amphora, [server])
    balancer.address = "192.0.2.1"  # nobody's here
    assert balancer.upload().status == 202
    answer = balancer.act("reload")
    assert answer.status == 500, answer
    assert "cannot bind" in answer.json["details"].lower(), answer
    assert systemd.enabled() == []
    stays_so(lambda: amphora.haproxy_pids(balancer.id) == [], "it is not tried again", 0.5)


def test_a_job_that_fails_is_a_500_that_says_where_to_look_and_the_next_one_works(
        amphora, systemd, server):  # noqa: F811
    balancer = LoadBalancer(amphora, [server])
    assert balancer.upload().status == 202
    systemd.fail(StartUnit="failed")
    answer = balancer.act("reload")
    assert answer.status == 500, answer
    assert "'failed'" in answer.json["details"]
    assert f"journalctl -u {unit_of(balancer)}" in answer.json["details"]
    assert systemd.enabled() == []
    systemd.fail()
    assert balancer.act("reload").status == 202
    balancer.wait_until_it_serves()


def test_a_stop_that_fails_leaves_the_load_balancer_as_it_is(systemd, balancer):
    systemd.fail(StopUnit="canceled")
    answer = balancer.act("stop")
    assert answer.status == 500, answer
    assert balancer.who_answers() == "one"
    assert systemd.enabled() == [unit_of(balancer)]
    systemd.fail()
    assert balancer.act("stop").status == 202
    assert balancer.who_answers() is None


def test_a_job_that_never_ends_is_a_500_well_within_a_controllers_patience(
        amphora, systemd, server):  # noqa: F811
    balancer = LoadBalancer(amphora, [server])
    assert balancer.upload().status == 202
    systemd.fail(StartUnit="hang")
    began = time.monotonic()
    answer = balancer.act("reload", timeout=60)
    assert time.monotonic() - began < 50
    assert answer.status == 500, answer
    assert "has not done its job" in answer.json["details"]


def test_while_the_bus_is_away_traffic_and_heartbeats_go_on_and_then_all_works_again(
        amphora, systemd, balancer, manager):  # noqa: F811
    systemd.bus_stop()
    assert balancer.who_answers() == "one"
    manager.next_beat()
    answer = balancer.act("stop")
    assert answer.status == 500, answer
    assert "system bus" in answer.json["details"]
    assert balancer.who_answers() == "one"
    systemd.bus_start()
    eventually(lambda: balancer.act("stop").status == 202, "the bus is back")
    assert balancer.who_answers() is None
    assert balancer.act("start").status == 202
    balancer.wait_until_it_serves()


def test_an_agent_starts_and_answers_without_a_bus(amphora, systemd, balancer):
    amphora.kill()
    systemd.bus_stop()
    amphora.start()
    assert amphora.api.get("/1.0/info").status == 200
    assert balancer.who_answers() == "one"
    master = balancer.master
    systemd.bus_start()
    amphora.restart()
    assert balancer.master == master


def test_systemd_finds_nothing_wrong_with_the_units_that_the_agent_writes(
        systemd, balancer, tmp_path):
    assert unit_of(balancer) in systemd.units()
    verify([systemd.unit_dir / name for name in systemd.units()], systemd.unit_dir)


def verify(paths, folder):
    """Fails with systemd's own words, which go to its standard error."""
    environment = dict(os.environ, SYSTEMD_UNIT_PATH=f"{folder}:/usr/lib/systemd/system")
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *paths],
        env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and not result.stderr, result.stderr
