# SPDX-License-Identifier: Apache-2.0
"""amphora-interface, as a boot and as a person calls it: interfaces as their descriptions say."""

import contextlib
import fcntl
import json
import os
import subprocess

import pytest

from harness.amphora import BUILD
from harness.eventually import eventually
from harness.network_namespace import NetworkNamespace

MACS = {"eth1": "fa:16:3e:00:00:01", "eth2": "fa:16:3e:00:00:02"}
ADDRESSES = {"eth1": "198.51.100.10", "eth2": "203.0.113.10"}


class Machine:
    """A namespace that plays the amphora's own, with two NICs that were plugged before it booted,
    and the settings of its agent."""

    def __init__(self, folder, host):
        self.host = host
        self.inside = NetworkNamespace()
        self.folder = folder
        self.interfaces = folder / "interfaces"
        self.interfaces.mkdir()
        (folder / "lib").mkdir()
        self.config = folder / "amphora-agent.conf"
        self.config.write_text(
            f"[haproxy_amphora]\nbase_path = {folder}/lib\n"
            "[health_manager]\nheartbeat_key = key\n"
            f"[amphora_agent]\nagent_server_network_dir = {self.interfaces}\n"
            "agent_server_ca = /nowhere\nagent_server_cert = /nowhere\n"
            "amphora_id = 00000000-0000-4000-8000-000000000000\n"
            f"[agent]\nruntime_dir = {folder}/run\nnetwork_namespace = {self.inside.name}\n")
        for number, (name, mac) in enumerate(MACS.items()):
            host.ip("link", "add", f"ens{number}", "address", mac, "type", "veth",
                    "peer", "name", f"peer{number}")
            host.ip("link", "set", f"peer{number}", "up")
            self.describe(name)
        (folder / "lib" / "plugged_interfaces").write_text(
            "".join(f"{mac} {name}\n" for name, mac in MACS.items()))

    def describe(self, name, **changes):
        description = {"name": name, "if_type": "backend", "mtu": 1400, "routes": [], "rules": [],
                       "addresses": [{"address": ADDRESSES[name], "prefixlen": 24}], **changes}
        (self.interfaces / f"{name}.json").write_text(json.dumps(description))

    def command(self, *arguments, where=None):
        return ["nsenter", f"--net=/run/netns/{(where or self.host).name}",
                BUILD / "amphora-interface", "--config-file", self.config, *arguments]

    def run(self, *arguments, where=None):
        return subprocess.run(self.command(*arguments, where=where), text=True, timeout=60,
                              capture_output=True, check=False)

    def addresses(self, name):
        """None: there is no such interface inside; empty when it is down."""
        shown = subprocess.run(["ip", "-j", "-n", self.inside.name, "address", "show", name],
                               capture_output=True, text=True, check=False)
        if shown.returncode != 0:
            return None
        link = json.loads(shown.stdout)[0]
        return [address["local"] for address in link["addr_info"]
                if address["family"] == "inet" and "UP" in link["flags"]]


@pytest.fixture
def machine(tmp_path, resources):
    machine = Machine(tmp_path, resources.enter_context(NetworkNamespace()))

    def delete():
        with contextlib.suppress(subprocess.CalledProcessError):
            NetworkNamespace.ip_host("netns", "delete", machine.inside.name)
    resources.callback(delete)
    return machine


def test_up_moves_one_interface_into_the_namespace_and_makes_it_as_described(machine):
    result = machine.run("up", "eth2")
    assert result.returncode == 0, result.stderr
    assert machine.addresses("eth2") == [ADDRESSES["eth2"]]
    assert machine.addresses("lo") == ["127.0.0.1"]
    assert not machine.addresses("eth1")


def test_up_all_is_what_a_boot_needs(machine):
    result = machine.run("up", "all")
    assert result.returncode == 0, result.stderr
    assert {name: machine.addresses(name) for name in MACS} == {
        name: [address] for name, address in ADDRESSES.items()}


def test_up_again_follows_a_description_that_was_changed(machine):
    assert machine.run("up", "all").returncode == 0
    machine.describe("eth2", addresses=[{"address": "203.0.113.99", "prefixlen": 24}])
    assert machine.run("up", "eth2").returncode == 0
    assert machine.addresses("eth2") == ["203.0.113.99"]


def test_it_can_be_called_from_inside_as_people_are_used_to(machine):
    assert machine.run("up", "all").returncode == 0
    assert machine.run("down", "eth2", where=machine.inside).returncode == 0
    assert machine.addresses("eth2") == []
    result = machine.run("up", "eth2", where=machine.inside)
    assert result.returncode == 0, result.stderr
    assert machine.addresses("eth2") == [ADDRESSES["eth2"]]


def test_down_takes_one_interface_down(machine):
    assert machine.run("up", "all").returncode == 0
    result = machine.run("down", "eth1")
    assert result.returncode == 0, result.stderr
    assert machine.addresses("eth1") == []
    assert machine.addresses("eth2") == [ADDRESSES["eth2"]]


def test_down_all_takes_all_down_and_up_all_brings_them_back(machine):
    assert machine.run("up", "all").returncode == 0
    machine.inside.ip("link", "delete", "eth1")  # its port was deleted
    result = machine.run("down", "all")
    assert result.returncode == 0, result.stderr
    assert machine.addresses("eth2") == []
    assert machine.run("up", "all").returncode == 0
    assert machine.addresses("eth2") == [ADDRESSES["eth2"]]


def test_without_a_namespace_all_is_down(machine):
    result = machine.run("down", "all")
    assert (result.returncode, result.stderr) == (0, "")


def test_a_failure_names_the_interface_once(machine):
    machine.describe("eth2", mtu=1)
    for name in ("eth2", "all"):
        result = machine.run("up", name)
        assert result.returncode == 1
        [failure] = [line for line in result.stderr.splitlines() if "MTU" in line]
        assert failure.count("eth2") == 1


@pytest.mark.parametrize("action", ["up", "down"])
def test_what_is_not_described_is_a_failure_that_names_it(machine, action):
    result = machine.run(action, "eth9")
    assert result.returncode == 1
    assert "eth9" in result.stderr


def test_an_interface_that_is_gone_is_a_failure_that_names_it(machine):
    machine.host.ip("link", "delete", "ens1")
    result = machine.run("up", "eth2")
    assert result.returncode == 1
    assert "eth2" in result.stderr and MACS["eth2"] in result.stderr


def test_a_torn_description_does_not_keep_the_others_down(machine):
    (machine.interfaces / "eth1.json").write_text("{")
    result = machine.run("up", "all")
    assert result.returncode == 1
    assert "eth1.json" in result.stderr
    assert machine.addresses("eth2") == [ADDRESSES["eth2"]]


@pytest.mark.parametrize("arguments", [
    (), ("up",), ("sideways", "eth1"), ("up", "../eth1"), ("up", ""), ("up", "eth1", "eth2"),
    ("--bogus", "up", "eth1"), ("UP", "eth1")])
def test_wrong_use_is_told_from_failure(machine, arguments):
    result = machine.run(*arguments)
    assert result.returncode == 2
    assert "amphora-interface" in result.stderr
    assert not os.path.exists(f"/run/netns/{machine.inside.name}")


def test_a_wrong_configuration_is_told_from_failure(machine):
    machine.config.write_text("[health_manager]\nheartbeat_interval = never\n")
    result = machine.run("up", "all")
    assert result.returncode == 2
    assert "heartbeat_interval" in result.stderr


def test_check_says_what_would_be_used_and_does_nothing(machine):
    result = machine.run("--check")
    assert result.returncode == 0, result.stderr
    assert machine.inside.name in result.stdout
    assert not os.path.exists(f"/run/netns/{machine.inside.name}")


def test_it_waits_while_somebody_else_changes_the_network(machine):
    (machine.folder / "run").mkdir()
    with open(machine.folder / "run" / "network.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        child = subprocess.Popen(machine.command("up", "eth2"))
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.5)
        assert machine.addresses("eth2") is None
    assert child.wait(30) == 0
    eventually(lambda: machine.addresses("eth2") == [ADDRESSES["eth2"]], "eth2 is up")
