# SPDX-License-Identifier: Apache-2.0
"""GET /1.0/listeners."""

from harness import certificates, haproxy
from harness.load_balancer import LoadBalancer
from harness.ports import free_port
from harness.web_server import WebServer


def listed(amphora):
    answer = amphora.api.get("/1.0/listeners")
    assert answer.status == 200
    assert isinstance(answer.json, list)
    return {entry["uuid"]: entry for entry in answer.json}


def test_an_amphora_without_load_balancers_has_none(amphora):
    assert amphora.api.get("/1.0/listeners").json == []


def test_tcp_and_http_listeners_are_told_apart(amphora, resources):
    server = resources.enter_context(WebServer("one"))
    tcp = LoadBalancer(amphora, [server], mode="tcp").serve()
    http = LoadBalancer(amphora, [server], mode="http").serve()
    assert listed(amphora) == {
        tcp.listener_id: {"status": "ACTIVE", "uuid": tcp.listener_id, "type": "TCP"},
        http.listener_id: {"status": "ACTIVE", "uuid": http.listener_id, "type": "HTTP"},
    }


def test_every_listener_of_a_load_balancer_is_listed(amphora):
    balancer = LoadBalancer(amphora)
    more = [haproxy.frontend(f"listener-{number}", free_port(), mode="http")
            for number in range(3)]
    assert balancer.upload(balancer.configuration(*more)).status == 202
    assert set(listed(amphora)) == {balancer.listener_id, "listener-0", "listener-1", "listener-2"}


def test_a_listener_that_terminates_tls_is_terminated_https(amphora):
    balancer = LoadBalancer(amphora, mode="http")
    site = certificates.foreign_authority().issue("www.example.com")
    folder = amphora.base_path / "certs" / balancer.id
    amphora.api.put(f"{balancer.path}/certificates/site.pem", site.pem)
    amphora.api.put(f"{balancer.path}/certificates/list.pem", f"{folder}/site.pem\n")
    balancer.bind_options = f"ssl crt-list {folder}/list.pem"
    answer = balancer.upload()
    assert answer.status == 202, answer
    assert listed(amphora)[balancer.listener_id]["type"] == "TERMINATED_HTTPS"


def test_the_internal_prometheus_frontend_is_left_out(amphora):
    balancer = LoadBalancer(amphora)
    internal = haproxy.frontend("prometheus-exporter-internal-endpoint", free_port(), mode="http")
    assert balancer.upload(balancer.configuration(internal)).status == 202
    assert set(listed(amphora)) == {balancer.listener_id}


def test_a_deleted_load_balancers_listeners_are_gone(amphora):
    balancer = LoadBalancer(amphora)
    assert balancer.upload().status == 202
    assert listed(amphora)
    assert balancer.delete().status == 200
    assert listed(amphora) == {}
