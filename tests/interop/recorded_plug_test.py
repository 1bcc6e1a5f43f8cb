# SPDX-License-Identifier: Apache-2.0
"""Requests about the network that a release 16 controller sent, repeated as they were, on NICs with
the MACs of then: our answers are those that the reference agent gave it."""

import json
import os
import pathlib

import pytest

from harness.plugging import plug_vip, vip_body

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

RECORDED = pathlib.Path(__file__).parent / "recorded"


class Exchange:
    def __init__(self, name):
        recorded = json.loads((RECORDED / f"{name}.json").read_text())
        self.method, self.path = recorded["request"].split()
        self.headers = {key: value for key, value in recorded["headers"].items()
                        if key != "Content-Length"}
        self.body = recorded["body"]
        self.text = None if self.body is None else json.dumps(self.body)
        # The same bytes: json.dumps is what made them then.
        assert len(self.text or "") == int(recorded["headers"].get("Content-Length", 0))
        self.status, self.answer = recorded["status"], recorded["answer"]

    def repeat(self, amphora):
        answer = amphora.api.request(self.method, self.path, self.text, self.headers)
        assert (answer.status, answer.json) == (self.status, self.answer)


@pytest.fixture
def amphora(bed_amphora):
    return bed_amphora.start()


@pytest.mark.parametrize("name", ["plug-vip", "plug-vip-additional", "plug-vip-sriov"])
def test_a_recorded_vip_is_plugged(bed, amphora, name):
    exchange = Exchange(name)
    mac = bed.add_nic("vip", exchange.body["mac_address"])
    exchange.repeat(amphora)
    vip = exchange.path.rpartition("/")[2]
    assert bed.inside.name_of(mac) == "eth1"
    assert bed.inside.addresses("eth1") == {
        f"{exchange.body['vrrp_ip']}/24", f"{vip}/32",
        *(f"{other['ip_address']}/128" for other in exchange.body["additional_vips"])}


@pytest.mark.parametrize("name", ["plug-network", "plug-network-sriov"])
def test_a_recorded_member_network_is_plugged(bed, amphora, name):
    exchange = Exchange(name)
    mac = bed.add_nic("member", exchange.body["mac_address"])
    exchange.repeat(amphora)
    assert bed.inside.name_of(mac) == "eth2"
    assert bed.inside.addresses("eth2") == {"203.0.113.10/24"}


def test_a_recorded_member_network_on_the_vips_port_is_plugged(bed, amphora):
    exchange = Exchange("plug-network-vip")
    mac = bed.add_nic("vip", exchange.body["mac_address"])
    before = {key: value for key, value in exchange.body["vip_net_info"].items() if key != "vip"}
    assert plug_vip(amphora, before, exchange.body["vip_net_info"]["vip"]).status == 202
    exchange.repeat(amphora)
    assert bed.inside.name_of(mac) == "eth1"
    assert bed.inside.addresses("eth1") == {
        "198.51.100.11/24", "198.51.100.10/32", "2001:db8:1::10/64"}


def test_recorded_rules_are_taken(bed, amphora):
    """Of one of a pair on SR-IOV, for its vrrp_ip."""
    body = vip_body(bed.add_nic("vip"), vrrp_ip="198.51.100.18", is_sriov=True)
    assert plug_vip(amphora, body).status == 202
    Exchange("rules-vrrp").repeat(amphora)
    rules = bed.inside.rule_set()
    assert "198.51.100.19" in rules and "203.0.113.0/24" in rules


def test_the_recorded_question_for_an_interface_is_answered(bed, amphora):
    exchange = Exchange("get-interface")
    body = vip_body(bed.add_nic("vip"), vrrp_ip=exchange.path.rpartition("/")[2])
    assert plug_vip(amphora, body).status == 202
    exchange.repeat(amphora)
