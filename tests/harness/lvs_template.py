# SPDX-License-Identifier: Apache-2.0
"""keepalived.conf of UDP and SCTP listeners as Octavia's own templates render them."""

import types
import uuid

from octavia.common.jinja.lvs import jinja_cfg

TEMPLATER = jinja_cfg.LvsJinjaTemplater(base_amp_path="/var/lib/octavia")


def _model(defaults, fields):
    return types.SimpleNamespace(**{
        "id": str(uuid.uuid4()), "provisioning_status": "ACTIVE", "enabled": True, **defaults,
        **fields})


def member(address, port=53, **fields):
    return _model({"ip_address": address, "protocol_port": port, "weight": 1,
                   "monitor_address": None, "monitor_port": None}, fields)


def monitor(kind, **fields):
    return _model({"type": kind, "delay": 5, "timeout": 3, "fall_threshold": 3,
                   "rise_threshold": 2, "url_path": "/", "http_method": "GET",
                   "expected_codes": "200-201"}, fields)


def pool(members, health_monitor=None, **fields):
    return _model({"protocol": "UDP", "lb_algorithm": "ROUND_ROBIN", "members": members,
                   "health_monitor": health_monitor, "session_persistence": None}, fields)


def listener(default_pool, vips=("198.51.100.10",), **fields):
    first, *others = (types.SimpleNamespace(ip_address=vip) for vip in vips)
    balancer = _model({"vip": first, "additional_vips": others}, {})
    return _model({"protocol": "UDP", "protocol_port": 53, "connection_limit": -1,
                   "default_pool": default_pool, "load_balancer": balancer}, fields)


def persistence(**fields):
    return types.SimpleNamespace(**{
        "type": "SOURCE_IP", "persistence_timeout": None, "persistence_granularity": None,
        **fields})


def cases():
    """Name: listener, for everything that the templates tell apart."""
    one, two = "203.0.113.1", "203.0.113.2"
    six = "2001:db8:1::1"
    udp = "UDP-CONNECT"
    return {
        "one member": listener(pool([member(one)], monitor(udp))),
        "several members": listener(pool(
            [member(one), member(two, 5353), member(one, 54, weight=0)], monitor(udp))),
        "no monitor": listener(pool([member(one), member(two)])),
        "disabled monitor": listener(pool([member(one)], monitor(udp, enabled=False))),
        "disabled member": listener(pool([member(one, enabled=False), member(two)], monitor(udp))),
        "only disabled members": listener(pool([member(one, enabled=False)], monitor(udp))),
        "no member": listener(pool([], monitor(udp))),
        "disabled pool": listener(pool([member(one)], monitor(udp), enabled=False)),
        "no pool": listener(None),
        "disabled listener": listener(pool([member(one)], monitor(udp)), enabled=False),
        "IPv6": listener(pool([member(six)], monitor(udp)), ["2001:db8::10"]),
        "dual stack": listener(pool(
            [member(one), member(six), member(two, enabled=False), member("2001:db8:1::2")],
            monitor(udp)), ["198.51.100.10", "2001:db8::10"]),
        "several VIPs of a family": listener(pool([member(one)], monitor(udp)),
                                             ["198.51.100.10", "198.51.100.11", "2001:db8::10"]),
        "members of a family without a VIP": listener(pool([member(one), member(six)])),
        "SCTP": listener(pool([member(one), member(two, monitor_port=80)], monitor("SCTP"),
                              protocol="SCTP"), protocol="SCTP", connection_limit=100),
        "HTTP monitor": listener(pool(
            [member(one, monitor_address=two, monitor_port=8080)], monitor("HTTP"))),
        "HTTP monitor that does not GET": listener(pool(
            [member(one)], monitor("HTTP", http_method="POST"))),
        "TCP monitor": listener(pool([member(one), member(two)], monitor("TCP"))),
        "persistence": listener(pool([member(one)], session_persistence=persistence())),
        "persistence of IPv6": listener(
            pool([member(six)], session_persistence=persistence(
                persistence_timeout=60, persistence_granularity="64")), ["2001:db8::10"]),
        "least connections": listener(pool([member(one)], lb_algorithm="LEAST_CONNECTIONS")),
    }


def render(model):
    return TEMPLATER.build_config(model)
