# SPDX-License-Identifier: Apache-2.0
"""Clients of an agent: the C program that times requests, and idle connections from Python."""

import json
import socket
import ssl
import subprocess


class Client:
    def __init__(self, program, certificates, address, port):
        self.command = [program]
        self.peer = [address, str(port), str(certificates.ca), str(certificates.client)]
        self.certificates = certificates
        self.address = (address, port)

    def measure(self, path, count, new_connections=False, method="GET", body=None):
        """Times count requests; a dict as tls_client.c prints it. Raises when one failed."""
        options = ["-n", str(count), "-m", method]
        if new_connections:
            options.append("-N")
        if body is not None:
            options += ["-b", str(body)]
        result = json.loads(self._run(*options, *self.peer, path))
        if result["failed"]:
            raise RuntimeError(f"{result['failed']} of {count} {method} {path} failed, "
                               f"the last status was {result['status']}")
        return result

    def _run(self, *arguments):
        done = subprocess.run([*self.command, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip() or "tls_client failed")
        return done.stdout

    def wait_for_answer(self):
        """Starts a client that tries until it is answered; its result() is a CLOCK_MONOTONIC."""
        return Waiting(subprocess.Popen([*self.command, "-u", *self.peer, "/"],
                                        stdout=subprocess.PIPE, text=True))

    def idle_connections(self, count):
        """Connections on which one request was answered. In Python, whose TLS is OpenSSL's: a
        client with the agent's own library would share its pages and flatter its PSS."""
        context = ssl.create_default_context(cafile=self.certificates.ca)
        context.check_hostname = False
        context.load_cert_chain(self.certificates.client)
        connections = []
        for _ in range(count):
            plain = socket.create_connection(self.address, timeout=10)
            connection = context.wrap_socket(plain)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: amphora\r\n\r\n")
            connection.recv(65536)
            connections.append(connection)
        return connections


class Waiting:
    def __init__(self, process):
        self.process = process

    def result(self):
        output = self.process.communicate(timeout=60)[0]
        return json.loads(output)["answered_at_ns"] / 1e9
