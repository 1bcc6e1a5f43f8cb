# SPDX-License-Identifier: Apache-2.0
"""Descriptions of interfaces: what plug requests lead to is what the reference agent writes, by its
newest release for recorded requests (tests/interop/recorded/plug-descriptions.json) and by the
classes of python3-octavia for a table of others; and files that those classes wrote are read."""

import ipaddress
import itertools
import json
import pathlib
import subprocess

import pytest

from harness.amphora import BUILD

RECORDED = pathlib.Path(__file__).parent / "recorded"
TOPOLOGIES = ("SINGLE", "ACTIVE_STANDBY")
# Keys that release 11.0.0 does not write yet.
NEWER_KEYS = ("if_type", "is_sriov")


def described(body, *arguments):
    result = subprocess.run([BUILD / "tests" / "plug_describe", *arguments], text=True,
                            input=json.dumps(body), capture_output=True, check=True)
    return json.loads(result.stdout)


def first_of_each(items, keys):
    """In the kernel only the first of two equal ones takes effect, so we describe no other."""
    kept = {}
    for item in items:
        kept.setdefault(tuple(str(item.get(key)) for key in keys), item)
    return list(kept.values())


def normal(description, without=()):
    """The same whoever wrote it: addresses in one spelling, nothing twice, no scripts (ours have
    none: net/masquerade.h does what the reference's do)."""
    description = json.loads(json.dumps(description))
    assert set(description.pop("scripts")) == {"up", "down"}
    for key in without:
        description.pop(key, None)
    for item in itertools.chain(*(description[key] for key in ("addresses", "routes", "rules"))):
        for key in ("address", "gateway", "prefsrc", "src"):
            if key in item:
                item[key] = ipaddress.ip_address(item[key]).compressed
        if "dst" in item:
            item["dst"] = ipaddress.ip_network(item["dst"]).compressed
    description["addresses"] = first_of_each(
        description["addresses"], ("address", "prefixlen", "dhcp", "ipv6auto"))
    description["routes"] = first_of_each(description["routes"], ("dst", "table"))
    return description


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("name", ["plug-vip", "plug-vip-additional", "plug-vip-sriov",
                                  "plug-network", "plug-network-sriov", "plug-network-vip"])
def test_a_recorded_request_leads_to_what_the_newest_release_writes(name, topology):
    exchange = json.loads((RECORDED / f"{name}.json").read_text())
    expected = json.loads((RECORDED / "plug-descriptions.json").read_text())[topology][name]
    if name.startswith("plug-vip"):
        vip = exchange["request"].rpartition("/")[2]
        ours = described(exchange["body"], topology, "vip", "eth1", vip)
    else:
        ours = described(exchange["body"], topology, "network", expected["name"])
    assert ours["scripts"] == {"up": [], "down": []}
    assert normal(ours) == normal(expected)


class Reference:
    """The interface files of python3-octavia's agent."""

    def __init__(self, folder):
        from octavia.amphorae.backends.agent.api_server.plug import Plug
        from octavia.amphorae.backends.utils import interface_file
        from octavia.common import config  # noqa: F401  registers the options
        from oslo_config import cfg
        cfg.CONF.set_override("agent_server_network_dir", str(folder), group="amphora_agent")
        self._folder = folder
        self._plug = Plug(None)
        self._files = interface_file

    def _written(self, interface):
        interface.write()
        return json.loads((self._folder / f"{interface.name}.json").read_text())

    def vip(self, body, vip, topology, fixed_ips=None):
        vips = [{"ip_address": vip, "subnet_cidr": body["subnet_cidr"],
                 "gateway": body["gateway"], "host_routes": body.get("host_routes", ())},
                *body.get("additional_vips", ())]
        own = self._plug.build_vrrp_info(body.get("vrrp_ip"), body["subnet_cidr"],
                                         body["gateway"], body.get("host_routes", ()))
        return self._written(self._files.VIPInterfaceFile(
            name="eth1", mtu=body.get("mtu"), vips=self._plug.render_vips(vips), vrrp_info=own,
            fixed_ips=fixed_ips, topology=topology))

    def port(self, body):
        return self._written(self._files.PortInterfaceFile(
            name="eth2", mtu=body.get("mtu"), fixed_ips=body.get("fixed_ips")))

    def loopback(self):
        return self._written(self._files.InterfaceFile(
            name="lo", addresses=[{"address": "127.0.0.1", "prefixlen": 8}]))


@pytest.fixture
def reference(tmp_path):
    return Reference(tmp_path)


MAC = "fa:16:3e:00:00:01"
ROUTE4 = {"destination": "203.0.113.0/24", "nexthop": "10.0.0.9"}
ROUTE6 = {"destination": "2001:db8:ff::/48", "nexthop": "2001:db8::9"}
SECOND4 = {"ip_address": "10.0.1.5", "subnet_cidr": "10.0.1.0/24", "gateway": "10.0.1.1",
           "host_routes": [{"destination": "192.0.2.0/24", "nexthop": "10.0.1.9"}]}
SECOND6 = {"ip_address": "2001:db8:1::5", "subnet_cidr": "2001:db8:1::/64", "gateway": None,
           "host_routes": []}
SAME_SUBNET = {"ip_address": "10.0.0.6", "subnet_cidr": "10.0.0.0/24", "gateway": "10.0.0.1",
               "host_routes": []}

VIPS = {
    "least": ("10.0.0.5", {"subnet_cidr": "10.0.0.0/24", "gateway": None}),
    "asking DHCP": ("10.0.0.5", {"subnet_cidr": "10.0.0.0/24", "gateway": "10.0.0.1"}),
    "asking routers": ("2001:db8::5", {"subnet_cidr": "2001:db8::/64", "gateway": "fe80::1"}),
    "asking both": ("10.0.0.5", {"subnet_cidr": "10.0.0.0/24", "gateway": "10.0.0.1",
                                 "additional_vips": [SECOND6]}),
    "whole": ("10.0.0.5", {"subnet_cidr": "10.0.0.0/24", "gateway": "10.0.0.1", "mtu": 1450,
                           "vrrp_ip": "10.0.0.7", "host_routes": [ROUTE4]}),
    "whole IPv6": ("2001:db8::5", {"subnet_cidr": "2001:db8::/64", "gateway": "2001:db8::1",
                                   "mtu": 9000, "vrrp_ip": "2001:db8::7",
                                   "host_routes": [ROUTE6]}),
    "exploded": ("2001:0db8:0000:0000:0000:0000:0000:0005",
                 {"subnet_cidr": "2001:0db8::/64", "gateway": "2001:0DB8::1",
                  "vrrp_ip": "2001:db8:0:0::7"}),
    "three VIPs": ("10.0.0.5", {"subnet_cidr": "10.0.0.0/24", "gateway": "10.0.0.1",
                                "vrrp_ip": "10.0.0.7", "additional_vips": [SECOND4, SECOND6]}),
    "two on one subnet": ("10.0.0.5", {"subnet_cidr": "10.0.0.0/24", "gateway": "10.0.0.1",
                                       "vrrp_ip": "10.0.0.7",
                                       "additional_vips": [SAME_SUBNET]}),
    "a subnet of one": ("10.0.0.5", {"subnet_cidr": "10.0.0.5/32", "gateway": "10.0.0.1"}),
}

FIXED4 = {"ip_address": "192.0.2.10", "subnet_cidr": "192.0.2.0/25", "gateway": "192.0.2.1",
          "host_routes": [{"destination": "198.18.0.0/15", "nexthop": "192.0.2.9"}]}
FIXED6 = {"ip_address": "2001:db8:2::10", "subnet_cidr": "2001:db8:2::/56",
          "gateway": "2001:db8:2::1", "host_routes": []}
PORTS = {
    "DHCP and SLAAC": {},
    "none": {"fixed_ips": []},
    "IPv4": {"fixed_ips": [FIXED4], "mtu": 1400},
    "both": {"fixed_ips": [FIXED4, FIXED6], "mtu": 1400},
    "without host routes": {"fixed_ips": [{"ip_address": "192.0.2.10",
                                           "subnet_cidr": "192.0.2.0/24"}]},
}


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("name", VIPS)
def test_a_vip_is_described_as_there(reference, name, topology):
    vip, body = VIPS[name]
    ours = described({**body, "mac_address": MAC}, topology, "vip", "eth1", vip)
    assert normal(ours, NEWER_KEYS) == normal(reference.vip(body, vip, topology))
    assert ours["if_type"] == "vip" and ours["is_sriov"] is False


@pytest.mark.parametrize("name", PORTS)
def test_a_member_port_is_described_as_there(reference, name):
    body = PORTS[name]
    ours = described({**body, "mac_address": MAC}, "SINGLE", "network", "eth2")
    assert normal(ours, NEWER_KEYS) == normal(reference.port(body))
    assert ours["if_type"] == "backend" and ours["is_sriov"] is False


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("fixed_ips", [[FIXED4], [FIXED6, FIXED4]])
def test_a_vip_port_with_members_is_described_as_there(reference, topology, fixed_ips):
    vip, body = VIPS["whole"]
    theirs = reference.vip(body, vip, topology, fixed_ips)
    ours = described({"mac_address": MAC, "mtu": body["mtu"], "fixed_ips": fixed_ips,
                      "vip_net_info": {**body, "vip": vip}}, topology, "network", "eth1")
    assert normal(ours, NEWER_KEYS) == normal(theirs)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_additional_vips_outlive_a_member_on_the_vip_port(reference, topology):
    """Where the reference loses them: it knows no more than `vip_net_info`."""
    vip, body = VIPS["three VIPs"]
    stored = described({**body, "mac_address": MAC}, topology, "vip", "eth1", vip)
    ours = described({"mac_address": MAC, "fixed_ips": [FIXED4],
                      "vip_net_info": {**body, "vip": vip, "additional_vips": []}},
                     topology, "network", "eth1", json.dumps(stored))
    # As if the controller had named them.
    assert normal(ours, NEWER_KEYS) == normal(reference.vip(body, vip, topology, [FIXED4]))


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_files_that_it_wrote_are_read(reference, topology):
    written = [reference.vip(body, vip, topology) for vip, body in VIPS.values()]
    written += [reference.port(body) for body in PORTS.values()]
    written.append(reference.loopback())
    for description in written:
        assert any(script["command"] for script in description["scripts"]["up"]) or (
            description["name"] == "lo")
        ours = described(description, "read", description["name"])
        assert normal(ours, NEWER_KEYS) == normal(description)
        assert ours["if_type"] == {"eth1": "vip", "eth2": "backend", "lo": "lo"}[ours["name"]]
        assert ours["scripts"] == {"up": [], "down": []}


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_files_of_the_newest_release_are_read(topology):
    recorded = json.loads((RECORDED / "plug-descriptions.json").read_text())[topology]
    for description in recorded.values():
        assert normal(described(description, "read", description["name"])) == normal(description)
