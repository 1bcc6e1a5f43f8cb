# SPDX-License-Identifier: Apache-2.0
"""Prometheus: the proxies that a controller renders for it, scrapes, and what they bring."""

import collections
import contextlib
import http.client
import re

SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)")

# What HAProxy's exporter listens on and the Prometheus proxy, in controllers' configs.
EXPORTER_PORT, PROXY_PORT = 9101, 9102


def internal_proxies(exporter_port=EXPORTER_PORT, proxy_port=PROXY_PORT, timeout_s=5):
    """Beside the listeners, as soon as one is of protocol PROMETHEUS. timeout_s: a controller's; it
    ends a scrape that stands still for so long."""
    return f"""\
frontend prometheus-exporter-internal-endpoint
    bind 127.0.0.1:{exporter_port}
    mode http
    no log
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request reject
    timeout http-request {timeout_s}s
    timeout client {timeout_s}s
backend prometheus-exporter-internal
    mode http
    no log
    balance first
    timeout connect {timeout_s}s
    timeout server {timeout_s}s
    server prometheus-internal 127.0.0.1:{proxy_port}
"""


def listener(listener_id, port, address="127.0.0.1"):
    """A listener of protocol PROMETHEUS."""
    return f"""\
frontend {listener_id}
    maxconn 500
    bind {address}:{port}
    mode http
    timeout client 50000
    default_backend prometheus-exporter-internal
"""


class Metrics:
    """An exposition: samples {(name, labels): value} with the labels' text as it came, the HELP and
    TYPE texts by name, and every line that is none of these."""

    def __init__(self, text):
        self.samples = {}
        self.help = {}
        self.type = {}
        self.faults = []
        for line in text.splitlines():
            self._take(line)

    def _take(self, line):
        words = line.split(" ", 3)
        if line.startswith("# ") and len(words) == 4 and words[1] in ("HELP", "TYPE"):
            texts = self.help if words[1] == "HELP" else self.type
            if words[2] in texts:
                self.faults.append(f"twice: {line}")
            texts[words[2]] = words[3]
            return
        sample = SAMPLE.fullmatch(line)
        if not sample or sample.group(1, 2) in self.samples:
            self.faults.append(line)
            return
        self.samples[sample.group(1, 2)] = sample.group(3)

    def names(self):
        return {name for name, _ in self.samples}

    def count(self):
        """Samples by name."""
        return collections.Counter(name for name, _ in self.samples)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body


def get(port, path="/metrics", method="GET", timeout_s=120, address="127.0.0.1"):
    """One request; raises what http.client does when the answer is not whole."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout_s)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())
    finally:
        connection.close()


def status(port):
    """An answer's; None when there is none: nobody listens yet, or no longer."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return get(port).status
    return None


def scrape(port, address="127.0.0.1"):
    answer = get(port, address=address)
    assert answer.status == 200, answer.status
    metrics = Metrics(answer.body)
    assert metrics.faults == []
    return metrics
