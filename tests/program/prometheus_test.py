# SPDX-License-Identifier: Apache-2.0
"""The Prometheus proxy with real HAProxys, as a companion of the agent and by hand."""

import concurrent.futures
import contextlib
import http.client
import itertools
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import uuid

import pytest

from harness import processes, prometheus
from harness.amphora import BUILD
from harness.eventually import eventually, stays_so
from harness.fake_keepalived import FakeKeepalived
from harness.load_balancer import LoadBalancer
from harness.lvs_listener import LvsListener, LvsMember
from harness.network_namespace import NetworkNamespace, inode_of
from harness.ports import free_port
from harness.web_server import WebServer

PSS_LIMIT_KIB = 4 * 1024
SCRAPERS = 100
PATIENCE_S = 60  # of HAProxy with scrapers that a crowded machine lets wait
LAST_CHUNK = b"\r\n0\r\n\r\n"
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: amphora\r\n\r\n"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
measures_memory = pytest.mark.skipif("san" in str(BUILD), reason="sanitizers need memory")


class Site:
    """An amphora without a namespace, whose HAProxy has an exporter and many members."""

    def __init__(self, amphora, members=2):
        self.amphora = amphora
        self.port, self.exporter_port = free_port(), free_port()
        amphora.drop_in.set("agent", "prometheus_port", self.port)
        amphora.drop_in.set("agent", "prometheus_exporter_port", self.exporter_port)
        amphora.start()
        self.balancer = LoadBalancer(amphora, check="")
        self.balancer.members = [
            (str(uuid.uuid4()), f"127.1.{number // 250}.{number % 250 + 1}", 9, 1)
            for number in range(members)]
        eventually(self.is_listening, "the proxy listens")

    def is_listening(self):
        return prometheus.status(self.port) in (200, 502)

    def serve(self):
        answer = self.balancer.upload(self.balancer.configuration(
            prometheus.internal_proxies(self.exporter_port, self.port, PATIENCE_S)))
        assert answer.status == 202, answer
        answer = self.balancer.act("reload")
        assert answer.status == 202, answer
        eventually(lambda: prometheus.status(self.port) == 200, "HAProxy's exporter answers")
        return self

    def scrape(self):
        return prometheus.scrape(self.port)

    def begin_scrape(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(REQUEST)
        return connection

    def proxy_log(self):
        return self.amphora.log()


def pss_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE).group(1))


class PeakOfMemory:
    """The largest PSS of a process while this runs."""

    def __init__(self, pid):
        self.kib = 0
        self._pid = pid
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._is_over.wait(0.02):
            self.kib = max(self.kib, pss_kib(self._pid))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()


@pytest.fixture
def site(make_amphora):
    return Site(make_amphora())


@pytest.fixture
def large_site(make_amphora):
    return Site(make_amphora(), members=1000)


# What is served


def test_metrics_have_octavias_names(site):
    metrics = site.serve().scrape()
    member = site.balancer.members[0][0]
    pool = f"{site.balancer.pool_id}:{site.balancer.listener_id}"
    assert metrics.samples["octavia_member_weight", f'{{pool="{pool}",member="{member}"}}'] == "1"
    assert ("octavia_listener_status", f'{{listener="{site.balancer.listener_id}",state="UP"}}'
            ) in metrics.samples
    assert metrics.help["octavia_member_weight"] == "Member weight."
    assert metrics.type["octavia_member_weight"] == "gauge"
    for name in ("octavia_loadbalancer_cpu", "octavia_loadbalancer_memory"):
        assert 0 <= float(metrics.samples[name, None])
    assert not any(name.startswith("haproxy") for name in metrics.names())
    assert "prometheus-exporter" not in str(metrics.samples)


def test_every_path_answers_and_no_other_method_does(site):
    site.serve()
    for path in ("/", "/metrics", "/a/b?c=d", "*"):
        assert "octavia_listener_status" in prometheus.get(site.port, path).body
    answer = prometheus.get(site.port)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Connection"] == "close"
    answer = prometheus.get(site.port, method="HEAD")
    assert (answer.status, answer.body) == (200, "")
    answer = prometheus.get(site.port, method="POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_without_haproxy_a_scrape_is_a_502_and_the_log_hears_once(site):
    for _ in range(3):
        assert prometheus.get(site.port).status == 502
    site.serve()
    log = site.proxy_log()
    assert log.count("does HAProxy run") == 1
    assert len(re.findall(r"HAProxy's exporter at \S+ answers", log)) == 1


def test_a_scrape_survives_a_reload_of_haproxy(large_site):
    """The scraper reads so slowly that its scrape outlasts the reload. One that does not read at
    all has 10 s, which a reload on a slow machine may take."""
    workers = large_site.serve().balancer.workers
    large_site.balancer.listener_lines = ("timeout client 40s",)
    with large_site.begin_scrape() as scraper, concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = scraper.recv(1000)
        reload = pool.submit(large_site.serve)
        while not reload.done():
            answer += scraper.recv(4096)
            time.sleep(0.05)
        reload.result()
        assert large_site.balancer.workers != workers
        assert not answer.endswith(LAST_CHUNK)
        while part := scraper.recv(1 << 20):
            answer += part
    assert answer.endswith(LAST_CHUNK)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_haproxy_that_dies_in_between_is_a_failure_to_the_scraper(large_site, version):
    large_site.serve()
    with socket.create_connection(("127.0.0.1", large_site.port), timeout=30) as scraper:
        scraper.sendall(f"GET / HTTP/{version}\r\n\r\n".encode())
        assert scraper.recv(1000).startswith(b"HTTP/1.1 200 ")
        time.sleep(0.5)  # until every buffer in between is full, and holds but a part
        processes.kill_each(large_site.amphora.haproxy_pids())
        with pytest.raises(ConnectionResetError):
            while scraper.recv(1 << 20):
                pass


# Load


def count_in_answer(port, text):
    answer = prometheus.get(port)
    assert answer.status == 200
    return answer.body.count(text)


def counts_of_scrapers(port, text):
    """How often it is in the answers to so many at once, who keep nothing of them."""
    with concurrent.futures.ThreadPoolExecutor(SCRAPERS) as pool:
        return set(pool.map(count_in_answer, [port] * SCRAPERS, [text] * SCRAPERS))


@measures_memory
def test_a_hundred_scrapers_at_once_get_all_within_the_memory(large_site):
    large_site.serve()
    lines = count_in_answer(large_site.port, "\n")
    with PeakOfMemory(large_site.amphora.prometheus_pid()) as peak:
        assert counts_of_scrapers(large_site.port, "\n") == {lines}
    assert 0 < peak.kib < PSS_LIMIT_KIB


@measures_memory
def test_memory_does_not_know_the_number_of_members(make_amphora):
    site = Site(make_amphora(), members=5000).serve()
    with PeakOfMemory(site.amphora.prometheus_pid()) as peak:
        for _ in range(3):
            assert site.scrape().count()["octavia_member_weight"] == 5000
    assert 0 < peak.kib < PSS_LIMIT_KIB


@measures_memory
def test_scrapers_that_never_read_are_ended_and_delay_nobody(large_site, resources):
    large_site.serve()
    sleepers = [resources.enter_context(large_site.begin_scrape()) for _ in range(SCRAPERS)]
    pid = large_site.amphora.prometheus_pid()
    with PeakOfMemory(pid) as peak:
        eventually(lambda: prometheus.status(large_site.port) == 200, "somebody is served")
    assert len(os.listdir(f"/proc/{pid}/fd")) > SCRAPERS, "while the sleepers are there"
    assert 0 < peak.kib < PSS_LIMIT_KIB
    eventually(lambda: len(os.listdir(f"/proc/{pid}/fd")) < 20, "the sleepers are ended", 60)
    assert len(sleepers) == SCRAPERS


# UDP and SCTP listeners, on a kernel without IPVS


class LvsSite(Site):
    """With an LVS listener, which the fake keepalived runs."""

    def __init__(self, amphora, lvs_members=2):
        self.keepalived = FakeKeepalived(amphora)
        super().__init__(amphora)
        checked = [LvsMember(f"203.0.{number // 250}.{number % 250 + 1}", 53, check=CHECK)
                   for number in range(lvs_members)]
        self.listener = LvsListener(amphora, ["127.0.0.1"], free_port(), checked)

    @property
    def pool(self):
        return f"{self.listener.pool_id}:{self.listener.id}"


CHECK = """        MISC_CHECK {
            misc_path "/var/lib/octavia/lvs/check/udp_check.sh 203.0.113.1 53"
            misc_timeout 5
        }
"""


@pytest.fixture
def lvs_site(make_amphora):
    return LvsSite(make_amphora()).serve()


def families_in_order(text):
    """The metric's name of each line, repetitions left out."""
    names = [re.fullmatch(r"(?:# (?:HELP|TYPE) )?(\w+).*", line)[1] for line in text.splitlines()]
    return [name for name, _ in itertools.groupby(names)]


def test_lvs_listeners_stand_in_the_families_of_haproxys(lvs_site):
    haproxys = lvs_site.scrape()
    listener = lvs_site.listener.serve()
    label = f'{{listener="{listener.id}"}}'
    eventually(lambda: ("octavia_listener_sessions_total", label) in lvs_site.scrape().samples,
               "the listener is there")
    metrics = lvs_site.scrape()
    samples = metrics.samples
    for name in ("bytes_in_total", "bytes_out_total", "sessions_total", "current_sessions"):
        assert samples[f"octavia_listener_{name}", label] == "0"
        assert samples[f"octavia_pool_{name}", f'{{pool="{lvs_site.pool}"}}'] == "0"
    assert samples["octavia_listener_status", f'{{listener="{listener.id}",state="UP"}}'] == "1"
    for status, value in (("DOWN", "1"), ("UP", "0")):
        assert samples["octavia_pool_status",
                       f'{{pool="{lvs_site.pool}",state="{status}"}}'] == value
    for member in listener.members:
        labels = f'pool="{lvs_site.pool}",member="{member.id}"'
        assert ("octavia_member_status", f'{{{labels},state="DOWN"}}') in samples
        assert ("octavia_member_weight", f"{{{labels}}}") not in samples
    assert set(haproxys.samples) <= set(samples)
    assert metrics.help == haproxys.help
    assert metrics.type == haproxys.type
    names = families_in_order(prometheus.get(lvs_site.port).body)
    assert len(names) == len(set(names))
    assert listener.delete().status == 200
    eventually(lambda: set(lvs_site.scrape().samples) == set(haproxys.samples), "it is gone")


def test_without_haproxy_a_scrape_is_a_502_whatever_lvs_has(make_amphora):
    site = LvsSite(make_amphora())
    site.listener.serve()
    assert prometheus.get(site.port).status == 502


@measures_memory
def test_memory_knows_no_number_of_lvs_members_either(make_amphora):
    site = LvsSite(make_amphora(), lvs_members=3000).serve()
    site.listener.serve()
    with PeakOfMemory(site.amphora.prometheus_pid()) as peak:
        eventually(lambda: site.listener.id in prometheus.get(site.port).body, "it is there")
        for _ in range(3):
            time.sleep(1)
            assert counts_of_scrapers(site.port, site.pool) == {5 * 3000 + 7}
    print(f"{peak.kib} KiB")
    assert 0 < peak.kib < PSS_LIMIT_KIB


@measures_memory
def test_scrapers_of_lvs_that_never_read_do_not_cost_memory(
        make_amphora, resources):
    site = LvsSite(make_amphora(), lvs_members=1000).serve()
    site.listener.serve()
    eventually(lambda: site.listener.id in prometheus.get(site.port).body, "it is there")
    with PeakOfMemory(site.amphora.prometheus_pid()) as peak:
        for _ in range(SCRAPERS):
            resources.enter_context(site.begin_scrape())
        eventually(lambda: prometheus.status(site.port) == 200, "somebody is served")
        time.sleep(1)
    print(f"{peak.kib} KiB")
    assert 0 < peak.kib < PSS_LIMIT_KIB


# A companion of the agent


def test_a_killed_proxy_is_restarted_at_once(site):
    pid = site.amphora.prometheus_pid()
    processes.kill_each([pid])
    eventually(lambda: site.amphora.prometheus_pid() not in (0, pid), "the proxy is back")
    eventually(site.is_listening, "it listens")


def test_the_proxy_ends_with_an_agent_that_ends_in_order(site):
    assert site.amphora.prometheus_pid()
    assert site.amphora.stop() == 0
    assert site.amphora.prometheus_pid() == 0


def test_a_killed_agents_proxy_goes_on_until_the_next_agent_replaces_it(site):
    site.serve()
    pid = site.amphora.prometheus_pid()
    site.amphora.kill()
    site.scrape()
    assert site.amphora.prometheus_pid() == pid
    site.amphora.start()
    eventually(lambda: site.amphora.prometheus_pid() not in (0, pid), "a new proxy runs")
    eventually(site.is_listening, "it listens")


def test_a_port_of_0_means_no_proxy(site):
    site.amphora.drop_in.set("agent", "prometheus_port", 0)
    site.amphora.write_config()
    os.kill(site.amphora.pid, signal.SIGHUP)
    eventually(lambda: site.amphora.prometheus_pid() == 0, "the proxy is ended")
    site.amphora.drop_in.set("agent", "prometheus_port", site.port)
    site.amphora.write_config()
    os.kill(site.amphora.pid, signal.SIGHUP)
    eventually(site.is_listening, "it is started again")


def test_two_amphorae_that_want_one_port_get_along(make_amphora):
    first = Site(make_amphora())
    amphora = make_amphora()
    amphora.drop_in.set("agent", "prometheus_port", first.port)
    amphora.start()
    eventually(lambda: "Address already in use" in amphora.log(), "the second one says so")
    stays_so(lambda: amphora.prometheus_pid() != 0, "it waits", 1.5)
    assert amphora.log().count("Address already in use") == 1
    assert first.amphora.stop() == 0
    eventually(first.is_listening, "the second one has the port now")


# In the network namespace


@needs_root
def test_a_prometheus_listener_serves_from_inside_the_namespace(make_amphora, resources):
    namespace = resources.enter_context(NetworkNamespace())
    with namespace.entered():
        server = resources.enter_context(WebServer("one"))
    amphora = make_amphora(network_namespace=namespace.name)
    amphora.drop_in.set("agent", "prometheus_port", None)
    amphora.start()
    balancer = LoadBalancer(amphora, [server], check="")
    listener_id, port = str(uuid.uuid4()), free_port()
    answer = balancer.upload(balancer.configuration(
        prometheus.internal_proxies(), prometheus.listener(listener_id, port)))
    assert answer.status == 202, answer
    answer = balancer.act("reload")
    assert answer.status == 202, answer
    with namespace.entered():
        eventually(lambda: prometheus.status(port) == 200, "the listener answers")
        metrics = prometheus.scrape(port)
    assert ("octavia_listener_status", f'{{listener="{listener_id}",state="UP"}}'
            ) in metrics.samples
    assert inode_of(amphora.prometheus_pid()) == namespace.inode()


@needs_root
def test_the_proxy_is_unprivileged(make_amphora, resources):
    namespace = resources.enter_context(NetworkNamespace())
    amphora = make_amphora(network_namespace=namespace.name)
    amphora.drop_in.set("agent", "prometheus_port", None)
    amphora.start()
    with namespace.entered():
        eventually(lambda: prometheus.status(prometheus.PROXY_PORT) == 502, "it listens")
    pid = amphora.prometheus_pid()
    nobody = int(subprocess.run(["id", "-u", "nobody"], capture_output=True, check=True).stdout)
    assert set(processes.user_of(pid)) == {nobody}
    assert processes.groups_of(pid) == []
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    net_admin = f"{1 << 12:016x}"  # the kernel's IPVS answers nobody else
    for words in (f"CapEff:\t{net_admin}", f"CapPrm:\t{net_admin}", "CapInh:\t0000000000000000",
                  "NoNewPrivs:\t1"):
        assert words in status


# By hand


class ByHand:
    """The program on an amphora's files, without an agent."""

    def __init__(self, amphora, *options):
        amphora.write_config()
        self._log = amphora.directory / "proxy.log"
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [BUILD / "prometheus-proxy", "--config-file", amphora.config_file, "--config-dir",
                 amphora.config_dir, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        return self._log.read_text()

    def stop(self):
        self.process.terminate()
        return self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


@needs_root
def test_it_waits_for_its_namespace(make_amphora, resources):
    name = f"amphora-test-{os.urandom(4).hex()}"
    amphora = make_amphora(network_namespace=name)
    amphora.drop_in.set("agent", "prometheus_port", None)
    with ByHand(amphora) as proxy:
        eventually(lambda: f"waiting for network namespace {name}" in proxy.log(), "it waits")
        subprocess.run(["ip", "netns", "add", name], check=True)
        resources.callback(subprocess.run, ["ip", "netns", "delete", name], check=True)
        eventually(lambda: "serving metrics on 127.0.0.1:9102" in proxy.log(), "it serves")
        assert inode_of(proxy.process.pid) == os.stat(f"/run/netns/{name}").st_ino
        assert proxy.stop() == 0


@needs_root
def test_it_waits_for_a_namespace_that_is_being_made(make_amphora, resources):
    namespace = NetworkNamespace()
    amphora = make_amphora(network_namespace=namespace.name)
    amphora.drop_in.set("agent", "prometheus_port", None)
    name = pathlib.Path(f"/run/netns/{namespace.name}")
    with NetworkNamespace():  # so that the folder is there, as ip makes it
        name.touch()
    resources.callback(namespace.delete)
    with ByHand(amphora) as proxy:
        eventually(lambda: f"waiting for network namespace {namespace.name}" in proxy.log(),
                   "it waits")
        stays_so(lambda: proxy.process.poll() is None, "it goes on waiting", 1.5)
        name.unlink()
        namespace.create()
        eventually(lambda: "serving metrics on 127.0.0.1:9102" in proxy.log(), "it serves")
        assert inode_of(proxy.process.pid) == namespace.inode()
        assert proxy.stop() == 0


@needs_root
def test_it_ends_in_order_while_it_waits(make_amphora):
    amphora = make_amphora(network_namespace=f"amphora-test-{os.urandom(4).hex()}")
    amphora.drop_in.set("agent", "prometheus_port", None)
    with ByHand(amphora) as proxy:
        eventually(lambda: "waiting for network namespace" in proxy.log(), "it waits")
        assert proxy.stop() == 0


def test_wrong_use_and_wrong_settings_are_told(make_amphora):
    amphora = make_amphora()
    with ByHand(amphora) as proxy:
        assert proxy.process.wait(10) == 2
        assert "prometheus_port is 0" in proxy.log()
    with ByHand(amphora, "--check") as proxy:
        assert proxy.process.wait(10) == 0
        assert "Prometheus proxy     none" in proxy.log()
    amphora.drop_in.set("agent", "prometheus_port", "nine")
    with ByHand(amphora) as proxy:
        assert proxy.process.wait(10) == 2
        assert "[agent] prometheus_port" in proxy.log()


def test_a_scraper_learns_that_an_answer_is_not_whole(site):
    """What http.client, as any client, makes of it."""
    scraper = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    with contextlib.closing(scraper), \
            socket.create_server(("127.0.0.1", site.exporter_port)) as fake:
        scraper.request("GET", "/metrics")
        exporter, _ = fake.accept()
        with exporter:
            exporter.recv(4096)
            exporter.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             b"22\r\nhaproxy_process_max_connections 5\n\r\n")
            answer = scraper.getresponse()
        assert answer.status == 200
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
            answer.read()
