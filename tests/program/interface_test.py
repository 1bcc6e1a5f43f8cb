# SPDX-License-Identifier: Apache-2.0
"""GET interface/IP, PUT interface/IP/rules, and what neighbours are told after a start or reload."""

import os
import select
import stat
import subprocess
import sys

import pytest

from harness.fake_keepalived import FakeKeepalived
from harness.load_balancer import LoadBalancer
from harness.lvs_listener import LvsListener
from harness.network_namespace import NetworkNamespace

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

VIP = "10.99.0.10"
VIP6 = "2001:db8:99::10"
# What a controller of release 16 was seen to send.
RULES = [
    {"protocol": "TCP", "cidr": "198.51.100.253/32", "port": 80},
    {"protocol": "TCP", "cidr": "203.0.113.0/24", "port": 80},
    {"protocol": "vrrp", "cidr": "198.51.100.19/32", "port": 112},
]

# Prints a line when it listens, then one for each ARP frame that says who has an address.
LISTEN = """
import socket, sys
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
frames.bind((sys.argv[1], 0x0806))
print("listening", flush=True)
while True:
    frame = frames.recv(256)
    if frame[28:32] == frame[38:42]:
        print(socket.inet_ntoa(frame[28:32]), flush=True)
"""


@pytest.fixture
def namespace(resources):
    namespace = resources.enter_context(NetworkNamespace())
    namespace.add_interface("eth1", f"{VIP}/24")
    namespace.ip("address", "add", f"{VIP6}/64", "dev", "eth1", "nodad")
    return namespace


@pytest.fixture
def amphora(make_amphora, namespace):
    return make_amphora(network_namespace=namespace.name).start()


@pytest.fixture
def neighbour(namespace):
    """What is heard at the other end of eth1: a function that waits for the next address."""
    command = ["ip", "netns", "exec", namespace.name, sys.executable, "-c", LISTEN, "eth1-peer"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as listener:
        def next_line(timeout_s):
            ready, _, _ = select.select([listener.stdout], [], [], timeout_s)
            return listener.stdout.readline().decode().strip() if ready else None
        assert next_line(30) == "listening"
        yield next_line
        listener.kill()


def ruleset(namespace):
    return namespace.run_python(
        "import json, subprocess\n"
        "print(json.dumps(subprocess.check_output(['nft', 'list', 'ruleset'], text=True)))")


def put_rules(amphora, rules, address=VIP):
    return amphora.api.put(f"/1.0/interface/{address}/rules", rules)


@pytest.mark.parametrize("address", [VIP, VIP6, "2001:0DB8:99:0000:0:0:0:10"])
def test_the_interface_of_an_address_is_found_inside(amphora, address):
    answer = amphora.api.get(f"/1.0/interface/{address}")
    assert answer.status == 200
    assert answer.json == {"message": "OK", "interface": "eth1"}


def test_an_address_counts_while_it_is_there(amphora, namespace):
    namespace.ip("address", "del", f"{VIP}/24", "dev", "eth1")
    answer = amphora.api.get(f"/1.0/interface/{VIP}")
    assert answer.status == 404
    assert answer.json == {"message": "Error interface not found for IP address"}


@pytest.mark.parametrize("address", ["10.99.0", "eth1", "10.99.0.10%2f24", "::g"])
def test_what_is_no_address_is_a_400(amphora, address):
    answer = amphora.api.get(f"/1.0/interface/{address}")
    assert answer.status == 400
    assert answer.json == {"message": "Invalid IP address"}
    assert put_rules(amphora, [], address).json == {"message": "Invalid IP address"}


def test_in_a_namespace_where_nothing_is_plugged_nothing_is_found(bed_amphora):
    amphora = bed_amphora.start()
    assert amphora.api.get(f"/1.0/interface/{VIP}").status == 404
    assert put_rules(amphora, RULES).status == 404


def test_rules_are_in_force_and_stored_when_they_are_answered(amphora, namespace):
    answer = put_rules(amphora, RULES)
    assert answer.status == 200
    assert answer.json == {"message": "OK"}
    rules = ruleset(namespace)
    assert "policy drop" in rules
    assert "ip saddr { 198.51.100.253, 203.0.113.0/24 } tcp dport 80 accept" in rules
    assert "meta l4proto vrrp" in rules
    stored = amphora.base_path / "nftables-vip.rules"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600


def test_an_empty_list_takes_all_rules_away(amphora, namespace):
    assert put_rules(amphora, RULES).status == 200
    assert put_rules(amphora, []).status == 200
    rules = ruleset(namespace)
    assert "policy drop" in rules
    assert "dport 80" not in rules


@pytest.mark.parametrize("rules, why", [
    ([{**RULES[0], "port": 0}], "rule 1: port: must be a whole number from 1 to 65535"),
    ([RULES[0], {**RULES[0], "cidr": "somewhere"}], "rule 2: cidr:"),
    ([{**RULES[0], "action": "drop"}], "rule 1: has a key"),
    ({"rules": RULES}, "must be a list"),
])
def test_a_list_that_does_not_fit_changes_nothing(amphora, namespace, rules, why):
    assert put_rules(amphora, RULES).status == 200
    before = ruleset(namespace)
    answer = put_rules(amphora, rules)
    assert answer.status == 400
    assert answer.json["message"] == "Invalid rules information"
    assert why in answer.json["details"]
    assert ruleset(namespace) == before


def test_rules_for_an_address_that_is_nowhere_are_a_404(amphora, namespace):
    answer = put_rules(amphora, RULES, "10.99.0.11")
    assert answer.status == 404
    assert answer.json == {"message": "Error interface not found for IP address"}
    assert ruleset(namespace) == ""


def serve(amphora):
    balancer = LoadBalancer(amphora, [], check="")
    balancer.address = VIP
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    return balancer


def test_neighbours_are_told_of_the_vip_after_a_start_and_a_reload(amphora, neighbour):
    balancer = serve(amphora)
    assert neighbour(30) == VIP
    balancer.listener_lines = ("timeout client 40s",)
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    assert neighbour(30) == VIP
    assert balancer.act("stop").status == 202
    assert neighbour(1) is None
    assert balancer.act("start").status == 202
    assert neighbour(30) == VIP


def test_neighbours_are_told_of_the_vip_of_a_model(amphora, lb_id, neighbour):
    model = {"vip_address": VIP,
             "listeners": [{"protocol": "TCP", "protocol_port": 8080,
                            "default_pool": {"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
                                             "members": []}}]}
    path = f"/1.0/loadbalancer/{amphora.id}/{lb_id}/model"
    assert amphora.api.put(f"{path}?dry_run=true", model).status == 200
    assert neighbour(1) is None
    assert amphora.api.put(path, model).status == 200
    assert neighbour(30) == VIP


def test_neighbours_are_told_of_the_vip_of_a_udp_listener(
        make_amphora, namespace, neighbour):
    amphora = make_amphora(network_namespace=namespace.name)
    FakeKeepalived(amphora)
    amphora.start()
    listener = LvsListener(amphora, [VIP, VIP6], 53).serve()
    assert neighbour(30) == VIP
    assert listener.act("reload").status == 202
    assert neighbour(30) == VIP
    assert listener.act("stop").status == 202
    assert neighbour(1) is None
    assert listener.act("start").status == 202
    assert neighbour(30) == VIP


def test_in_a_pair_that_is_keepaliveds_business(make_amphora, namespace, neighbour):
    amphora = make_amphora(network_namespace=namespace.name)
    amphora.config.set("controller_worker", "loadbalancer_topology", "ACTIVE_STANDBY")
    amphora.start()
    serve(amphora)
    assert neighbour(1) is None
