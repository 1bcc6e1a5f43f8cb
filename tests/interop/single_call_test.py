# SPDX-License-Identifier: Apache-2.0
"""The answer of Octavia's single-call create, made by Octavia's own types, is a model."""

import datetime
import json

import pytest
import wsme.rest.json
from octavia.api.v2.types import health_monitor as monitor_answers
from octavia.api.v2.types import load_balancer as answers
from octavia.common import data_models

from harness.cloud import MODELS, CloudBalancer, Model

NAME = "octavia-single-call"
PROJECT = "e3cd678b11784734bc366148aa37580e"
MADE = {"project_id": PROJECT, "provisioning_status": "PENDING_CREATE", "enabled": True, "tags": [],
        "created_at": datetime.datetime(2026, 8, 20, 10, 30)}


def uuid_of(number):
    return f"{number:08x}-5c1e-4d0a-9b63-0242ac120002"


def member(number, address, port):
    return data_models.Member(id=uuid_of(number), name=f"web-{number & 15}", ip_address=address,
                              protocol_port=port, weight=1, backup=False, subnet_id=uuid_of(3),
                              operating_status="NO_MONITOR", **MADE)


def pool(number, name, protocol, members, **monitor):
    made = data_models.Pool(id=uuid_of(number), name=name, description="", protocol=protocol,
                            lb_algorithm="ROUND_ROBIN", members=members,
                            operating_status="OFFLINE", tls_enabled=False, **MADE)
    made.health_monitor = data_models.HealthMonitor(
        id=uuid_of(number + 8), name="", delay=60, timeout=30, rise_threshold=3, fall_threshold=3,
        operating_status="OFFLINE", pool=made, **monitor, **MADE)
    return made


def listener(number, name, protocol, port, default_pool, **more):
    made = data_models.Listener(
        id=uuid_of(number), name=name, description="", protocol=protocol, protocol_port=port,
        connection_limit=-1, default_pool=default_pool, default_pool_id=default_pool.id,
        timeout_client_data=50000, timeout_member_connect=5000, timeout_member_data=50000,
        timeout_tcp_inspect=0, client_authentication="NONE", operating_status="OFFLINE", **more,
        **MADE)
    default_pool.listeners.append(made)
    return made


def policy(number, redirect_pool):
    made = data_models.L7Policy(
        id=uuid_of(number), name="api", description="", action="REDIRECT_TO_POOL", position=1,
        redirect_pool=redirect_pool, redirect_pool_id=redirect_pool.id, operating_status="OFFLINE",
        **MADE)
    made.l7rules = [data_models.L7Rule(
        id=uuid_of(number + 1), type="PATH", compare_type="STARTS_WITH", value="/api",
        invert=False, operating_status="OFFLINE", l7policy=made, **MADE)]
    return made


def answer():
    """What Octavia answers to POST /v2/lbaas/loadbalancers with everything in it."""
    web = pool(0x10, "web", "HTTP", [member(0x11, "10.6.0.21", 80), member(0x12, "10.6.0.22", 80)],
               type="HTTP", http_method="GET", url_path="/healthz", expected_codes="200")
    api = pool(0x20, "api", "HTTP", [member(0x21, "10.6.0.23", 8080)], type="TCP")
    tls = pool(0x30, "tls", "TCP", [member(0x31, "10.6.0.21", 443), member(0x32, "10.6.0.22", 443)],
               type="TCP")
    http = listener(0x40, "http", "HTTP", 80, web, insert_headers={"X-Forwarded-For": "true"})
    http.l7policies = [policy(0x50, api)]
    made = data_models.LoadBalancer(
        id=uuid_of(1), name="shop", description="everything in one call", provider="amphora",
        operating_status="OFFLINE", pools=[web, api, tls], additional_vips=[],
        listeners=[http, listener(0x60, "https", "TCP", 443, tls)],
        vip=data_models.Vip(ip_address="10.6.0.10", subnet_id=uuid_of(3), port_id=uuid_of(4),
                            network_id=uuid_of(5)), **MADE)
    root = answers.LoadBalancerFullRootResponse(
        loadbalancer=answers.LoadBalancerFullResponse.from_data_model(made))
    for shown, source in zip(root.loadbalancer.pools, made.pools):  # which release 11 leaves out
        shown.healthmonitor = monitor_answers.HealthMonitorFullResponse.from_data_model(
            source.health_monitor)
    return wsme.rest.json.tojson(type(root), root)


def test_the_recorded_answer_is_what_octavia_answers():
    """Or this release of it: a newer one says more."""
    recorded = json.loads((MODELS / f"{NAME}.json").read_text())

    def assert_within(part, whole, where):
        if isinstance(part, dict):
            assert set(part) <= set(whole), where
            for key in part:
                assert_within(part[key], whole[key], f"{where}/{key}")
        elif isinstance(part, list):
            assert len(part) == len(whole), where
            for at, (one, other) in enumerate(zip(part, whole)):
                assert_within(one, other, f"{where}/{at}")
        else:
            assert part == whole, where

    assert_within(answer(), recorded, "")


@pytest.mark.parametrize("status", ["PENDING_CREATE", "ACTIVE"])
def test_octavias_answer_can_be_pasted_back(amphora, status):
    balancer = CloudBalancer(amphora)
    model = Model(NAME)
    model.json = json.loads(json.dumps(answer()).replace("PENDING_CREATE", status))
    pasted = balancer.dry_run(model)
    assert "warnings" not in pasted
    assert pasted["haproxy.cfg"].count("\nfrontend ") == 2
    assert pasted["haproxy.cfg"].count("\nbackend ") == 3
