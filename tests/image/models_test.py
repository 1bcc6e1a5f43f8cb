# SPDX-License-Identifier: Apache-2.0
"""What OpenStack's Kubernetes cloud-controller-manager asks for, as a model and as it stands, of the image:
its nodes are members on the VIP's own network, and come and go without a reload."""

from collections import Counter

import pytest

from harness import network_bed as net
from harness.cloud import NODES, VIP, CloudBalancer, Model
from harness.eventually import eventually
from harness.plugging import plug_vip, vip_body
from harness.web_server import EchoServer, Stream, WebServer

NETWORK, GATEWAY, VRRP_IP = "10.6.0.0/24", "10.6.0.254", "10.6.0.11"
WORKERS = ["worker-1", "worker-2", "worker-3"]
STATUS_PORT, HTTP_PORT, TCP_PORT = 15021, 80, 31400
SERVED_S = 60


@pytest.fixture
def cloud(bed):
    """The bed, with the models' network on "vip": the router is its gateway, and the neighbour all of
    its nodes."""
    bed.router.ip("address", "add", f"{GATEWAY}/24", "dev", "vip")
    for address in NODES.values():
        bed.neighbour.ip("address", "add", f"{address}/24", "dev", "eth0")
    return bed


@pytest.fixture
def balancer(amphora, cloud, add_nic):
    body = vip_body(add_nic("vip"), subnet_cidr=NETWORK, gateway=GATEWAY, vrrp_ip=VRRP_IP,
                    host_routes=[])
    eventually(lambda: plug_vip(amphora, body, VIP).status == 202, "the VIP is plugged", 60)
    return CloudBalancer(amphora)


@pytest.fixture
def serve(cloud, resources):
    """serve(make, port) makes a member of each node by make(name, address, port); a list of them."""
    def serve(make, port):
        with cloud.neighbour.entered():
            return [resources.enter_context(make(name, address, port))
                    for name, address in NODES.items()]
    return serve


def answer_a_round(cloud, port, nodes):
    return Counter(cloud.ask(VIP, port) for _ in nodes) == Counter(list(nodes))


def test_an_istio_gateways_nodes_come_and_go_without_a_reload(
        balancer, cloud, serve, resources, amphora):
    gateway = Model("istio-ingress-gateway")
    for port in (STATUS_PORT, HTTP_PORT):
        serve(WebServer, gateway.node_port(port))
    serve(lambda _, address, port: EchoServer(address, port), gateway.node_port(TCP_PORT))
    assert balancer.apply(gateway) == "start"
    for port in (STATUS_PORT, HTTP_PORT):
        eventually(lambda port=port: answer_a_round(cloud, port, WORKERS), f"{port} is served", SERVED_S)
    with cloud.client.entered():
        stream = resources.enter_context(Stream(TCP_PORT, VIP))
    assert stream.echoes("before")

    workers = balancer.workers()
    assert len(workers) == 1
    assert balancer.apply(gateway.copy().has_nodes(NODES)) == "runtime"
    eventually(lambda: answer_a_round(cloud, HTTP_PORT, NODES), "the node that joined serves", SERVED_S)
    assert balancer.apply(gateway) == "runtime"
    eventually(lambda: answer_a_round(cloud, HTTP_PORT, WORKERS), "the node that left does not", SERVED_S)
    assert balancer.apply(gateway) == "none"
    assert balancer.workers() == workers
    assert stream.echoes("after")
    assert amphora.warnings() == []


def test_members_of_an_http_service_learn_who_the_client_is(balancer, cloud, serve):
    model = Model("kubernetes-x-forwarded-for").is_checked_often()
    servers = serve(WebServer, model.node_port(HTTP_PORT))
    assert balancer.apply(model) == "start"
    eventually(lambda: answer_a_round(cloud, HTTP_PORT, WORKERS), "the nodes serve", SERVED_S)
    assert [server.last_headers.get_all("X-Forwarded-For") for server in servers if server.requests] \
        == [[net.CLIENT]] * len(WORKERS)
    assert balancer.apply(model.has_nodes(["worker-1", "worker-4"])) == "runtime"
    eventually(lambda: answer_a_round(cloud, HTTP_PORT, ["worker-1", "worker-4"]),
               "the nodes of now serve", SERVED_S)
