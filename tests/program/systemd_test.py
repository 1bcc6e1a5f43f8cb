# SPDX-License-Identifier: Apache-2.0
"""The service manager `systemd`: units and jobs on a private bus, beside what has to be the same
with every service manager. The units themselves are judged by systemd's own parser."""

import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from harness import processes
from harness.amphora import ROOT
from harness.eventually import eventually, stays_so
from harness.load_balancer import LoadBalancer
from program.supervision_test import (  # noqa: F401
    amphora,
    die_while_the_next_agent_looks,
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
def make_amphora(make_systemd_amphora):
    return make_systemd_amphora


@pytest.fixture
def systemd(amphora):
    return amphora.systemd


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


def test_the_sender_is_a_unit_that_the_agent_alone_starts_and_ends(
        amphora, systemd, manager):  # noqa: F811
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


def reboot(amphora):
    """The power goes: no process has time for anything. /run is empty at the next start."""
    amphora.systemd.power_off()
    amphora.kill()
    processes.end_all_mentioning(str(amphora.directory))
    shutil.rmtree(amphora.runtime_dir)
    amphora.runtime_dir.mkdir()
    amphora.systemd.boot()


def test_a_boot_starts_haproxy_without_the_agent_which_finds_it_running(
        amphora, balancer):  # noqa: F811
    reboot(amphora)
    balancer.wait_until_it_serves()
    master = balancer.master
    amphora.start()
    assert balancer.act("reload").status == 202
    assert balancer.master == master


def test_a_stopped_load_balancer_stays_so_over_a_boot(amphora, balancer):  # noqa: F811
    assert balancer.act("stop").status == 202
    reboot(amphora)
    amphora.start()
    amphora.wait_until_ready()
    stays_so(lambda: amphora.haproxy_pids(balancer.id) == [], "it is stopped", 0.5)


@pytest.fixture
def notifications(tmp_path):
    """What a service of Type=notify tells systemd."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(20)
        yield listening


def test_the_agent_is_ready_when_all_runs_and_shows_that_it_lives(
        make_amphora, server, notifications):  # noqa: F811
    amphora = make_amphora()
    balancer = LoadBalancer(amphora.start(), [server]).serve()
    assert amphora.stop() == 0
    for pid in amphora.haproxy_pids(balancer.id):
        os.kill(pid, signal.SIGSTOP)  # it will not answer
    waiting = amphora.haproxy_pids(balancer.id)
    os.environ["NOTIFY_SOCKET"] = notifications.getsockname()
    try:
        amphora.start()
    finally:
        del os.environ["NOTIFY_SOCKET"]
    notifications.settimeout(0.5)
    with pytest.raises(TimeoutError):
        notifications.recv(1024)
    for pid in waiting:
        os.kill(pid, signal.SIGCONT)
    notifications.settimeout(60)
    assert notifications.recv(1024) == b"READY=1"
    assert notifications.recv(1024) == b"WATCHDOG=1"


def test_the_agent_answers_while_the_boot_makes_the_namespace_and_is_ready_afterwards(
        amphora, systemd, notifications):
    assert amphora.stop() == 0
    (systemd.unit_dir / "amphora-netns.service").write_text(
        "[Service]\nType=exec\nExecStart=/bin/sleep 60\n")
    os.environ["NOTIFY_SOCKET"] = notifications.getsockname()
    systemd.freeze()
    try:
        amphora.start()
        notifications.settimeout(0.5)
        with pytest.raises(TimeoutError):
            notifications.recv(1024)
        systemd.thaw()
        notifications.settimeout(60)
        assert notifications.recv(1024) == b"READY=1"
    finally:
        del os.environ["NOTIFY_SOCKET"]
        systemd.thaw()


def test_a_boot_that_cannot_make_the_namespace_is_told_and_the_agent_goes_on(amphora, systemd):
    assert amphora.stop() == 0
    (systemd.unit_dir / "amphora-netns.service").write_text(
        "[Service]\nType=exec\nExecStart=/nonexistent/program\n")
    amphora.start()
    amphora.wait_until_ready()
    assert "amphora-netns.service: systemd's job ended with 'failed'" in amphora.log()


def test_what_dies_while_the_next_agent_looks_at_it_is_started_again(
        amphora, systemd, balancer, resources):  # noqa: F811
    """systemd pauses first, so that the agent finds none that runs."""
    die_while_the_next_agent_looks(amphora, balancer, resources)
    assert systemd.enabled() == [unit_of(balancer)]


def verify(folder):
    """systemd's own words on all units of a folder, with their drop-ins: "" if all is well."""
    environment = dict(os.environ, SYSTEMD_UNIT_PATH=f"{folder}:/usr/lib/systemd/system")
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
         *folder.glob("*.service")],
        env=environment, capture_output=True, text=True, timeout=300)
    return result.stderr or f"exit status {result.returncode}" * (result.returncode != 0)


def test_systemd_finds_nothing_wrong_with_our_units_and_drop_ins(systemd, balancer, tmp_path):
    prefix = tmp_path / "usr"
    subprocess.run(
        ["make", "-s", "-C", ROOT, "install", f"prefix={prefix}", f"sysconfdir={tmp_path / 'etc'}"],
        check=True, stdout=subprocess.DEVNULL)
    folder = prefix / "lib/systemd/system"
    written = (systemd.unit_dir / unit_of(balancer)).read_text()
    for name in (*systemd.units(), "octavia-keepalived.service",
                 f"octavia-keepalivedlvs-{balancer.id}.service", "prometheus-proxy.service"):
        (folder / name).write_text(written)
    for drop_in in folder.glob("*.service.d"):
        names = [path.name for path in folder.glob(f"{drop_in.name.removesuffix('.service.d')}*")]
        assert len(names) > 1, f"{drop_in.name} is of no unit"
    assert verify(folder) == ""
    # and it has read the drop-ins
    drop_in = folder / "haproxy-.service.d" / "10-amphora.conf"
    drop_in.write_text(drop_in.read_text().replace("LimitNOFILE", "LimitNoFile"))
    assert "Unknown key" in verify(folder)


def test_the_packages_user_and_folder_are_made(tmp_path):
    """By systemd's own programs, in a root of the test's own."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    subprocess.run(["systemd-sysusers", f"--root={root}",
                    ROOT / "systemd/sysusers.d/amphora-agent.conf"], check=True)
    assert "amphora-agent:" in (root / "etc/passwd").read_text()
    subprocess.run(["systemd-tmpfiles", f"--root={root}", "--create",
                    ROOT / "systemd/tmpfiles.d/amphora-agent.conf"], check=True)
    assert (root / "run/octavia").is_dir()
