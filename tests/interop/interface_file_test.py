# SPDX-License-Identifier: Apache-2.0
"""Descriptions of interfaces that the reference agent's own classes wrote are taken up at the start:
an upgrade in place, and the boot after it."""

import ipaddress
import os

import pytest
from octavia.amphorae.backends.utils import interface_file
from octavia.common import constants
from octavia.common.config import cfg

from harness import network_bed as net
from harness.eventually import eventually
from harness.plugging import (
    MEMBER_IP, MEMBER_IP_6, VIP, VIP_6, VRRP_IP, additional_vip, fixed_ip, fixed_ip_6, network_body,
    vip_body)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

def rendered(address, body):
    """A VIP as the reference's plug code hands it on."""
    subnet = ipaddress.ip_network(body["subnet_cidr"])
    return {"ip_address": ipaddress.ip_address(address).exploded, "ip_version": subnet.version,
            "gateway": body["gateway"], "host_routes": body["host_routes"],
            "prefixlen": subnet.prefixlen}


def reference_vip(vip, body, topology):
    vips = [rendered(vip, body),
            *(rendered(other["ip_address"], other) for other in body["additional_vips"])]
    vrrp = {"ip": ipaddress.ip_address(body["vrrp_ip"]).exploded,
            "prefixlen": vips[0]["prefixlen"]} if body["vrrp_ip"] else {}
    return interface_file.VIPInterfaceFile("eth1", body["mtu"], vips, vrrp, [], topology)


def reference_port(body):
    return interface_file.PortInterfaceFile("eth2", body["mtu"], body["fixed_ips"])


@pytest.fixture
def folder(bed_amphora):
    """Where the reference's classes write, and our agent reads."""
    folder = bed_amphora.base_path / "interfaces"
    folder.mkdir(exist_ok=True)
    cfg.CONF.set_override("agent_server_network_dir", str(folder), "amphora_agent")
    yield folder
    cfg.CONF.clear_override("agent_server_network_dir", "amphora_agent")


def test_descriptions_that_the_reference_wrote_are_taken_up(bed, bed_amphora, folder):
    vip_mac, member_mac = bed.add_nic("vip", name="ens3"), bed.add_nic("member", name="ens4")
    reference_vip(VIP, vip_body(vip_mac, additional_vips=[additional_vip()]),
                  constants.TOPOLOGY_SINGLE).write()
    reference_port(network_body(member_mac, fixed_ip(), fixed_ip_6())).write()
    interface_file.InterfaceFile("lo", addresses=[{"address": "127.0.0.1", "prefixlen": 8}]).write()
    (bed_amphora.base_path / "plugged_interfaces").write_text(
        f"{vip_mac} eth1\n{member_mac} eth2\n")
    bed_amphora.start()
    eventually(lambda: bed.inside.exists() and set(bed.inside.links()) == {"eth1", "eth2"},
               "both interfaces are inside")
    eventually(lambda: bed.inside.addresses("eth1") == {
        f"{VRRP_IP}/24", f"{VIP}/32", f"{VIP_6}/128"}
        and bed.inside.addresses("eth2") == {f"{MEMBER_IP}/24", f"{MEMBER_IP_6}/64"},
        "all addresses")
    eventually(lambda: bed.inside.rules() == sorted(
        [f"{VIP}/32 table 1", f"{VIP_6}/128 table 1"]), "rules for both VIPs")
    bed_amphora.wait_until_ready()
    assert bed.inside.routes("eth1", 1) == {
        f"0.0.0.0/0 via {net.VIP_GATEWAY} onlink", f"::/0 via {net.VIP_GATEWAY_6} onlink",
        f"{net.HOST_ROUTE} via {net.HOST_ROUTE_NEXTHOP} onlink",
        f"{net.VIP_NET} src {VIP}", f"{net.VIP_NET_6} src {VIP_6}"}
