# SPDX-License-Identifier: Apache-2.0
"""What Neutron says to a controller about the networks of the bed, and about ports on them."""

from octavia.network import data_models

from harness import network_bed as net

VIP_PORT_ID, MEMBER_PORT_ID = "5b4e3f5c-0000-4000-8000-000000000001", "the-members-port"


def subnet(cidr, gateway, host_routes=()):
    return data_models.Subnet(
        cidr=cidr, gateway_ip=gateway, ip_version=6 if ":" in cidr else 4, host_routes=[
            data_models.HostRoute(destination=destination, nexthop=nexthop)
            for destination, nexthop in host_routes])


VIP_SUBNET = subnet(net.VIP_NET, net.VIP_GATEWAY, [(net.HOST_ROUTE, net.HOST_ROUTE_NEXTHOP)])
VIP_SUBNET_6 = subnet(net.VIP_NET_6, net.VIP_GATEWAY_6)
MEMBER_SUBNET = subnet(net.MEMBER_NET, net.MEMBER_GATEWAY)
MEMBER_SUBNET_6 = subnet(net.MEMBER_NET_6, net.MEMBER_GATEWAY_6)


def port(mac, *fixed_ips, port_id=MEMBER_PORT_ID, mtu=1450):
    """fixed_ips: an address and its subnet each."""
    return data_models.Port(
        id=port_id, mac_address=mac, network=data_models.Network(mtu=mtu), fixed_ips=[
            data_models.FixedIP(ip_address=address, subnet=of) for address, of in fixed_ips])
