# SPDX-License-Identifier: Apache-2.0
"""A reboot: every process is gone and the namespace with them, the NICs are in the root namespace
again under other names. The agent starts, and everything is served as before."""

import os
import shutil
import time

import pytest

from harness import network_bed as net
from harness import processes
from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.plugging import (
    MEMBER_IP, VIP, VIP_6, VRRP_IP, additional_vip, fixed_ip, fixed_ip_6, network_body,
    plug_network, plugged_network, plugged_vip)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

PORT = 80


@pytest.fixture
def amphora(bed_amphora):
    return bed_amphora.start()


@pytest.fixture
def servers(bed, resources):
    return [resources.enter_context(bed.web_server(name, address))
            for name, address in (("one", net.MEMBERS[0]), ("six", net.MEMBERS_6[0]))]


def serve(bed, amphora, servers):
    """Both members behind both VIPs."""
    balancer = LoadBalancer(amphora, servers, address=VIP, port=PORT, check="")
    balancer.listener_lines = (f"bind [{VIP_6}]:{PORT}",)
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    for address in (VIP, VIP_6):
        wait_until_both_answer(bed, address)
    return balancer


def wait_until_both_answer(bed, address):
    eventually(lambda: {bed.ask(address, PORT, timeout=2) for _ in range(2)} == {"one", "six"},
               f"both members answer on {address}", 60)


def reboot(bed, amphora, names):
    """The power goes: no process has time for anything. /run is empty at the next start."""
    processes.end_all_mentioning(str(amphora.directory))
    amphora.wait_until_ended()
    shutil.rmtree(amphora.runtime_dir)
    amphora.runtime_dir.mkdir()
    bed.boot(names)
    assert not bed.inside.exists()
    return amphora.start()


def state(bed):
    """What has to be the same afterwards."""
    return {name: (bed.inside.links()[name]["address"], bed.inside.links()[name]["mtu"],
                   bed.inside.addresses(name), bed.inside.routes(name), bed.inside.routes(name, 1))
            for name in bed.inside.links()}, bed.inside.rules(), bed.inside.rule_set()


def test_after_a_reboot_everything_is_served_again(bed, amphora, servers, capsys):
    vip_mac = plugged_vip(bed, amphora, additional_vips=[additional_vip()])
    member_mac = plugged_network(bed, amphora, fixed_ip(), fixed_ip_6())
    serve(bed, amphora, servers)
    before = state(bed)
    # Found in another order, the members' NIC has the name that was the VIP's.
    reboot(bed, amphora, {member_mac: ("eth1", "enp0s4"), vip_mac: ("eth2", "enp0s3")})
    began = time.monotonic()
    wait_until_both_answer(bed, VIP)
    served_s = time.monotonic() - began
    wait_until_both_answer(bed, VIP_6)
    served_6_s = time.monotonic() - began
    assert state(bed) == before
    assert bed.host.links() == {}
    with capsys.disabled():
        print(f"\nreboot: the API answers, then the VIP after {served_s:.2f} s by IPv4, "
              f"{served_6_s:.2f} s by IPv6")
    # and it goes on as before
    mac = bed.add_nic("member")
    answer = plug_network(amphora, network_body(mac, fixed_ip("203.0.113.33")))
    assert answer.json["details"] == "Plugged on interface eth3"


@pytest.mark.parametrize("names", [
    ("eth2", "eth1"), (("ens4", "enp0s4"), ("ens3", "enp0s3")), (("eth2", "ens4"), ("eth1", "ens3"))])
def test_names_and_altnames_after_a_reboot_do_not_matter(bed, amphora, names):
    vip_mac = plugged_vip(bed, amphora)
    member_mac = plugged_network(bed, amphora)
    reboot(bed, amphora, dict(zip((vip_mac, member_mac), names)))
    eventually(lambda: bed.inside.exists() and bed.inside.name_of(vip_mac) == "eth1"
               and bed.inside.name_of(member_mac) == "eth2", "both interfaces are inside")
    assert set(bed.inside.links()) == {"eth1", "eth2"}
    eventually(lambda: bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32"}
               and bed.inside.addresses("eth2") == {f"{MEMBER_IP}/24"}, "all addresses")


def test_a_nic_that_did_not_come_back_does_not_stop_the_others(bed, amphora):
    gone = plugged_network(bed, amphora)
    vip_mac = plugged_vip(bed, amphora)
    bed.remove_nic(gone)
    reboot(bed, amphora, {vip_mac: "ens3"})
    eventually(lambda: bed.inside.exists() and set(bed.inside.links()) == {"eth1"}
               and bed.inside.addresses("eth1") == {f"{VRRP_IP}/24", f"{VIP}/32"},
               "the VIP is there")
    assert gone in amphora.log()


def test_the_allow_list_is_in_force_again(bed, amphora, servers):
    vip_mac = plugged_vip(bed, amphora, is_sriov=True, additional_vips=[additional_vip()])
    member_mac = plugged_network(bed, amphora, fixed_ip(), fixed_ip_6(), is_sriov=True)
    rules = [{"protocol": "TCP", "cidr": f"{net.CLIENT}/32", "port": PORT},
             {"protocol": "TCP", "cidr": f"{net.CLIENT_6}/128", "port": PORT}]
    assert amphora.api.put(f"/1.0/interface/{VIP}/rules", rules).status == 200
    serve(bed, amphora, servers)
    before = bed.inside.rule_set()
    reboot(bed, amphora, {vip_mac: "ens3", member_mac: "ens4"})
    for address in (VIP, VIP_6):
        wait_until_both_answer(bed, address)
    assert bed.ask(VIP, PORT, bed.neighbour, 0.3) is None
    assert bed.inside.rule_set() == before


def test_the_restart_of_the_agent_alone_touches_nothing(bed, amphora, servers):
    plugged_vip(bed, amphora, additional_vips=[additional_vip()])
    plugged_network(bed, amphora, fixed_ip(), fixed_ip_6())
    balancer = serve(bed, amphora, servers)
    before, master = state(bed), balancer.master
    bed.inside.ip("address", "add", "198.51.100.77/32", "dev", "eth1")
    amphora.restart()
    amphora.api.get("/1.0/details")
    wait_until_both_answer(bed, VIP)
    assert balancer.master == master
    bed.inside.ip("address", "delete", "198.51.100.77/32", "dev", "eth1")
    assert state(bed) == before
