# SPDX-License-Identifier: Apache-2.0
"""The agent is killed at some instant of a change: what it finds again is the state before or after,
whole, and the same request brings it to its end."""

import http.client
import threading
import time

import pytest

from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.ports import free_port
from harness.web_server import EchoServer, Stream, WebServer, share

INSTANTS_MS = (0, 3, 8, 15, 30, 60, 120)


@pytest.fixture
def servers(resources):
    return [resources.enter_context(WebServer(name, f"127.0.0.{number}"))
            for number, name in enumerate(("one", "two"), 2)]


@pytest.fixture
def stream(amphora, resources):
    """A connection through a load balancer that nobody touches."""
    bystander = LoadBalancer(amphora, [resources.enter_context(EchoServer())], check="")
    assert bystander.upload().status == 202
    assert bystander.act("reload").status == 202
    return resources.enter_context(Stream(bystander.port))


def kill_during(amphora, instant_ms, method, path, body=None):
    """Kills the agent so long after a request was sent; returns the answer, None without one."""
    answers = []
    session = amphora.api.session()
    session.connection.connect()

    def request():
        try:
            answers.append(session.request(method, path, body))
        except (OSError, http.client.HTTPException):
            pass  # killed before it answered

    thread = threading.Thread(target=request)
    thread.start()
    time.sleep(instant_ms / 1000)
    amphora.kill()
    thread.join()
    session.close()
    amphora.start()
    return answers[0] if answers else None


def model(port, servers, weights):
    return {"vip_address": "127.0.0.1", "listeners": [{
        "protocol": "HTTP", "protocol_port": port, "default_pool": {
            "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "members": [
                {"address": server.address, "protocol_port": server.port, "weight": weight}
                for server, weight in zip(servers, weights)]}}]}


@pytest.mark.parametrize("change", ["weights", "port"])
def test_a_model_is_the_old_or_the_new_one_whole(amphora, lb_id, servers, stream, change):
    put_path = f"/1.0/loadbalancer/{amphora.id}/{lb_id}/model"
    path = f"/1.0/loadbalancer/{lb_id}"
    port, weights = free_port(), (1, 0)
    assert amphora.api.put(put_path, model(port, servers, weights)).status == 200
    master = amphora.haproxy_master(lb_id)
    for instant_ms in INSTANTS_MS:
        old = model(port, servers, weights)
        weights = weights[::-1]
        port = free_port() if change == "port" else port
        new = model(port, servers, weights)
        answer = kill_during(amphora, instant_ms, "PUT", put_path, new)
        found = amphora.api.get(f"{path}/model").json
        assert found in ([new] if answer else [old, new])
        rendered = amphora.api.put(f"{put_path}?dry_run=true", found).json["haproxy.cfg"]
        assert amphora.api.get(f"{path}/haproxy").text == rendered
        assert amphora.api.put(put_path, new).status == 200
        wanted = {server.identity for server, weight in zip(servers, weights) if weight}
        eventually(lambda: set(share(port, 4)) == wanted, "what runs is what is installed")
        assert amphora.haproxy_master(lb_id) == master
        assert stream.echoes("still here")


def test_a_deletion_is_finished_by_the_next_request(amphora, servers, stream):
    for instant_ms in INSTANTS_MS:
        balancer = LoadBalancer(amphora, servers).serve()
        path = f"/1.0/listeners/{balancer.id}"
        answer = kill_during(amphora, instant_ms, "DELETE", path)
        if not answer:
            assert amphora.api.delete(path).status == 200
        assert amphora.haproxy_pids(balancer.id) == []
        assert [name for name in amphora.files() if balancer.id in name] == []
        assert stream.echoes("still here")
