# SPDX-License-Identifier: Apache-2.0
"""The networkd files of amphora-config-drive, read by the real systemd-networkd in namespaces of
their own: the management NIC gets what the config drive says, and no other NIC is touched."""

import contextlib
import pathlib
import re
import subprocess

import pytest

from harness.amphora import BUILD
from harness.config_drive import DHCP, MAC, ConfigDrive, network_data
from harness.eventually import eventually
from harness.network_namespace import NetworkNamespace

NETWORKD = "/lib/systemd/systemd-networkd"
# Not udev's machine: with a /sys that nobody can write to, networkd takes links as they are.
BOOT = """set -e
mount -t tmpfs none /run
mount -t sysfs -o ro none /sys
mount --bind "$1" /etc/systemd/network
exec env SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console """ + NETWORKD

STATIC = {"type": "ipv4", "ip_address": "192.0.2.9", "netmask": "255.255.255.0", "routes": [
    {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "192.0.2.1"},
    {"network": "10.1.0.0", "netmask": "255.255.0.0", "gateway": "192.0.2.2"}]}
STATIC6 = {"type": "ipv6", "ip_address": "2001:db8::9", "netmask": "ffff:ffff:ffff:ffff::",
           "routes": [{"network": "::", "netmask": "::", "gateway": "2001:db8::1"}]}


class ManagementNetwork:
    """An amphora's namespace with eth0 (management) and eth1 (plugged later), and the network that
    eth0 is in."""

    def __init__(self, folder, resources):
        self.folder = folder
        self.resources = resources
        self.inside = resources.enter_context(NetworkNamespace())
        self.network = resources.enter_context(NetworkNamespace())
        for number in range(2):
            self.inside.ip("link", "add", f"eth{number}", "address", f"{MAC[:-1]}{number + 1}", "type",
                           "veth", "peer", "name", f"net{number}", "netns", self.network.name)
            self.network.ip("link", "set", f"net{number}", "up")
        for address in ("192.0.2.1/24", "2001:db8::1/64"):
            self.network.ip("address", "add", address, "dev", "net0", *(
                ["nodad"] if ":" in address else []))

    def serve(self, *options):
        """dnsmasq, the cloud's DHCP server and router."""
        with self.network.entered():
            server = subprocess.Popen(
                ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root",
                 "--port=0", "--pid-file=", "--leasefile-ro", "--bind-interfaces",
                 "--interface=net0", "--no-resolv", "--no-hosts", "--no-ping", *options],
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.resources.callback(server.wait)
        self.resources.callback(server.kill)

    def boot(self, network):
        """Applies a drive with this network, and starts networkd on what it wrote."""
        root = self.folder / "root"
        root.mkdir()
        drive = ConfigDrive(self.folder / "drive", network=network)
        subprocess.run([BUILD / "amphora-config-drive", "--root", root, "--drive", drive.folder],
                       check=True, stderr=subprocess.DEVNULL, timeout=60)
        with self.inside.entered(), open(self.folder / "log", "wb") as log:
            networkd = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", BOOT, "sh", root / "etc/systemd/network"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def stop():
            networkd.terminate()
            networkd.wait(30)
        self.resources.callback(stop)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def wait_for(self, *addresses):
        def has_all():
            found = self.inside.addresses("eth0")
            return all(any(re.fullmatch(address, one) for one in found) for address in addresses)
        with contextlib.suppress(AssertionError):
            eventually(has_all, f"{addresses}", 60)
        assert has_all(), (self.inside.addresses("eth0"), self.log()[-4000:])

    def check(self, mtu=1442):
        eventually(lambda: self.inside.links()["eth0"]["mtu"] == mtu, f"eth0 has the MTU {mtu}")
        assert "UP" not in self.inside.links()["eth1"]["flags"]
        assert not self.inside.addresses("eth1")
        complaints = [line for line in self.log().splitlines() if "/etc/systemd/network" in line
                      and re.search("Unknown|Failed|Invalid|ignoring", line)]
        assert not complaints


@pytest.fixture
def management(tmp_path, resources):
    assert pathlib.Path(NETWORKD).exists()
    return ManagementNetwork(tmp_path, resources)


def test_static_addresses_and_routes(management):
    management.boot(network_data(STATIC, STATIC6))
    management.wait_for("192.0.2.9/24", "2001:db8::9/64")
    eventually(lambda: management.inside.routes("eth0") == {
        "0.0.0.0/0 via 192.0.2.1", "10.1.0.0/16 via 192.0.2.2", "::/0 via 2001:db8::1"},
        "all routes")
    management.check()


def test_a_gateway_outside_of_the_network_is_reached_on_the_link(management):
    management.boot(network_data({**STATIC, "netmask": "255.255.255.255"}))
    management.wait_for("192.0.2.9/32")
    eventually(lambda: "0.0.0.0/0 via 192.0.2.1 onlink" in management.inside.routes("eth0"),
               "the default route")
    management.check()


def test_dhcp(management):
    management.serve("--dhcp-range=192.0.2.50,192.0.2.59,255.255.255.0,1h",
                     "--dhcp-option=option:mtu,1400", "--dhcp-option=option:dns-server,192.0.2.53")
    management.boot(network_data(DHCP))
    management.wait_for(r"192\.0\.2\.5\d/24")
    management.check()


def test_dhcp_says_the_mtu_when_the_drive_does_not(management):
    management.serve("--dhcp-range=192.0.2.50,192.0.2.59,255.255.255.0,1h",
                     "--dhcp-option=option:mtu,1400")
    management.boot(network_data(DHCP, mtu=None))
    management.wait_for(r"192\.0\.2\.5\d/24")
    management.check(mtu=1400)


@pytest.mark.parametrize("kind", ["ipv6_slaac", "ipv6_dhcpv6-stateless"])
def test_addresses_of_router_advertisements(management, kind):
    management.serve("--enable-ra", "--dhcp-range=2001:db8::,ra-only,64",
                     "--ra-param=net0,1,1200")
    management.boot(network_data({"type": kind}))
    management.wait_for("2001:db8::f816:3eff:fe00:1/64")
    management.check()


def test_addresses_of_dhcpv6(management):
    management.serve("--enable-ra", "--dhcp-range=2001:db8::50,2001:db8::59,64,1h",
                     "--ra-param=net0,1,1200")
    management.boot(network_data({"type": "ipv6_dhcpv6-stateful"}))
    management.wait_for("2001:db8::5[0-9]/128")
    management.check()


def test_without_a_word_from_the_drive_the_first_nic_asks(management):
    management.serve("--dhcp-range=192.0.2.50,192.0.2.59,255.255.255.0,1h")
    management.boot({"links": [], "networks": []})
    management.wait_for(r"192\.0\.2\.5\d/24")
    management.check(mtu=1500)
