# SPDX-License-Identifier: Apache-2.0
"""A network to throw away, in namespaces of its own: what a cloud gives an amphora, and who is there.

                        router (bridges "vip", "member", "outside")
                          |             |             |
         host:   NICs    neighbour    members       client
      inside:    (after plugging)

`host` plays the amphora's root namespace: the agent runs there, and NICs appear there, named by
their MACs. `inside` is the namespace that the agent makes. The router is the gateway of every
network, and the nexthop of the VIP network's host route. `client` is beyond the gateway,
`neighbour` on the VIP network itself, and `members` has the members' addresses.
"""

import contextlib
import fcntl
import itertools
import os
import pathlib
import struct
import subprocess
import tempfile

from harness.network_namespace import NetworkNamespace
from harness.web_server import WebServer, who_answers

# Addresses of the blocks for documentation; networks and roles are those of the requests that were
# recorded from a controller.
VIP_NET, VIP_GATEWAY = "198.51.100.0/24", "198.51.100.254"
VIP_NET_6, VIP_GATEWAY_6 = "2001:db8:1::/64", "2001:db8:1::fe"
HOST_ROUTE, HOST_ROUTE_NEXTHOP = "233.252.0.0/24", "198.51.100.253"
MEMBER_NET, MEMBER_GATEWAY = "203.0.113.0/24", "203.0.113.254"
MEMBER_NET_6, MEMBER_GATEWAY_6 = "2001:db8:2::/64", "2001:db8:2::fe"
NEIGHBOUR, NEIGHBOUR_6 = "198.51.100.200", "2001:db8:1::200"
MEMBERS, MEMBERS_6 = ("203.0.113.201", "203.0.113.202"), ("2001:db8:2::201", "2001:db8:2::202")
CLIENT, CLIENT_6 = "192.0.2.10", "2001:db8:3::10"
OUTSIDE_GATEWAY, OUTSIDE_GATEWAY_6 = "192.0.2.254", "2001:db8:3::fe"

ROUTER = """\
link add vip type bridge
link add member type bridge
link add outside type bridge
address add {VIP_GATEWAY}/24 dev vip
address add {HOST_ROUTE_NEXTHOP}/24 dev vip
address add {VIP_GATEWAY_6}/64 dev vip
address add {MEMBER_GATEWAY}/24 dev member
address add {MEMBER_GATEWAY_6}/64 dev member
address add {OUTSIDE_GATEWAY}/24 dev outside
address add {OUTSIDE_GATEWAY_6}/64 dev outside
link set vip up
link set member up
link set outside up
""".format(**globals())
# <linux/if_tun.h>: a frame as it is on the cable; virtual machines put a header before it.
TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 0x0002, 0x1000, 0x4000
# Those who are there from the beginning do not wait for duplicate address detection.
QUICK = {"net/ipv6/conf/all/accept_dad": 0, "net/ipv6/conf/default/accept_dad": 0}
FORWARDS = {"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1}


def new_mac():
    return "fa:16:3e:" + ":".join(f"{byte:02x}" for byte in os.urandom(3))


class Shield:
    """What a test's agent must not reach of this machine, although its network is another one: the
    PCI bus that it asks to look again, resolv.conf, and the places where a DHCP client keeps its
    leases and pid. `wrapper` is for Amphora: a mount namespace in which these are of a folder.
    Network namespaces that the agent makes are seen outside all the same."""

    SCRIPT = """\
set -e
mount --make-private /
mount --make-private /sys
! mountpoint -q /run || mount --make-private /run
mount --bind "$1/resolv.conf" /etc/resolv.conf
! [ -e /sys/bus/pci/rescan ] || mount --bind "$1/rescan" /sys/bus/pci/rescan
mkdir -p /var/lib/dhclient
mount --bind "$1/leases" /var/lib/dhclient
mount --rbind /run/netns "$1/run/netns"
mount --rbind "$1/run" /run
shift
exec "$@"
"""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="amphora-test-shield-")
        folder = pathlib.Path(self._folder.name)
        folder.chmod(0o755)
        for name in ("resolv.conf", "rescan"):
            (folder / name).touch()
        for name in ("leases", "run/netns"):
            (folder / name).mkdir(parents=True)
        self.wrapper = ("unshare", "--mount", "--propagation", "unchanged",
                        "sh", "-c", self.SCRIPT, "sh", folder)

    def rescans(self):
        """Whether the PCI bus was asked to look again."""
        return (pathlib.Path(self._folder.name) / "rescan").read_text() != ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()


class NetworkBed:
    """As a context manager. Its namespaces are named after one random word, and so are found again
    however the test ends."""

    def __init__(self):
        word = os.urandom(3).hex()
        self.router, self.host, self.inside, self.neighbour, self.members, self.client = (
            NetworkNamespace(f"bed-{word}-{role}")
            for role in ("router", "host", "inside", "neighbour", "members", "client"))
        self._port_numbers = itertools.count()
        self._nics = {}
        self._end = contextlib.ExitStack()
        self.shield = self._end.enter_context(Shield())

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._end.callback(self.inside.delete)  # the agent's, who leaves it behind
            for namespace in (self.router, self.host, self.neighbour, self.members, self.client):
                stack.enter_context(namespace)
                namespace.set_sysctls(QUICK)
            self.router.set_sysctls(FORWARDS)
            self.router.ip_lines(ROUTER)
            self._attach(self.neighbour, "vip", [f"{NEIGHBOUR}/24", f"{NEIGHBOUR_6}/64"],
                         [VIP_GATEWAY, VIP_GATEWAY_6])
            self._attach(self.members, "member",
                         [f"{address}/24" for address in MEMBERS]
                         + [f"{address}/64" for address in MEMBERS_6],
                         [MEMBER_GATEWAY, MEMBER_GATEWAY_6])
            self._attach(self.client, "outside", [f"{CLIENT}/24", f"{CLIENT_6}/64"],
                         [OUTSIDE_GATEWAY, OUTSIDE_GATEWAY_6])
            self._end.push(stack.pop_all())
        return self

    def __exit__(self, *_):
        self._end.close()

    def _cable(self, namespace, network, name, mac=None):
        """A new interface of a namespace on a network, and the name of the router's end."""
        port = f"port{next(self._port_numbers)}"
        address = f"address {mac}" if mac else ""
        self.router.ip_lines(f"link add {port} type veth peer name {name} {address} "
                             f"netns {namespace.name}\n"
                             f"link set {port} master {network} up\n")
        return port

    def _attach(self, namespace, network, addresses, gateways):
        self._cable(namespace, network, "eth0")
        lines = [f"address add {address} dev eth0" for address in addresses]
        lines.append("link set eth0 up")
        lines += [f"route add default via {gateway}" for gateway in gateways]
        namespace.ip_lines("\n".join(lines) + "\n")

    # What Nova does

    def add_nic(self, network, mac=None, name=None, altname=None):
        """A NIC on "vip", "member" or "outside" appears in the host, under the next free name unless
        one is given; returns its MAC."""
        mac = mac or new_mac()
        if name is None:
            taken = self.host.links()
            name = next(name for number in itertools.count(1)
                        if (name := f"eth{number}") not in taken)
        self._nics[mac] = network, self._cable(self.host, network, name, mac)
        if altname:
            self.host.ip("link", "property", "add", "dev", name, "altname", altname)
        return mac

    def open_tap(self, network):
        """The same for a virtual machine (VirtualMachine.add_nic): the end of a cable. The cable is
        gone when that is closed."""
        port = f"port{next(self._port_numbers)}"
        with self.router.entered():
            tap = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(tap, TUNSETIFF, struct.pack(
                "16sH22x", port.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
        self.router.ip_lines(f"link set {port} master {network} up\n")
        return tap

    def remove_nic(self, mac):
        """It vanishes, wherever it is by now."""
        _, port = self._nics.pop(mac)
        self.router.ip("link", "delete", port)

    def boot(self, names):
        """What a boot leaves: no amphora namespace, and the NICs in the host again, under `names`:
        a name, or a name and an altname, by MAC, in the order in which they appear."""
        self.inside.delete()
        networks = {mac: network for mac, (network, _) in self._nics.items()}
        assert set(names) == set(networks)
        for mac in networks:
            # A namespace that is gone takes its interfaces with it, but not before it returns.
            _, port = self._nics.pop(mac)
            subprocess.run(["ip", "-n", self.router.name, "link", "delete", port], check=False,
                           stderr=subprocess.DEVNULL)
        for mac, given in names.items():
            name, altname = given if isinstance(given, tuple) else (given, None)
            self.add_nic(networks[mac], mac, name, altname)

    # Who is there

    def web_server(self, identity, address, where=None):
        """A member on one of MEMBERS or MEMBERS_6, or on an address of another namespace."""
        with (where or self.members).entered():
            return WebServer(identity, address)

    def ask(self, address, port, whence=None, timeout=10, connect_timeout=None):
        """The identity of the member that answers a client outside, or `whence`; None when there is
        no answer."""
        with (whence or self.client).entered():
            return who_answers(port, address, timeout, connect_timeout)
