# SPDX-License-Identifier: Apache-2.0
"""The demo's network: a namespace that plays the amphora's VM, and what a cloud connects it to.

    you 198.18.0.1  ----  198.18.0.2  management: the agent's API, its heartbeats
        203.0.113.1 ----  a NIC       for the VIP
                          a NIC       for the members ---- 198.51.100.4, .5, .6

All addresses are from blocks that RFC 5737 and RFC 2544 set apart for documentation and
measurements, so that they meet nobody's real network. The two NICs have none: they lie in the VM, known by their MACs, until they
are plugged through the API; then they are in the namespace that the agent makes for HAProxy."""

import subprocess

AMPHORA = "demo-amphora"
HAPROXY = "demo-haproxy"
MEMBERS = "demo-members"
MANAGEMENT_LINK = "demo-management"
CLIENT_LINK = "demo-client"
CONTROLLER_ADDRESS, AMPHORA_ADDRESS = "198.18.0.1", "198.18.0.2"
CLIENT_ADDRESS = "203.0.113.1"
VIP, VRRP_IP, VIP_SUBNET = "203.0.113.10", "203.0.113.11", "203.0.113.0/24"
VIP_MAC, MEMBER_MAC = "fa:16:3e:00:00:0a", "fa:16:3e:00:00:0b"
MEMBER_IP, MEMBER_SUBNET = "198.51.100.10", "198.51.100.0/24"
MEMBER_ADDRESSES = ("198.51.100.4", "198.51.100.5", "198.51.100.6")

SETUP = f"""
netns add {AMPHORA}
netns add {MEMBERS}
-n {AMPHORA} link set lo up
-n {MEMBERS} link set lo up
link add {MANAGEMENT_LINK} type veth peer name eth0 netns {AMPHORA}
link add {CLIENT_LINK} type veth peer name eth1 address {VIP_MAC} netns {AMPHORA}
-n {MEMBERS} link add eth0 type veth peer name eth2 address {MEMBER_MAC} netns {AMPHORA}
address add {CONTROLLER_ADDRESS}/24 dev {MANAGEMENT_LINK}
address add {CLIENT_ADDRESS}/24 dev {CLIENT_LINK}
-n {AMPHORA} address add {AMPHORA_ADDRESS}/24 dev eth0
link set {MANAGEMENT_LINK} up
link set {CLIENT_LINK} up
-n {AMPHORA} link set eth0 up
-n {MEMBERS} link set eth0 up
""" + "".join(f"-n {MEMBERS} address add {address}/24 dev eth0\n" for address in MEMBER_ADDRESSES)


def _ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def namespaces():
    """The names of those of the demo that exist."""
    existing = {line.split()[0] for line in _ip("netns", "list").stdout.splitlines() if line}
    return sorted(existing & {AMPHORA, HAPROXY, MEMBERS})


def remains():
    """What exists of the network, as the words that `ip` deletes it with."""
    return [*(f"link delete {link}" for link in (MANAGEMENT_LINK, CLIENT_LINK)
              if _ip("link", "show", link).returncode == 0),
            *(f"netns delete {name}" for name in namespaces())]


def setup():
    for line in SETUP.strip().splitlines():
        done = _ip(*line.split())
        if done.returncode != 0:
            raise RuntimeError(f"ip {line}: {done.stderr.strip()}")


def remove():
    """Deletes all of it; fine when there is none. Processes inside must be gone before."""
    for words in remains():
        _ip(*words.split())


def pids():
    """The processes inside the namespaces."""
    return {int(pid) for name in namespaces() for pid in _ip("netns", "pids", name).stdout.split()}


def command_inside(name, command):
    """nsenter, because what `ip netns exec` runs makes namespaces that nobody else sees."""
    return ["nsenter", f"--net=/run/netns/{name}", *command]
