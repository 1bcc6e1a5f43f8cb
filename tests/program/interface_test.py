# SPDX-License-Identifier: Apache-2.0
"""GET interface/IP: which interface has an address now, whatever the files say."""

import os

import pytest

from harness.plugging import (
    MEMBER_IP, VIP, VIP_6, VRRP_IP, additional_vip, plugged_network, plugged_vip)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

NOT_FOUND = {"message": "Error interface not found for IP address"}


@pytest.fixture
def amphora(bed_amphora):
    return bed_amphora.start()


def test_the_interface_of_each_address_is_told(bed, amphora):
    plugged_vip(bed, amphora, additional_vips=[additional_vip()])
    plugged_network(bed, amphora)
    for address, name in {VIP: "eth1", VRRP_IP: "eth1", VIP_6: "eth1", MEMBER_IP: "eth2",
                          "2001:DB8:1:0:0:0:0:10": "eth1",
                          "2001:0db8:0001:0000:0000:0000:0000:0010": "eth1"}.items():
        answer = amphora.api.get(f"/1.0/interface/{address}")
        assert (answer.status, answer.json) == (200, {"message": "OK", "interface": name}), address


def test_an_address_that_nobody_has_is_a_404(bed, amphora):
    answer = amphora.api.get(f"/1.0/interface/{VIP}")
    assert (answer.status, answer.json) == (404, NOT_FOUND)
    plugged_vip(bed, amphora)
    for address in ("198.51.100.12", "2001:db8:1::10"):
        answer = amphora.api.get(f"/1.0/interface/{address}")
        assert (answer.status, answer.json) == (404, NOT_FOUND), address


@pytest.mark.parametrize("address", ["nonsense", "198.51.100.256", "198.51.100.10.1", "::1::"])
def test_what_is_no_address_is_a_400(bed, amphora, address):
    for answer in (amphora.api.get(f"/1.0/interface/{address}"),
                   amphora.api.put(f"/1.0/interface/{address}/rules", [])):
        assert (answer.status, answer.json) == (400, {"message": "Invalid IP address"})


def test_the_vip_of_a_pair_is_found_where_keepalived_put_it(bed, bed_amphora):
    """That is how a controller learns who is MASTER."""
    bed_amphora.config.set("controller_worker", "loadbalancer_topology", "ACTIVE_STANDBY")
    amphora = bed_amphora.start()
    plugged_vip(bed, amphora)
    assert amphora.api.get(f"/1.0/interface/{VIP}").status == 404
    bed.inside.ip("address", "add", f"{VIP}/32", "dev", "eth1")
    assert amphora.api.get(f"/1.0/interface/{VIP}").json["interface"] == "eth1"
    bed.inside.ip("address", "delete", f"{VIP}/32", "dev", "eth1")
    assert amphora.api.get(f"/1.0/interface/{VIP}").status == 404


def test_addresses_outside_the_namespace_do_not_count(bed, amphora):
    plugged_vip(bed, amphora)
    bed.add_nic("outside")
    bed.host.ip("address", "add", "192.0.2.99/24", "dev", "eth1")
    assert amphora.api.get("/1.0/interface/192.0.2.99").status == 404
