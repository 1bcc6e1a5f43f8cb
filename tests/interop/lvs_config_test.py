# SPDX-License-Identifier: Apache-2.0
"""What lvs/config.h reads in the configs that Octavia's templates render, beside what was rendered
and what the reference agent reads in them."""

import ipaddress
import json
import subprocess

import pytest
from octavia.amphorae.backends.agent.api_server import util
from octavia.amphorae.backends.utils import keepalivedlvs_query

from harness import lvs_template
from harness.amphora import BUILD

CASES = lvs_template.cases()


def read(text):
    result = subprocess.run([BUILD / "tests" / "lvs_config_print"], input=text,
                            capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def family(address):
    return ipaddress.ip_address(address).version


@pytest.fixture(params=CASES)
def listener(request):
    return CASES[request.param]


@pytest.fixture
def config(listener):
    return read(lvs_template.render(listener))


def rendered_members(listener):
    """Those of the families that have a VIP; none of a pool that is not in force."""
    balancer, pool = listener.load_balancer, listener.default_pool
    if not listener.enabled or not pool or not pool.enabled:
        return []
    vips = [balancer.vip, *balancer.additional_vips]
    families = {family(vip.ip_address) for vip in vips}
    return [member for member in pool.members if family(member.ip_address) in families]


def has_checker(pool):
    monitor = pool.health_monitor
    return bool(monitor and monitor.enabled) and (monitor.type, monitor.http_method) != (
        "HTTP", "POST")


def test_members_are_those_that_were_rendered(listener, config):
    expected = {
        member.id: {
            "id": member.id,
            "endpoint": [member.ip_address, member.protocol_port] if member.enabled else None,
            "is_disabled": not member.enabled,
            "has_checker": member.enabled and has_checker(listener.default_pool)}
        for member in rendered_members(listener)}
    assert {member["id"]: member for member in config["members"]} == expected
    assert len(config["members"]) == len(expected)


def test_the_rest_is_what_was_rendered(listener, config):
    balancer, pool = listener.load_balancer, listener.default_pool
    serves = listener.enabled and pool is not None
    vips = [balancer.vip, *balancer.additional_vips] if serves else []
    assert config["listener"] == listener.id
    assert config["is_disabled"] == (not listener.enabled)
    assert config["pool"] == (pool.id if serves else None)
    assert config["is_pool_disabled"] == (serves and not pool.enabled)
    assert config["is_sctp"] == (serves and listener.protocol == "SCTP")
    assert sorted(config["virtual_servers"]) == sorted(
        [vip.ip_address, listener.protocol_port] for vip in vips)


def reference_reads(text, monkeypatch, folder):
    path = folder / "keepalived.conf"
    path.write_text(text)
    monkeypatch.setattr(util, "keepalived_lvs_cfg_path", lambda _: str(path))
    found, _ = keepalivedlvs_query.get_lvs_listener_resource_ipports_nsname("listener")
    return found


def as_the_reference_writes(endpoint):
    if endpoint is None:
        return None
    address, port = endpoint
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def test_the_reference_agent_reads_the_same(listener, config, monkeypatch, tmp_path):
    """But for what it does not see: all VIPs of a family behind the first, and a disabled pool."""
    found = reference_reads(lvs_template.render(listener), monkeypatch, tmp_path)
    if config["is_disabled"]:
        assert found is None
        return
    vips = [as_the_reference_writes(vip) for vip in config["virtual_servers"]]
    if not vips:
        assert found == {}
        return
    assert found["Listener"]["id"] == config["listener"]
    assert set(found["Listener"]["ipports"]) <= set(vips)
    assert found.get("Pool", {}).get("id") == (
        None if config["is_pool_disabled"] else config["pool"])
    assert {member["id"]: member["ipport"] for member in found.get("Members", [])} == {
        member["id"]: as_the_reference_writes(member["endpoint"])
        for member in config["members"]}
