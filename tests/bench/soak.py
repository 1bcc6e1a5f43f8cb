# SPDX-License-Identifier: Apache-2.0
"""Hours in minutes: controllers that never rest, strangers that misbehave, and now and then the
agent is killed. Prints how memory, descriptors and threads go; the exit status is 1 when an answer
was not what it has to be. Part of no test run.

usage: soak.py [--minutes N]      as root, in a sandbox as bench.py
"""

import argparse
import collections
import http.client
import os
import pathlib
import random
import signal
import socket
import ssl
import sys
import threading
import time

import process
import sandbox
from amphora_agent import AmphoraAgent
from certificates import Certificates
from load_balancer import MEMBER_PORT, LoadBalancer
from subject import AMPHORA_ID

CONTROLLERS = 4
KILL_EVERY_S = 20
LOOK_EVERY_S = 5
SILENT_CONNECTIONS = 20
SHAPES = ((1, 2), (2, 10), (5, 20), (10, 10))


class Record:
    """What happened, from all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers = collections.Counter()
        self.faults = collections.Counter()
        self.ended = threading.Event()

    def answer(self, name, status, allowed):
        with self.lock:
            self.answers[status] += 1
            if status not in allowed:
                self.faults[f"{name}: {status}"] += 1

    def fault(self, text):
        with self.lock:
            self.faults[text] += 1


class Controller(threading.Thread):
    """One load balancer over and over: upload, reload, look, delete. A connection that breaks is
    made anew and its request repeated, as a controller does: the agent may have been killed."""

    def __init__(self, number, subject, context, record):
        super().__init__(daemon=True)
        self.subject = subject
        self.context = context
        self.record = record
        listeners, members_each = SHAPES[number % len(SHAPES)]
        self.load_balancer = LoadBalancer(subject.base_path, listeners, members_each,
                                          vip=f"127.0.1.{number + 1}")
        self.random = random.Random(number)
        self.connection = None

    def ask(self, method, path, body=None, allowed=(200, 202)):
        while not self.record.ended.is_set():
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPSConnection(
                        "127.0.0.1", self.subject.port, context=self.context, timeout=60)
                self.connection.request(method, path, body)
                reply = self.connection.getresponse()
                reply.read()
                self.record.answer(f"{method} {path}", reply.status, allowed)
                return
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
                time.sleep(0.05)

    def run(self):
        me = self.load_balancer.id
        while not self.record.ended.is_set():
            for weight in range(1, self.random.randint(2, 8)):
                self.ask("GET", "//")
                self.ask("GET", "/1.0/info")
                self.ask("GET", "/1.0/details")
                self.ask("PUT", f"/1.0/loadbalancer/{AMPHORA_ID}/{me}/haproxy",
                         self.load_balancer.config(weight=weight))
                self.ask("PUT", f"/1.0/loadbalancer/{me}/reload")
                self.ask("GET", "/1.0/listeners")
            self.ask("PUT", f"/1.0/loadbalancer/{AMPHORA_ID}/{me}/haproxy", "rubbish", (400,))
            self.ask("GET", f"/1.0/loadbalancer/{me}/haproxy")
            self.ask("DELETE", f"/1.0/listeners/{me}")
            self.ask("GET", f"/1.0/loadbalancer/{me}/haproxy", allowed=(404,))


class Stranger(threading.Thread):
    """Connections that never should have been."""

    def __init__(self, subject, context, record):
        super().__init__(daemon=True)
        self.address = ("127.0.0.1", subject.port)
        self.context = context
        self.record = record
        self.silent = []

    def run(self):
        while not self.record.ended.is_set():
            for misbehave in (self.be_silent, self.talk_rubbish, self.leave_early):
                try:
                    misbehave()
                except OSError:
                    pass
            time.sleep(0.05)

    def be_silent(self):
        self.silent.append(socket.create_connection(self.address, timeout=5))
        if len(self.silent) > SILENT_CONNECTIONS:
            self.silent.pop(0).close()

    def talk_rubbish(self):
        with socket.create_connection(self.address, timeout=5) as connection:
            connection.sendall(os.urandom(200))

    def leave_early(self):
        """With a good certificate, in the middle of a body."""
        plain = socket.create_connection(self.address, timeout=5)
        with self.context.wrap_socket(plain) as connection:
            connection.sendall(b"PUT /1.0/config HTTP/1.1\r\nHost: amphora\r\n"
                               b"Content-Length: 1000\r\n\r\n[")


class Accident(threading.Thread):
    """Kills the agent or its sender; whoever starts the agent in real life starts it again."""

    def __init__(self, subject, record):
        super().__init__(daemon=True)
        self.subject = subject
        self.record = record

    def run(self):
        for number in range(sys.maxsize):
            if self.record.ended.wait(KILL_EVERY_S):
                return
            if number % 2:
                os.kill(self.subject.sender_pid(), signal.SIGKILL)
            else:
                self.subject.process.kill()
                self.subject.process.wait()
                self.subject.start(heartbeat_interval_s=1)


def look(subject):
    """One line about the agent's processes."""
    pid = subject.process.pid
    folder = pathlib.Path(f"/proc/{pid}")
    return (f"{sum(subject.pss_mib().values()):7.1f} MiB PSS"
            f"{len(list((folder / 'fd').iterdir())):7} descriptors"
            f"{len(list((folder / 'task').iterdir())):6} threads"
            f"{len(process.running('haproxy')):5} haproxy")


def soak(folder, minutes):
    build = pathlib.Path(os.environ.get("AMPHORA_BUILD", "build")).resolve()
    certificates = Certificates(folder / "certificates", AMPHORA_ID)
    subject = AmphoraAgent(folder / "agent", certificates, build / "bench" / "tls_client", build)
    context = ssl.create_default_context(cafile=certificates.ca)
    context.check_hostname = False
    context.load_cert_chain(certificates.client)
    record = Record()
    subject.start(heartbeat_interval_s=1)
    threads = [Controller(number, subject, context, record) for number in range(CONTROLLERS)]
    threads += [Stranger(subject, context, record), Accident(subject, record)]
    with socket.create_server(("0.0.0.0", MEMBER_PORT), backlog=4096):
        for thread in threads:
            thread.start()
        end_s = time.monotonic() + minutes * 60
        while time.monotonic() < end_s:
            time.sleep(LOOK_EVERY_S)
            beat = subject.health_manager.wait_for(lambda _: True, LOOK_EVERY_S)
            if beat is None:
                record.fault(f"no heartbeat in {LOOK_EVERY_S} s")
            try:
                print(look(subject), f"{sum(record.answers.values()):9} answers", flush=True)
            except OSError:
                print("the agent was just killed", flush=True)
        record.ended.set()
        for thread in threads:
            thread.join()
        subject.stop()
    print("answers:", dict(sorted(record.answers.items())))
    for fault, times in record.faults.most_common():
        print(f"FAULT, {times} times: {fault}")
    return 1 if record.faults else 0


def main():
    parser = argparse.ArgumentParser(prog="soak.py")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--in-sandbox", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_sandbox:
        return soak(pathlib.Path(options.in_sandbox), options.minutes)
    return sandbox.run([sys.executable, *sys.argv, "--in-sandbox"])


if __name__ == "__main__":
    sys.exit(main())
