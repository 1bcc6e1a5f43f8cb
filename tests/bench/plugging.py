# SPDX-License-Identifier: Apache-2.0
"""plug/vip, NIC after NIC, each the VIP's new one: by IPv4, and by IPv6 with duplicate address
detection off, whose second would hide everything else."""

import json
import statistics
import subprocess

import sandbox
from subject import Unavailable

NAMESPACE = "bench-haproxy"
PLUGS = 15
SINGLE_STACK = {
    "IPv4": ("198.51.100.10", "198.51.100.11", "198.51.100.0/24", "198.51.100.254"),
    "IPv6": ("2001:db8:1::10", "2001:db8:1::11", "2001:db8:1::/64", "2001:db8:1::fe"),
}


def _ip(words):
    subprocess.run(["ip", *words.split()], check=True)


def _make_namespace():
    """Made before the agent needs it, for the sake of its sysctl."""
    sandbox.mount_empty("/run/netns")
    _ip(f"netns add {NAMESPACE}")
    subprocess.run(["ip", "netns", "exec", NAMESPACE, "sysctl", "-q",
                    "net.ipv6.conf.default.accept_dad=0"], check=True)


class _Nic:
    """Appears before a request and vanishes after it."""

    def __init__(self, number):
        self.mac = f"fa:16:3e:00:00:{number:02x}"
        self._peer = f"peer{number}"
        _ip(f"link add {self._peer} type veth peer name nic{number} address {self.mac}")
        _ip(f"link set {self._peer} up")

    def remove(self):
        _ip(f"link delete {self._peer}")


def _plug_ms(subject, family, first_number):
    """Every plug's milliseconds."""
    vip, vrrp_ip, subnet, gateway = SINGLE_STACK[family]
    body = subject.folder / "plug.json"
    walls_ms = []
    for number in range(first_number, first_number + PLUGS):
        nic = _Nic(number)
        body.write_text(json.dumps({"mac_address": nic.mac, "subnet_cidr": subnet,
                                    "gateway": gateway, "vrrp_ip": vrrp_ip, "mtu": 1450}))
        walls_ms.append(subject.client.measure(f"/1.0/plug/vip/{vip}", 1, method="POST",
                                               body=body)["p50_ms"])
        nic.remove()
    return walls_ms


def _measure_one(subject):
    """Every plug's milliseconds by family; or why there is none."""
    try:
        subject.use_network_namespace(NAMESPACE)
    except Unavailable as reason:
        return {family: reason for family in SINGLE_STACK}
    _make_namespace()
    subject.start()
    found = {family: _plug_ms(subject, family, number * PLUGS)
             for number, family in enumerate(SINGLE_STACK)}
    subject.stop()
    subject.use_network_namespace("")
    return found


def _figure(found, function):
    return found if isinstance(found, Unavailable) else function(found)


def measure(subjects, report):
    results = [_measure_one(subject) for subject in subjects]
    for family in SINGLE_STACK:
        report.section(f"POST plug/vip, {family}, no duplicate address detection")
        found = [result[family] for result in results]
        report.row("p50", [_figure(one, statistics.median) for one in found], "ms", below=50)
        report.row("slowest", [_figure(one, max) for one in found], "ms")
