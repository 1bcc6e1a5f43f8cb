# SPDX-License-Identifier: Apache-2.0
"""What dies is restarted; what the agent leaves behind lives on and is found again."""

import contextlib
import os
import re
import signal
import subprocess
import time

import pytest

from harness import processes
from harness.amphora import BUILD, wait_for_end
from harness.eventually import eventually, stays_so
from harness.health_manager import HealthManager
from harness.load_balancer import LoadBalancer
from harness.ports import free_port
from harness.web_server import EchoServer, Stream, WebServer

KEY = "supervision"
TICK_S = 0.02  # what a process's start may be rounded off by


@pytest.fixture
def manager(resources):
    return resources.enter_context(HealthManager(KEY))


@pytest.fixture
def amphora(make_amphora, manager):
    amphora = make_amphora()
    amphora.config.set("health_manager", "heartbeat_key", KEY)
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    return amphora.start()


@pytest.fixture
def echo(resources):
    return resources.enter_context(EchoServer())


@pytest.fixture
def server(resources):
    return resources.enter_context(WebServer("one"))


def restart_pause(kill, running):
    """How long it took from kill() until the next process was made; running(): its pid, or 0."""
    before = running()
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    kill()
    after = eventually(lambda: (pid := running()) != before and pid, "it is restarted")
    return processes.started_s(after) - began


def test_a_killed_haproxy_is_restarted_at_once(amphora, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    pids = amphora.haproxy_pids(balancer.id)
    assert restart_pause(lambda: processes.kill_each(pids), lambda: balancer.master) < 2
    balancer.wait_until_it_serves()


def test_a_haproxy_whose_master_alone_was_killed_is_restarted(amphora, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    master = balancer.master
    processes.kill_each([master])
    eventually(lambda: balancer.master not in (0, master), "a new master runs")
    balancer.wait_until_it_serves()
    answer = balancer.act("reload")
    assert answer.status == 202, answer


def test_a_haproxy_that_dies_again_and_again_is_restarted_with_growing_pauses(amphora, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    pauses = []
    for _ in range(4):
        pids = amphora.haproxy_pids(balancer.id)
        pauses.append(restart_pause(lambda: processes.kill_each(pids), lambda: balancer.master))
        balancer.wait_until_it_serves()
    assert pauses[0] < 1
    for pause, least in zip(pauses, (0, 0.1, 0.2, 0.4)):
        assert pause > least - TICK_S, f"no back-off: {pauses}"


def freeze(resources, pids):
    """They do nothing from now on, not even end on SIGTERM."""
    for pid in pids:
        assert pid > 1
        os.kill(pid, signal.SIGSTOP)
        resources.callback(thaw, pid)


def thaw(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def quickest_s(ask):
    """Of three: what waits for somebody who is frozen does so each time."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        ask()
        took.append(time.monotonic() - began)
    return min(took)


def test_a_frozen_haproxy_can_be_deleted(amphora, server, resources):
    balancer = LoadBalancer(amphora, [server]).serve()
    pids = amphora.haproxy_pids(balancer.id)
    freeze(resources, pids)
    began = time.monotonic()
    answer = balancer.delete()
    assert answer.status == 200, answer
    assert time.monotonic() - began < 30
    assert amphora.haproxy_pids(balancer.id) == []


def test_a_frozen_worker_delays_no_question_and_a_reload_replaces_it(amphora, server, resources):
    balancer = LoadBalancer(amphora, [server]).serve()
    workers = balancer.workers
    freeze(resources, workers)

    def get(path):
        assert amphora.api.get(path).status == 200
    for path in ("/1.0/details", "/1.0/listeners", f"{balancer.path}/haproxy"):
        assert quickest_s(lambda: get(path)) < 1, path
    balancer.listener_lines = ("timeout client 40s",)
    assert balancer.upload().status == 202
    began = time.monotonic()
    answer = balancer.act("reload")
    assert answer.status == 202, answer
    assert time.monotonic() - began < 30
    for pid in workers:
        thaw(pid)
    balancer.wait_until_it_serves()
    assert set(balancer.workers) - set(workers)


def test_a_frozen_master_is_a_clear_500_well_within_a_controllers_patience(
        amphora, server, resources):
    balancer = LoadBalancer(amphora, [server]).serve()
    freeze(resources, [balancer.master])
    balancer.listener_lines = ("timeout client 40s",)
    assert balancer.upload().status == 202
    began = time.monotonic()
    answer = balancer.act("reload", timeout=60)
    assert time.monotonic() - began < 50
    assert answer.status == 500, answer
    assert answer.json["message"] == "Error reloading haproxy"
    assert balancer.who_answers() == "one"
    thaw(balancer.master)
    assert balancer.act("reload").status == 202


def test_a_stopped_haproxy_is_not_restarted(amphora, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    assert balancer.act("stop").status == 202
    stays_so(lambda: amphora.haproxy_pids(balancer.id) == [], "HAProxy is stopped", 0.5)


def test_a_killed_sender_is_restarted_at_once(amphora, manager):
    manager.next_beat()
    pid = amphora.heartbeat_pid()
    assert restart_pause(lambda: processes.kill_each([pid]), amphora.heartbeat_pid) < 2
    manager.next_beat()


def test_a_killed_agent_drops_no_connection_and_its_successor_takes_over(amphora, echo, manager):
    balancer = LoadBalancer(amphora, [echo], check="")
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    with Stream(balancer.port) as stream:
        assert stream.echoes("before the crash")
        master, workers = balancer.master, balancer.workers
        amphora.kill()
        assert stream.echoes("without an agent")
        manager.next_beat(what="heartbeats go on without the agent")
        amphora.start()
        assert stream.echoes("with the next agent")
        assert (balancer.master, balancer.workers) == (master, workers)

        balancer.port = free_port()
        assert balancer.upload().status == 202
        answer = balancer.act("reload")
        assert answer.status == 202, answer
        assert balancer.master == master
        assert stream.echoes("after a reload by the next agent")
        with Stream(balancer.port) as other:
            assert other.echoes("on the new port")

        processes.kill_each([master])
        eventually(lambda: balancer.master not in (0, master), "the next agent restarts it")


def test_only_one_sender_runs_after_a_crash_of_the_agent(amphora, manager):
    manager.next_beat()
    for _ in range(2):
        amphora.kill()
        amphora.start()
    eventually(lambda: len(amphora.processes("amphora-heartbeat")) == 1, "one sender runs")
    manager.next_beat()


def test_a_stop_by_the_next_agent_ends_what_the_dead_one_started(amphora, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    amphora.kill()
    amphora.start()
    assert balancer.act("stop").status == 202
    assert amphora.haproxy_pids(balancer.id) == []


def kill_and_wait(pids):
    processes.kill_each(pids)
    for pid in pids:
        wait_for_end(pid)


def test_what_died_while_no_agent_ran_is_started_by_the_next(amphora, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    amphora.kill()
    kill_and_wait(amphora.haproxy_pids(balancer.id))
    assert balancer.who_answers() is None
    amphora.start()
    balancer.wait_until_it_serves()


def unanswered_questions(amphora, balancer):
    """How many connections wait on the socket of a master that is frozen."""
    path = f"{amphora.runtime_dir}/{balancer.id}.master.sock"
    sockets = subprocess.run(["ss", "-xlnH"], capture_output=True, text=True, check=True).stdout
    return sum(int(words[2]) for words in map(str.split, sockets.splitlines())
               if words[4].startswith(path))


def die_while_the_next_agent_looks(amphora, balancer, resources):
    """HAProxy does not answer the starting agent, which asks what runs, and then waits for it; only
    then it dies. What is started in its place is slow, for the agent not to miss the change."""
    amphora.kill()
    pids = amphora.haproxy_pids(balancer.id)
    freeze(resources, pids)
    slow = amphora.write_script("slow-haproxy", "sleep 0.5\nexec haproxy \"$@\"\n")
    amphora.config.set("haproxy_amphora", "haproxy_cmd", slow)
    amphora.start()
    eventually(lambda: unanswered_questions(amphora, balancer) > 2, "the agent waits for it", 60)
    processes.kill_each(pids)
    balancer.wait_until_it_serves()
    assert balancer.master not in (0, *pids)
    amphora.wait_until_ready()
    assert balancer.who_answers() == "one"


def test_what_dies_while_the_next_agent_looks_at_it_is_started_again(amphora, server, resources):
    balancer = LoadBalancer(amphora, [server]).serve()
    die_while_the_next_agent_looks(amphora, balancer, resources)
    # Only what the agent has wanted already is watched like that.
    assert "starting it again in" in amphora.log()


def test_what_an_interrupted_reload_was_to_hand_over_is_forgotten(amphora, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    amphora.kill()
    state = amphora.config_path(balancer.id).with_name("servers-state")
    state.write_text(state.read_text() + "1 pool 1 member 127.0.0.1 0 0 1 1 1 6 3 0 6 0 0 0 - 80 -\n")
    amphora.start()
    eventually(lambda: "member" not in state.read_text(), "the old state is forgotten")


def test_a_stranger_with_the_pid_that_a_file_names_is_left_alone(amphora, server, resources):
    balancer = LoadBalancer(amphora, [server]).serve()
    amphora.kill()
    pids = amphora.haproxy_pids(balancer.id)
    kill_and_wait(pids)
    stranger = resources.enter_context(subprocess.Popen(["sleep", "600"]))
    resources.callback(stranger.kill)
    for path in [*amphora.runtime_dir.rglob("*"), *amphora.base_path.rglob("*.pid")]:
        if path.is_file() and path.stat().st_size < 4096:
            text = path.read_text()
            for pid in pids:
                text = re.sub(rf"\b{pid}\b", str(stranger.pid), text)
            path.write_text(text)
    amphora.start()
    balancer.wait_until_it_serves()
    assert balancer.act("stop").status == 202
    assert stranger.poll() is None


def test_sigterm_ends_the_agent_with_status_0_and_haproxy_goes_on(amphora, echo, manager):
    balancer = LoadBalancer(amphora, [echo], check="")
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    with Stream(balancer.port) as stream:
        assert stream.echoes("before")
        master = balancer.master
        began = time.monotonic()
        assert amphora.stop() == 0
        assert time.monotonic() - began < 5
        assert stream.echoes("after")
        amphora.start()
        assert stream.echoes("with the next agent")
        assert balancer.master == master


def test_sigterm_ends_the_agent_also_while_connections_are_open(amphora):
    with amphora.api.session() as session:
        assert session.request("GET", "/").status == 200
        with amphora.api.connect():
            assert amphora.stop(timeout_s=10) == 0


def test_sighup_reads_the_configuration_anew(amphora, manager):
    manager.next_beat()
    amphora.config.set("health_manager", "heartbeat_key", "from-the-file")
    amphora.write_config()
    os.kill(amphora.pid, signal.SIGHUP)
    manager.key = "from-the-file"
    manager.next_beat()
    assert amphora.is_running()


def test_a_second_agent_on_the_same_directories_refuses_to_start(amphora):
    second = subprocess.run(
        [BUILD / "amphora-agent", "--config-file", amphora.config_file,
         "--config-dir", amphora.config_dir], capture_output=True, text=True, timeout=20)
    assert second.returncode == 1
    assert "agent" in second.stderr
    assert amphora.api.get("/").status == 200


def descriptors(pid):
    """What a process has open. It may close one while they are looked at."""
    held = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            held.add(os.readlink(f"/proc/{pid}/fd/{number}"))
    return held


def test_haproxy_gets_no_descriptor_of_the_agent(amphora, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    listening = {line.split()[9] for line in open("/proc/net/tcp")
                 if line.split()[1].endswith(f":{amphora.port:04X}") and line.split()[3] == "0A"}
    assert len(listening) == 1
    eventually(amphora.heartbeat_pid, "the sender runs")
    for pid in [balancer.master, *balancer.workers, amphora.heartbeat_pid()]:
        assert f"socket:[{listening.copy().pop()}]" not in descriptors(pid)


def test_an_agent_that_cannot_start_leaves_the_sender_running(amphora, manager):
    manager.next_beat()
    sender = amphora.heartbeat_pid()
    amphora.kill()
    good = (amphora.certificate_dir / "server.pem").read_bytes()
    (amphora.certificate_dir / "server.pem").write_bytes(b"no certificate")
    amphora.start(wait=False)
    eventually(lambda: not amphora.is_running(), "the agent has ended")
    assert amphora.heartbeat_pid() == sender
    manager.next_beat()
    (amphora.certificate_dir / "server.pem").write_bytes(good)
    amphora.start()
    manager.next_beat()
