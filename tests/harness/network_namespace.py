# SPDX-License-Identifier: Apache-2.0
"""A network namespace of a test's own, removed with it: to make things in, and to look at."""

import contextlib
import ctypes
import ipaddress
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from harness.eventually import eventually

CLONE_NEWNET = 0x40000000
END_WAIT_S = 30

_libc = ctypes.CDLL(None, use_errno=True)


def _enter(namespace_file):
    if _libc.setns(namespace_file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns to {namespace_file.name}")


class NetworkNamespace:
    """As a context manager it is made and removed; without, it is one that somebody else makes."""

    def __init__(self, name=None):
        self.name = name or f"amphora-test-{os.urandom(4).hex()}"
        self._file = f"/run/netns/{self.name}"

    def __enter__(self):
        self.create()
        return self

    def __exit__(self, *_):
        self.delete()

    # Its life

    def create(self):
        self.ip_host("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def exists(self):
        """Its file is there a moment before the namespace is mounted on it."""
        return os.path.ismount(self._file)

    def delete(self):
        """With the processes that are left inside, who would keep it alive."""
        if os.path.exists(self._file):
            self.end_processes()
            self.ip_host("netns", "delete", self.name)

    def pids(self):
        """The processes inside, this one not among them."""
        inode, found = self.inode(), []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    if inode_of(entry.name) == inode:
                        found.append(int(entry.name))
        return found

    def end_processes(self):
        deadline = time.monotonic() + END_WAIT_S
        while pids := self.pids():
            assert time.monotonic() < deadline, f"processes {pids} in {self.name} do not end"
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    # What is done in it

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside meanwhile: so are the sockets that it makes, and the threads
        and processes that it starts."""
        with open("/proc/thread-self/ns/net") as before, open(self._file) as inside:
            _enter(inside)
            try:
                yield self
            finally:
                _enter(before)

    @staticmethod
    def ip_host(*arguments):
        subprocess.run(["ip", *arguments], check=True)

    def ip(self, *arguments):
        self.ip_host("-n", self.name, *arguments)

    def ip_lines(self, lines):
        """Many at once: the words of one `ip` command a line."""
        done = subprocess.run(["ip", "-n", self.name, "-batch", "-"], input=lines, text=True,
                              capture_output=True, check=False)
        assert done.returncode == 0, f"{done.stderr}\nof\n{lines}"

    def set_sysctls(self, values):
        """Names with slashes, as below /proc/sys."""
        with self.entered():
            for name, value in values.items():
                pathlib.Path(f"/proc/sys/{name}").write_text(str(value))

    def sysctl(self, name):
        with self.entered():
            return pathlib.Path(f"/proc/sys/{name}").read_text().strip()

    def run(self, *command, **options):
        """What a command inside prints."""
        return subprocess.run(["ip", "netns", "exec", self.name, *command], capture_output=True,
                              text=True, timeout=30, check=True, **options).stdout

    def add_interface(self, name, address):
        """A veth pair, both ends inside: `name` and its peer."""
        self.ip("link", "add", name, "type", "veth", "peer", "name", f"{name}-peer")
        self.ip("address", "add", address, "dev", name)
        for end in (name, f"{name}-peer"):
            self.ip("link", "set", end, "up")

    def run_python(self, source, *arguments):
        """Runs a small program inside; what it prints, as JSON."""
        return json.loads(self.run(sys.executable, "-c", source, *arguments))

    # What is in it

    def inode(self):
        return os.stat(self._file).st_ino

    def show(self, *arguments):
        """What `ip -json` says."""
        done = subprocess.run(["ip", "-n", self.name, "-json", "-details", *arguments],
                              capture_output=True, text=True, timeout=30, check=True)
        return json.loads(done.stdout or "[]")

    def links(self):
        """Interfaces by name, without lo."""
        return {link["ifname"]: link for link in self.show("link", "show")
                if link and link["ifname"] != "lo"}

    def wait_until_settled(self):
        """Until the kernel changes no interface any more by itself: each knows that it has a
        carrier, and has a link-local address that is nobody else's."""
        eventually(lambda: all(map(self._is_settled, self.show("address", "show"))),
                   f"the interfaces in {self.name} have settled")

    @staticmethod
    def _is_settled(link):
        addresses = link.get("addr_info", [])
        return not link or link["ifname"] == "lo" or (
            link["operstate"] == "UP"
            and any(address["scope"] == "link" for address in addresses)
            and not any(address.get("tentative") for address in addresses))

    def name_of(self, mac):
        """The interface with that MAC; None when there is none."""
        return next((name for name, link in self.links().items()
                     if link["address"] == mac.lower()), None)

    def addresses(self, interface):
        """Those of global scope, as ADDRESS/PREFIX."""
        return {f"{address['local']}/{address['prefixlen']}"
                for link in self.show("address", "show", "dev", interface) if link
                for address in link["addr_info"] if address["scope"] != "link"}

    def routes(self, interface, table="main"):
        """Those of a table that are neither the kernel's nor a router's nor DHCP's, as "DESTINATION
        via GATEWAY onlink src SOURCE", without what a route does not have."""
        found = set()
        for family in ("-4", "-6"):
            for route in self.show(family, "route", "show", "table", "all", "dev", interface):
                if (route.get("table", "main") == str(table)
                        and route.get("protocol") not in ("kernel", "ra", "dhcp")):
                    found.add(self._route_text(family, route))
        return found

    @staticmethod
    def _route_text(family, route):
        destination = route["dst"]
        if destination == "default":
            destination = "0.0.0.0/0" if family == "-4" else "::/0"
        words = [str(ipaddress.ip_network(destination))]
        if "gateway" in route:
            words.append(f"via {route['gateway']}")
        if "onlink" in route.get("flags", []):
            words.append("onlink")
        if "prefsrc" in route:
            words.append(f"src {route['prefsrc']}")
        return " ".join(words)

    def rules(self):
        """Rules that have a source, as "SOURCE table TABLE", each as often as it is there."""
        found = []
        for family in ("-4", "-6"):
            for rule in self.show(family, "rule", "show"):
                if rule.get("src", "all") != "all":
                    source = ipaddress.ip_network(f"{rule['src']}/{rule['srclen']}"
                                                  if "srclen" in rule else rule["src"])
                    found.append(f"{source} table {rule['table']}")
        return sorted(found)

    def neighbour_mac(self, address, interface="eth0"):
        """What the neighbour table holds for an address."""
        for entry in self.show("neighbour", "show", "dev", interface):
            if entry["dst"] == address:
                return entry.get("lladdr")
        return None

    def rule_set(self):
        """nftables, as nft prints it."""
        return self.run("nft", "list", "ruleset")


def inode_of(pid):
    """The network namespace that a process lives in."""
    return os.stat(f"/proc/{pid}/ns/net").st_ino
