# SPDX-License-Identifier: Apache-2.0
"""The heartbeats of amphora-heartbeat, as a health manager receives them."""

import concurrent.futures
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import uuid

import pytest

from harness import haproxy, processes
from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.load_balancer import LoadBalancer
from harness.lvs_listener import LvsListener, LvsMember
from harness.ports import free_port
from harness.web_server import EchoServer, Stream, WebServer

KEY = "heartbeat-key"


@pytest.fixture
def manager(resources):
    return resources.enter_context(HealthManager(KEY))


@pytest.fixture
def make_beating_amphora(make_amphora):
    def make(*targets, interval_s=1):
        amphora = make_amphora()
        amphora.config.set("health_manager", "heartbeat_key", KEY)
        amphora.config.set("health_manager", "heartbeat_interval", interval_s)
        amphora.config.set("health_manager", "controller_ip_port_list", ", ".join(targets))
        return amphora
    return make


@pytest.fixture
def amphora(make_beating_amphora, manager):
    return make_beating_amphora(manager.target).start()


@pytest.fixture
def server(resources):
    return resources.enter_context(WebServer("one"))


def test_an_amphora_without_load_balancers_beats_with_empty_parts(amphora, manager):
    beat = manager.next_beat()
    assert manager.refused == []
    assert beat.message == {"id": amphora.id, "seq": beat.message["seq"], "ver": 3,
                            "listeners": {}, "pools": {}}


def test_listeners_pools_and_members_are_those_of_the_config(amphora, manager, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    beat = manager.next_beat(lambda beat: beat.listeners, "a heartbeat with listeners")
    assert set(beat.listeners) == {balancer.listener_id}
    listener = beat.listeners[balancer.listener_id]
    assert listener["status"] == "OPEN"
    assert set(listener["stats"]) == {"tx", "rx", "conns", "totconns", "ereq"}
    assert all(isinstance(number, int) for number in listener["stats"].values())
    assert set(beat.pools) == {f"{balancer.pool_id}:{balancer.listener_id}"}
    pool = beat.pools[f"{balancer.pool_id}:{balancer.listener_id}"]
    assert pool["status"] == "UP"
    assert set(pool["members"]) == {balancer.member_id(server)}


def test_sequence_numbers_grow_by_one(amphora, manager):
    first, second = manager.beats_in_a_row(2)
    assert second.message["seq"] == first.message["seq"] + 1


def test_a_member_goes_down_and_up_in_the_heartbeat(amphora, manager, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    member = balancer.member_id(server)
    server.stop()
    beat = manager.next_beat(lambda beat: beat.members().get(member, "").startswith("DOWN"),
                             "the member is DOWN in a heartbeat")
    assert {pool["status"] for pool in beat.pools.values()} == {"DOWN"}
    server.start()
    manager.next_beat(lambda beat: beat.members().get(member, "").startswith("UP"),
                      "the member is UP in a heartbeat")


def test_drained_disabled_and_unwatched_members_have_octavias_words(amphora, manager, server):
    drained, disabled = (free_port() for _ in range(2))
    balancer = LoadBalancer(amphora, [server], check="")
    balancer.members += [("drained", "127.0.0.1", drained, 0)]
    text = balancer.configuration() + (
        f"    server disabled 127.0.0.1:{disabled} weight 1 disabled\n"
        f"    server watched-drained {server.address}:{server.port} weight 0 check inter 1s\n")
    assert balancer.upload(text).status == 202
    assert balancer.act("reload").status == 202
    beat = manager.next_beat(
        lambda beat: beat.members().get("watched-drained") == "DRAIN",
        "a drained member is DRAIN")
    members = beat.members()
    assert members[balancer.member_id(server)] == "no check"
    assert members["disabled"] == "MAINT"


def test_open_connections_are_told_as_they_are(amphora, manager, resources):
    echo = resources.enter_context(EchoServer())
    balancer = LoadBalancer(amphora, [echo], check="")
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202

    def conns(beat):
        return beat.listeners.get(balancer.listener_id, {"stats": {}})["stats"].get("conns")
    streams = [resources.enter_context(Stream(balancer.port)) for _ in range(3)]
    assert all(stream.echoes("here") for stream in streams)
    manager.beats_in_a_row(2, lambda beat: conns(beat) == 3, "three connections are open")
    streams[0].close()
    manager.next_beat(lambda beat: conns(beat) == 2, "two connections are open")


def test_internal_prometheus_proxies_are_left_out(amphora, manager):
    balancer = LoadBalancer(amphora)
    internal = haproxy.frontend("prometheus-exporter-internal-endpoint", free_port(), mode="http")
    assert balancer.upload(balancer.configuration(internal)).status == 202
    assert balancer.act("reload").status == 202
    beat = manager.next_beat(lambda beat: beat.listeners, "a heartbeat with listeners")
    assert set(beat.listeners) == {balancer.listener_id}


def test_two_load_balancers_stand_in_one_message(amphora, manager, server):
    balancers = [LoadBalancer(amphora, [server]).serve() for _ in range(2)]
    beat = manager.next_beat(lambda beat: len(beat.listeners) == 2, "both listeners are there")
    assert set(beat.listeners) == {balancer.listener_id for balancer in balancers}
    assert balancers[0].delete().status == 200
    manager.next_beat(lambda beat: set(beat.listeners) == {balancers[1].listener_id},
                      "the deleted one is gone")


# UDP and SCTP listeners. This kernel may have no IPVS: tests/guest sees them serve.

class PlacedListener:
    """An LVS listener by its files alone, with a process that passes for its keepalived."""

    def __init__(self, amphora, resources, members):
        self.listener = LvsListener(amphora, ["192.0.2.10"], 53, members)
        (amphora.base_path / "lvs").mkdir(exist_ok=True)
        self._keepalived = resources.enter_context(subprocess.Popen(
            ["keepalived", "-c", "read line", "-p", self.listener.file("pid")],
            executable="/bin/sh", stdin=subprocess.PIPE))
        resources.callback(self.kill)
        self._place("pid", f"{self._keepalived.pid}\n")
        self._place("conf", self.listener.configuration())

    def _place(self, ending, text):
        """Whole from its first moment on: the sender may look just then."""
        new = self.listener.amphora.directory / "new"
        new.write_text(text)
        new.rename(self.listener.file(ending))

    def taken_up(self):
        """As the agent records it: keepalived runs with the present config."""
        text = self.listener.configuration().encode()
        self._place("running", hashlib.md5(text).hexdigest())

    def kill(self):
        self._keepalived.kill()
        self._keepalived.wait()


def test_a_udp_listener_that_the_kernel_does_not_have_is_open(amphora, manager, resources):
    check = "        TCP_CHECK {\n        }\n"
    members = [LvsMember("192.0.2.21", 53, check=check),
               LvsMember("192.0.2.22", 53, enabled=False)]
    placed = PlacedListener(amphora, resources, members)
    udp = placed.listener
    beat = manager.next_beat(lambda beat: beat.listeners, "a heartbeat with listeners")
    assert beat.listeners == {udp.id: {"status": "OPEN", "stats": {
        "tx": 0, "rx": 0, "conns": 0, "totconns": 0, "ereq": 0}}}
    assert beat.pools == {udp.pool_id: {"status": "DOWN", "members": {
        members[0].id: "RESTARTING", members[1].id: "MAINT"}}}
    placed.taken_up()
    manager.next_beat(
        lambda beat: beat.members() == {members[0].id: "DOWN", members[1].id: "MAINT"},
        "the member is down once keepalived has taken its config up")
    placed.kill()
    manager.next_beat(lambda beat: not beat.listeners and not beat.pools,
                      "a listener whose keepalived is dead is left out")


def test_a_udp_listener_costs_the_haproxy_listeners_nothing(amphora, manager, server, resources):
    balancer = LoadBalancer(amphora, [server]).serve()
    udp = PlacedListener(amphora, resources, []).listener
    beat = manager.next_beat(lambda beat: len(beat.listeners) == 2, "both listeners are there")
    assert set(beat.listeners) == {balancer.listener_id, udp.id}
    assert beat.members() == {balancer.member_id(server): "UP"}


# Period

def test_the_period_is_exact(amphora, manager):
    manager.wait_until_in_time(6)


def test_a_frozen_haproxy_loses_its_listeners_and_not_the_beat(amphora, manager, server):
    frozen = LoadBalancer(amphora, [server]).serve()
    alive = LoadBalancer(amphora, [server]).serve()
    manager.next_beat(lambda beat: len(beat.listeners) == 2, "both listeners are there")
    pids = amphora.haproxy_pids(frozen.id)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        manager.next_beat(lambda beat: set(beat.listeners) == {alive.listener_id},
                          "a heartbeat without the frozen one's listener")
        seen = len(manager.beats)
        manager.wait_until_in_time(4)
        manager.beats_in_a_row(4, lambda beat: set(beat.listeners) == {alive.listener_id},
                               "the other one's listener alone", since=seen)
        assert all(frozen.listener_id not in beat.listeners for beat in manager.beats[seen:])
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    manager.next_beat(lambda beat: len(beat.listeners) == 2, "it is back")


def test_a_slow_config_check_delays_no_heartbeat(make_beating_amphora, manager, server):
    amphora = make_beating_amphora(manager.target)
    checks, enough = amphora.directory / "checks", amphora.directory / "enough"
    amphora.config.set("haproxy_amphora", "haproxy_cmd", amphora.write_script("haproxy", f"""
case " $* " in *" -c "*)
    touch {checks}
    until [ -e {enough} ]; do sleep 0.1; done
esac
exec /usr/sbin/haproxy "$@"
"""))
    amphora.start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        upload = pool.submit(LoadBalancer(amphora, [server]).upload)
        eventually(checks.exists, "the check runs")
        manager.wait_until_in_time(4)
        assert not upload.done()
        enough.touch()
        assert upload.result().status == 202


# Counters

def sums(beats, listener_id):
    """The sum of what the beats reported of a listener."""
    total = {"rx": 0, "tx": 0, "totconns": 0, "ereq": 0}
    for beat in beats:
        stats = beat.listeners.get(listener_id, {"stats": {}})["stats"]
        for key in total:
            total[key] += stats.get(key, 0)
    return total


def counted_by_haproxy(balancer):
    row = haproxy.settled_row(balancer.socket, balancer.listener_id)
    return {"rx": int(row["bin"]), "tx": int(row["bout"]), "totconns": int(row["stot"]),
            "ereq": int(row["ereq"])}


def written_down(amphora, balancer):
    """What the sender has kept as reported; None when it has not kept anything yet."""
    try:
        counters = json.loads((amphora.base_path / "heartbeat/stats_counters.json").read_text())
    except FileNotFoundError:
        return None
    row = counters.get(balancer.listener_id)
    return row and {"rx": row["bin"], "tx": row["bout"], "totconns": row["stot"],
                    "ereq": row["ereq"]}


def wait_until_all_is_reported(amphora, balancer):
    """Until all that HAProxy has counted has left in heartbeats, and the sender has written that
    down; returns it. What it has not written down when it is killed, it reports again."""
    counted = counted_by_haproxy(balancer)
    eventually(lambda: written_down(amphora, balancer) == counted, "all traffic is reported")
    return counted


def wait_for_sums(manager, listener_id, expected):
    """The last of the heartbeats that have left may still be about to be read."""
    eventually(lambda: sums(manager.beats, listener_id) == expected,
               f"the heartbeats add up to {expected}")


def wait_for_two_beats(manager):
    """Everything counted before now has been reported after the second."""
    manager.next_beat()
    manager.next_beat()


def test_the_differences_add_up_to_the_traffic_over_restarts_of_the_sender(
        make_beating_amphora, manager, server):
    # The sender is killed between two beats, not in one: they are far apart.
    amphora = make_beating_amphora(manager.target, interval_s=3).start()
    balancer = LoadBalancer(amphora, [server], mode="http").serve()
    for _ in range(3):
        assert set(balancer.share(7)) == {"one"}
        wait_until_all_is_reported(amphora, balancer)
        assert set(balancer.share(3)) == {"one"}
        pid = amphora.heartbeat_pid()
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: amphora.heartbeat_pid() not in (0, pid), "the sender is back")
    expected = wait_until_all_is_reported(amphora, balancer)
    assert expected["totconns"] >= 30
    wait_for_sums(manager, balancer.listener_id, expected)


def test_the_differences_add_up_over_a_restart_of_haproxy(amphora, manager, server):
    balancer = LoadBalancer(amphora, [server], mode="http").serve()
    balancer.share(5)
    before = wait_until_all_is_reported(amphora, balancer)
    assert balancer.act("stop").status == 202
    assert balancer.act("start").status == 202
    balancer.wait_until_it_serves()
    balancer.share(2)
    after = wait_until_all_is_reported(amphora, balancer)
    wait_for_sums(manager, balancer.listener_id, {key: before[key] + after[key] for key in before})


def test_a_bad_request_is_counted_as_one(amphora, manager, server):
    balancer = LoadBalancer(amphora, [server], mode="http").serve()
    with socket.create_connection(("127.0.0.1", balancer.port)) as connection:
        connection.sendall(b"this is no HTTP\r\n\r\n")
        assert b"400" in connection.recv(1000)
    counted = wait_until_all_is_reported(amphora, balancer)
    assert counted["ereq"] == 1
    wait_for_sums(manager, balancer.listener_id, counted)


def test_counters_of_a_deleted_load_balancer_are_forgotten(amphora, manager, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    counters = amphora.base_path / "heartbeat" / "stats_counters.json"
    eventually(lambda: counters.exists() and balancer.listener_id in counters.read_text(),
               "the counters are kept")
    assert balancer.delete().status == 200
    eventually(lambda: balancer.listener_id not in counters.read_text(),
               "the counters of the deleted one are gone")


def test_the_reference_agents_counters_are_continued(amphora, server, resources):
    balancer = LoadBalancer(amphora, [server], mode="http").serve()
    balancer.share(5)
    counted = counted_by_haproxy(balancer)
    assert amphora.stop() == 0
    shutil.rmtree(amphora.base_path / "heartbeat")
    (amphora.base_path / "stats_counters.json").write_text(json.dumps(
        {balancer.listener_id: {"bin": counted["rx"] - 7, "bout": counted["tx"], "ereq": 0,
                                "stot": counted["totconns"] - 2}}))
    # Another one: to the first the sender before may have something on its way.
    manager = resources.enter_context(HealthManager(KEY))
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    amphora.start()
    wait_until_all_is_reported(amphora, balancer)
    wait_for_sums(manager, balancer.listener_id, {"rx": 7, "tx": 0, "totconns": 2, "ereq": 0})


# Size

def serve_many_members(amphora, count):
    """One load balancer whose pool has so many members, without checks."""
    balancer = LoadBalancer(amphora, check="")
    balancer.members = [(str(uuid.uuid4()), "127.0.0.1", 10000 + number, 1)
                        for number in range(count)]
    assert balancer.upload().status == 202
    answer = balancer.act("reload")
    assert answer.status == 202, answer
    return balancer


def test_two_thousand_members_stand_in_one_datagram(amphora, manager):
    balancer = serve_many_members(amphora, 2000)
    beat = manager.next_beat(lambda beat: beat.listeners, "a heartbeat with the listener")
    assert set(beat.members()) == {member[0] for member in balancer.members}


def test_members_that_do_not_fit_cost_the_pools_and_never_the_beat(amphora, manager):
    balancer = serve_many_members(amphora, 5000)
    beat = manager.next_beat(lambda beat: beat.listeners, "a heartbeat with the listener")
    assert set(beat.listeners) == {balancer.listener_id}
    assert beat.pools == {}
    assert any("5000 members" in line and "does not fit" in line
               for line in amphora.log().splitlines())
    manager.wait_until_in_time(4)


# Targets

def test_several_targets_of_both_families_are_taken_in_turn(make_beating_amphora, resources):
    managers = [resources.enter_context(HealthManager(KEY, address))
                for address in ("127.0.0.1", "::1", "127.0.0.2")]
    make_beating_amphora(*(manager.target for manager in managers)).start()
    eventually(lambda: all(len(manager.beats) >= 2 for manager in managers),
               "every target gets its turn")
    counts = [len(manager.beats) for manager in managers]
    assert max(counts) - min(counts) <= 1


def test_an_ipv6_target_without_brackets_is_understood(make_beating_amphora, resources):
    manager = resources.enter_context(HealthManager(KEY, "::1"))
    make_beating_amphora(f"::1:{manager.port}").start()
    manager.next_beat()


def test_a_target_by_name_is_resolved(make_beating_amphora, resources):
    manager = resources.enter_context(HealthManager(KEY, "127.0.0.1"))
    make_beating_amphora(f"localhost:{manager.port}", manager.target).start()
    manager.next_beat()


def test_a_dead_target_costs_no_beat(make_beating_amphora, manager):
    dead = free_port(kind=socket.SOCK_DGRAM)
    amphora = make_beating_amphora(f"127.0.0.1:{dead}", manager.target, "no.such.name.invalid:5555")
    amphora.start()
    first = manager.next_beat()
    seen = len(manager.beats)
    eventually(lambda: len(manager.beats) >= seen + 4, "four more heartbeats")
    numbers = [beat.message["seq"] for beat in manager.beats[seen - 1:]]
    taken = manager.beats[-1].arrived_s - first.arrived_s
    # Of three targets one is dead and one unknown: their turns go to the one that lives, except
    # that a dead one is only known dead after the first datagram to it was refused.
    assert taken / (len(numbers) - 1) < 1.7
    assert manager.refused == []


def test_an_amphora_without_targets_runs_and_says_so(make_beating_amphora):
    amphora = make_beating_amphora()
    amphora.start()
    assert amphora.api.get("/").status == 200
    eventually(lambda: "controller_ip_port_list" in amphora.log(), "the log says why none is sent")


# Who sends, and when not

def test_the_sender_is_unprivileged(amphora, manager, server):
    LoadBalancer(amphora, [server]).serve()
    manager.next_beat(lambda beat: beat.listeners, "a heartbeat with listeners")
    pid = amphora.heartbeat_pid()
    nobody = int(subprocess.run(["id", "-u", "nobody"], capture_output=True).stdout)
    assert set(processes.user_of(pid)) == {nobody}
    assert 0 not in processes.groups_of(pid)
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    # CAP_NET_ADMIN alone: the kernel's IPVS answers nobody without it.
    assert "CapEff:\t0000000000001000" in status
    assert "CapPrm:\t0000000000001000" in status
    assert "CapInh:\t0000000000000000" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


def test_no_heartbeat_goes_out_when_keepalived_is_configured_but_dead(amphora, manager):
    manager.next_beat()
    vrrp = amphora.base_path / "vrrp"
    (vrrp / "octavia-keepalived.conf").write_text("vrrp_instance x {\n}\n")
    # It says so in the place of a beat: the one before has left long ago.
    eventually(lambda: "no heartbeat is sent" in amphora.log(), "the sender sees it")
    seen = len(manager.beats)
    time.sleep(2.2)
    assert len(manager.beats) == seen
    (vrrp / "octavia-keepalived.conf").unlink()
    manager.next_beat(what="heartbeats go on when keepalived is configured no more")


def test_heartbeats_go_out_while_keepalived_runs(amphora, manager, resources):
    vrrp = amphora.base_path / "vrrp"
    pid_file = vrrp / "octavia-keepalived.pid"
    keepalived = resources.enter_context(
        subprocess.Popen(["tail", "-f", "/dev/null", pid_file], stdout=subprocess.DEVNULL))
    resources.callback(keepalived.kill)
    pid_file.write_text(f"{keepalived.pid}\n")
    (vrrp / "octavia-keepalived.conf").write_text("vrrp_instance x {\n}\n")
    manager.next_beat()
    manager.next_beat()


def test_a_stopped_load_balancer_is_left_out(amphora, manager, server):
    balancer = LoadBalancer(amphora, [server]).serve()
    manager.next_beat(lambda beat: beat.listeners, "a heartbeat with listeners")
    assert balancer.act("stop").status == 202
    manager.next_beat(lambda beat: not beat.listeners, "a heartbeat without listeners")


def test_a_heartbeat_says_nothing_of_the_key_in_the_log(amphora, manager):
    manager.next_beat()
    assert KEY not in amphora.log()


def test_an_http_client_of_a_member_sees_nothing_of_the_sender(amphora, manager, server):
    balancer = LoadBalancer(amphora, [server], mode="http").serve()
    before = counted_by_haproxy(balancer)
    wait_for_two_beats(manager)
    assert counted_by_haproxy(balancer) == before
    connection = http.client.HTTPConnection("127.0.0.1", balancer.port, timeout=5)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"one"
    connection.close()
