# SPDX-License-Identifier: Apache-2.0
"""The bodies of plug/vip and plug/network as a controller sends them, for the networks of the bed."""

from harness import network_bed as net

VIP, VRRP_IP = "198.51.100.10", "198.51.100.11"
VIP_6, VRRP_IP_6 = "2001:db8:1::10", "2001:db8:1::11"
MEMBER_IP, MEMBER_IP_6 = "203.0.113.10", "2001:db8:2::10"
HOST_ROUTES = [{"destination": net.HOST_ROUTE, "nexthop": net.HOST_ROUTE_NEXTHOP}]


def vip_body(mac, **changes):
    """For VIP. A change to None is sent as null, one to `...` leaves the key out."""
    return _changed({
        "subnet_cidr": net.VIP_NET, "gateway": net.VIP_GATEWAY, "mac_address": mac,
        "vrrp_ip": VRRP_IP, "mtu": 1450, "host_routes": HOST_ROUTES, "additional_vips": [],
        "is_sriov": False}, changes)


def vip_body_6(mac, **changes):
    """For VIP_6."""
    return vip_body(mac, **{"subnet_cidr": net.VIP_NET_6, "gateway": net.VIP_GATEWAY_6,
                            "vrrp_ip": VRRP_IP_6, "host_routes": [], **changes})


def additional_vip(address=VIP_6, subnet=net.VIP_NET_6, gateway=net.VIP_GATEWAY_6, routes=()):
    return {"ip_address": address, "subnet_cidr": subnet, "gateway": gateway,
            "host_routes": list(routes)}


def fixed_ip(address=MEMBER_IP, subnet=net.MEMBER_NET, gateway=net.MEMBER_GATEWAY, routes=()):
    return {"ip_address": address, "subnet_cidr": subnet, "gateway": gateway,
            "host_routes": list(routes)}


def fixed_ip_6(address=MEMBER_IP_6):
    return fixed_ip(address, net.MEMBER_NET_6, net.MEMBER_GATEWAY_6)


def network_body(mac, *fixed_ips, **changes):
    return _changed({"mac_address": mac, "fixed_ips": list(fixed_ips) or [fixed_ip()],
                     "mtu": 1400, "is_sriov": False}, changes)


def vip_network_body(mac, *fixed_ips, vip=VIP, **changes):
    """For a member network that is the VIP's: the VIP port gets more addresses."""
    return network_body(mac, *fixed_ips, **{"mtu": 1450, "vip_net_info": {
        **vip_body(mac), "vip": vip}, **changes})


def _changed(body, changes):
    return {key: value for key, value in {**body, **changes}.items() if value is not ...}


def plug_vip(amphora, body, vip=VIP, **options):
    return amphora.api.post(f"/1.0/plug/vip/{vip}", body, **options)


def plug_network(amphora, body, **options):
    return amphora.api.post("/1.0/plug/network", body, **options)


def plugged_vip(bed, amphora, **changes):
    """A NIC with the VIP on it; returns its MAC."""
    mac = bed.add_nic("vip")
    answer = plug_vip(amphora, vip_body(mac, **changes))
    assert answer.status == 202, answer
    return mac


def plugged_network(bed, amphora, *fixed_ips, **changes):
    """A NIC on the member network; returns its MAC."""
    mac = bed.add_nic("member")
    answer = plug_network(amphora, network_body(mac, *fixed_ips, **changes))
    assert answer.status == 202, answer
    return mac
