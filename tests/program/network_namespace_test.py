# SPDX-License-Identifier: Apache-2.0
"""With a network namespace: HAProxy lives in it, the API and the heartbeats outside."""

import contextlib
import os
import pathlib

import pytest

from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.load_balancer import LoadBalancer
from harness.network_namespace import NetworkNamespace, inode_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

SERVE_AND_ASK = """
import http.client, http.server, json, sys, threading, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"inside")
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for _ in range(100):
    try:
        connection = http.client.HTTPConnection("10.99.0.10", int(sys.argv[1]), timeout=5)
        connection.request("GET", "/")
        answer = connection.getresponse()
        if answer.status == 200:
            break
    except OSError:
        pass
    time.sleep(0.05)
print(json.dumps(answer.read().decode()))
"""


class Member:
    address = "127.0.0.1"
    port = 8080


@pytest.fixture
def namespace(resources):
    namespace = resources.enter_context(NetworkNamespace())
    namespace.add_interface("eth1", "10.99.0.10/24")
    return namespace


@pytest.fixture
def manager(resources):
    return resources.enter_context(HealthManager("key"))


@pytest.fixture
def amphora(make_amphora, namespace, manager):
    amphora = make_amphora(network_namespace=namespace.name)
    amphora.config.set("health_manager", "heartbeat_key", "key")
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    return amphora.start()


@pytest.fixture
def balancer(amphora):
    balancer = LoadBalancer(amphora, [], check="")
    balancer.address = "10.99.0.10"
    balancer.members = [("inside", Member.address, Member.port, 1)]
    assert balancer.upload().status == 202
    answer = balancer.act("reload")
    assert answer.status == 202, answer
    return balancer


def namespaces_of(balancer):
    """Those that its processes live in. A worker of before a reload may end any moment."""
    found = {inode_of(balancer.master)}
    for pid in balancer.workers:
        with contextlib.suppress(OSError):
            found.add(inode_of(pid))
    return found


def test_haproxy_lives_and_balances_in_the_namespace(namespace, balancer):
    assert namespaces_of(balancer) == {namespace.inode()}
    answer = namespace.run_python(SERVE_AND_ASK, str(balancer.port), str(Member.port))
    assert answer == "inside"


def test_the_api_and_the_sender_live_outside(amphora, namespace, balancer, manager):
    outside = inode_of(os.getpid())
    assert inode_of(amphora.pid) == outside
    manager.next_beat(lambda beat: set(beat.listeners) == {balancer.listener_id},
                      "a heartbeat reports the listener inside")
    assert inode_of(amphora.heartbeat_pid()) == outside


def test_details_count_the_bytes_of_the_interfaces_inside(amphora, namespace):
    networks = amphora.api.get("/1.0/details").json["networks"]
    assert set(networks) == {"eth1", "eth1-peer"}
    for counters in networks.values():
        assert set(counters) == {"network_tx", "network_rx"}
        assert all(isinstance(number, int) for number in counters.values())


def test_a_reload_stays_in_the_namespace(namespace, balancer):
    balancer.listener_lines = ("timeout client 40s",)
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    assert namespaces_of(balancer) == {namespace.inode()}


def test_a_missing_namespace_is_made(bed, bed_amphora):
    amphora = bed_amphora.start()
    eventually(bed.inside.exists, "it is made, after the agent answers")
    balancer = LoadBalancer(amphora)
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    assert namespaces_of(balancer) == {bed.inside.inode()}


def test_a_namespace_that_cannot_be_made_is_a_500_that_names_it(bed, bed_amphora, resources):
    occupied = pathlib.Path("/run/netns", bed.inside.name)
    occupied.mkdir()
    resources.callback(occupied.rmdir)
    amphora = bed_amphora.start()
    balancer = LoadBalancer(amphora)
    upload = balancer.upload()
    answer = balancer.act("reload") if upload.status == 202 else upload
    assert answer.status == 500
    assert bed.inside.name in answer.json["details"]
    eventually(lambda: amphora.api.get("/1.0/details").status == 200, "details are answered")
