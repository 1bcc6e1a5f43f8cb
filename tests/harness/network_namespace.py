# SPDX-License-Identifier: Apache-2.0
"""A network namespace of a test's own, removed with it."""

import contextlib
import ctypes
import json
import os
import subprocess
import sys

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def _enter(namespace_file):
    if _libc.setns(namespace_file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns to {namespace_file.name}")


class NetworkNamespace:
    def __init__(self):
        self.name = f"amphora-test-{os.urandom(4).hex()}"

    def __enter__(self):
        self.ip_host("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        self.ip_host("netns", "delete", self.name)

    @staticmethod
    def ip_host(*arguments):
        subprocess.run(["ip", *arguments], check=True)

    def ip(self, *arguments):
        self.ip_host("-n", self.name, *arguments)

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside meanwhile: so are the sockets that it makes, and the threads
        and processes that it starts."""
        with open("/proc/thread-self/ns/net") as before, open(f"/run/netns/{self.name}") as inside:
            _enter(inside)
            try:
                yield self
            finally:
                _enter(before)

    def add_interface(self, name, address):
        """A veth pair, both ends inside: `name` and its peer."""
        self.ip("link", "add", name, "type", "veth", "peer", "name", f"{name}-peer")
        self.ip("address", "add", address, "dev", name)
        for end in (name, f"{name}-peer"):
            self.ip("link", "set", end, "up")

    def run_python(self, source, *arguments):
        """Runs a small program inside; what it prints, as JSON."""
        command = ["ip", "netns", "exec", self.name, sys.executable, "-c", source, *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return json.loads(result.stdout)

    def inode(self):
        return os.stat(f"/run/netns/{self.name}").st_ino


def inode_of(pid):
    """The network namespace that a process lives in."""
    return os.stat(f"/proc/{pid}/ns/net").st_ino
