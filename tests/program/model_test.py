# SPDX-License-Identifier: Apache-2.0
"""A load balancer as data: PUT, dry run, GET, DELETE of a model, and what it leads to."""

import concurrent.futures
import hashlib
import json
import socket
import shutil

import pytest

from harness import haproxy
from harness.amphora import ROOT
from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.ports import free_port
from harness.web_server import WebServer, share, who_answers


class Model:
    """One load balancer as a model: one listener, one pool, members that are servers."""

    def __init__(self, amphora, lb_id, servers, protocol="TCP", monitor=None):
        self.amphora = amphora
        self.id = lb_id
        self.port = free_port()
        self.monitor = monitor or {"type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1,
                                   "max_retries_down": 1}
        self.protocol = protocol
        self.members = [{"address": server.address, "protocol_port": server.port}
                        for server in servers]

    def json(self):
        return {"vip_address": "127.0.0.1", "listeners": [self.listener()]}

    def listener(self):
        return {
            "protocol": self.protocol, "protocol_port": self.port,
            "default_pool": {"protocol": self.protocol, "lb_algorithm": "ROUND_ROBIN",
                             "members": self.members, "healthmonitor": self.monitor}}

    @property
    def put_path(self):
        return f"/1.0/loadbalancer/{self.amphora.id}/{self.id}/model"

    @property
    def path(self):
        return f"/1.0/loadbalancer/{self.id}"

    def put(self, model=None, **options):
        return self.amphora.api.put(self.put_path, model or self.json(), **options)

    def serve(self):
        answer = self.put()
        assert answer.status == 200, answer
        eventually(lambda: who_answers(self.port), "a member answers")
        return self

    def status(self):
        answer = self.amphora.api.get(f"{self.path}/status")
        assert answer.status == 200, answer
        assert set(answer.json) == {"statuses"}
        return answer.json["statuses"]["loadbalancer"]

    def pool_status(self):
        return self.status()["listeners"][0]["pools"][0]

    def member(self, server):
        return next(member for member in self.pool_status()["members"]
                    if member["protocol_port"] == server.port)


@pytest.fixture
def servers(resources):
    return [resources.enter_context(WebServer(name, f"127.0.0.{number}"))
            for number, name in enumerate(("one", "two", "three"), 2)]


@pytest.fixture
def model(amphora, lb_id, servers):
    return Model(amphora, lb_id, servers[:2])


SMALLEST = {
    "vip_address": "127.0.0.1",
    "listeners": [{
        "protocol": "TCP", "protocol_port": 0,
        "default_pool": {
            "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
            "members": [],
            "healthmonitor": {"type": "TCP", "delay": "1m", "timeout": "30s", "max_retries": 3}}}]}


# From model to traffic

def test_the_smallest_model_balances_real_traffic_round_robin(amphora, lb_id, servers):
    model = Model(amphora, lb_id, servers)
    smallest = json.loads(json.dumps(SMALLEST))
    smallest["listeners"][0]["protocol_port"] = model.port
    smallest["listeners"][0]["default_pool"]["members"] = model.members
    answer = model.put(smallest)
    assert answer.status == 200
    assert answer.json["message"] == "OK"
    assert answer.json["applied"] == "start"
    assert isinstance(answer.json["changes"], list)
    assert answer.etag
    assert share(model.port, 30) == {"one": 10, "two": 10, "three": 10}


def test_a_model_may_be_wrapped_as_octavias_api_wraps_it(model):
    assert model.put({"loadbalancer": model.json()}).status == 200
    assert who_answers(model.port)


def test_weights_share_the_traffic(model):
    model.members[0]["weight"] = 3
    model.serve()
    share(model.port, 4)
    assert share(model.port, 40) == {"one": 30, "two": 10}


def test_a_member_of_weight_0_gets_nothing(model):
    model.members[0]["weight"] = 0
    model.serve()
    assert set(share(model.port, 10)) == {"two"}


def test_a_disabled_member_gets_nothing(model):
    model.members[0]["admin_state_up"] = False
    model.serve()
    assert set(share(model.port, 10)) == {"two"}


def test_a_vip_and_members_may_be_ipv6(amphora, lb_id, resources):
    server = resources.enter_context(WebServer("six", "::1"))
    model = Model(amphora, lb_id, [server])
    answer = model.put({**model.json(), "vip_address": "::1"})
    assert answer.status == 200, answer
    assert who_answers(model.port, "::1") == "six"
    eventually(lambda: model.member(server)["operating_status"] == "ONLINE", "it is checked")


def test_an_http_listener_with_an_http_monitor_asks_for_the_path(amphora, lb_id, servers):
    monitor = {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 1,
               "url_path": "/healthz", "expected_codes": "200-204"}
    model = Model(amphora, lb_id, servers[:2], "HTTP", monitor).serve()
    eventually(lambda: all(server.checks for server in servers[:2]), "the monitor asks /healthz")
    eventually(lambda: share(model.port, 10) == {"one": 5, "two": 5}, "both answer in time")
    servers[0].health_status = 204
    servers[1].health_status = 500
    eventually(lambda: model.member(servers[1])["operating_status"] == "ERROR",
               "the member that answers 500 is down")
    eventually(lambda: model.member(servers[0])["operating_status"] == "ONLINE", "204 is as good")
    assert set(share(model.port, 6)) == {"one"}


# Applied: none, runtime, reload, start

def test_the_same_model_again_applies_nothing(amphora, model):
    model.serve()
    pids = amphora.haproxy_pids(model.id)
    answer = model.put()
    assert answer.status == 200
    assert answer.json["applied"] == "none"
    assert answer.json["changes"] == []
    assert amphora.haproxy_pids(model.id) == pids


def test_a_changed_weight_needs_no_reload(amphora, model):
    model.serve()
    pids = amphora.haproxy_pids(model.id)
    model.members[1]["weight"] = 0
    answer = model.put()
    assert answer.status == 200
    assert answer.json["applied"] == "runtime"
    assert answer.json["changes"]
    assert amphora.haproxy_pids(model.id) == pids
    assert set(share(model.port, 10)) == {"one"}
    assert "weight 0" in amphora.config_path(model.id).read_text()


def test_a_disabled_member_needs_no_reload(amphora, model):
    model.serve()
    pids = amphora.haproxy_pids(model.id)
    model.members[0]["admin_state_up"] = False
    assert model.put().json["applied"] == "runtime"
    assert set(share(model.port, 10)) == {"two"}
    model.members[0]["admin_state_up"] = True
    assert model.put().json["applied"] == "runtime"
    assert set(share(model.port, 10)) == {"one", "two"}
    assert amphora.haproxy_pids(model.id) == pids


def test_members_come_and_go_and_traffic_follows(model, servers):
    model.serve()
    model.members.append({"address": servers[2].address, "protocol_port": servers[2].port})
    answer = model.put()
    assert answer.status == 200 and answer.json["applied"] in ("runtime", "reload")
    eventually(lambda: set(share(model.port, 9)) == {"one", "two", "three"}, "three members serve")
    del model.members[0]
    answer = model.put()
    assert answer.status == 200 and answer.json["applied"] in ("runtime", "reload")
    eventually(lambda: set(share(model.port, 8)) == {"two", "three"}, "the first one is gone")


def test_another_port_needs_a_reload(amphora, model):
    model.serve()
    master, old_port = amphora.haproxy_master(model.id), model.port
    model.port = free_port()
    answer = model.put()
    assert answer.json["applied"] == "reload"
    assert who_answers(model.port)
    assert who_answers(old_port) is None
    assert amphora.haproxy_master(model.id) == master


def test_what_the_runtime_changed_survives_a_restart_of_haproxy(amphora, model):
    model.serve()
    model.members[0]["weight"] = 0
    assert model.put().json["applied"] == "runtime"
    assert amphora.api.put(f"{model.path}/stop").status == 202
    assert amphora.api.put(f"{model.path}/start").status == 202
    eventually(lambda: who_answers(model.port), "it serves again")
    assert set(share(model.port, 6)) == {"two"}


def test_a_failing_apply_is_500_and_says_why(amphora, model, servers):
    model.serve()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        old_port, model.port = model.port, squatter.getsockname()[1]
        answer = model.put()
        assert answer.status == 500
        assert str(model.port) in answer.json["details"]
        assert who_answers(old_port)


def test_a_first_model_that_cannot_be_applied_leaves_nothing_that_runs(amphora, model):
    model.port = amphora.port
    answer = model.put()
    assert answer.status == 500
    assert amphora.api.get(f"{model.path}/haproxy").status == 404
    assert amphora.haproxy_pids() == []
    assert [path for path in amphora.files() if "sock" in path or "model-" in path] == []
    assert [path for path in amphora.files() if path.startswith(f"run/{model.id}")] == []


# Stored

def test_a_stored_model_is_read_back_with_its_etag(amphora, model):
    put = model.put()
    answer = amphora.api.get(f"{model.path}/model")
    assert answer.status == 200
    assert answer.etag == put.etag
    stored = answer.json.get("loadbalancer", answer.json)
    assert stored["listeners"][0]["protocol_port"] == model.port
    addresses = [(member["address"], member["protocol_port"])
                 for member in stored["listeners"][0]["default_pool"]["members"]]
    assert addresses == [(member["address"], member["protocol_port"]) for member in model.members]


def test_what_is_read_back_can_be_put_again_and_changes_nothing(amphora, model):
    model.serve()
    stored = amphora.api.get(f"{model.path}/model").json
    answer = model.put(stored)
    assert answer.status == 200, answer
    assert answer.json["applied"] == "none"


def test_a_model_survives_a_crash_of_the_agent(amphora, model):
    etag = model.put().etag
    amphora.kill()
    amphora.start()
    answer = amphora.api.get(f"{model.path}/model")
    assert (answer.status, answer.etag) == (200, etag)
    assert model.put().json["applied"] == "none"


def test_an_unknown_model_is_404(amphora, lb_id):
    for resource in ("model", "status"):
        answer = amphora.api.get(f"/1.0/loadbalancer/{lb_id}/{resource}")
        assert answer.status == 404
        assert answer.json["message"]


@pytest.mark.parametrize("edit", [("weight 1", "weight 77"), ("", "")], ids=["edited", "as it was"])
def test_uploading_the_rendered_config_ends_the_model(amphora, model, edit):
    etag = model.put().etag
    rendered = amphora.api.get(f"{model.path}/haproxy").text
    upload = f"/1.0/loadbalancer/{amphora.id}/{model.id}/haproxy"
    assert amphora.api.put(upload, rendered.replace(*edit)).status == 202
    answer = amphora.api.get(f"{model.path}/model")
    assert answer.status == 404
    assert "uploaded" in answer.json["details"]
    assert model.put(headers={"If-Match": etag}).status == 409
    assert [path for path in amphora.files() if "model-" in path] == []
    assert model.put().status == 200
    assert amphora.api.get(f"{model.path}/model").etag == etag


@pytest.mark.parametrize("quote", ["", '"'])
def test_if_match_refuses_a_lost_update(amphora, model, quote):
    first = model.put().etag
    model.members[0]["weight"] = 7
    second = model.put(headers={"If-Match": quote + first + quote})
    assert second.status == 200
    model.members[0]["weight"] = 9
    answer = model.put(headers={"If-Match": quote + first + quote})
    assert answer.status == 409
    assert "weight 7" in amphora.config_path(model.id).read_text()


def test_of_two_updates_at_once_that_start_from_the_same_model_one_is_refused(amphora, model):
    etag = model.put().etag

    def update(weight):
        changed = model.json()
        changed["listeners"][0]["default_pool"]["members"] = [
            {**member, "weight": weight} for member in model.members]
        return model.put(changed, headers={"If-Match": etag}).status
    with concurrent.futures.ThreadPoolExecutor() as pool:
        assert sorted(pool.map(update, (11, 12, 13, 14))) == [200, 409, 409, 409]


def test_if_match_refuses_what_is_not_there(model):
    answer = model.put(headers={"If-Match": "0" * 32})
    assert answer.status == 409
    assert model.amphora.api.get(f"{model.path}/model").status == 404


def test_the_rendered_config_can_be_read_like_an_uploaded_one(amphora, model):
    model.serve()
    answer = amphora.api.get(f"{model.path}/haproxy")
    assert answer.status == 200
    assert answer.etag == hashlib.md5(answer.body).hexdigest()
    assert f":{model.port}" in answer.text
    assert len(amphora.api.get("/1.0/listeners").json) == 1


# Dry run

def test_a_dry_run_shows_everything_and_writes_nothing(amphora, model):
    before = amphora.files()
    answer = model.amphora.api.put(f"{model.put_path}?dry_run=true", model.json())
    assert answer.status == 200
    shown = answer.json
    assert set(shown) >= {"haproxy.cfg", "keepalived-lvs", "keepalived-vrrp", "check",
                          "would_apply"}
    assert f":{model.port}" in shown["haproxy.cfg"]
    assert shown["would_apply"] == "start"
    assert amphora.files() == before
    assert amphora.haproxy_pids() == []
    assert model.put().status == 200
    assert amphora.config_path(model.id).read_text() == shown["haproxy.cfg"]


def test_a_dry_run_shows_a_template_of_the_operators_in_another_encoding(make_amphora):
    amphora = make_amphora()
    templates = amphora.directory / "templates"
    shutil.copytree(ROOT / "templates", templates)
    template = templates / "haproxy.cfg.mustache"
    template.write_bytes("# für uns\n".encode("latin-1") + template.read_bytes())
    amphora.config.set("agent", "template_dir", templates)
    amphora.start()
    model = Model(amphora, "lb", [])
    answer = amphora.api.put(f"{model.put_path}?dry_run=true", model.json())
    assert answer.status == 200
    assert "# f?r uns\n" in answer.json["haproxy.cfg"]


def test_a_dry_run_says_how_a_change_would_be_applied(amphora, model):
    model.serve()
    config = amphora.config_path(model.id).read_text()
    dry = f"{model.put_path}?dry_run=true"
    assert amphora.api.put(dry, model.json()).json["would_apply"] == "none"
    model.members[0]["weight"] = 0
    assert amphora.api.put(dry, model.json()).json["would_apply"] == "runtime"
    model.port = free_port()
    assert amphora.api.put(dry, model.json()).json["would_apply"] == "reload"
    assert amphora.config_path(model.id).read_text() == config


@pytest.mark.parametrize("query", ["dry_run=1", "dry_run", "dryrun=true", "dry_run=true&x=1",
                                   "dry%5frun=true"])
def test_a_misspelt_dry_run_is_refused_and_applies_nothing(amphora, model, query):
    answer = amphora.api.put(f"{model.put_path}?{query}", model.json())
    assert answer.status == 400
    assert "dry_run" in answer.json["details"]
    assert amphora.api.get(f"{model.path}/model").status == 404


# Faults

def broken(path, value):
    """The smallest model with one value, named by a JSON pointer, replaced or added."""
    model = json.loads(json.dumps(SMALLEST))
    model["listeners"][0]["protocol_port"] = 8080
    model["listeners"][0]["default_pool"]["members"] = [
        {"address": "127.0.0.2", "protocol_port": 80},
        {"address": "127.0.0.3", "protocol_port": 80}]
    *parents, last = path.split("/")[1:]
    place = model
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    place[last] = value
    return model


POOL = "/listeners/0/default_pool"


@pytest.mark.parametrize("path, value", [
    ("/vip_address", "10.0.0"),
    ("/vip_address", 7),
    ("/listeners", {}),
    ("/listeners/0/protocol", "GOPHER"),
    ("/listeners/0/protocol_port", 0),
    ("/listeners/0/protocol_port", 65536),
    ("/listeners/0/protocol_port", "80"),
    ("/listeners/0/protcol_port", 80),
    (f"{POOL}/lb_algorithm", "FASTEST"),
    (f"{POOL}/lb_algorithm", "SOURCE_IP_PORT"),
    (f"{POOL}/members/1/address", "example.com"),
    (f"{POOL}/members/1/protocol_port", -1),
    (f"{POOL}/members/0/weight", 257),
    (f"{POOL}/members/0/weight", 1.5),
    (f"{POOL}/members/0/id", "../../etc"),
    (f"{POOL}/healthmonitor/timeout", 0),
    (f"{POOL}/healthmonitor/delay", "soon"),
    (f"{POOL}/healthmonitor/max_retries", 11),
    (f"{POOL}/healthmonitor/max_retries_down", 0),
    (f"{POOL}/healthmonitor/type", "VIBES"),
    (f"{POOL}/unknown", 1),
])
def test_a_fault_is_named_by_its_json_pointer(model, path, value):
    answer = model.put(broken(path, value))
    assert answer.status == 400
    assert answer.json["message"] == "Invalid load balancer"
    assert [fault["path"] for fault in answer.json["details"]] == [path]
    assert all(isinstance(fault["error"], str) and fault["error"]
               for fault in answer.json["details"])
    assert model.amphora.api.get(f"{model.path}/model").status == 404


def test_every_fault_is_named_at_once(model):
    bad = broken("/vip_address", "nowhere")
    bad["listeners"][0]["protocol"] = "GOPHER"
    bad["listeners"][0]["default_pool"]["members"][0]["weight"] = -3
    bad["listeners"][0]["default_pool"]["healthmonitor"]["max_retries"] = "often"
    answer = model.put(bad)
    assert answer.status == 400
    assert {fault["path"] for fault in answer.json["details"]} == {
        "/vip_address", "/listeners/0/protocol", f"{POOL}/members/0/weight",
        f"{POOL}/healthmonitor/max_retries"}


@pytest.mark.parametrize("body", [
    "", "{", "[]", "7", '"text"', "{\"listeners\": [}", "\0", "nul", "{} {}",
    '{"vip_address": "127.0.0.1", "vip_address": "127.0.0.2"}'])
def test_what_is_no_json_object_is_400(amphora, model, body):
    answer = amphora.api.put(model.put_path, body or b"")
    assert answer.status == 400


def test_json_that_is_nested_without_end_is_400(amphora, model):
    for depth in (3000, 200000):
        answer = amphora.api.put(model.put_path, "[" * depth)
        assert answer.status == 400
        answer = amphora.api.put(model.put_path, '{"listeners":' * depth)
        assert answer.status == 400
    assert amphora.api.get("/").status == 200


@pytest.mark.parametrize("text", ["/a b", "/a\nserver evil 127.0.0.1:1", "/a#b", "/a\\b", "/a\"b",
                                  "/%[env(PATH)]", "/a\u0000b", "/a'b", "/a\tb"])
def test_no_value_breaks_out_of_its_place(amphora, lb_id, servers, text):
    monitor = {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "url_path": text}
    model = Model(amphora, lb_id, servers[:1], "HTTP", monitor)
    answer = model.put()
    assert answer.status in (200, 400), answer
    if answer.status == 400:
        fault, = answer.json["details"]
        # JSON itself may stop at a NUL: then the fault is the whole document's.
        assert fault["path"] == f"{POOL}/healthmonitor/url_path" or "\0" in text
    else:
        rows = haproxy.statistics(amphora.stats_socket(lb_id))
        assert len([server for _, server in rows if server not in ("FRONTEND", "BACKEND")]) == 1


# Statuses

def test_the_status_tree_is_octavias(model, servers):
    model.serve()
    tree = model.status()
    assert tree["id"] == model.id
    assert tree["operating_status"] == "ONLINE"
    assert "provisioning_status" not in json.dumps(tree)
    listener, = tree["listeners"]
    assert listener["operating_status"] == "ONLINE" and listener["id"]
    pool, = listener["pools"]
    assert pool["operating_status"] == "ONLINE" and pool["id"]
    assert pool["health_monitor"]["type"] == "TCP"
    assert {(member["address"], member["protocol_port"]) for member in pool["members"]} == {
        (server.address, server.port) for server in servers[:2]}
    assert all(member["id"] for member in pool["members"])


def test_a_member_goes_down_and_up_in_the_status_tree(model, servers):
    model.serve()
    eventually(lambda: model.member(servers[0])["operating_status"] == "ONLINE", "it is ONLINE")
    servers[0].stop()
    eventually(lambda: model.member(servers[0])["operating_status"] == "ERROR", "it is down")
    assert model.member(servers[1])["operating_status"] == "ONLINE"
    assert model.pool_status()["operating_status"] == "DEGRADED"
    assert set(share(model.port, 6)) == {"two"}
    servers[1].stop()
    eventually(lambda: model.pool_status()["operating_status"] == "ERROR", "the pool is down")
    assert model.status()["operating_status"] == "ERROR"
    for server in servers[:2]:
        server.start()
    eventually(lambda: model.status()["operating_status"] == "ONLINE", "all is well again")
    assert set(share(model.port, 6)) == {"one", "two"}


def test_a_draining_and_a_disabled_member_show_as_octavia_shows_them(model, servers):
    model.members[0]["weight"] = 0
    model.members[1]["admin_state_up"] = False
    assert model.put().status == 200
    eventually(lambda: model.member(servers[0])["operating_status"] == "DRAINING", "it drains")
    assert model.member(servers[1])["operating_status"] == "OFFLINE"


def test_a_member_without_a_monitor_is_no_monitor(model, servers):
    described = model.json()
    del described["listeners"][0]["default_pool"]["healthmonitor"]
    assert model.put(described).status == 200
    eventually(lambda: model.member(servers[0])["operating_status"] == "NO_MONITOR",
               "it has no monitor")


# Model and upload are two ways to say the same load balancer

def test_after_an_upload_the_model_is_404_with_details_that_say_so(amphora, model, servers):
    model.serve()
    config = amphora.api.get(f"{model.path}/haproxy").text
    uploaded = LoadBalancer(amphora, servers[:1])
    uploaded.id = model.id
    assert uploaded.upload().status == 202
    answer = amphora.api.get(f"{model.path}/model")
    assert answer.status == 404
    assert "upload" in answer.json["details"].lower()
    assert amphora.config_path(model.id).read_text() != config


def test_a_model_after_an_upload_takes_over(amphora, model, servers):
    uploaded = LoadBalancer(amphora, servers[2:])
    uploaded.id = model.id
    uploaded.serve()
    master = uploaded.master
    answer = model.put()
    assert answer.status == 200
    assert answer.json["applied"] == "reload"
    assert set(share(model.port, 6)) == {"one", "two"}
    assert uploaded.who_answers() is None
    assert amphora.haproxy_master(model.id) == master
    assert amphora.api.get(f"{model.path}/model").status == 200


def test_a_rejected_upload_leaves_the_model_in_force(amphora, model):
    etag = model.serve().put().etag
    assert amphora.api.put(f"/1.0/loadbalancer/{amphora.id}/{model.id}/haproxy",
                           "nonsense\n").status == 400
    assert amphora.api.get(f"{model.path}/model").etag == etag


@pytest.mark.parametrize("path", ["/1.0/loadbalancer/{}", "/1.0/listeners/{}"])
def test_a_delete_leaves_nothing_of_a_model(amphora, model, path):
    before = amphora.files()
    model.serve()
    pids = amphora.haproxy_pids(model.id)
    answer = amphora.api.delete(path.format(model.id))
    assert answer.status == 200
    assert answer.json == {"message": "OK"}
    assert [pid for pid in pids if pid in amphora.processes()] == []
    assert amphora.files() == before
    assert amphora.api.get(f"{model.path}/model").status == 404
    assert amphora.api.delete(path.format(model.id)).status == 200
    assert amphora.api.get("/").status == 200


# Ids

def test_a_derived_id_does_not_depend_on_the_position(amphora, model, servers):
    model.serve()
    before = {member["protocol_port"]: member["id"] for member in model.pool_status()["members"]}
    model.members.insert(0, {"address": servers[2].address, "protocol_port": servers[2].port})
    assert model.put().status == 200
    after = {member["protocol_port"]: member["id"] for member in model.pool_status()["members"]}
    assert {port: after[port] for port in before} == before


def test_ids_of_the_model_are_the_names_in_haproxy(amphora, model):
    described = model.json()
    described["listeners"][0]["id"] = "listener-1"
    described["listeners"][0]["default_pool"]["id"] = "pool-1"
    described["listeners"][0]["default_pool"]["members"][0]["id"] = "member-1"
    assert model.put(described).status == 200
    rows = haproxy.statistics(amphora.stats_socket(model.id))
    assert ("listener-1", "FRONTEND") in rows
    assert ("pool-1:listener-1", "member-1") in rows
