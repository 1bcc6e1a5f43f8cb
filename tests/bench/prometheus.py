# SPDX-License-Identifier: Apache-2.0
"""A scrape through the Prometheus proxy, beside one of HAProxy's exporter itself: time, CPU, and
memory while many scrape at once."""

import concurrent.futures
import socket
import statistics
import time

import process
from load_balancer import LoadBalancer
from memory import copy_libraries

EXPORTER_PORT, PROXY_PORT = 9101, 9102
# Shapes (listeners, members each), and how much longer than HAProxy's own a scrape may take.
SHAPES = ((1, 2, None), (50, 20, 1.3), (50, 100, None))
SCRAPERS = 100
SCRAPERS_OF_MEMBERS = 1000
MEMORY_LIMIT_MIB = 4
READY_WAIT_S = 20
PIECE_BYTES = 1 << 18

# What a controller adds when a listener is of protocol PROMETHEUS.
INTERNAL_PROXIES = f"""
frontend prometheus-exporter-internal-endpoint
    bind 127.0.0.1:{EXPORTER_PORT}
    mode http
    no log
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request reject
    timeout http-request 5s
    timeout client 5s

backend prometheus-exporter-internal
    mode http
    no log
    balance first
    timeout connect 5s
    timeout server 5s
    server prometheus-internal 127.0.0.1:{PROXY_PORT}
"""


class ScrapedLoadBalancer(LoadBalancer):
    def config(self, **changes):
        return super().config(**changes) + INTERNAL_PROXIES


def _scrape(port):
    """One, until the connection ends; how long that took, in ms, and the status line."""
    piece = bytearray(PIECE_BYTES)
    begin_s = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: amphora\r\nConnection: close\r\n\r\n")
        status = None
        while size := connection.recv_into(piece):
            status = status or bytes(piece[:size]).split(b"\r\n")[0]
    return (time.perf_counter() - begin_s) * 1000, status


def _answers(port):
    try:
        return _scrape(port)[1] == b"HTTP/1.1 200 OK"
    except OSError:
        return False


def _wait_until_scraped():
    deadline = time.monotonic() + READY_WAIT_S
    while not (_answers(EXPORTER_PORT) and _answers(PROXY_PORT)):
        if time.monotonic() > deadline:
            raise RuntimeError("HAProxy's exporter and the proxy do not answer")
        time.sleep(0.05)


class Scrapes:
    """The figures of one subject and one load balancer."""

    def __init__(self, subject, load_balancer, proxy):
        subject.put_config(load_balancer)
        subject.reload(load_balancer)
        _wait_until_scraped()
        direct, through = [], []
        before_s, used_s = 0, 0
        # By turns: what else happens on this machine happens to both.
        for _ in range(subject.counts.scrapes):
            direct.append(_scrape(EXPORTER_PORT)[0])
            before_s = process.cpu_s(proxy)
            through.append(_scrape(PROXY_PORT)[0])
            used_s += process.cpu_s(proxy) - before_s
        self.direct_ms = statistics.median(direct)
        self.through_ms = statistics.median(through)
        self.ratio = self.through_ms / self.direct_ms
        self.cpu_ms = used_s * 1000 / subject.counts.scrapes
        self.at_once_mib = None
        if load_balancer.members == SCRAPERS_OF_MEMBERS:
            self.at_once_mib = _memory_at_once(subject.counts.scrapers, proxy)
        subject.delete(load_balancer)


def _memory_at_once(scrapers, proxy):
    """The largest PSS of the proxy while so many scrape it."""
    most_mib = process.pss_mib(proxy)
    with concurrent.futures.ThreadPoolExecutor(scrapers) as pool:
        under_way = [pool.submit(_scrape, PROXY_PORT) for _ in range(scrapers)]
        while not all(scrape.done() for scrape in under_way):
            most_mib = max(most_mib, process.pss_mib(proxy))
            time.sleep(0.02)
    if any(scrape.result()[1] != b"HTTP/1.1 200 OK" for scrape in under_way):
        raise RuntimeError(f"not all of {scrapers} scrapers at once are served")
    return most_mib


def measure(subjects, report):
    results, left_mib = {}, []
    for subject in subjects:
        subject.start(libraries=copy_libraries(subject))
        with subject.prometheus_proxy() as proxy:
            for listeners, members_each, _ in SHAPES:
                load_balancer = ScrapedLoadBalancer(subject.base_path, listeners, members_each)
                results[subject, load_balancer.members] = Scrapes(subject, load_balancer, proxy)
            left_mib.append(process.pss_mib(proxy))
        subject.stop()
    for listeners, members_each, limit in SHAPES:
        members = listeners * members_each
        found = [results[subject, members] for subject in subjects]
        report.section(f"Prometheus, {members} members, {listeners} listeners")
        report.row("a scrape of HAProxy's exporter itself", [one.direct_ms for one in found], "ms",
                   better=None)
        report.row("a scrape through the proxy", [one.through_ms for one in found], "ms")
        report.row("so many times HAProxy's own", [one.ratio for one in found], below=limit)
        report.row("the proxy's CPU", [one.cpu_ms for one in found], "ms")
        if members == SCRAPERS_OF_MEMBERS:
            report.row("scrapers at once", [subject.counts.scrapers for subject in subjects],
                       better=None)
            report.row("the proxy's memory meanwhile (PSS)", [one.at_once_mib for one in found],
                       "MiB", below=MEMORY_LIMIT_MIB)
    report.section("Prometheus, idle after all that")
    report.row("the proxy's memory (PSS)", left_mib, "MiB", below=MEMORY_LIMIT_MIB)
