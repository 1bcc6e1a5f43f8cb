# SPDX-License-Identifier: Apache-2.0
"""UDP and SCTP listeners through the API, with a keepalived that needs no kernel."""

import concurrent.futures
import hashlib
import stat
import subprocess

import pytest

from harness import processes
from harness.eventually import eventually
from harness.fake_keepalived import FakeKeepalived
from harness.health_manager import HealthManager
from harness.load_balancer import LoadBalancer
from harness.lvs_listener import LvsListener, LvsMember
from harness.ports import free_port


@pytest.fixture
def stopped_amphora(make_amphora):
    return make_amphora()


@pytest.fixture
def keepalived(stopped_amphora):
    return FakeKeepalived(stopped_amphora)


@pytest.fixture
def amphora(stopped_amphora, keepalived):
    stopped_amphora.start()
    stopped_amphora.wait_until_ready()  # until then it starts what it finds, just uploaded or not
    return stopped_amphora


def make_listener(amphora, protocol="UDP"):
    return LvsListener(amphora, ["127.0.0.1"], free_port(), [LvsMember("203.0.113.1", 53)],
                       protocol)


@pytest.fixture
def listener(amphora):
    return make_listener(amphora)


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def test_an_upload_is_kept_byte_for_byte_and_starts_nothing(listener, keepalived):
    text = listener.configuration()
    answer = listener.upload(text)
    assert answer.status == 200
    assert answer.json == {"message": "OK"}
    assert answer.headers["ETag"] == md5(text)
    assert listener.file("conf").read_text() == text
    assert stat.S_IMODE(listener.file("conf").stat().st_mode) == 0o644
    assert keepalived.steps() == ["check"]
    assert not listener.pid


def test_what_was_uploaded_can_be_read(listener):
    listener.upload()
    answer = listener.read()
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "ETag" not in answer.headers
    assert answer.text == listener.configuration()


def test_a_listener_that_does_not_exist_is_not_found(listener):
    answer = listener.read()
    assert answer.status == 404
    assert answer.json == {"message": "UDP Listener Not Found",
                           "details": f"No UDP listener with UUID: {listener.id}"}
    for action in ("start", "stop", "reload"):
        answer = listener.act(action)
        assert answer.status == 404
        assert isinstance(answer.json["details"], str)


def test_a_config_that_keepalived_cannot_run_with_is_refused(listener, keepalived):
    listener.serve()
    text = listener.configuration()
    answer = listener.upload("# REFUSED\n" + text)
    assert answer.status == 400
    assert answer.json["message"] == "Invalid request"
    assert "missing '}'s" in answer.json["details"]
    assert listener.file("conf").read_text() == text
    assert listener.act("reload").status == 202
    assert keepalived.steps() == ["check", "start", "check"]


@pytest.mark.parametrize("name", ["..", "vrrp", "a" * 65, "a%2fb", "a.b"])
def test_an_id_that_is_none_is_refused(amphora, name):
    answer = amphora.api.put(f"/1.0/listeners/{amphora.id}/{name}/udp_listener", "x")
    assert answer.status in (400, 404)
    assert not list((amphora.base_path / "lvs").glob("*.conf"))


def test_the_first_reload_starts_it(listener, keepalived):
    listener.upload()
    answer = listener.act("reload")
    assert answer.status == 202
    assert answer.json == {"message": "OK", "details": f"Listener {listener.id} reloaded"}
    assert listener.pid
    assert keepalived.steps() == ["check", "start"]


def test_a_reload_is_one_and_keeps_the_process(listener, keepalived):
    listener.serve()
    pid = listener.pid
    listener.members.append(LvsMember("203.0.113.2", 53))
    listener.serve()
    assert listener.pid == pid
    assert keepalived.steps() == ["check", "start", "check", "reload"]


def test_what_did_not_change_costs_nothing(amphora, keepalived):
    """Any change of one listener uploads and reloads all."""
    listeners = [make_listener(amphora).serve() for _ in range(3)]
    keepalived.steps()
    files = [listener.file("conf").stat().st_ino for listener in listeners]
    listeners[0].members.clear()
    for listener in listeners:
        listener.serve()
    assert keepalived.steps() == ["check", "reload"]
    assert [listener.file("conf").stat().st_ino for listener in listeners][1:] == files[1:]


def test_a_keepalived_that_cannot_keep_members_is_restarted(stopped_amphora):
    keepalived = FakeKeepalived(stopped_amphora, version="1.3.9")
    listener = make_listener(stopped_amphora.start()).serve()
    listener.members.clear()
    listener.serve()
    assert keepalived.steps() == ["check", "start", "check", "stop", "start"]
    assert listener.status() == "ACTIVE"


def test_a_stopped_one_stays_so_over_a_restart_until_it_is_started(amphora, listener):
    listener.serve()
    answer = listener.act("STOP")
    assert answer.status == 202
    assert answer.json["details"] == f"Listener {listener.id} stopped"
    assert not listener.pid
    assert listener.status() == "OFFLINE"
    amphora.restart()
    amphora.wait_until_ready()
    assert not listener.pid
    assert listener.act("start").status == 202
    assert listener.pid


def test_an_unknown_action_is_told(listener):
    listener.serve()
    answer = listener.act("pause")
    assert answer.status == 400
    assert answer.json == {"message": "Invalid Request", "details": "Unknown action: pause"}


def test_why_a_start_failed_is_told_in_keepaliveds_words(listener, keepalived):
    keepalived.fail("start")
    listener.upload()
    answer = listener.act("reload")
    assert answer.status == 500
    assert answer.json["message"] == f"Failed to reload keepalivedlvs listener {listener.id}"
    assert "cannot start" in answer.json["details"]
    assert listener.status() == "ERROR"
    keepalived.fail()
    assert listener.act("reload").status == 202
    assert listener.status() == "ACTIVE"


@pytest.mark.parametrize("step", ["check", "start"])
def test_after_a_failure_at_any_step_the_same_requests_succeed(listener, keepalived, step):
    listener.serve()
    if step == "start":
        assert listener.act("stop").status == 202
    listener.members.clear()
    keepalived.fail(step)
    upload = listener.upload()
    answers = {upload.status, listener.act("reload").status if upload.status == 200 else 0}
    assert answers & {400, 500}
    keepalived.fail()
    listener.serve()
    assert listener.status() == "ACTIVE"
    assert listener.file("conf").read_text() == listener.configuration()
    assert listener.file("running").read_text() == md5(listener.configuration())


def test_a_keepalived_that_ends_over_a_reload_is_started_with_the_new_config(listener, keepalived):
    listener.serve()
    listener.members.clear()
    keepalived.fail("reload")
    listener.serve()
    assert listener.status() == "ACTIVE"
    assert listener.file("running").read_text() == md5(listener.configuration())


def test_the_status_of_one_that_serves_nothing_is_offline(listener):
    listener.addresses = []
    listener.serve()
    assert listener.pid
    assert listener.status() == "OFFLINE"


def test_listeners_of_both_kinds_are_listed(amphora, listener):
    balancer = LoadBalancer(amphora).serve()
    sctp = make_listener(amphora, "SCTP").serve()
    listener.serve()
    answer = amphora.api.get("/1.0/listeners")
    assert answer.status == 200
    assert {(entry["uuid"], entry["type"], entry["status"]) for entry in answer.json} == {
        (balancer.listener_id, "TCP", "ACTIVE"), (listener.id, "UDP", "ACTIVE"),
        (sctp.id, "UDP", "ACTIVE")}


def test_details_count_and_list_them(amphora, listener):
    balancer = LoadBalancer(amphora).serve()
    stopped = make_listener(amphora).serve()
    assert stopped.act("stop").status == 202
    listener.serve()
    details = amphora.api.get("/1.0/details").json
    assert details["lvs_listener_process_count"] == 1
    assert details["haproxy_count"] == 1
    assert details["listeners"] == sorted([balancer.listener_id, listener.id, stopped.id])


def test_a_deleted_one_leaves_nothing(amphora, listener):
    listener.serve()
    pid = listener.pid
    answer = listener.delete()
    assert answer.status == 200
    assert answer.json == {"message": "OK"}
    assert pid not in amphora.processes()
    assert [path.name for path in (amphora.base_path / "lvs").iterdir()] == ["check"]
    assert not [path for path in amphora.runtime_dir.rglob("*") if listener.id in path.name]
    assert listener.status() is None
    assert listener.delete().status == 200
    amphora.restart()
    assert listener.status() is None


def test_a_killed_keepalived_is_started_again(listener):
    listener.serve()
    pid = listener.pid
    processes.kill_each([pid])
    eventually(lambda: listener.pid not in (0, pid), "another keepalived runs")
    assert listener.status() == "ACTIVE"


def test_keepalived_outlives_the_agent_and_is_found_again(amphora, listener, keepalived):
    listener.serve()
    pid = listener.pid
    amphora.kill()
    assert listener.pid == pid
    amphora.start()
    eventually(lambda: f"{listener.id}: found" in amphora.log(), "the listener is restored")
    assert listener.pid == pid
    assert keepalived.steps() == ["check", "start"]
    processes.kill_each([pid])
    eventually(lambda: listener.pid not in (0, pid), "another keepalived runs")


def test_after_a_reboot_it_runs_again(amphora, listener):
    listener.serve()
    pid = listener.pid
    amphora.kill()
    processes.kill_each([pid])
    amphora.start()
    eventually(lambda: listener.pid not in (0, pid), "another keepalived runs")


def test_keepaliveds_that_hang_do_not_hold_up_the_start(stopped_amphora, resources):
    """Each has 14 s to be seen; heartbeats must be back before a controller gives us up."""
    amphora = stopped_amphora
    manager = resources.enter_context(HealthManager("key"))
    amphora.config.set("health_manager", "heartbeat_key", "key")
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    amphora.drop_in.set("agent", "keepalived_cmd", amphora.write_script(
        "hanging-keepalived", "exec sleep 1000\n"))
    listeners = [make_listener(amphora) for _ in range(20)]
    (amphora.base_path / "lvs").mkdir()
    for listener in listeners:
        listener.file("conf").write_text(listener.configuration())
    amphora.start()
    manager.next_beat(what="the first heartbeat")


def test_two_requests_for_one_listener_do_not_disturb_each_other(amphora, listener):
    texts = [listener.configuration() + f"# {number}\n" for number in range(6)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(
            lambda text: (listener.upload(text).status, listener.act("reload").status), texts))
    assert set(answers) == {(200, 202)}
    assert listener.file("conf").read_text() in texts
    assert listener.act("reload").status == 202
    assert listener.file("running").read_text() == md5(listener.file("conf").read_text())


def test_the_vrrp_check_counts_a_listener_from_its_first_run_on(amphora, listener, keepalived):
    """A new listener that cannot be served must not take the VIP from those that are."""
    def check():
        return subprocess.run([amphora.base_path / "vrrp" / "check_script.sh"],
                              check=False).returncode == 0
    balancer = LoadBalancer(amphora)
    balancer.upload()
    assert balancer.act("reload").status == 202
    assert check()
    assert listener.upload().status == 200
    assert check()
    keepalived.fail("start")
    assert listener.act("reload").status == 500
    assert check()
    keepalived.fail()
    assert listener.act("reload").status == 202
    # What serves an older config serves.
    assert listener.upload(listener.configuration() + "# changed\n").status == 200
    assert check()
    assert listener.act("reload").status == 202
    keepalived.fail("start")
    processes.kill_each([listener.pid])
    eventually(lambda: not check(), "the check fails")
    amphora.restart()
    eventually(lambda: not check(), "the check fails for the next agent too")


def test_the_scripts_are_there_when_the_agent_is(amphora):
    for name in ("lvs/check/udp_check.sh", "ping-wrapper.sh"):
        path = amphora.base_path / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_the_udp_script_tells_a_closed_port(amphora):
    script = amphora.base_path / "lvs/check/udp_check.sh"
    result = subprocess.run([script, "127.0.0.1", str(free_port())], capture_output=True)
    assert result.returncode == 1
    assert result.stdout == result.stderr == b""
