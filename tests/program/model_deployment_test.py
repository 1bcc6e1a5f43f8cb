# SPDX-License-Identifier: Apache-2.0
"""A model of TCP, UDP and SCTP listeners applied as a whole, with a keepalived that needs no
kernel."""

import contextlib
import hashlib
import http.client
import os
import signal
import threading
import time

import pytest

from harness import processes
from harness.eventually import eventually
from harness.fake_keepalived import FakeKeepalived
from harness.load_balancer import LoadBalancer
from harness.lvs_listener import LvsListener, LvsMember
from harness.network_namespace import NetworkNamespace
from harness.ports import free_port
from harness.web_server import WebServer, who_answers


@pytest.fixture
def stopped_amphora(make_amphora):
    return make_amphora()


@pytest.fixture
def keepalived(stopped_amphora):
    return FakeKeepalived(stopped_amphora)


@pytest.fixture
def amphora(stopped_amphora, keepalived):
    return stopped_amphora.start()


class Deployment:
    """One load balancer as a model of several listeners."""

    def __init__(self, amphora, lb_id, servers=()):
        self.amphora = amphora
        self.id = lb_id
        self.port = free_port()
        self.servers = servers
        self.weight = 1
        self.lvs = {"dns": ("UDP", 53), "sip": ("UDP", 5060)}
        self.more = {}

    def json(self):
        return {"vip_address": "127.0.0.1", "listeners": [
            *([self.tcp()] if self.port else []),
            *(self.lvs_listener(name, *ends) for name, ends in self.lvs.items())], **self.more}

    def tcp(self):
        return {"protocol": "TCP", "protocol_port": self.port, "default_pool": {
            "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "members": [
                {"address": server.address, "protocol_port": server.port}
                for server in self.servers]}}

    def lvs_listener(self, name, protocol, port):
        return {"id": self.listener_id(name), "name": name, "protocol": protocol,
                "protocol_port": port, "default_pool": {
                    "protocol": protocol, "lb_algorithm": "ROUND_ROBIN", "members": [
                        {"address": "203.0.113.1", "protocol_port": port,
                         "weight": self.weight}]}}

    def listener_id(self, name):
        return f"{name}-of-{self.id}"

    @property
    def path(self):
        return f"/1.0/loadbalancer/{self.id}"

    @property
    def put_path(self):
        return f"/1.0/loadbalancer/{self.amphora.id}/{self.id}/model"

    def put(self, query="", **options):
        return self.amphora.api.put(self.put_path + query, self.json(), **options)

    def apply(self):
        answer = self.put()
        assert answer.status == 200, answer
        return answer.json

    def stored(self):
        answer = self.amphora.api.get(f"{self.path}/model")
        return answer.json if answer.status == 200 else None

    def status(self):
        answer = self.amphora.api.get(f"{self.path}/status")
        assert answer.status == 200, answer
        return answer.json["statuses"]["loadbalancer"]

    def config(self, name):
        path = self.lvs_file(name, "conf")
        return path.read_text() if path.exists() else None

    def lvs_file(self, name, ending):
        return (self.amphora.base_path / "lvs" /
                f"octavia-keepalivedlvs-{self.listener_id(name)}.{ending}")

    def running(self, name):
        """The digest of the config that its keepalived has taken up; None where nobody knows it."""
        try:
            return self.lvs_file(name, "running").read_text()
        except FileNotFoundError:
            return None

    def pid(self, name):
        """Of the listener's keepalived; 0 when it does not run."""
        try:
            pid = int(self.lvs_file(name, "pid").read_text())
        except (FileNotFoundError, ValueError):
            return 0
        return pid if pid in self.amphora.processes() else 0

    def statuses(self):
        return {entry["uuid"]: entry["status"] for entry in
                self.amphora.api.get("/1.0/listeners").json}


@pytest.fixture
def servers(resources):
    return [resources.enter_context(WebServer("one", "127.0.0.2"))]


@pytest.fixture
def deployment(amphora, lb_id, servers):
    return Deployment(amphora, lb_id, servers)


# From model to processes

def test_tcp_and_udp_listeners_are_served_from_one_model(amphora, deployment, keepalived):
    applied = deployment.apply()
    assert applied["applied"] == "start"
    assert any("dns" in change and "added" in change for change in applied["changes"])
    assert who_answers(deployment.port)
    assert deployment.pid("dns") and deployment.pid("sip")
    assert set(deployment.statuses().values()) == {"ACTIVE"}
    assert keepalived.steps() == ["check", "check", "start", "start"]
    assert deployment.stored() == deployment.json()
    assert not (amphora.base_path / deployment.id / "before").exists()


def test_the_same_model_again_applies_nothing(deployment, keepalived):
    deployment.apply()
    keepalived.steps()
    again = deployment.apply()
    assert (again["applied"], again["changes"]) == ("none", [])
    assert keepalived.steps() == []


def test_only_what_differs_is_taken_up(amphora, deployment, keepalived):
    deployment.apply()
    keepalived.steps()
    pids = deployment.pid("dns"), deployment.pid("sip"), amphora.haproxy_pids(deployment.id)
    deployment.servers = []
    assert deployment.apply()["applied"] in ("runtime", "reload")
    assert keepalived.steps() == []
    master = amphora.haproxy_master(deployment.id)
    deployment.weight = 7
    applied = deployment.apply()
    assert applied["applied"] == "reload"
    assert sum("weight 7" in change for change in applied["changes"]) == 2
    assert keepalived.steps() == ["check", "check", "reload", "reload"]
    assert (deployment.pid("dns"), deployment.pid("sip")) == pids[:2]
    assert amphora.haproxy_master(deployment.id) == master


def test_a_listener_that_the_model_has_no_longer_is_gone(amphora, deployment, keepalived):
    deployment.apply()
    pid = deployment.pid("sip")
    del deployment.lvs["sip"]
    applied = deployment.apply()
    assert applied["applied"] == "stop"
    assert f"listener {deployment.listener_id('sip')} removed" in applied["changes"]
    assert pid not in amphora.processes()
    assert not [name for name in amphora.files() if "sip-of" in name]
    assert deployment.pid("dns")
    assert deployment.stored() == deployment.json()


def test_a_port_may_pass_from_one_listener_to_another(deployment, keepalived):
    deployment.lvs = {"old": ("UDP", 53)}
    deployment.apply()
    keepalived.steps()
    deployment.lvs = {"new": ("UDP", 53)}
    deployment.apply()
    assert keepalived.steps() == ["check", "stop", "start"]


def test_a_load_balancer_of_udp_alone_has_no_haproxy(amphora, deployment):
    deployment.port = None
    assert deployment.apply()["applied"] == "start"
    assert amphora.haproxy_pids(deployment.id) == []
    assert deployment.pid("dns")
    assert deployment.stored() == deployment.json()
    assert deployment.apply()["applied"] == "none"
    amphora.restart()
    assert amphora.haproxy_pids(deployment.id) == []
    assert deployment.pid("dns")


def test_haproxy_ends_with_its_last_listener_and_comes_back_with_the_next(amphora, deployment):
    deployment.apply()
    port, deployment.port = deployment.port, None
    assert deployment.apply()["applied"] == "stop"
    assert amphora.haproxy_pids(deployment.id) == []
    assert deployment.pid("dns")
    deployment.port = port
    assert deployment.apply()["applied"] == "start"
    assert who_answers(port)


def test_what_was_stopped_by_request_runs_again_with_the_next_model(amphora, deployment):
    deployment.apply()
    assert amphora.api.put(
        f"/1.0/loadbalancer/{deployment.listener_id('dns')}/stop").status == 202
    assert not deployment.pid("dns")
    assert deployment.apply()["applied"] == "start"
    assert deployment.pid("dns")


# All of it or nothing

def test_a_config_that_keepalived_refuses_changes_nothing(
        amphora, deployment, keepalived):
    deployment.apply()
    before, files = deployment.json(), amphora.files()
    keepalived.fail("check")
    deployment.weight, deployment.servers = 7, []
    answer = deployment.put()
    assert answer.status == 500
    assert "dns" in answer.json["details"] and "missing '}'s" in answer.json["details"]
    assert deployment.stored() == before
    assert amphora.files() == files
    assert who_answers(deployment.port)


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_check_that_cannot_be_made_says_why(deployment, query):
    """HAProxy's "Configuration file is valid" before it is no reason."""
    deployment.lvs_file("dns", "conf.new").mkdir()
    answer = deployment.put(query)
    assert answer.status == 500
    assert "dns" in answer.json["details"] and "conf.new" in answer.json["details"]


def test_when_one_keepalived_does_not_start_all_goes_back(amphora, deployment, keepalived):
    deployment.apply()
    before = deployment.json()
    texts = {name: deployment.config(name) for name in deployment.lvs}
    haproxy = amphora.config_path(deployment.id).read_text()
    keepalived.steps()
    old_port, deployment.port = deployment.port, free_port()
    deployment.lvs["zzz"] = ("SCTP", 99)
    deployment.weight = 7
    keepalived.fail("start")
    answer = deployment.put()
    assert answer.status == 500
    assert "cannot start" in answer.json["details"]
    assert deployment.stored() == before
    assert {name: deployment.config(name) for name in texts} == texts
    assert deployment.config("zzz") is None
    assert amphora.config_path(deployment.id).read_text() == haproxy
    eventually(lambda: who_answers(old_port), "the old listener is served")
    assert who_answers(deployment.port) is None
    # Both were reloaded with the new config, and then with the old one.
    assert keepalived.steps().count("reload") == 4
    for name in texts:
        assert deployment.pid(name)
    assert not [name for name in amphora.files() if "zzz" in name or "before" in name]
    keepalived.fail()
    assert deployment.apply()["applied"] == "start"


def test_when_haproxy_cannot_bind_no_keepalived_is_touched(amphora, deployment, keepalived):
    deployment.apply()
    keepalived.steps()
    texts = {name: deployment.config(name) for name in deployment.lvs}
    deployment.port, deployment.weight = amphora.port, 7
    answer = deployment.put()
    assert answer.status == 500
    assert str(amphora.port) in answer.json["details"]
    assert {name: deployment.config(name) for name in texts} == texts
    assert keepalived.steps() == ["check", "check", "reload", "reload"]
    assert deployment.lvs_file("dns", "running").exists()


def test_a_keepalived_that_hangs_does_not_keep_haproxy_from_going_back(
        amphora, deployment, keepalived):
    """It is not HAProxy that was silent."""
    deployment.apply()
    before = deployment.json()
    old_port, deployment.port = deployment.port, free_port()
    deployment.lvs["zzz"] = ("SCTP", 99)
    keepalived.fail("hang")
    answer = deployment.put(timeout=120)
    assert answer.status == 500
    assert "has not written" in answer.json["details"]
    assert deployment.stored() == before
    eventually(lambda: who_answers(old_port), "the old listener is served")
    eventually(lambda: who_answers(deployment.port) is None, "the new one is gone")


def test_a_first_model_that_cannot_be_applied_leaves_nothing_that_runs(
        amphora, deployment, keepalived):
    keepalived.fail("start")
    assert deployment.put().status == 500
    assert amphora.haproxy_pids() == []
    assert amphora.api.get("/1.0/listeners").json == []
    assert amphora.api.get(f"{deployment.path}/haproxy").status == 404
    assert not [name for name in amphora.files() if "-of-" in name or "model-" in name]


def test_a_listener_of_another_load_balancer_is_not_taken(amphora, deployment):
    deployment.apply()
    thief = Deployment(amphora, "thief")
    thief.listener_id = deployment.listener_id
    answer = thief.put()
    assert answer.status == 409
    assert deployment.id in answer.json["details"]
    assert thief.stored() is None
    assert deployment.stored() == deployment.json()


def test_a_listener_that_a_controller_uploaded_for_another_load_balancer_is_not_taken(
        amphora, deployment):
    """As when its model is sent under a new id."""
    upload = f"/1.0/listeners/{amphora.id}/{deployment.listener_id('dns')}/udp_listener"
    text = ("# Configuration for Loadbalancer another\n" +
            LvsListener(amphora, ["127.0.0.1"], 53, []).configuration())
    assert amphora.api.put(upload, text).status == 200
    answer = deployment.put()
    assert answer.status == 409
    assert "another" in answer.json["details"]
    assert deployment.config("dns") == text


# Killed in the middle

@pytest.fixture
def frozen():
    """Stops a process for a while; nobody else's is ever taken for it."""
    @contextlib.contextmanager
    def freeze(pid):
        assert pid > 1
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)
    return freeze


@pytest.mark.parametrize("removed,changed", [("sip", "dns"), ("dns", "sip")])
def test_an_agent_killed_in_the_middle_is_undone_by_the_next(
        amphora, deployment, frozen, removed, changed):
    """keepalived hangs in its reload: one listener is stopped already, HAProxy has the new port."""
    deployment.apply()
    before = deployment.json()
    texts = {name: deployment.config(name) for name in deployment.lvs}
    haproxy = amphora.config_path(deployment.id).read_text()
    old_port, deployment.port = deployment.port, free_port()
    deployment.weight = 7
    del deployment.lvs[removed]
    with frozen(deployment.pid(changed)):
        thread = threading.Thread(target=put_in_vain, args=[deployment])
        thread.start()
        eventually(lambda: who_answers(deployment.port), "HAProxy has the new config")
        amphora.kill()
        thread.join()
    assert (amphora.base_path / deployment.id / "before").exists()
    amphora.start()
    assert deployment.stored() == before
    assert {name: deployment.config(name) for name in texts} == texts
    assert amphora.config_path(deployment.id).read_text() == haproxy
    eventually(lambda: who_answers(old_port), "the old listener is served")
    eventually(lambda: who_answers(deployment.port) is None, "the new one is gone")
    eventually(lambda: all(deployment.pid(name) for name in texts), "all listeners run")
    eventually(lambda: not (amphora.base_path / deployment.id / "before").exists(),
               "there is nothing left to undo")
    deployment.apply()
    assert who_answers(deployment.port)


def test_a_stopped_listener_does_not_cost_the_vip_while_others_take_long(
        amphora, deployment, frozen):
    """keepalived gives the VIP up when the check fails twice, five seconds apart."""
    script = amphora.base_path / "vrrp" / "check_script.sh"
    deployment.apply()
    names = [str(deployment.lvs_file(name, "pid")) for name in ("dns", "sip")]
    assert all(name in script.read_text() for name in names)
    deployment.weight = 7
    del deployment.lvs["sip"]
    with frozen(deployment.pid("dns")):
        thread = threading.Thread(target=put_in_vain, args=[deployment])
        thread.start()
        eventually(lambda: deployment.lvs_file("sip", "stopped").exists(), "it is stopped")
        eventually(lambda: names[1] not in script.read_text(), "it is not asked for", 3)
        assert thread.is_alive()
    thread.join()
    assert deployment.stored() == deployment.json()


def test_a_haproxy_that_hangs_does_not_hold_up_the_udp_listeners_of_others(
        amphora, deployment, keepalived, frozen, resources):
    deployment.lvs = {"dns": ("UDP", 53)}
    deployment.apply()
    listener = f"/1.0/loadbalancer/{deployment.listener_id('dns')}/"
    for _ in range(3):
        other = LoadBalancer(amphora).serve()
        for pid in (amphora.haproxy_master(other.id), *amphora.haproxy_workers(other.id)):
            resources.enter_context(frozen(pid))
    started = time.monotonic()
    assert amphora.api.put(listener + "reload").status == 202
    assert amphora.api.put(listener + "stop").status == 202
    assert time.monotonic() - started < 6  # two seconds for each question to each of them


def put_in_vain(deployment):
    with contextlib.suppress(OSError, http.client.HTTPException):
        deployment.put()


def test_a_model_that_cannot_bind_is_undone_also_by_the_agent_after_one_that_was_killed(
        amphora, deployment):
    """What passes the check and ends a reload must not stay installed."""
    deployment.lvs = {}
    deployment.apply()
    before, config = deployment.json(), amphora.config_path(deployment.id)
    old_text, old_port, log = config.read_text(), deployment.port, config.with_name("before")
    log.mkdir()
    (log / f"haproxy-{deployment.id}.conf").write_text(old_text)
    amphora.kill()
    config.write_text(old_text.replace(f":{old_port}", f":{amphora.port}"))
    amphora.start()
    assert config.read_text() == old_text
    assert deployment.stored() == before
    eventually(lambda: not log.exists(), "there is nothing left to undo")
    assert who_answers(old_port)


def test_an_upload_waits_for_what_an_earlier_agent_left_to_undo(amphora, lb_id):
    """Acknowledged by the new agent, it must not be undone with it."""
    balancer = LoadBalancer(amphora)
    assert balancer.upload().status == 202
    config = amphora.config_path(balancer.id)
    log = config.with_name("before")
    log.mkdir()
    (log / f"haproxy-{balancer.id}.none").write_text("")
    amphora.kill()
    amphora.start()
    assert balancer.upload().status == 202
    assert config.exists()
    amphora.restart()
    assert config.exists()


INSTANTS_MS = (0, 3, 8, 15, 30, 60)


def test_whenever_the_agent_is_killed_all_is_the_old_or_the_new_model(amphora, deployment):
    deployment.apply()
    for instant_ms in INSTANTS_MS:
        old = deployment.json()
        deployment.port, deployment.weight = free_port(), deployment.weight + 1
        deployment.lvs["sip"] = ("UDP", deployment.lvs["sip"][1] + 1)
        new = deployment.json()
        thread = threading.Thread(target=put_in_vain, args=[deployment])
        thread.start()
        time.sleep(instant_ms / 1000)
        amphora.kill()
        thread.join()
        amphora.start()
        found = deployment.stored()
        assert found in (old, new)
        shown = amphora.api.put(f"{deployment.put_path}?dry_run=true", found).json
        assert amphora.config_path(deployment.id).read_text() == shown["haproxy.cfg"]
        for name in deployment.lvs:
            text = shown["keepalived-lvs"][deployment.listener_id(name)]
            assert deployment.config(name) == text
            eventually(lambda: deployment.running(name) ==
                       hashlib.md5(text.encode()).hexdigest(), "it has been taken up")
        assert shown["would_apply"] == "none"
        deployment.apply()
        assert who_answers(deployment.port)


# Model and uploads

def test_uploading_a_listener_ends_the_model_and_the_next_one_takes_over(amphora, deployment):
    etag = deployment.put().etag
    upload = f"/1.0/listeners/{amphora.id}/{deployment.listener_id('dns')}/udp_listener"
    listener = LvsListener(amphora, ["127.0.0.1"], 53, [LvsMember("203.0.113.9", 53)])
    assert amphora.api.put(upload, listener.configuration()).status == 200
    answer = amphora.api.get(f"{deployment.path}/model")
    assert answer.status == 404
    assert "uploaded" in answer.json["details"]
    assert deployment.put(headers={"If-Match": etag}).status == 409
    assert deployment.apply()["applied"] == "reload"
    assert "203.0.113.9" not in deployment.config("dns")
    assert deployment.stored() == deployment.json()


def test_deleting_a_listener_ends_the_model(amphora, deployment):
    deployment.apply()
    assert amphora.api.delete(f"/1.0/listeners/{deployment.listener_id('dns')}").status == 200
    assert deployment.stored() is None
    assert deployment.pid("sip")
    assert deployment.apply()["applied"] == "start"
    assert deployment.stored() == deployment.json()


def test_a_model_takes_over_what_a_controller_uploaded(amphora, deployment):
    """Controllers' configs name the load balancer in their first line."""
    mine, others = (LvsListener(amphora, ["127.0.0.1"], free_port(), []) for _ in range(2))
    for listener, lb_id in ((mine, deployment.id), (others, "another")):
        text = f"# Configuration for Loadbalancer {lb_id}\n" + listener.configuration()
        assert listener.upload(text).status == 200
        assert listener.act("reload").status == 202
    deployment.apply()
    assert mine.status() is None and not mine.pid
    assert others.status() is not None and others.pid


def test_deleting_the_load_balancer_leaves_nothing_of_it(amphora, deployment):
    other = LvsListener(amphora, ["127.0.0.1"], free_port(), []).serve()
    deployment.apply()
    for _ in range(2):
        assert amphora.api.delete(deployment.path).status == 200
    assert amphora.haproxy_pids() == []
    assert not [name for name in amphora.files() if deployment.id in name]
    assert other.pid


def test_a_controllers_deletion_of_the_haproxy_part_leaves_its_udp_listeners(amphora):
    balancer = LoadBalancer(amphora).serve()
    listener = LvsListener(amphora, ["127.0.0.1"], free_port(), [])
    assert listener.upload(f"# Configuration for Loadbalancer {balancer.id}\n" +
                           listener.configuration()).status == 200
    assert listener.act("reload").status == 202
    assert balancer.delete().status == 200
    assert amphora.haproxy_pids() == []
    assert listener.pid


# Dry run

def test_a_dry_run_shows_every_config_and_writes_nothing(amphora, deployment, keepalived):
    files = amphora.files()
    shown = deployment.put("?dry_run=true").json
    assert set(shown["keepalived-lvs"]) == {deployment.listener_id(name) for name in ("dns", "sip")}
    assert shown["keepalived-vrrp"] is None
    assert shown["would_apply"] == "start"
    assert amphora.files() == files
    assert keepalived.steps() == ["check", "check"]
    deployment.apply()
    for name in deployment.lvs:
        assert deployment.config(name) == shown["keepalived-lvs"][deployment.listener_id(name)]
    assert deployment.put("?dry_run=true").json["would_apply"] == "none"
    deployment.weight = 7
    shown = deployment.put("?dry_run=true").json
    assert shown["would_apply"] == "reload"
    assert len(shown["changes"]) == 2
    del deployment.lvs["sip"]
    deployment.weight = 1
    assert deployment.put("?dry_run=true").json["would_apply"] == "stop"
    assert deployment.pid("sip")


def test_a_dry_run_that_keepalived_refuses_says_why(deployment, keepalived):
    keepalived.fail("check")
    answer = deployment.put("?dry_run=true")
    assert answer.status == 500
    assert "missing '}'s" in answer.json["details"]


# Status

def test_the_status_tree_has_the_listeners_of_both_kinds(amphora, deployment, keepalived):
    deployment.lvs["off"] = ("SCTP", 99)
    model = deployment.json()
    model["listeners"][-1]["admin_state_up"] = False
    assert amphora.api.put(deployment.put_path, model).status == 200
    tree = deployment.status()
    assert [listener["name"] for listener in tree["listeners"]] == ["", "dns", "sip", "off"]
    assert [listener["operating_status"] for listener in tree["listeners"]] == [
        "ONLINE", "ONLINE", "ONLINE", "OFFLINE"]
    member = tree["listeners"][1]["pools"][0]["members"][0]
    assert (member["address"], member["protocol_port"]) == ("203.0.113.1", 53)
    assert member["operating_status"] == "NO_MONITOR"
    assert member["last_check"] is None
    keepalived.fail("start")
    processes.kill_each([deployment.pid("dns")])

    def in_error():
        """Between two attempts: while one is made it runs."""
        tree = deployment.status()
        return tree["listeners"][1]["operating_status"] == tree["operating_status"] == "ERROR"
    eventually(in_error, "what ought to run and does not is an error, and the whole with it")


def test_what_a_controller_uploaded_has_a_status_tree_too(amphora):
    """Of UDP listeners alone: the load balancer has no haproxy.cfg."""
    listener = LvsListener(amphora, ["127.0.0.1"], free_port(), [LvsMember("203.0.113.1", 53)])
    assert listener.upload("# Configuration for Loadbalancer lb-1\n" +
                           f"# Configuration for Listener {listener.id}\n" +
                           listener.configuration()).status == 200
    assert listener.act("reload").status == 202
    tree = amphora.api.get("/1.0/loadbalancer/lb-1/status").json["statuses"]["loadbalancer"]
    assert tree["operating_status"] == "ONLINE"
    assert tree["listeners"][0]["id"] == listener.id
    assert tree["listeners"][0]["pools"][0]["members"][0]["id"] == listener.members[0].id
    assert amphora.api.get("/1.0/loadbalancer/lb-2/status").status == 404


# allowed_cidrs

@pytest.fixture
def namespace(resources):
    return resources.enter_context(NetworkNamespace())


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_allowed_cidrs_of_a_udp_listener_are_rules_of_the_namespace(
        make_amphora, namespace, lb_id):
    amphora = make_amphora(network_namespace=namespace.name)
    FakeKeepalived(amphora)
    amphora.start()
    deployment = Deployment(amphora, lb_id)
    deployment.port = None

    def allow(*cidrs):
        model = deployment.json()
        model["listeners"][0]["allowed_cidrs"] = list(cidrs)
        answer = amphora.api.put(deployment.put_path, model)
        assert answer.status == 200, answer

    def rules():
        shown = namespace.run("nft", "list", "ruleset")
        return [line.strip() for line in shown.splitlines() if "dport" in line]

    allow("192.0.2.0/24")
    rule = "ip daddr 127.0.0.1 udp dport 53 ip saddr != 192.0.2.0/24 counter packets 0 bytes 0 drop"
    assert rules() == [rule]
    amphora.kill()
    namespace.run("nft", "flush", "ruleset")
    amphora.start()
    eventually(lambda: rules() == [rule], "the rules are in force again")
    allow("198.51.100.0/24")
    assert rules() == [rule.replace("192.0.2.0/24", "198.51.100.0/24")]
    # A controller's config in its place knows nothing of them.
    upload = f"/1.0/listeners/{amphora.id}/{deployment.listener_id('dns')}/udp_listener"
    text = LvsListener(amphora, ["127.0.0.1"], 53, []).configuration()
    assert amphora.api.put(upload, text).status == 200
    assert amphora.api.put(
        f"/1.0/loadbalancer/{deployment.listener_id('dns')}/reload").status == 202
    assert rules() == []
    allow("192.0.2.0/24")
    assert amphora.api.delete(deployment.path).status == 200
    assert namespace.run("nft", "list", "ruleset") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_what_was_interrupted_before_a_reboot_is_not_open_to_everybody_after_it(
        make_amphora, namespace, lb_id):
    """The next model had stopped the listener; it starts again before all others are restored."""
    amphora = make_amphora(network_namespace=namespace.name)
    FakeKeepalived(amphora)
    seen = amphora.directory / "rules"
    fake = amphora.drop_in.get("agent", "keepalived_cmd")
    amphora.drop_in.set("agent", "keepalived_cmd", amphora.write_script(
        "keepalived", f"""case "$*" in *--dont-fork*) nft list ruleset >{seen} ;; esac
exec {fake} "$@"
"""))
    amphora.start()
    deployment = Deployment(amphora, lb_id)
    deployment.port, deployment.lvs = None, {"dns": ("UDP", 53)}
    model = deployment.json()
    model["listeners"][0]["allowed_cidrs"] = ["192.0.2.0/24"]
    assert amphora.api.put(deployment.put_path, model).status == 200
    pid, listener = deployment.pid("dns"), deployment.listener_id("dns")
    log = amphora.base_path / deployment.id / "before"
    log.mkdir()
    (log / f"lvs-{listener}.conf").write_text(deployment.config("dns"))
    amphora.kill()
    assert pid > 1
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not processes.is_alive(pid), "the machine goes down")
    deployment.lvs_file("dns", "stopped").write_text("")
    (amphora.runtime_dir / "clients").unlink()
    namespace.run("nft", "flush", "ruleset")
    seen.unlink()
    amphora.start()
    eventually(lambda: deployment.pid("dns"), "it is served again")
    assert "192.0.2.0/24" in seen.read_text()
