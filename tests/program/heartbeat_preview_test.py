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

from harness import processes
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
    return eventually(lambda: preview(amphora)["message"] and preview(amphora),
                      "the sender shows its next message")


def test_it_is_the_message_that_comes_next(amphora, manager, server):
    balancer = LoadBalancer(amphora, [server], mode="http").serve()
    manager.next_beat(lambda beat: beat.members() == {balancer.member_id(server): "UP"},
                      "all is up")
    shown = preview(amphora)
    beat = manager.next_beat()
    assert shown["problem"] is None
    assert set(shown["message"]) == set(beat.message)
    for part in ("id", "ver", "listeners", "pools"):
        assert shown["message"][part] == beat.message[part]
    assert shown["message"]["seq"] in (beat.message["seq"], beat.message["seq"] - 1)
    assert abs(shown["bytes"] - len(beat.datagram)) < 8


def test_the_health_manager_could_read_it(amphora, server):
    """Octavia's own code seals it and opens it again."""
    LoadBalancer(amphora, [server]).serve()
    when_it_answers(amphora)
    shown = preview(amphora)
    sealed = status_message.wrap_envelope(shown["message"], KEY)
    assert status_message.unwrap_envelope(sealed, KEY) == shown["message"]
    assert shown["message"]["id"] == amphora.id
    listener, = shown["message"]["listeners"].values()
    assert set(listener["stats"]) == {"tx", "rx", "conns", "totconns", "ereq"}


def test_it_tells_when_and_where_the_last_one_left(amphora, manager):
    beat = manager.next_beat()
    after = manager.next_beat()
    last = preview(amphora)["last_sent"]
    assert set(last) == {"at", "target", "bytes", "seq", "listeners", "members"}
    assert last["target"] == manager.target
    assert last["seq"] >= beat.message["seq"]
    assert last["bytes"] == len(after.datagram)
    assert (last["listeners"], last["members"]) == (0, 0)
    at = datetime.datetime.strptime(last["at"], "%Y-%m-%dT%H:%M:%SZ").replace(
        tzinfo=datetime.timezone.utc)
    assert abs(datetime.datetime.now(datetime.timezone.utc).timestamp() - at.timestamp()) < 5


def test_asking_uses_no_difference_up(make_beating_amphora, manager, server):
    amphora = make_beating_amphora(manager.target, interval_s=2).start()
    balancer = LoadBalancer(amphora, [server], mode="http").serve()

    def totconns(message):
        return message["listeners"][balancer.listener_id]["stats"]["totconns"]
    manager.next_beat(lambda beat: balancer.listener_id in beat.listeners, "it is reported")
    manager.next_beat()
    balancer.share(5)
    shown = []
    seen = len(manager.beats)
    while len(manager.beats) == seen:
        shown.append(totconns(preview(amphora)["message"]))
    assert max(shown) == 5, "asking again and again shows the same difference"
    manager.next_beat()
    assert totconns(manager.beats[seen].message) + totconns(manager.beats[seen - 1].message) >= 5
    reported = sum(totconns(beat.message) for beat in manager.beats if beat.listeners)
    row_total = amphora.api.get(f"{balancer.path}/stats").json["stats"]["total_connections"]
    assert reported == row_total
    assert manager.refused == []


def test_sequence_numbers_and_period_do_not_mind_being_asked(amphora, manager):
    manager.next_beat()
    seen = len(manager.beats)
    with amphora.api.session() as session:
        while len(manager.beats) < seen + 4:
            assert session.request("GET", "/1.0/heartbeat").status == 200
    beats = manager.beats[seen:seen + 4]
    numbers = [beat.message["seq"] for beat in beats]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
    arrived = [beat.arrived_s for beat in beats]
    assert all(0.5 < later - earlier < 1.5 for earlier, later in zip(arrived, arrived[1:]))


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
    manager.next_beat()
    seen = len(manager.beats)
    eventually(lambda: len(manager.beats) >= seen + 3, "heartbeats go on")
    arrived = [beat.arrived_s for beat in manager.beats[seen:seen + 3]]
    assert all(0.4 < later - earlier < 1.6 for earlier, later in zip(arrived, arrived[1:]))
    for one in silent:
        one.close()
    assert preview(amphora)["problem"] is None


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
    started = time.monotonic()
    preview(amphora)
    assert time.monotonic() - started < 0.5
    assert processes.is_alive(amphora.heartbeat_pid())
