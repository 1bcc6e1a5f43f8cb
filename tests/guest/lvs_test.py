# SPDX-License-Identifier: Apache-2.0
"""UDP and SCTP listeners that really serve: keepalived, the kernel's IPVS, traffic, heartbeats.

Runs in a guest whose kernel has IPVS: make test-guest. A client and the members live in namespaces
of their own on either side of the amphora's, which is the members' way back.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from harness import prometheus
from harness.amphora import BUILD
from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.load_balancer import LoadBalancer
from harness.lvs_listener import LvsListener, LvsMember
from harness.network_namespace import NetworkNamespace

pytestmark = pytest.mark.skipif(
    not pathlib.Path("/run/in-guest").exists(), reason="runs in the guest: make test-guest")

KEY = "heartbeat-key"
VIP, VIP6 = "10.0.1.10", "fd00:1::10"
UDP_PORT, SCTP_PORT, CHECK_PORT = 5300, 2905, 8080
MEMBERS, MEMBERS6 = ["10.0.2.11", "10.0.2.12"], ["fd00:2::11"]
TCP_CHECK = f"""        TCP_CHECK {{
            connect_port {CHECK_PORT}
            connect_timeout 1
        }}
"""

# Answers every datagram, and every SCTP message, with the address that it came to.
SERVE = """
import socket, sys, threading
address, kind, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
name = address.encode()
if kind == "udp":
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((address, port))
    print("serving", flush=True)
    while True:
        data, peer = server.recvfrom(65536)
        server.sendto(name, peer)
protocol = socket.IPPROTO_SCTP if kind == "sctp" else socket.IPPROTO_TCP
server = socket.socket(family, socket.SOCK_STREAM, protocol)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((address, port))
server.listen()
print("serving", flush=True)
while True:
    connection, _ = server.accept()
    if kind == "sctp" and connection.recv(65536):
        connection.sendall(name)
    connection.close()
"""

# Asks count times, each from a socket of its own; prints who answered.
ASK = """
import json, socket, sys
address, kind, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
answers = []
for _ in range(count):
    if kind == "udp":
        client = socket.socket(family, socket.SOCK_DGRAM)
    else:
        client = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
    with client:
        client.settimeout(5)
        client.connect((address, port))
        client.send(b"x" * 100)
        answers.append(client.recv(65536).decode())
print(json.dumps(answers))
"""

# One UDP flow: asks whenever a line comes in, always from the same port, and prints who answered.
FLOW = """
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(5)
client.connect((sys.argv[1], int(sys.argv[2])))
for line in sys.stdin:
    client.send(b"x")
    print(client.recv(65536).decode(), flush=True)
"""


class Network:
    """client -- amphora -- members: a namespace each, the amphora's made by the agent. As in a cloud
    the members know no way to the client: only what the agent masquerades comes back."""

    def __init__(self, resources):
        self._resources = resources
        self.namespace = f"amphora-test-{os.urandom(4).hex()}"
        self.client, self.members = (
            resources.enter_context(NetworkNamespace()) for _ in range(2))
        self._vip_mac = self._connect(self.client, "vip-port", ["10.0.1.2/24", "fd00:1::2/64"])
        self._member_mac = self._connect(
            self.members, "member-port",
            [f"{address}/24" for address in MEMBERS] + [f"{address}/64" for address in MEMBERS6])

    @staticmethod
    def _connect(namespace, port, addresses):
        """A port that waits for its plug, and what is behind it; the port's MAC."""
        subprocess.run(["ip", "link", "add", port, "type", "veth", "peer", "name", "eth0",
                        "netns", namespace.name], check=True)
        for address in addresses:
            namespace.ip("address", "add", address, "dev", "eth0",
                         *(["nodad"] if ":" in address else []))
        namespace.ip("link", "set", "eth0", "up")
        return pathlib.Path(f"/sys/class/net/{port}/address").read_text().strip()

    def plug(self, amphora):
        """As a controller does, once the agent runs."""
        self._resources.callback(subprocess.run, ["ip", "netns", "delete", self.namespace])
        answers = [
            amphora.api.post("/1.0/plug/vip/" + VIP, {
                "subnet_cidr": "10.0.1.0/24", "gateway": "10.0.1.2", "mtu": 1450,
                "mac_address": self._vip_mac, "vrrp_ip": "10.0.1.1", "host_routes": [],
                "additional_vips": [{"ip_address": VIP6, "subnet_cidr": "fd00:1::/64",
                                     "gateway": "fd00:1::2", "host_routes": []}]}),
            amphora.api.post("/1.0/plug/network", {
                "mac_address": self._member_mac, "mtu": 1450, "fixed_ips": [
                    {"ip_address": "10.0.2.1", "subnet_cidr": "10.0.2.0/24", "host_routes": []},
                    {"ip_address": "fd00:2::1", "subnet_cidr": "fd00:2::/64",
                     "host_routes": []}]})]
        assert [answer.status for answer in answers] == [202, 202], answers

    def _run(self, namespace, source, *arguments):
        process = self._resources.enter_context(subprocess.Popen(
            ["ip", "netns", "exec", namespace.name, sys.executable, "-c", source, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        self._resources.callback(process.kill)
        return process

    def serve(self, address, kind, port):
        """A member, or what its check connects to; the process."""
        process = self._run(self.members, SERVE, address, kind, str(port))
        assert process.stdout.readline() == "serving\n"
        return process

    def ask(self, address, kind, port, count):
        return self.client.run_python(ASK, address, kind, str(port), str(count))

    def flow(self, address, port):
        """A function that asks once more on the same flow."""
        process = self._run(self.client, FLOW, address, str(port))

        def ask():
            process.stdin.write("\n")
            process.stdin.flush()
            return process.stdout.readline().strip()
        return ask

    def ipvsadm(self, *arguments):
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace, "ipvsadm", "-Ln", *arguments],
            check=True, capture_output=True, text=True).stdout


class Totals:
    """What the heartbeats since its making told of one listener, added up."""

    def __init__(self, manager, listener):
        self._manager = manager
        self._listener = listener
        self._from = len(manager.beats)

    def _sums(self, keys):
        stats = [beat.listeners[self._listener.id]["stats"]
                 for beat in self._manager.beats[self._from:]
                 if self._listener.id in beat.listeners]
        return {key: sum(one[key] for one in stats) for key in keys}

    def expect(self, what, **sums):
        try:
            eventually(lambda: self._sums(sums) == sums, f"{what}: {sums}")
        except AssertionError as failure:
            raise AssertionError(f"{failure}; the heartbeats say {self._sums(sums)}") from None


@pytest.fixture
def network(resources):
    return Network(resources)


@pytest.fixture
def manager(resources):
    return resources.enter_context(HealthManager(KEY))


@pytest.fixture
def amphora(make_amphora, network, manager):
    amphora = make_amphora(network_namespace=network.namespace)
    amphora.config.set("health_manager", "heartbeat_key", KEY)
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    amphora.start()
    network.plug(amphora)
    return amphora


@pytest.fixture
def make_listener(amphora, network):
    def make(members, addresses=(VIP,), port=UDP_PORT, protocol="UDP", load_balancer_id=None):
        return LvsListener(amphora, addresses, port, members, protocol, network.namespace,
                           load_balancer_id)
    return make


def udp_members(network, addresses=MEMBERS, **options):
    for address in addresses:
        network.serve(address, "udp", UDP_PORT)
    return [LvsMember(address, UDP_PORT, **options) for address in addresses]


def beat_with(manager, listener, members, pool="UP"):
    """Waits for a heartbeat in which the pool and its members are so."""
    wanted = {listener.pool_id: {"status": pool, "members": members}}
    return manager.next_beat(lambda beat: beat.pools == wanted, f"pools are {wanted}", 30)


def test_udp_reaches_the_members_and_is_counted(network, manager, make_listener):
    members = udp_members(network)
    listener = make_listener(members).serve()
    totals = Totals(manager, listener)
    beat_with(manager, listener, {member.id: "no check" for member in members})
    answers = network.ask(VIP, "udp", UDP_PORT, 10)
    assert sorted(answers) == sorted(MEMBERS * 5)
    # 28 bytes of headers each way; who answers says its address of 9 letters.
    totals.expect("ten datagrams are counted once", totconns=10, rx=10 * 128, tx=10 * 37, ereq=0)
    network.ask(VIP, "udp", UDP_PORT, 5)
    totals.expect("five more are added", totconns=15, rx=15 * 128, tx=15 * 37)


def test_a_member_that_drains_gets_nothing_new(network, manager, make_listener):
    members = udp_members(network)
    members[1].weight = 0
    listener = make_listener([*members, LvsMember("10.0.2.13", UDP_PORT, enabled=False)]).serve()
    beat_with(manager, listener, {
        members[0].id: "no check", members[1].id: "DRAIN", listener.members[2].id: "MAINT"})
    assert set(network.ask(VIP, "udp", UDP_PORT, 4)) == {MEMBERS[0]}


def test_both_families_are_one_listener(network, manager, make_listener):
    members = udp_members(network, MEMBERS + MEMBERS6)
    listener = make_listener(members, (VIP, VIP6)).serve()
    totals = Totals(manager, listener)
    beat_with(manager, listener, {member.id: "no check" for member in members})
    assert set(network.ask(VIP, "udp", UDP_PORT, 4)) == set(MEMBERS)
    assert set(network.ask(VIP6, "udp", UDP_PORT, 3)) == set(MEMBERS6)
    totals.expect("the traffic of both is added up", totconns=7)


def test_sctp_reaches_the_member_and_is_counted(network, manager, make_listener):
    network.serve(MEMBERS[0], "sctp", SCTP_PORT)
    member = LvsMember(MEMBERS[0], SCTP_PORT)
    listener = make_listener([member], port=SCTP_PORT, protocol="SCTP").serve()
    totals = Totals(manager, listener)
    beat_with(manager, listener, {member.id: "no check"})
    assert network.ask(VIP, "sctp", SCTP_PORT, 2) == [MEMBERS[0]] * 2
    totals.expect("two associations are counted", totconns=2)


def test_what_a_check_finds_is_in_the_heartbeat(network, manager, make_listener):
    members = udp_members(network, check=TCP_CHECK)
    checked = [network.serve(address, "tcp", CHECK_PORT) for address in MEMBERS]
    listener = make_listener(members).serve()
    up, down = ({member.id: status for member in members} for status in ("UP", "DOWN"))
    beat_with(manager, listener, up)
    checked[0].kill()
    beat_with(manager, listener, {**up, members[0].id: "DOWN"})
    assert set(network.ask(VIP, "udp", UDP_PORT, 4)) == {MEMBERS[1]}
    checked[1].kill()
    beat_with(manager, listener, down, pool="DOWN")
    network.serve(MEMBERS[0], "tcp", CHECK_PORT)
    beat_with(manager, listener, {**down, members[0].id: "UP"})


def test_a_reload_keeps_flows_counters_and_states(network, manager, make_listener):
    members = udp_members(network)
    listener = make_listener(members).serve()
    totals = Totals(manager, listener)
    beat_with(manager, listener, {member.id: "no check" for member in members})
    flows = [network.flow(VIP, UDP_PORT) for _ in range(4)]
    served_by = [ask() for ask in flows]
    assert set(served_by) == set(MEMBERS)
    seen = len(manager.beats)
    for weight in (3, 2):
        members[0].weight = weight
        listener.serve()
        assert [ask() for ask in flows] == served_by
    added = LvsMember(MEMBERS[0], UDP_PORT + 1)
    listener.members.append(added)
    listener.serve()
    assert [ask() for ask in flows] == served_by
    beat_with(manager, listener, {member.id: "no check" for member in listener.members})
    totals.expect("flows are counted once", totconns=4)
    states = {status for beat in manager.beats[seen:] for status in beat.members().values()}
    assert states <= {"no check", "RESTARTING"}
    assert all(listener.id in beat.listeners for beat in manager.beats[seen:])


def test_traffic_of_a_listener_that_is_made_anew_is_not_counted_twice(
        network, manager, make_listener):
    members = udp_members(network)
    listener = make_listener(members).serve()
    totals = Totals(manager, listener)
    network.ask(VIP, "udp", UDP_PORT, 6)
    totals.expect("six connections", totconns=6)
    assert listener.act("stop").status == 202
    manager.next_beat(lambda beat: not beat.listeners, "a stopped listener is left out")
    assert "UDP" not in network.ipvsadm()
    listener.serve()
    network.ask(VIP, "udp", UDP_PORT, 2)
    totals.expect("two more", totconns=8)


def test_traffic_is_counted_once_over_a_restart_of_the_sender(
        amphora, network, manager, make_listener):
    listener = make_listener(udp_members(network)).serve()
    totals = Totals(manager, listener)
    network.ask(VIP, "udp", UDP_PORT, 3)
    totals.expect("three connections", totconns=3)
    amphora.restart()
    network.ask(VIP, "udp", UDP_PORT, 2)
    totals.expect("two more", totconns=5)
    beat_with(manager, listener, {member.id: "no check" for member in listener.members})


def test_a_listener_without_pool_or_members_is_open(network, manager, make_listener):
    listener = make_listener([])
    listener.has_pool = False
    listener.serve()
    beat = manager.next_beat(lambda beat: beat.listeners, "the listener is there")
    assert beat.listeners == {listener.id: {"status": "OPEN", "stats": {
        "tx": 0, "rx": 0, "conns": 0, "totconns": 0, "ereq": 0}}}
    assert beat.pools == {}
    seen = len(manager.beats)
    listener.has_pool = True
    listener.serve()
    beat_with(manager, listener, {})
    listener.members = udp_members(network)
    listener.serve()
    beat_with(manager, listener, {member.id: "no check" for member in listener.members})
    assert set(network.ask(VIP, "udp", UDP_PORT, 4)) == set(MEMBERS)
    assert all(listener.id in beat.listeners for beat in manager.beats[seen:])


def test_two_listeners_stand_in_one_heartbeat(network, manager, make_listener):
    members = udp_members(network)
    listeners = [make_listener(members).serve(), make_listener(members, port=5301).serve()]
    manager.next_beat(lambda beat: set(beat.listeners) == {one.id for one in listeners},
                      "both listeners are there")
    assert listeners[0].delete().status == 200
    manager.next_beat(lambda beat: set(beat.listeners) == {listeners[1].id},
                      "the deleted one is gone")
    assert f"{VIP}:{UDP_PORT}" not in network.ipvsadm()


def test_traffic_is_counted_once_when_a_family_loses_its_members(network, manager, make_listener):
    members = udp_members(network, MEMBERS + MEMBERS6)
    listener = make_listener(members, (VIP, VIP6)).serve()
    totals = Totals(manager, listener)
    network.ask(VIP, "udp", UDP_PORT, 4)
    network.ask(VIP6, "udp", UDP_PORT, 3)
    totals.expect("both are counted", totconns=7)
    listener.members = members[:2]
    listener.serve()
    print(network.ipvsadm())
    beat_with(manager, listener, {member.id: "no check" for member in listener.members})
    network.ask(VIP, "udp", UDP_PORT, 2)
    totals.expect("two more", totconns=9)


def test_a_kernel_may_load_ipvs_anew(network, manager, make_listener):
    members = udp_members(network)
    listener = make_listener(members).serve()
    totals = Totals(manager, listener)
    network.ask(VIP, "udp", UDP_PORT, 2)
    totals.expect("two connections", totconns=2)
    assert listener.act("stop").status == 202
    # Unloaded as soon as nobody needs it; a module that is loaded again has another number.
    for module in ("ip_vs_wrr", "ip_vs_sh", "ip_vs"):
        subprocess.run(["modprobe", "--remove", module], check=False)
    assert not pathlib.Path("/sys/module/ip_vs").exists()
    subprocess.run(["modprobe", "ip_vs"], check=True)
    subprocess.run(["ip", "netns", "exec", network.namespace, "sysctl", "-qw",
                    "net.ipv4.vs.conntrack=1"], check=True)  # as the agent did when it booted
    listener.serve()
    beat_with(manager, listener, {member.id: "no check" for member in members})
    network.ask(VIP, "udp", UDP_PORT, 3)
    totals.expect("three more", totconns=5)


def test_the_stats_of_a_load_balancer_count_its_udp_listener(amphora, network, make_listener):
    haproxys = LoadBalancer(amphora, check="", address=VIP, port=8000)
    assert haproxys.upload().status == 202
    assert haproxys.act("reload").status == 202
    listener = make_listener(udp_members(network, MEMBERS + MEMBERS6), (VIP, VIP6),
                             load_balancer_id=haproxys.id).serve()

    def stats():
        answer = amphora.api.get(f"{haproxys.path}/stats")
        assert answer.status == 200, answer
        return answer.json

    def connections():
        answer = stats()
        return (answer["stats"]["total_connections"],
                answer["listeners"].get(listener.id, {}).get("total_connections"))
    assert connections() == (0, 0)
    eventually(lambda: network.ipvsadm().count(f":{UDP_PORT}") >= 5, "the kernel has all members")
    network.ask(VIP, "udp", UDP_PORT, 4)
    network.ask(VIP6, "udp", UDP_PORT, 3)
    eventually(lambda: connections() == (7, 7), "both families are counted")
    counted = stats()["listeners"][listener.id]
    assert counted["bytes_in"] == 4 * 128 + 3 * 148
    assert counted["request_errors"] == 0
    assert listener.act("stop").status == 202
    assert connections() == (7, 7)
    listener.serve()
    network.ask(VIP, "udp", UDP_PORT, 2)
    eventually(lambda: connections() == (9, 9), "two more")
    amphora.restart()
    network.ask(VIP, "udp", UDP_PORT, 1)
    eventually(lambda: connections() == (10, 10), "one more")
    assert listener.delete().status == 200
    assert connections() == (10, None)
    assert set(stats()["listeners"]) == {haproxys.listener_id}


def test_the_next_heartbeat_shows_a_udp_listener(amphora, network, make_listener):
    listener = make_listener(udp_members(network)).serve()

    def shown():
        answer = amphora.api.get("/1.0/heartbeat")
        assert answer.status == 200, answer
        return answer.json["message"] or {"pools": {}}
    eventually(lambda: shown()["pools"].get(listener.pool_id) == {
        "status": "UP", "members": {member.id: "no check" for member in listener.members}},
        "pool and members are shown")


def test_a_scrape_shows_the_traffic_of_a_udp_listener(amphora, network, make_listener):
    amphora.drop_in.set("agent", "prometheus_port", None)
    amphora.restart()
    haproxys = LoadBalancer(amphora, check="")
    assert haproxys.upload(haproxys.configuration(prometheus.internal_proxies())).status == 202
    assert haproxys.act("reload").status == 202
    listener = make_listener(udp_members(network, weight=3)).serve()
    one, pool = f'{{listener="{listener.id}"}}', f'{{pool="{listener.pool_id}:{listener.id}"}}'

    def scrape():
        with network.amphora.entered():
            return prometheus.scrape(prometheus.PROXY_PORT).samples
    with network.amphora.entered():
        eventually(lambda: prometheus.get(prometheus.PROXY_PORT).status == 200, "HAProxy answers")
    eventually(lambda: scrape().get(("octavia_pool_active_members", pool)) == "2",
               "the kernel has both members")
    network.ask(VIP, "udp", UDP_PORT, 10)
    eventually(lambda: scrape().get(("octavia_listener_sessions_total", one)) == "10",
               "ten sessions are counted")
    samples = scrape()
    print([sample for sample in samples.items() if listener.id in str(sample)])
    assert samples["octavia_listener_bytes_in_total", one] == str(10 * 128)
    assert samples["octavia_listener_bytes_out_total", one] == str(10 * 37)
    assert samples["octavia_pool_bytes_in_total", pool] == str(10 * 128)
    for member in listener.members:
        labels = f'{pool[:-1]},member="{member.id}"'
        assert samples["octavia_member_sessions_total", f"{labels}}}"] == "5"
        assert samples["octavia_member_bytes_in_total", f"{labels}}}"] == str(5 * 128)
        assert samples["octavia_member_bytes_out_total", f"{labels}}}"] == str(5 * 37)
        assert samples["octavia_member_weight", f"{labels}}}"] == "3"
        assert samples["octavia_member_status", f'{labels},state="UP"}}'] == "1"
        assert samples["octavia_member_status", f'{labels},state="DOWN"}}'] == "0"


@pytest.fixture
def programs_in_path(monkeypatch):
    """Where keepalived finds what its configs call by name, as an installed amphora has it."""
    monkeypatch.setenv("PATH", f"{BUILD}:{os.environ['PATH']}")


def misc_check(command):
    return f'        MISC_CHECK {{\n            misc_path "{command}"\n' \
           "            misc_timeout 2\n        }\n"


def test_a_udp_port_that_closes_takes_its_member_out(amphora, network, manager, make_listener):
    servers = [network.serve(address, "udp", UDP_PORT) for address in MEMBERS]
    script = amphora.base_path / "lvs/check/udp_check.sh"
    members = [LvsMember(address, UDP_PORT, check=misc_check(f"{script} {address} {UDP_PORT}"))
               for address in MEMBERS]
    listener = make_listener(members).serve()
    up = {member.id: "UP" for member in members}
    beat_with(manager, listener, up)
    servers[0].kill()
    beat_with(manager, listener, {**up, members[0].id: "DOWN"})
    assert set(network.ask(VIP, "udp", UDP_PORT, 4)) == {MEMBERS[1]}
    network.serve(MEMBERS[0], "udp", UDP_PORT)
    beat_with(manager, listener, up)


def test_an_sctp_port_that_closes_takes_its_member_out(
        programs_in_path, network, manager, make_listener):
    servers = [network.serve(address, "sctp", SCTP_PORT) for address in MEMBERS]
    members = [LvsMember(address, SCTP_PORT, check=misc_check(
        f"amphora-health-checker sctp -t 1 {address} {SCTP_PORT}")) for address in MEMBERS]
    listener = make_listener(members, port=SCTP_PORT, protocol="SCTP").serve()
    up = {member.id: "UP" for member in members}
    beat_with(manager, listener, up)
    servers[0].kill()
    beat_with(manager, listener, {**up, members[0].id: "DOWN"})
    assert network.ask(VIP, "sctp", SCTP_PORT, 2) == [MEMBERS[1]] * 2


@pytest.mark.parametrize("address", [MEMBERS[0], MEMBERS6[0]])
def test_the_kernels_sctp_understands_the_health_checker(amphora, network, address):
    def check(port):
        return subprocess.run(
            ["ip", "netns", "exec", network.namespace, BUILD / "amphora-health-checker", "sctp",
             "-t", "2", address, str(port)], check=False).returncode
    network.serve(address, "sctp", SCTP_PORT)
    assert check(SCTP_PORT) == 0
    assert check(SCTP_PORT + 1) == 1
    associations = subprocess.run(
        ["ip", "netns", "exec", network.members.name, "cat", "/proc/net/sctp/assocs"],
        check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(associations) == 1, "only the head line: nothing half-open stays"


# The same from a model

# Whether an answer comes within a second.
TRY = """
import json, socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(1)
    client.connect((sys.argv[1], int(sys.argv[2])))
    client.send(b"x")
    try:
        print(json.dumps(client.recv(100).decode()))
    except socket.timeout:
        print("null")
"""


def put(amphora, *cidrs):
    model = {"vip_address": VIP, "listeners": [{
        "id": "dns", "protocol": "UDP", "protocol_port": UDP_PORT, "allowed_cidrs": list(cidrs),
        "default_pool": {"protocol": "UDP", "lb_algorithm": "ROUND_ROBIN", "members": [
            {"address": address, "protocol_port": UDP_PORT} for address in MEMBERS]}}]}
    answer = amphora.api.put(f"/1.0/loadbalancer/{amphora.id}/lb/model", model)
    assert answer.status == 200, answer
    return answer.json["applied"]


def test_only_the_allowed_clients_are_served(amphora, network):
    """The client's address is 10.0.1.2."""
    udp_members(network)

    def answer():
        return network.client.run_python(TRY, VIP, str(UDP_PORT))
    assert put(amphora, "10.0.1.0/24") == "start"
    eventually(answer, "an allowed client is served")
    assert put(amphora, "192.0.2.0/24") == "reload"
    assert answer() is None
    assert put(amphora) == "reload"
    eventually(answer, "everybody is served")


def test_the_status_tree_tells_what_the_kernel_has(amphora, network):
    udp_members(network)
    put(amphora)

    def members():
        tree = amphora.api.get("/1.0/loadbalancer/lb/status").json["statuses"]["loadbalancer"]
        return tree["listeners"][0]["pools"][0]["members"]
    eventually(lambda: [member["operating_status"] for member in members()] == ["NO_MONITOR"] * 2,
               "the members are in the kernel")
    assert [member["weight"] for member in members()] == [1, 1]
    assert members()[0]["last_check"] is None
