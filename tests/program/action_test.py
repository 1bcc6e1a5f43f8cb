# SPDX-License-Identifier: Apache-2.0
"""PUT start, stop, reload, and DELETE of a load balancer."""

import concurrent.futures
import os
import signal
import socket

import pytest

from harness import haproxy, processes
from harness.amphora import wait_for_end
from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.ports import free_port
from harness.web_server import EchoServer, Stream, WebServer, who_answers


@pytest.fixture
def server(resources):
    return resources.enter_context(WebServer("one"))


@pytest.fixture
def balancer(amphora, server):
    return LoadBalancer(amphora, [server])


def reload_with_change(balancer, listener_line):
    """A change that no running HAProxy can take up, so that the reload is one."""
    balancer.listener_lines = (listener_line,)
    assert balancer.upload().status == 202
    answer = balancer.act("reload")
    assert answer.status == 202, answer


def test_a_reload_of_what_does_not_run_starts_it(balancer):
    assert balancer.upload().status == 202
    answer = balancer.act("reload")
    assert answer.status == 202
    assert answer.json["message"] == "OK"
    assert balancer.id in answer.json["details"]
    assert balancer.who_answers() == "one"
    assert balancer.master


def test_a_start_answers_when_the_listener_listens(balancer):
    assert balancer.upload().status == 202
    answer = balancer.act("start")
    assert answer.status == 202
    assert answer.json["message"] == "OK"
    assert balancer.who_answers() == "one"


def test_a_start_of_what_runs_does_nothing(balancer):
    balancer.serve()
    before = balancer.master, balancer.workers
    assert balancer.act("start").status == 202
    assert (balancer.master, balancer.workers) == before


def test_a_reload_keeps_the_master_and_brings_the_new_config(balancer, server):
    balancer.serve()
    master, workers = balancer.master, balancer.workers
    balancer.port, old_port = free_port(), balancer.port
    assert balancer.upload().status == 202
    answer = balancer.act("reload")
    assert answer.status == 202
    assert answer.json == {"message": "OK", "details": f"Listener {balancer.id} reloaded"}
    assert who_answers(old_port) is None
    assert balancer.who_answers() == "one"
    assert balancer.master == master
    for worker in workers:
        wait_for_end(worker)


def test_a_reload_breaks_no_connection(amphora, resources):
    echo = resources.enter_context(EchoServer())
    balancer = LoadBalancer(amphora, [echo], check="")
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    with Stream(balancer.port) as stream:
        assert stream.echoes("before")
        workers = balancer.workers
        reload_with_change(balancer, "timeout client 40s")
        assert balancer.workers != workers
        assert stream.echoes("after")


def test_a_reload_loses_no_new_connection(balancer):
    balancer.serve()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        reloads = pool.submit(
            lambda: [reload_with_change(balancer, f"timeout client {number}s")
                     for number in range(40, 45)])
        asked = 0
        while not reloads.done() or asked < 50:
            assert balancer.who_answers() == "one", f"request {asked} was lost"
            asked += 1
        reloads.result()


def test_members_keep_their_state_over_a_reload(amphora, server, resources):
    dead = resources.enter_context(WebServer("dead"))
    balancer = LoadBalancer(amphora, [server, dead], check="check inter 1s fall 2 rise 2").serve()
    dead.stop()
    eventually(lambda: balancer.member_status(dead) == "DOWN", "the dead member is DOWN")
    reload_with_change(balancer, "timeout client 40s")
    assert balancer.member_status(dead).startswith("DOWN")
    assert balancer.member_status(server).startswith("UP")
    assert set(balancer.share(10)) == {"one"}


def test_a_stop_ends_it_and_a_start_brings_it_back(amphora, balancer):
    balancer.serve()
    answer = balancer.act("stop")
    assert answer.status == 202
    assert answer.json["message"] == "OK"
    assert amphora.haproxy_pids(balancer.id) == []
    assert balancer.who_answers() is None
    assert balancer.act("stop").status == 202
    assert balancer.act("start").status == 202
    assert balancer.who_answers() == "one"


def test_a_missing_haproxy_is_no_missing_load_balancer(amphora, balancer):
    assert balancer.upload().status == 202
    amphora.config.set("haproxy_amphora", "haproxy_cmd", "/nonexistent/haproxy")
    amphora.restart()
    answer = balancer.act("reload")
    assert answer.status == 500
    assert "/nonexistent/haproxy" in answer.json["details"]


@pytest.mark.parametrize("action", ["RELOAD", "Reload", "START", "sToP"])
def test_the_case_of_an_action_does_not_matter(balancer, action):
    assert balancer.upload().status == 202
    assert balancer.act(action).status == 202


@pytest.mark.parametrize("action", ["restart", "x", "reload2", "stopp"])
def test_an_unknown_action_is_400_even_for_an_unknown_load_balancer(amphora, lb_id, action):
    answer = amphora.api.put(f"/1.0/loadbalancer/{lb_id}/{action}")
    assert answer.status == 400
    assert answer.json == {"message": "Invalid Request", "details": f"Unknown action: {action}"}


@pytest.mark.parametrize("action", ["start", "stop", "reload"])
def test_an_action_on_an_unknown_load_balancer_is_404(amphora, lb_id, action):
    answer = amphora.api.put(f"/1.0/loadbalancer/{lb_id}/{action}")
    assert answer.status == 404
    assert answer.json["details"] == f"No loadbalancer with UUID: {lb_id}"


def test_a_first_start_that_fails_is_500_and_says_why(amphora, balancer):
    with socket.socket() as squatter:
        squatter.bind((balancer.address, balancer.port))
        squatter.listen()
        assert balancer.upload().status == 202
        answer = balancer.act("reload")
        assert answer.status == 500
        assert answer.json["message"] == "Error reloading haproxy"
        assert str(balancer.port) in answer.json["details"]
        answer = balancer.act("start")
        assert answer.status == 500
        assert str(balancer.port) in answer.json["details"]
    assert balancer.act("reload").status == 202
    assert balancer.who_answers() == "one"


def test_a_reload_that_fails_is_500_says_why_and_the_old_one_goes_on(amphora, balancer):
    balancer.serve()
    good, old_port, workers = balancer.configuration(), balancer.port, balancer.workers
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        second = haproxy.frontend("second", taken, mode="tcp")
        assert balancer.upload(balancer.configuration(second)).status == 202
        answer = balancer.act("reload")
        assert answer.status == 500
        assert answer.json["message"] == "Error reloading haproxy"
        assert str(taken) in answer.json["details"]
        # HAProxy has it pause while it tries to bind, and go on a moment after it gave up.
        eventually(lambda: who_answers(old_port) == "one", "the old one goes on")
        assert balancer.workers == workers
    assert balancer.upload(good).status == 202
    assert balancer.act("reload").status == 202
    assert balancer.who_answers() == "one"


def test_a_reload_of_a_killed_haproxy_starts_it(amphora, balancer):
    balancer.serve()
    master = balancer.master
    assert master > 1
    os.kill(master, signal.SIGKILL)
    answer = balancer.act("reload")
    assert answer.status == 202, answer
    balancer.wait_until_it_serves()


def test_many_actions_at_once_on_one_load_balancer_all_end_well(balancer):
    balancer.serve()
    actions = ["reload", "start", "reload", "start", "reload", "reload"]
    with concurrent.futures.ThreadPoolExecutor(len(actions)) as pool:
        answers = list(pool.map(balancer.act, actions))
    assert [answer.status for answer in answers] == [202] * len(actions)
    assert balancer.who_answers() == "one"


# Deleting

def test_a_delete_leaves_no_file_process_socket_or_certificate(amphora, balancer):
    other = LoadBalancer(amphora, [])
    assert other.upload().status == 202
    before = amphora.files()
    balancer.serve()
    name = f"{balancer.path}/certificates/{balancer.listener_id}.pem"
    assert amphora.api.put(name, "a list\n").status == 200
    balancer.upload("rubbish")
    pids = amphora.haproxy_pids(balancer.id)
    assert pids and amphora.files() > before
    answer = balancer.delete()
    assert answer.status == 200
    assert answer.json == {"message": "OK"}
    assert [pid for pid in pids if pid in amphora.processes()] == []
    assert amphora.files() == before | {"lib/certs"} & amphora.files()
    assert amphora.api.get(f"{balancer.path}/haproxy").status == 404
    assert balancer.who_answers() is None


def test_a_delete_does_not_come_back_after_a_crash_of_the_agent(amphora, balancer):
    balancer.serve()
    assert balancer.delete().status == 200
    amphora.kill()
    amphora.start().wait_until_ready()
    assert amphora.api.get("/1.0/listeners").json == []
    assert amphora.haproxy_pids() == []


def test_a_delete_of_what_never_existed_is_200(amphora, lb_id):
    for _ in range(2):
        answer = amphora.api.delete(f"/1.0/listeners/{lb_id}")
        assert (answer.status, answer.json) == (200, {"message": "OK"})


def test_a_delete_takes_certificates_of_a_load_balancer_that_has_no_config_yet(amphora, lb_id):
    path = f"/1.0/loadbalancer/{lb_id}/certificates/a.pem"
    assert amphora.api.put(path, "a list\n").status == 200
    assert amphora.api.delete(f"/1.0/listeners/{lb_id}").status == 200
    assert not (amphora.base_path / "certs" / lb_id).exists()


def test_a_deleted_load_balancer_can_be_made_again(amphora, balancer):
    balancer.serve()
    assert balancer.delete().status == 200
    balancer.serve()
    assert balancer.who_answers() == "one"


def test_what_was_stopped_stays_stopped_and_what_ran_runs_after_a_restart(amphora, server):
    stopped = LoadBalancer(amphora, [server]).serve()
    running = LoadBalancer(amphora, [server]).serve()
    assert stopped.act("stop").status == 202
    amphora.kill()
    processes.end_all_mentioning(str(amphora.base_path))
    amphora.start().wait_until_ready()
    running.wait_until_it_serves()
    assert stopped.who_answers() is None
    assert amphora.haproxy_pids(stopped.id) == []
