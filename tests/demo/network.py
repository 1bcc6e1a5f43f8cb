# SPDX-License-Identifier: Apache-2.0
"""The demo's network: the amphora's namespace between this machine and the member network.

    you 203.0.113.1 ---- 203.0.113.10 amphora 198.51.100.1 ---- 198.51.100.4, .5, .6 members

All addresses are from the blocks that RFC 5737 sets apart for documentation, so that they meet
nobody's real network."""

import subprocess

AMPHORA = "demo-amphora"
MEMBERS = "demo-members"
CLIENT_LINK = "demo-client"
CLIENT_ADDRESS = "203.0.113.1"
VIP = "203.0.113.10"
MEMBER_ADDRESSES = ("198.51.100.4", "198.51.100.5", "198.51.100.6")

SETUP = f"""
netns add {AMPHORA}
netns add {MEMBERS}
-n {AMPHORA} link set lo up
-n {MEMBERS} link set lo up
link add {CLIENT_LINK} type veth peer name eth1 netns {AMPHORA}
-n {AMPHORA} link add eth2 type veth peer name eth0 netns {MEMBERS}
address add {CLIENT_ADDRESS}/24 dev {CLIENT_LINK}
-n {AMPHORA} address add {VIP}/24 dev eth1
-n {AMPHORA} address add 198.51.100.1/24 dev eth2
link set {CLIENT_LINK} up
-n {AMPHORA} link set eth1 up
-n {AMPHORA} link set eth2 up
-n {MEMBERS} link set eth0 up
""" + "".join(f"-n {MEMBERS} address add {address}/24 dev eth0\n" for address in MEMBER_ADDRESSES)


def _ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def namespaces():
    """The names of those of the demo that exist."""
    existing = {line.split()[0] for line in _ip("netns", "list").stdout.splitlines() if line}
    return sorted(existing & {AMPHORA, MEMBERS})


def remains():
    """What exists of the network, as the words that `ip` deletes it with."""
    words = [f"netns delete {name}" for name in namespaces()]
    if _ip("link", "show", CLIENT_LINK).returncode == 0:
        words.insert(0, f"link delete {CLIENT_LINK}")
    return words


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
    return ["ip", "netns", "exec", name, *command]
