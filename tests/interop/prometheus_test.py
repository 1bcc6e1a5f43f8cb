# SPDX-License-Identifier: Apache-2.0
"""The Prometheus proxy beside Octavia's own, on the same HAProxy: sample by sample."""

import http.server
import os
import tempfile

import pytest
from octavia.cmd import prometheus_proxy as reference_proxy

from harness import prometheus
from harness.background_server import BackgroundServer
from harness.eventually import eventually
from harness.network_namespace import NetworkNamespace
from harness.ports import free_port
from harness.web_server import WebServer, who_answers

# Release 11.0.0 knows HAProxy 2.0 to 2.3. What HAProxy calls otherwise since, with the newest
# release's name for it. Old name: "the misspelling was mended", or "the word was there twice".
RENAMED_SINCE = {
    "haproxy_process_frontent_ssl_reuse":
        ("haproxy_process_frontend_ssl_reuse", "octavia_loadbalancer_frontend_ssl_reuse"),
    "haproxy_server_server_idle_connections_current":
        ("haproxy_server_idle_connections_current", "octavia_member_idle_connections_current"),
    "haproxy_server_server_idle_connections_limit":
        ("haproxy_server_idle_connections_limit", "octavia_member_idle_connections_limit"),
}
NEWER_NAMES = {name for _, name in RENAMED_SINCE.values()}
# HAProxy 2.4 made the state a label, and 11.0.0's numbers for it wrong; the newest release's texts.
NEWER_HELP = {
    "octavia_listener_status": "Current status of the listener.",
    "octavia_pool_status": "Current status of the pool.",
    "octavia_member_status": "Current status of the member.",
}
# What moves between two scrapes, the scrapes themselves included, and by how much at most.
MOVING = {
    "octavia_loadbalancer_cpu": 100,
    "octavia_loadbalancer_memory": 20,
    "octavia_loadbalancer_connections_total": 20,
    "octavia_loadbalancer_requests_total": 20,
    "octavia_loadbalancer_current_connections": 10,
    "octavia_loadbalancer_current_connection_rate": 50,
    "octavia_loadbalancer_current_session_rate": 50,
    "octavia_loadbalancer_max_connection_rate": 20,
    "octavia_loadbalancer_max_session_rate": 20,
    "octavia_memory_pool_allocated_bytes": 1 << 20,
    "octavia_memory_pool_used_bytes": 1 << 20,
    "octavia_pool_last_session_seconds": 5,
    "octavia_member_last_session_seconds": 5,
    "octavia_pool_check_last_change_seconds": 5,
    "octavia_member_check_last_change_seconds": 5,
    "octavia_pool_downtime_seconds_total": 5,
    "octavia_member_downtime_seconds_total": 5,
    "octavia_member_idle_connections_current": 10,
}


class HttpServer(BackgroundServer):
    """With this handler, in the caller's network namespace."""

    def __init__(self, handler):
        self.port, self._handler = free_port(), handler
        super().__init__()

    def make_server(self):
        return http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self._handler)


@pytest.fixture
def reference(monkeypatch):
    """Octavia's proxy, in front of the exporter on a port; its own ports are wired in."""
    def start(exporter_port):
        monkeypatch.setattr(
            reference_proxy, "METRICS_URL", f"http://127.0.0.1:{exporter_port}/metrics")
        return HttpServer(reference_proxy.PrometheusProxy)
    return start


# On what HAProxy could say


class Exporter(http.server.BaseHTTPRequestHandler):
    """Says what it is told, in chunks, as HAProxy does."""

    protocol_version = "HTTP/1.1"
    text = ""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        body = self.text.encode()
        for at in range(0, len(body), 4001):
            piece = body[at:at + 4001]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_):
        pass


def everything_known(names):
    """An exposition with each metric that the reference knows, by HAProxy's names, and more."""
    lines = []
    for number, name in enumerate(sorted(names)):
        labels = {"haproxy_process": "", "haproxy_frontend": '{proxy="L"}',
                  "haproxy_backend": '{proxy="P:L"}',
                  "haproxy_server": '{proxy="P:L",server="M",state="UP"}'}[
                      "_".join(name.split("_")[:2])]
        lines += [f"# HELP {name} HAProxy's text of {name}.", f"# TYPE {name} gauge",
                  f"{name}{labels} {number}"]
        if labels:
            lines.append(f"{name}{labels.replace('P:L', 'prometheus-exporter-internal')} 1"
                         if "P:L" in labels else
                         f'{name}{{proxy="prometheus-exporter-internal-endpoint"}} 1')
    return lines


def haproxy_names():
    return {key.rstrip(" {") for key in reference_proxy.METRIC_MAP}


def unlike(text):
    """Without the two figures of the machine."""
    return [line for line in text.splitlines()
            if not line.startswith(("octavia_loadbalancer_cpu ", "octavia_loadbalancer_memory "))]


def test_every_metric_of_the_reference_is_translated_as_it_does(make_amphora, reference):
    names = haproxy_names() - RENAMED_SINCE.keys()
    assert len(names) > 100
    Exporter.text = "\n".join([
        *everything_known(names), "# HELP haproxy_process_nbthread Threads.",
        "# TYPE haproxy_process_nbthread gauge", "haproxy_process_nbthread 2",
        'haproxy_server_check_status{proxy="P:L",server="M",state="HANA"} 0',
        'haproxy_process_build_info{version="2.6.12"} 1']) + "\n"
    amphora = make_amphora()
    with HttpServer(Exporter) as exporter, reference(exporter.port) as their_proxy:
        port = free_port()
        amphora.drop_in.set("agent", "prometheus_port", port)
        amphora.drop_in.set("agent", "prometheus_exporter_port", exporter.port)
        amphora.start()
        eventually(lambda: amphora.log().count("serving metrics") == 1, "the proxy listens")
        ours = unlike(prometheus.get(port).body)
        theirs = unlike(prometheus.get(their_proxy.port).body)
    for number, line in enumerate(theirs):
        words = line.split(" ", 3)
        if words[1] == "HELP" and words[2] in NEWER_HELP:
            theirs[number] = f"# HELP {words[2]} {NEWER_HELP[words[2]]}"
    assert ours == theirs


def test_what_haproxy_renamed_is_called_as_the_newest_release_does(make_amphora):
    new = {new: name for new, name in RENAMED_SINCE.values()}
    assert RENAMED_SINCE.keys() <= haproxy_names()
    Exporter.text = "\n".join(everything_known(new)) + "\n"
    amphora = make_amphora()
    with HttpServer(Exporter) as exporter:
        port = free_port()
        amphora.drop_in.set("agent", "prometheus_port", port)
        amphora.drop_in.set("agent", "prometheus_exporter_port", exporter.port)
        amphora.start()
        eventually(lambda: amphora.log().count("serving metrics") == 1, "the proxy listens")
        metrics = prometheus.scrape(port)
    assert metrics.names() - {"octavia_loadbalancer_cpu", "octavia_loadbalancer_memory"} == \
        NEWER_NAMES


# On what a real one says, with a config that the driver rendered


@pytest.fixture
def namespace(resources):
    return resources.enter_context(NetworkNamespace())


@pytest.fixture
def controller(make_amphora, resources, namespace):
    """The controller of an amphora whose HAProxy lives in the namespace, with the ports that
    controllers render."""
    from harness.controller import Controller  # takes seconds, which not every test has to wait
    amphora = make_amphora(network_namespace=namespace.name)
    amphora.drop_in.set("agent", "prometheus_port", None)
    directory = resources.enter_context(tempfile.TemporaryDirectory(prefix="controller-test-"))
    controller = Controller(amphora, directory)
    resources.callback(controller.close)
    amphora.start()
    return controller


@pytest.fixture
def prometheus_port(controller, namespace, resources):
    """The port of a PROMETHEUS listener, beside others that have seen traffic and failures."""
    with namespace.entered():
        servers = [resources.enter_context(WebServer(name, f"127.0.0.{number}"))
                   for number, name in enumerate(("one", "two"), 2)]
    ports = {protocol: free_port() for protocol in ("HTTP", "TCP", "PROMETHEUS")}
    lb_id = controller.create_load_balancer()
    for protocol in ("HTTP", "TCP"):
        listener_id = controller.create_listener(lb_id, ports[protocol], protocol)
        pool_id = controller.create_pool(lb_id, listener_id, protocol, {"type": protocol})
        for server in servers:
            controller.create_member(pool_id, server)
    controller.create_listener(lb_id, ports["PROMETHEUS"], "PROMETHEUS")
    controller.update(lb_id)
    with namespace.entered():
        eventually(lambda: prometheus.status(prometheus.PROXY_PORT) == 200, "the proxy serves")
        for protocol in ("HTTP", "TCP"):
            eventually(lambda: who_answers(ports[protocol]), f"the {protocol} listener serves")
            for _ in range(5):
                who_answers(ports[protocol])
        servers[1].stop()
        eventually(lambda: member_states(prometheus.PROXY_PORT).count("DOWN") == 2,
                   "a member is down")
    return ports["PROMETHEUS"]


def member_states(port):
    """The states of all members, by HAProxy's word."""
    return [labels.partition('state="')[2].partition('"')[0]
            for (name, labels), value in prometheus.scrape(port).samples.items()
            if name == "octavia_member_status" and value == "1"]


def is_quiet():
    return all(value == "0" for (name, _), value in
               prometheus.scrape(prometheus.PROXY_PORT).samples.items()
               if name in ("octavia_listener_current_sessions", "octavia_pool_current_sessions"))


def differences(ours, theirs):
    found = []
    for key, value in theirs.samples.items():
        got = ours.samples.get(key)
        if got is None:
            found.append(f"{key}: missing")
        elif got != value and not abs(float(got) - float(value)) <= MOVING.get(key[0], 0):
            found.append(f"{key}: {got}, reference: {value}")
    return found


def told_by_both(their_proxy):
    """(ours, theirs) of a moment in which nothing changed but what MOVING names; None otherwise."""
    before = prometheus.scrape(prometheus.PROXY_PORT)
    theirs = prometheus.scrape(their_proxy.port)
    ours = prometheus.scrape(prometheus.PROXY_PORT)
    return None if differences(ours, before) else (ours, theirs)


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_a_controllers_load_balancer_is_told_as_the_reference_does(
        namespace, prometheus_port, reference):
    with namespace.entered(), reference(prometheus.EXPORTER_PORT) as their_proxy:
        through_the_listener = prometheus.scrape(prometheus_port)
        eventually(is_quiet, "no scrape is under way through the listener")
        ours, theirs = eventually(lambda: told_by_both(their_proxy), "nothing changes meanwhile")
    assert through_the_listener.samples.keys() == ours.samples.keys()
    assert differences(ours, theirs) == []
    assert ours.names() - theirs.names() == NEWER_NAMES
    assert {name for name, _ in ours.samples.keys() - theirs.samples.keys()} == NEWER_NAMES
    assert list(theirs.samples) == [key for key in ours.samples if key in theirs.samples]
    assert theirs.type == {name: kind for name, kind in ours.type.items()
                           if name not in NEWER_NAMES}
    assert {**theirs.help, **NEWER_HELP} == {name: text for name, text in ours.help.items()
                                             if name not in NEWER_NAMES}
    assert ours.count()["octavia_member_weight"] == 4
    served = {key: value for key, value in ours.samples.items()
              if key[0] == "octavia_listener_http_requests_total" and value != "0"}
    assert len(served) == 2  # the HTTP one, and the scraped one
