# SPDX-License-Identifier: Apache-2.0
"""Measures the agent, and beside it, on request, Octavia's own. Prints a table; a figure that is
missed is marked and fails nothing.

usage: bench.py [--vs reference] [SECTION...]
"""

import argparse
import os
import pathlib
import socket
import subprocess
import sys
import time

import failover
import health_checks
import heartbeats
import memory
import model
import plugging
import prometheus
import python_agent
import sandbox
import start
import throughput
import uploads
from amphora_agent import AmphoraAgent
from certificates import Certificates
from load_balancer import MEMBER_PORT
from report import Report
from subject import AMPHORA_ID

SECTIONS = {"start": start, "memory": memory, "throughput": throughput, "heartbeats": heartbeats,
            "uploads": uploads, "failover": failover, "health-checks": health_checks,
            "plugging": plugging, "prometheus": prometheus, "model": model}


def arguments():
    parser = argparse.ArgumentParser(prog="bench.py")
    parser.add_argument("--vs", choices=("reference",), help="measure Octavia's own agent too")
    parser.add_argument("--in-sandbox", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("sections", nargs="*", metavar="SECTION",
                        help=f"of {', '.join(SECTIONS)}; all when none is named")
    options = parser.parse_args()
    for section in options.sections:
        if section not in SECTIONS:
            parser.error(f"no section {section}")
    return options


def member_listener():
    """Where the members' health checks connect to. HAProxy's checks need no more than a backlog."""
    listener = socket.socket()
    listener.bind(("0.0.0.0", MEMBER_PORT))
    listener.listen(4096)
    return listener


def measure(options):
    folder = pathlib.Path(options.in_sandbox)
    build = pathlib.Path(os.environ.get("AMPHORA_BUILD", "build")).resolve()
    certificates = Certificates(folder / "certificates", AMPHORA_ID)
    tls_client = build / "bench" / "tls_client"
    subjects = [AmphoraAgent(folder / "agent", certificates, tls_client, build)]
    if options.vs:
        subjects.append(python_agent.PythonAgent(folder / "python", certificates, tls_client))
    report = Report(subjects)
    haproxy = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True)
    print(f"{haproxy.stdout.split(' 20')[0]}, {os.cpu_count()} CPUs, Linux {os.uname().release}; "
          "CPU is user and system time, latency includes the client's own part")
    failed = False
    with member_listener():
        for section in options.sections or SECTIONS:
            try:
                SECTIONS[section].measure(subjects, report)
            except (OSError, RuntimeError, subprocess.SubprocessError) as fault:
                failed = True
                print(f"\n{section}: could not be measured: {fault}", flush=True)
                for subject in subjects:
                    subject.stop()
    report.end()
    return 1 if failed else 0


def main():
    options = arguments()
    if options.in_sandbox:
        return measure(options)
    if os.geteuid() != 0:
        sys.exit("bench: must be root: it measures in namespaces of its own")
    if options.vs:
        python_agent.install()
    begin_s = time.monotonic()
    status = sandbox.run([sys.executable, *sys.argv, "--in-sandbox"])
    print(f"took {time.monotonic() - begin_s:.0f} s")
    return status


if __name__ == "__main__":
    sys.exit(main())
