# SPDX-License-Identifier: Apache-2.0
"""GET heartbeat: the message that the next heartbeat would carry, and when the last one left."""

import datetime
import json
import os
import signal
import socket
import time
import uuid

import pytest

from octavia.amphorae.backends.health_daemon import status_message

from harness import haproxy, processes
from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.load_balancer import LoadBalancer
from harness.web_server import WebServer

KEY = "heartbeat-key"


@pytest.fixture
def manager(resources):
    return resources.enter_context(HealthManager(KEY))


@pytest.fixture
def make_beating_amphora(make_amphora):
    def make(*targets, key=KEY, interval_s=1):
        amphora = make_amphora()
        amphora.config.set("health_manager", "heartbeat_key", key)
        amphora.config.set("health_manager", "heartbeat_interval", str(interval_s))
        amphora.config.set("health_manager", "controller_ip_port_list", ", ".join(targets))
        return amphora
    return make


@pytest.fixture
def amphora(make_beating_amphora, manager):
    return make_beating_amphora(manager.target).start()


@pytest.fixture
def server(resources):
    return resources.enter_context(WebServer("one"))


def preview(amphora):
    answer = amphora.api.get("/1.0/heartbeat")
    assert answer.status == 200, answer
    assert set(answer.json) == {"message", "bytes", "last_sent", "problem"}
    assert KEY not in answer.text
    return answer.json


def when_it_answers(amphora):
    """The sender listens some milliseconds after the agent serves."""
    return eventually(lambda: (found := preview(amphora))["message"] and found,
                      "the sender shows its next message")


def beat_of(manager, seq):
    """The heartbeat of that number, which has left or is the next to leave."""
    return eventually(
        lambda: next((beat for beat in manager.beats if beat.message["seq"] == seq), None),
        f"heartbeat {seq} arrives")


def test_it_is_the_message_that_comes_next(make_beating_amphora, manager, server):
    # HAProxy has a quarter of the interval for its answer, on a busy machine too.
    amphora = make_beating_amphora(manager.target, interval_s=2).start()
    balancer = LoadBalancer(amphora, [server], mode="http").serve()
    manager.next_beat(lambda beat: beat.members() == {balancer.member_id(server): "UP"},
                      "all is up")
    haproxy.settled_row(balancer.socket, balancer.listener_id)
    shown = preview(amphora)
    beat = beat_of(manager, shown["message"]["seq"])
    assert shown["problem"] is None
    assert shown["message"] == beat.message
    assert abs(shown["bytes"] - len(beat.datagram)) < 8


def test_the_health_manager_could_read_it(amphora, server):
    """Octavia's own code seals it and opens it again."""
    LoadBalancer(amphora, [server]).serve()
    shown = eventually(
        lambda: (found := when_it_answers(amphora))["message"]["listeners"] and found,
        "the listener is shown")
    sealed = status_message.wrap_envelope(shown["message"], KEY)
    assert status_message.unwrap_envelope(sealed, KEY) == shown["message"]
    assert shown["message"]["id"] == amphora.id
    listener, = shown["message"]["listeners"].values()
    assert set(listener["stats"]) == {"tx", "rx", "conns", "totconns", "ereq"}


def test_it_tells_when_and_where_the_last_one_left(amphora, manager):
    beat = manager.next_beat()
    manager.next_beat()
    last = preview(amphora)["last_sent"]
    assert set(last) == {"at", "target", "bytes", "seq", "listeners", "members"}
    assert last["target"] == manager.target
    assert last["seq"] >= beat.message["seq"]
    assert last["bytes"] == len(beat_of(manager, last["seq"]).datagram)
    assert (last["listeners"], last["members"]) == (0, 0)
    at = datetime.datetime.strptime(last["at"], "%Y-%m-%dT%H:%M:%SZ").replace(
        tzinfo=datetime.timezone.utc)
    assert abs(datetime.datetime.now(datetime.timezone.utc).timestamp() - at.timestamp()) < 5


def test_asking_uses_no_difference_up(make_beating_amphora, manager, server):
    amphora = make_beating_amphora(manager.target, interval_s=2).start()
    balancer = LoadBalancer(amphora, [server], mode="http").serve()

    def totconns(message):
        """0 also where a busy machine's HAProxy took too long to tell."""
        listener = message["listeners"].get(balancer.listener_id)
        return listener["stats"]["totconns"] if listener else 0

    def reported():
        return sum(totconns(beat.message) for beat in manager.beats)

    def total():
        return amphora.api.get(f"{balancer.path}/stats").json["stats"]["total_connections"]
    eventually(lambda: reported() == total(), "all is reported")
    manager.next_beat()
    balancer.share(5)
    shown = [totconns(preview(amphora)["message"])]
    seen = len(manager.beats)
    while len(manager.beats) == seen:
        shown.append(totconns(preview(amphora)["message"]))
    assert max(shown) == 5, "asking again and again shows the same difference"
    eventually(lambda: reported() == total(), "what was shown again and again is reported once")
    assert manager.refused == []


def test_sequence_numbers_and_period_do_not_mind_being_asked(amphora, manager):
    manager.next_beat()
    seen = len(manager.beats)
    with amphora.api.session() as session:
        def is_asked_and_in_time():
            assert session.request("GET", "/1.0/heartbeat").status == 200
            return manager.is_in_time(seen, 4)
        eventually(is_asked_and_in_time, "four heartbeats are in time", pause_s=0)
    numbers = [beat.message["seq"] for beat in manager.beats[seen:]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_without_a_health_manager_it_says_so(make_beating_amphora):
    amphora = make_beating_amphora().start()
    shown = when_it_answers(amphora)
    assert shown["last_sent"] is None
    assert "controller_ip_port_list names no health manager" in shown["problem"]
    assert shown["message"] == {"id": amphora.id, "seq": shown["message"]["seq"], "ver": 3,
                                "listeners": {}, "pools": {}}


def test_without_a_key_it_says_so(make_beating_amphora, manager):
    amphora = make_beating_amphora(manager.target, key="").start()
    answer = eventually(lambda: (found := amphora.api.get("/1.0/heartbeat").json)["message"]
                        and found, "the sender shows its next message")
    assert "heartbeat_key is not set" in answer["problem"]
    assert answer["last_sent"] is None
    assert manager.beats == []


def test_without_a_sender_it_tells_what_the_last_one_did(amphora, manager):
    manager.next_beat()
    manager.next_beat()
    pid = amphora.heartbeat_pid()
    assert pid > 1
    os.kill(pid, signal.SIGSTOP)
    try:
        shown = preview(amphora)
        assert shown["message"] is None and shown["bytes"] is None
        assert "amphora-heartbeat does not answer" in shown["problem"]
        assert shown["last_sent"]["target"] == manager.target
    finally:
        os.kill(pid, signal.SIGCONT)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: amphora.heartbeat_pid() not in (0, pid), "the sender is back")
    assert preview(amphora)["last_sent"]["target"] == manager.target
    shown = when_it_answers(amphora)
    assert shown["problem"] is None


def test_an_answer_that_is_none_is_told_from_one(amphora):
    """What another process says, with less rights or of another version, must do no harm."""
    when_it_answers(amphora)
    path = amphora.runtime_dir / "amphora-heartbeat.sock"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as fake:
        fake.bind(str(path))
        fake.listen()
        fake.settimeout(10)
        for text in (b"", b"nonsense", b"[]", b"{}", b"7", b'{"message":', b'{"status":[]}',
                     b'{"message":7,"status":{"problem":7,"sent_at":"x"}}', b"\xff" * 1000,
                     b'{"status":' + b"[" * 100000):
            answer = ask_while(amphora, fake, text)
            assert answer.status == 200, (text[:80], answer)
            assert set(answer.json) == {"message", "bytes", "last_sent", "problem"}


def ask_while(amphora, fake, text):
    with amphora.api.session() as session:
        session.connection.putrequest("GET", "/1.0/heartbeat")
        session.connection.endheaders()
        connection, _ = fake.accept()
        with connection:
            assert connection.recv(100) == b"preview\n"
            connection.sendall(text)
        answer = session.connection.getresponse()
        body = answer.read()
        return type("Answer", (), {"status": answer.status, "json": json.loads(body)})


def test_who_asks_the_sender_and_says_nothing_delays_no_heartbeat(amphora, manager):
    when_it_answers(amphora)
    path = str(amphora.runtime_dir / "amphora-heartbeat.sock")
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(path).st_uid == os.geteuid()  # not whom the sender runs as
    silent = [socket.socket(socket.AF_UNIX) for _ in range(5)]
    for one in silent:
        one.connect(path)
    manager.wait_until_in_time(3)
    for one in silent:
        one.close()
    assert preview(amphora)["problem"] is None


def preview_took_s(amphora):
    """To which a busy machine adds something at times."""
    started_s = time.monotonic()
    preview(amphora)
    return time.monotonic() - started_s


def test_a_message_of_a_thousand_members_is_shown_whole(amphora):
    balancer = LoadBalancer(amphora, check="")
    balancer.members = [(str(uuid.uuid4()), "127.0.0.1", 10000 + number, 1)
                        for number in range(1000)]
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    shown = eventually(lambda: (found := preview(amphora))["message"] and
                       found["message"]["pools"] and found, "it is shown")
    pool, = shown["message"]["pools"].values()
    assert set(pool["members"]) == {member[0] for member in balancer.members}
    eventually(lambda: preview_took_s(amphora) < 0.5, "it is shown within half a second")
    assert processes.is_alive(amphora.heartbeat_pid())
