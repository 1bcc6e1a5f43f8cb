# SPDX-License-Identifier: Apache-2.0
"""GET loadbalancer/LB/stats: what listeners have transferred since the load balancer was made."""

import concurrent.futures
import datetime
import json
import os
import signal
import socket
import threading
import time
import uuid

import pytest

from harness import haproxy, processes
from harness.amphora import wait_for_end
from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.lvs_listener import LvsListener
from harness.ports import free_port
from harness.web_server import EchoServer, Stream, WebServer, share, who_answers

NOTHING = {"bytes_in": 0, "bytes_out": 0, "active_connections": 0, "total_connections": 0,
           "request_errors": 0}
INTERVAL_S = 10  # in which the agent reads workers by itself


@pytest.fixture
def server(resources):
    return resources.enter_context(WebServer("one"))


@pytest.fixture
def balancer(amphora, server):
    return LoadBalancer(amphora, [server], mode="http").serve()


def stats(balancer):
    answer = balancer.amphora.api.get(f"{balancer.path}/stats")
    assert answer.status == 200, answer
    assert set(answer.json) == {"stats", "listeners", "since"}
    return answer.json


def ledger_file(balancer):
    return balancer.amphora.base_path / f"{balancer.id}.traffic.json"


def counted_by_haproxy(balancer, listener_id=None):
    row = haproxy.settled_row(balancer.socket, listener_id or balancer.listener_id)
    return {"bytes_in": int(row["bin"]), "bytes_out": int(row["bout"]),
            "active_connections": int(row["scur"]), "total_connections": int(row["stot"]),
            "request_errors": int(row["ereq"])}


def plus(*counted):
    return {key: sum(one[key] for one in counted) for key in counted[0]}


def assert_counted(balancer, *before):
    """Its traffic is what HAProxy counts, whose sessions have all ended, and what was before."""
    counted = plus(*before, counted_by_haproxy(balancer))
    assert stats(balancer)["stats"] == counted


def second_listener(balancer):
    """One more frontend of the load balancer, on the same pool: its id, port and text."""
    listener_id, port = str(uuid.uuid4()), free_port()
    backend = f"default_backend {balancer.pool_id}:{balancer.listener_id}"
    return listener_id, port, haproxy.frontend(listener_id, port, mode="http", lines=[backend])


def test_an_unknown_load_balancer_is_not_found(amphora):
    answer = amphora.api.get(f"/1.0/loadbalancer/{uuid.uuid4()}/stats")
    assert answer.status == 404
    assert answer.json["message"] == "Loadbalancer Not Found"
    assert amphora.api.put(f"/1.0/loadbalancer/{uuid.uuid4()}/stats").status in (400, 404, 405)


def test_they_are_what_haproxy_counts(balancer):
    balancer.share(7)
    with socket.create_connection(("127.0.0.1", balancer.port)) as connection:
        connection.sendall(b"this is no HTTP\r\n\r\n")
        assert b"400" in connection.recv(1000)
    counted = counted_by_haproxy(balancer)
    assert counted["total_connections"] >= 8
    assert counted["request_errors"] == 1
    answer = stats(balancer)
    assert answer["stats"] == counted
    assert answer["listeners"] == {balancer.listener_id: counted}


def test_since_is_when_the_load_balancer_was_made(amphora, server):
    def now():
        return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    before = now()
    balancer = LoadBalancer(amphora, [server]).serve()
    after = now()
    text = stats(balancer)["since"]
    since = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(
        tzinfo=datetime.timezone.utc)
    assert before <= since <= after
    time.sleep(1.1)
    assert balancer.upload(balancer.configuration() + "# another\n").status == 202
    assert balancer.act("reload").status == 202
    assert stats(balancer)["since"] == text
    assert balancer.delete().status == 200
    balancer.serve()
    assert stats(balancer)["since"] > text
    assert_counted(balancer)


def test_an_upload_that_was_never_started_has_transferred_nothing(amphora):
    balancer = LoadBalancer(amphora)
    assert balancer.upload().status == 202
    answer = stats(balancer)
    assert answer["stats"] == NOTHING
    assert answer["listeners"] == {balancer.listener_id: NOTHING}


def test_open_connections_are_told_as_they_are(amphora, resources):
    echo = resources.enter_context(EchoServer())
    balancer = LoadBalancer(amphora, [echo], check="")
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    streams = [resources.enter_context(Stream(balancer.port)) for _ in range(3)]
    assert all(stream.echoes("here") for stream in streams)
    assert stats(balancer)["stats"]["active_connections"] == 3
    # Those of a worker that was replaced are open as well, and count when they end.
    reload(balancer)
    fourth = resources.enter_context(Stream(balancer.port))
    assert fourth.echoes("here")
    assert stats(balancer)["stats"]["active_connections"] == 4
    before = stats(balancer)["stats"]
    streams[0].close()
    eventually(lambda: stats(balancer)["stats"]["active_connections"] == 3, "one has ended")
    assert stats(balancer)["stats"]["bytes_in"] == before["bytes_in"] + len(b"here")
    assert stats(balancer)["stats"]["total_connections"] == 4


def another_text(balancer):
    """It differs in what the Runtime API cannot do."""
    text = balancer.configuration().replace("\nfrontend ", f"\n# {uuid.uuid4()}\nfrontend ", 1)
    return text.replace("global\n", f"global\n    description {uuid.uuid4().hex}\n", 1)


def reload(balancer, text=None):
    """A real one. Returns the workers that are replaced, which end with their last connection."""
    replaced = balancer.workers
    assert balancer.upload(text or another_text(balancer)).status == 202
    assert balancer.act("reload").status == 202
    assert set(balancer.workers) - set(replaced), "there is another worker"
    return replaced


def test_totals_go_on_over_reloads(balancer):
    counted = []
    for requests in (3, 4, 5):
        balancer.share(requests)
        counted.append(counted_by_haproxy(balancer))
        assert stats(balancer)["stats"] == plus(*counted)
        replaced = reload(balancer)
        assert stats(balancer)["stats"] == plus(*counted)
        for worker in replaced:
            wait_for_end(worker)
        assert stats(balancer)["stats"] == plus(*counted)
    assert sum(one["total_connections"] for one in counted) >= 12


def test_totals_go_on_over_a_stop_and_a_start(balancer):
    balancer.share(5)
    counted = counted_by_haproxy(balancer)
    assert balancer.act("stop").status == 202
    assert stats(balancer)["stats"] == counted
    assert "counting its traffic" not in balancer.amphora.log(), "it is stopped, and nothing wrong"
    assert stats(balancer)["listeners"] == {balancer.listener_id: counted}
    assert balancer.act("start").status == 202
    balancer.wait_until_it_serves()
    balancer.share(2)
    assert_counted(balancer, counted)


def kill_haproxy(balancer):
    master, workers = balancer.master, balancer.workers
    processes.kill_each([master, *workers])
    eventually(lambda: balancer.master not in (0, master) and balancer.workers, "it is back")
    balancer.wait_until_it_serves()


def test_totals_go_on_over_a_crash_of_haproxy(balancer):
    balancer.share(5)
    counted = counted_by_haproxy(balancer)
    assert stats(balancer)["stats"] == counted  # who asks has read it
    kill_haproxy(balancer)
    balancer.share(2)
    assert_counted(balancer, counted)


def test_a_crash_costs_what_came_in_the_last_seconds(balancer):
    balancer.share(5)
    counted = counted_by_haproxy(balancer)
    path = ledger_file(balancer)
    eventually(lambda: sum(source["stot"] for listener in
                           json.loads(path.read_text())["listeners"].values()
                           for source in listener["sources"].values())
               == counted["total_connections"], "the agent has read the worker", INTERVAL_S + 5)
    kill_haproxy(balancer)
    assert_counted(balancer, counted)


def test_totals_go_on_over_restarts_and_crashes_of_the_agent(amphora, balancer):
    balancer.share(3)
    worker = balancer.workers
    amphora.restart()
    balancer.share(3)
    counted = counted_by_haproxy(balancer)
    assert stats(balancer)["stats"] == counted
    amphora.kill()
    balancer.share(2)
    amphora.start()
    counted = counted_by_haproxy(balancer)
    assert counted["total_connections"] >= 8
    assert balancer.workers == worker
    assert stats(balancer)["stats"] == counted
    # Both at once, as in a power cut: what was read once is not lost.
    amphora.kill()
    processes.kill_each(amphora.haproxy_pids(balancer.id))
    amphora.start()
    balancer.wait_until_it_serves()
    balancer.share(2)
    assert_counted(balancer, counted)


def test_totals_never_go_down_while_everything_changes(amphora, balancer):
    last = stats(balancer)["stats"]
    steps = [lambda: reload(balancer), lambda: kill_haproxy(balancer), amphora.restart,
             lambda: reload(balancer), lambda: balancer.act("stop"),
             lambda: balancer.act("start"), lambda: reload(balancer)]
    for step in steps:
        if balancer.workers:
            balancer.wait_until_it_serves()
            balancer.share(2)
            now = stats(balancer)["stats"]
            assert now["total_connections"] >= last["total_connections"] + 2
            last = now
        step()
        now = stats(balancer)["stats"]
        for key in set(now) - {"active_connections"}:
            assert now[key] >= last[key]


def test_two_listeners_have_a_count_each(balancer):
    other, port, frontend = second_listener(balancer)
    before = counted_by_haproxy(balancer)
    reload(balancer, balancer.configuration(frontend))
    eventually(lambda: who_answers(port), "the second listener serves")
    share(port, 4)
    balancer.share(2)
    first = plus(before, counted_by_haproxy(balancer))
    second = counted_by_haproxy(balancer, other)
    answer = stats(balancer)
    assert answer["listeners"] == {balancer.listener_id: first, other: second}
    assert second["total_connections"] >= 4
    assert answer["stats"] == plus(*answer["listeners"].values())
    # A listener that is removed takes nothing from the sum.
    reload(balancer, balancer.configuration())
    rest = stats(balancer)
    assert set(rest["listeners"]) == {balancer.listener_id}
    assert rest["stats"] == answer["stats"]
    eventually(lambda: other not in ledger_file(balancer).read_text(),
        "nothing is kept of it but its sum", INTERVAL_S + 5)
    assert stats(balancer)["stats"] == answer["stats"]


def test_two_load_balancers_are_counted_apart(amphora, server, balancer):
    other = LoadBalancer(amphora, [server], mode="http").serve()
    other.share(3)
    assert_counted(other)
    assert_counted(balancer)


def test_a_file_that_cannot_be_read_is_begun_anew(amphora, balancer):
    balancer.share(2)
    path = ledger_file(balancer)
    amphora.kill()  # or it might write at the same moment
    path.write_text("{")
    amphora.start()
    assert_counted(balancer)
    assert "traffic.json" in amphora.log()
    assert json.loads(path.read_text())["listeners"]


def test_a_frozen_haproxy_has_what_was_read_last(balancer):
    balancer.share(2)
    counted = counted_by_haproxy(balancer)
    assert stats(balancer)["stats"] == counted
    pids = balancer.amphora.haproxy_pids(balancer.id)
    assert all(pid > 1 for pid in pids)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert stats(balancer)["stats"] == {**counted, "active_connections": 0}
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert stats(balancer)["stats"] == counted


def test_a_model_has_them_too(amphora, lb_id, server):
    model = {"vip_address": "127.0.0.1", "listeners": [
        {"id": str(uuid.uuid4()), "protocol": "TCP", "protocol_port": free_port(),
         "default_pool": {"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "members": [
             {"address": server.address, "protocol_port": server.port}]}} for _ in range(2)]}
    path = f"/1.0/loadbalancer/{amphora.id}/{lb_id}/model"
    assert amphora.api.put(path, model).status == 200
    listeners = model["listeners"]
    share(listeners[0]["protocol_port"], 3)
    share(listeners[1]["protocol_port"], 5)

    def totals():
        answer = amphora.api.get(f"/1.0/loadbalancer/{lb_id}/stats")
        assert answer.status == 200, answer
        return {listener: stats["total_connections"]
                for listener, stats in answer.json["listeners"].items()}
    expected = {listeners[0]["id"]: 3, listeners[1]["id"]: 5}
    eventually(lambda: totals() == expected, "both are counted")
    listeners[1]["connection_limit"] = 1000
    listeners[1]["timeout_client_data"] = 12345
    assert amphora.api.put(path, model).json["applied"] == "reload"
    assert totals() == expected


def test_udp_listeners_count_for_the_load_balancer_that_they_name(amphora, server, balancer):
    """This kernel may have no IPVS: tests/guest counts their traffic."""
    other = LoadBalancer(amphora, [server]).serve()
    udp = LvsListener(amphora, ["192.0.2.10"], 53, load_balancer_id=balancer.id)
    assert udp.upload().status == 200
    assert stats(balancer)["listeners"][udp.id] == NOTHING
    assert set(stats(other)["listeners"]) == {other.listener_id}
    assert udp.delete().status == 200
    assert set(stats(balancer)["listeners"]) == {balancer.listener_id}
    assert "counting its traffic" not in amphora.log()


def test_a_load_balancer_may_have_udp_listeners_alone(amphora):
    lb_id = str(uuid.uuid4())
    listeners = [LvsListener(amphora, ["192.0.2.10"], port, load_balancer_id=lb_id)
                 for port in (53, 54)]
    ledger = amphora.base_path / f"{lb_id}.traffic.json"
    for listener in listeners:
        assert listener.upload().status == 200
    answer = amphora.api.get(f"/1.0/loadbalancer/{lb_id}/stats")
    assert answer.status == 200, answer
    assert answer.json["listeners"] == {listener.id: NOTHING for listener in listeners}
    assert ledger.exists()
    for listener in listeners:
        assert listener.delete().status == 200
    assert amphora.api.get(f"/1.0/loadbalancer/{lb_id}/stats").status == 404
    eventually(lambda: not ledger.exists(), "nothing is left of it", INTERVAL_S + 5)


def test_udp_listeners_that_were_there_first_are_not_counted_anew(amphora):
    """A TCP listener comes to a load balancer that has been counted for an hour."""
    balancer = LoadBalancer(amphora)
    udp = LvsListener(amphora, ["192.0.2.10"], 53, load_balancer_id=balancer.id)
    assert udp.upload().status == 200
    stats(balancer)
    amphora.kill()  # or it might write at the same moment
    ledger = json.loads(ledger_file(balancer).read_text())
    ledger["since"] -= 3600
    ledger["listeners"][udp.id] = {
        "settled": {"bin": 1, "bout": 2, "ereq": 0, "stot": 3}, "sources": {}}
    ledger_file(balancer).write_text(json.dumps(ledger))
    amphora.start()
    before = stats(balancer)
    assert before["stats"]["total_connections"] == 3
    assert balancer.upload().status == 202
    after = stats(balancer)
    assert after["since"] == before["since"]
    assert after["stats"] == before["stats"]


def test_of_a_deleted_load_balancer_nothing_is_left(balancer):
    balancer.share(1)
    assert stats(balancer)["stats"]["total_connections"] > 0
    assert ledger_file(balancer).exists()
    assert balancer.delete().status == 200
    assert not ledger_file(balancer).exists()
    assert balancer.amphora.api.get(f"{balancer.path}/stats").status == 404


def test_questions_during_its_deletion_bring_nothing_back(balancer):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        deleted = threading.Event()

        def ask():
            while not deleted.is_set():
                assert balancer.amphora.api.get(f"{balancer.path}/stats").status in (200, 404)
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            answer = balancer.delete()
        finally:
            deleted.set()
        for one in asking:
            one.result()
    assert answer.status == 200, answer
    assert not ledger_file(balancer).exists()


def test_a_thousand_members_cost_nothing(amphora):
    balancer = LoadBalancer(amphora, check="")
    balancer.members = [(str(uuid.uuid4()), "127.0.0.1", 10000 + number, 1)
                        for number in range(1000)]
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    took_ms = []
    with amphora.api.session() as session:
        for _ in range(20):
            started = time.monotonic()
            assert session.request("GET", f"{balancer.path}/stats").status == 200
            took_ms.append(1000 * (time.monotonic() - started))
    assert min(took_ms) < 10, took_ms
