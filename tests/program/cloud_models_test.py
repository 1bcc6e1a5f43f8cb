# SPDX-License-Identifier: Apache-2.0
"""What OpenStack's Kubernetes cloud-controller-manager and an Istio ingress gateway behind it ask
for: the models of tests/models/, applied as they stand, with real traffic."""

import os
import time

import pytest

from harness.certificates import Authority
from harness.cloud import CLIENT, NODES, STRANGER, VIP, Cloud, CloudBalancer, Model, model_names
from harness.eventually import eventually
from harness.haproxy_text import Configuration
from harness.http2_server import Http2Server, curl
from harness.line_server import Line, ProxyServer, TlsServer
from harness.web_server import EchoServer, Stream, WebServer, share, who_answers
from harness.web_socket import WebSocket, WebSocketServer

WORKERS = ["worker-1", "worker-2", "worker-3"]
HTTP_PORTS, TLS_PORTS, TCP_PORT = (15021, 80), (443, 15443), 31400

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@pytest.fixture
def balancer(resources, make_amphora):
    """In a network of its own, which is there before the amphora and goes after it."""
    resources.enter_context(Cloud())
    return CloudBalancer(make_amphora().start())


@pytest.fixture
def serve(resources):
    """Members on worker nodes: serve(kind, port, …) makes one on each, by the node's name."""
    def serve(kind, port, *more, workers=WORKERS, **options):
        return {worker: resources.enter_context(
                    kind(worker, NODES[worker], port, *more, **options)) for worker in workers}
    return serve


@pytest.fixture
def gateway():
    return Model("istio-ingress-gateway")


@pytest.fixture(scope="module")
def authority():
    """Of the members' certificates: what HAProxy passes through is between them and the client."""
    return Authority("members")


def is_shared_evenly(port, workers=WORKERS, rounds=4):
    return share(port, rounds * len(workers), VIP) == dict.fromkeys(workers, rounds)


def is_there(port):
    """Whether a listener accepts, whatever its members speak."""
    try:
        Stream(port, VIP).close()
        return True
    except OSError:
        return False


# Every model

@pytest.mark.parametrize("name", model_names())
def test_every_model_is_accepted_as_it_stands(amphora, name):
    shown = CloudBalancer(amphora).dry_run(Model(name))
    assert shown["haproxy.cfg"]
    assert "warnings" not in shown


# The Istio ingress gateway: ports, monitors, round robin

def test_the_gateways_monitors_are_rendered_as_the_cloud_controller_manager_says_them(
        balancer, gateway):
    shown = Configuration(balancer.dry_run(gateway)["haproxy.cfg"])
    binds = {line[1] for lines in shown.named("frontend").values() for line in lines
             if line[0] == "bind"}
    assert binds == {f"{VIP}:{port}" for port in (15021, 80, 443, 15443, 31400)}
    backends = shown.named("backend").values()
    assert len(backends) == 5
    for lines in backends:
        assert ["balance", "roundrobin"] in lines
        assert ["timeout", "check", "30s"] in lines
        servers = [line for line in lines if line[0] == "server"]
        assert len(servers) == 3
        for server in servers:
            text = " ".join(server)
            assert " check " in text + " "
            assert " inter 60s " in text + " " and " fall 3 " in text + " "
            assert " rise 3 " in text + " "


def test_every_port_of_the_gateway_is_served_round_robin(balancer, serve, gateway, authority):
    for port in HTTP_PORTS:
        serve(WebServer, gateway.node_port(port))
    certificates = {"api.example": authority.issue("api.example")}
    for port in TLS_PORTS:
        serve(TlsServer, gateway.node_port(port), certificates)
    assert balancer.apply(gateway) == "start"
    for port in HTTP_PORTS:
        assert is_shared_evenly(port)
    for port in TLS_PORTS:
        context = authority.trust_context()
        identities = []
        for _ in range(6):
            with Line(VIP, port, context=context, name="api.example") as line:
                identities.append(line.text.split()[0])
        assert sorted(identities) == sorted(WORKERS * 2)
    assert is_there(TCP_PORT)


# Members change, as nodes of the cluster do

def test_nodes_come_and_go_and_streams_outlive_it(
        balancer, serve, resources, gateway):
    serve(WebServer, gateway.node_port(80), workers=NODES)
    for address in NODES.values():
        resources.enter_context(EchoServer(address, gateway.node_port(TCP_PORT)))
    assert balancer.apply(gateway) == "start"
    workers = balancer.workers()
    streams = [resources.enter_context(Stream(TCP_PORT, VIP)) for _ in range(len(WORKERS))]
    assert all(stream.echoes("before") for stream in streams)

    assert balancer.apply(gateway.copy().has_nodes(NODES)) == "runtime"
    assert balancer.workers() == workers
    assert is_shared_evenly(80, NODES)
    assert all(stream.echoes("a node more") for stream in streams)

    # HAProxy deletes no server with a stream, so the worker before this reload serves that one on.
    others = ["worker-2", "worker-3", "worker-4"]
    assert balancer.apply(gateway.copy().has_nodes(others)) == "reload"
    assert is_shared_evenly(80, others)
    assert all(stream.echoes("a node less") for stream in streams)


def test_a_node_without_streams_goes_without_a_reload(balancer, serve, resources, gateway):
    serve(WebServer, gateway.node_port(80))
    resources.enter_context(EchoServer(NODES["worker-2"], gateway.node_port(TCP_PORT)))
    gateway.has_nodes(["worker-2"])
    balancer.apply(gateway)
    stream = resources.enter_context(Stream(TCP_PORT, VIP))
    assert stream.echoes("before")
    workers = balancer.workers()
    assert balancer.apply(gateway.copy().has_nodes(["worker-1", "worker-2"])) == "runtime"
    assert is_shared_evenly(80, ["worker-1", "worker-2"])
    assert balancer.apply(gateway) == "runtime"
    assert is_shared_evenly(80, ["worker-2"])
    assert balancer.workers() == workers
    assert stream.echoes("after")


@pytest.mark.parametrize("name", [name for name in model_names() if name not in (
    "kubernetes-dns-tcp-and-udp", "octavia-single-call")])
def test_a_node_joins_and_leaves_whatever_the_service_asks_for_without_a_reload(balancer, name):
    model = Model(name).monitors(delay="1h")  # no member goes down for having no server
    assert balancer.apply(model) == "start"
    workers = balancer.workers()
    assert balancer.apply(model.copy().has_nodes(NODES)) == "runtime"
    assert balancer.apply(model) == "runtime"
    assert balancer.apply(model) == "none"
    assert balancer.workers() == workers


def test_a_node_that_joins_a_pool_of_tls_is_checked_by_tls(balancer, serve, authority):
    """HAProxy would check it in plain text, and never bring it up."""
    model = Model("kubernetes-x-forwarded-for").is_checked_often().monitors(
        type="HTTP", url_path="/healthz")
    for pool in model.pools():
        pool["tls_enabled"] = True
    members = serve(WebServer, model.node_port(80), authority.issue("node"), workers=NODES)
    assert balancer.apply(model) == "start"
    assert balancer.apply(model.has_nodes(NODES)) == "runtime"
    eventually(lambda: members["worker-4"].checks >= 2, "it is checked")
    # One check in a second's time is all that a busy machine has to miss.
    eventually(lambda: is_shared_evenly(80, NODES), "all nodes are up")


# TLS passes through

def test_tls_is_passed_through_with_the_name_and_the_protocol_that_were_asked_for(
        balancer, serve, gateway, authority):
    names = ("api.example", "shop.example")
    certificates = {name: authority.issue(name) for name in names}
    serve(TlsServer, gateway.node_port(443), certificates)
    balancer.apply(gateway)
    for name in names:
        for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")):
            context = authority.trust_context()
            context.set_alpn_protocols(offered)
            with Line(VIP, 443, context=context, name=name) as line:
                assert line.text.split()[1:] == [name, chosen, "-"]
                assert line.socket.selected_alpn_protocol() == chosen
                served = line.socket.getpeercert()
                assert int(served["serialNumber"], 16) == certificates[name].serial_number
                assert line.echoes("hello")


def test_a_clients_certificate_reaches_the_gateway(balancer, serve, gateway, authority):
    """Istio's port 15443: mutual TLS from one cluster to another, by the name in SNI."""
    name = "outbound_.80_._.web.default.svc.cluster.local"
    mesh = Authority("mesh")
    serve(TlsServer, gateway.node_port(15443), {name: authority.issue(name)}, clients=mesh)
    balancer.apply(gateway)
    context = authority.trust_context()
    mesh.issue("other-cluster").load_into(context)
    with Line(VIP, 15443, context=context, name=name) as line:
        assert line.text.split()[1:] == [name, "-", "other-cluster"]


def test_http2_over_tls_is_between_client_and_member(
        balancer, serve, gateway, authority, tmp_path):
    serve(Http2Server, gateway.node_port(443), authority.issue("api.example"))
    (tmp_path / "authority.pem").write_bytes(authority.pem)
    balancer.apply(gateway)
    answers = [curl("https://api.example/who", "--http2", "--cacert", tmp_path / "authority.pem",
                    "--resolve", f"api.example:443:{VIP}") for _ in WORKERS]
    assert sorted(answers) == [("2", worker) for worker in WORKERS]


def test_http2_without_tls_goes_through_a_tcp_listener(balancer, serve, gateway):
    serve(Http2Server, gateway.node_port(80))
    balancer.apply(gateway)
    answers = [curl(f"http://{VIP}/who", "--http2-prior-knowledge") for _ in WORKERS]
    assert sorted(answers) == [("2", worker) for worker in WORKERS]


# Idle: WebSockets, streams

def with_timeouts(model, client_ms, member_ms):
    for listener in model.listeners:
        listener.update(timeout_client_data=client_ms, timeout_member_data=member_ms)
    return model


def test_the_timeouts_of_a_long_stream_are_rendered(balancer):
    shown = Configuration(balancer.dry_run(Model("kubernetes-timeouts"))["haproxy.cfg"])
    frontend, = shown.named("frontend").values()
    backend, = shown.named("backend").values()
    assert ["timeout", "client", "3600000"] in frontend
    assert ["timeout", "server", "3600000"] in backend
    assert ["timeout", "connect", "5000"] in backend


@pytest.mark.parametrize("client_ms, member_ms", [(3000, 60000), (60000, 3000)])
def test_an_idle_stream_is_ended_after_its_timeout_and_no_slow_one(
        balancer, resources, client_ms, member_ms):
    model = with_timeouts(Model("kubernetes-timeouts").has_nodes(["worker-1"]),
                          client_ms, member_ms)
    resources.enter_context(EchoServer(NODES["worker-1"], model.node_port(443)))
    balancer.apply(model)
    idle, slow = (resources.enter_context(Stream(443, VIP)) for _ in range(2))
    since = time.monotonic()
    assert idle.echoes("once") and slow.echoes("once")
    while idle.is_open():
        assert slow.echoes("still here")
        assert time.monotonic() - since < 20, "the idle stream is not ended"
        time.sleep(0.5)
    assert time.monotonic() - since > 2.9
    assert slow.echoes("still here")


def test_a_web_socket_outlives_the_timeouts_of_requests_in_an_http_listener(balancer, serve):
    model = with_timeouts(Model("kubernetes-x-forwarded-for"), 4000, 1000)
    serve(WebSocketServer, model.node_port(80))
    balancer.apply(model)
    with WebSocket(VIP, 80) as web_socket:
        echo = web_socket.ask("one")
        assert echo in [f"{worker} one" for worker in WORKERS]
        time.sleep(2)
        since = time.monotonic()
        assert web_socket.ask("two") == echo.replace("one", "two")
        web_socket.wait_for_end()
        assert 3.9 < time.monotonic() - since < 8


def test_a_web_socket_goes_through_a_tcp_listener(balancer, serve, gateway):
    serve(WebSocketServer, gateway.node_port(80))
    balancer.apply(with_timeouts(gateway, 3000, 3000))
    with WebSocket(VIP, 80) as web_socket:
        echo = web_socket.ask("one")
        for _ in range(4):
            time.sleep(1)
            assert web_socket.ask("one") == echo
        web_socket.wait_for_end()


# The client's address

@pytest.mark.parametrize("name, port, version", [
    ("kubernetes-proxy-protocol-v1", 80, "v1"), ("kubernetes-proxy-protocol-v1", 443, "v1"),
    ("istio-ingress-gateway-proxy-v2", 80, "v2"), ("istio-ingress-gateway-proxy-v2", 443, "v2")])
def test_a_member_behind_the_proxy_protocol_learns_who_the_client_is(
        balancer, serve, name, port, version):
    model = Model(name).is_checked_often()
    members = serve(ProxyServer, model.node_port(port), workers=NODES)
    balancer.apply(model)
    assert balancer.apply(model.has_nodes(NODES)) == "runtime"
    answered = set()
    for _ in range(2 * len(NODES)):
        with Line(VIP, port, source=CLIENT) as line:
            identity, *words = line.text.split()
            assert words == [version, f"{CLIENT}:{line.local_port}"]
            assert line.echoes("hello")
            answered.add(identity)
    assert answered == set(NODES)
    eventually(lambda: all(member.checks for member in members.values()),
               "checks have the header too, and say that they are HAProxy's own")


def test_the_gateways_status_port_gets_no_proxy_header_beside_pools_that_do(balancer, serve):
    """Istio's 15021 answers 400 to one."""
    model = Model("istio-ingress-gateway-proxy-v2")
    serve(WebServer, model.node_port(15021))
    balancer.apply(model)
    assert is_shared_evenly(15021)


def test_an_http_listener_tells_the_member_who_the_client_is(balancer, serve):
    model = Model("kubernetes-x-forwarded-for")
    members = serve(WebServer, model.node_port(80))
    balancer.apply(model)
    for _ in WORKERS:
        curl(f"http://{VIP}/", "--interface", CLIENT)
    for member in members.values():
        assert member.last_headers.get_all("X-Forwarded-For") == [CLIENT]


# Who is asked, and who may ask

def test_only_nodes_with_a_pod_get_traffic_of_a_local_service(balancer, serve):
    """externalTrafficPolicy Local: kube-proxy's health check port answers 503 on nodes that have
    none, while their node port refuses or drops what comes."""
    model = Model("kubernetes-external-traffic-policy-local").is_checked_often()
    for port in (80, 443):
        serve(WebServer, model.node_port(port), workers=NODES)
    checked = serve(WebServer, model.listener(80)["default_pool"]["members"][0]["monitor_port"],
                    workers=NODES)
    checked["worker-2"].health_status = checked["worker-4"].health_status = 503
    balancer.apply(model)
    local = ["worker-1", "worker-3"]
    for port in (80, 443):
        eventually(lambda: is_shared_evenly(port, local), "one node is left out")
    checked["worker-1"].health_status, checked["worker-2"].health_status = 503, 200
    eventually(lambda: set(share(80, 6, VIP)) == {"worker-2", "worker-3"}, "the pod has moved")
    assert balancer.apply(model.has_nodes(NODES)) == "runtime"
    eventually(lambda: checked["worker-4"].checks, "a node that joins is checked on that port too")
    eventually(lambda: set(share(80, 6, VIP)) == {"worker-2", "worker-3"}, "and is left out")


def test_a_client_stays_with_its_member_under_session_affinity(balancer, serve):
    model = Model("kubernetes-session-affinity")
    serve(WebServer, model.node_port(80))
    balancer.apply(model)
    first = who_answers(80, VIP)
    assert first in WORKERS
    assert set(share(80, 9, VIP)) == {first}


def test_source_ranges_keep_strangers_out(balancer, serve):
    model = Model("kubernetes-source-ranges")
    serve(WebServer, model.node_port(80))
    balancer.apply(model)
    assert curl(f"http://{VIP}/", "--interface", CLIENT)[1] in WORKERS
    # Refused, ended, reset: of a reset curl says whether it was sending (55) or reading (56) then.
    with pytest.raises(AssertionError, match=r"curl: \((7|52|55|56)\)"):
        curl(f"http://{VIP}/", "--interface", STRANGER)


# UDP beside TCP

def test_dns_over_tcp_and_udp_share_a_port(balancer):
    """Here, where the kernel may have no IPVS, up to what would be applied."""
    shown = balancer.dry_run(Model("kubernetes-dns-tcp-and-udp"))
    assert len(Configuration(shown["haproxy.cfg"]).named("frontend")) == 1
    text, = shown["keepalived-lvs"].values()
    assert f"{VIP} 53" in text
    assert "protocol UDP" in text
    assert [address in text for address in NODES.values()] == [True, True, True, False]
