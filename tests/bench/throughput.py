# SPDX-License-Identifier: Apache-2.0
"""GET /, info and details: over keep-alive, and with a new TLS connection each."""

MEASURES = (
    # path, new connections, limit of the median in ms, limit of CPU in s per 1,000
    ("/", False, None, None),
    ("/1.0/info", False, 0.3, None),
    ("/1.0/details", False, 2, None),
    ("/", True, None, None),
    ("/1.0/info", True, None, 2.5),
    ("/1.0/details", True, None, None),
)


def _ask(subject, path, new_connections):
    counts = subject.counts
    count = counts.new_connections if new_connections else counts.keepalive_requests
    subject.client.measure(path, 3)
    before_s = subject.api_cpu_s()
    result = subject.client.measure(path, count, new_connections)
    result["cpu_s"] = (subject.api_cpu_s() - before_s) * 1000 / count
    return result


def measure(subjects, report):
    results = {}
    for subject in subjects:
        subject.start()
        for path, new_connections, *_ in MEASURES:
            results[subject, path, new_connections] = _ask(subject, path, new_connections)
        subject.stop()
    for path, new_connections, median_limit_ms, cpu_limit_s in MEASURES:
        found = [results[subject, path, new_connections] for subject in subjects]
        report.section(f"GET {path}, " + ("a new connection each" if new_connections
                                          else "keep-alive"))
        report.row("p50", [one["p50_ms"] for one in found], "ms", below=median_limit_ms)
        report.row("p99", [one["p99_ms"] for one in found], "ms")
        report.row("requests per second", [one["requests"] / one["seconds"] for one in found],
                   better="more")
        report.row("the agent's CPU per 1,000", [one["cpu_s"] for one in found], "s",
                   below=cpu_limit_s)
        if not new_connections:
            report.row("connections per 1,000",
                       [one["connections"] * 1000 / one["requests"] for one in found], better=None)
