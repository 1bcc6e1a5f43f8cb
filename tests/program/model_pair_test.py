# SPDX-License-Identifier: Apache-2.0
"""A model of topology ACTIVE_STANDBY: amphorae in namespaces, real HAProxy and keepalived."""

import os
import subprocess
import uuid

import pytest

from harness import processes, vrrp
from harness.eventually import eventually, stays_so
from harness.namespace_pair import ModelPair
from harness.network_namespace import NetworkNamespace

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
VIP, SOURCE, PEER = "198.51.100.13", "198.51.100.15", "198.51.100.16"


class HalfPair:
    """One amphora of a pair whose other half is dead: it takes the VIP when it may."""

    def __init__(self, amphora, namespace):
        self.amphora = amphora
        self.api = amphora.api
        self.namespace = namespace
        self.id = str(uuid.uuid4())
        self.folder = amphora.base_path / "vrrp"

    def model(self, interface="eth1", advert_int=1):
        return {
            **self.single(), "topology": "ACTIVE_STANDBY", "subnet_cidr": "198.51.100.0/24",
            "vrrp": {"virtual_router_id": 1, "auth_type": "PASS", "auth_pass": "b5e00e6",
                     "advert_int": advert_int},
            "amphorae": [
                {"id": amphora, "vrrp_ip": address, "vrrp_priority": priority,
                 "vrrp_interface": interface}
                for amphora, address, priority in ((self.amphora.id, SOURCE, 100),
                                                   (str(uuid.UUID(int=1)), PEER, 90))]}

    @staticmethod
    def single():
        return {"vip_address": VIP, "listeners": [{
            "protocol": "TCP", "protocol_port": 80, "default_pool": {
                "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "members": []}}]}

    def put(self, model, amphora_id=None, query=""):
        return self.api.put(
            f"/1.0/loadbalancer/{amphora_id or self.amphora.id}/{self.id}/model{query}", model)

    def apply(self, model):
        answer = self.put(model)
        assert answer.status == 200, answer
        return answer.json

    @property
    def path(self):
        return f"/1.0/loadbalancer/{self.id}"

    def stored(self):
        answer = self.api.get(f"{self.path}/model")
        return answer.json if answer.status == 200 else None

    def config(self):
        path = self.folder / "octavia-keepalived.conf"
        return path.read_text() if path.exists() else None

    def keepalived(self):
        """The pid of the main process, 0 when none runs."""
        pids = [pid for pid in self.amphora.processes("keepalived")
                if processes.leads_session(pid)]
        assert len(pids) <= 1, f"several keepalived: {pids}"
        return pids[0] if pids else 0

    def has_vip(self):
        shown = subprocess.run(["ip", "-n", self.namespace.name, "address", "show", "dev", "eth1"],
                               capture_output=True, text=True, check=True).stdout
        return f" {VIP}/32 " in shown


@pytest.fixture
def half(make_amphora, resources):
    namespace = resources.enter_context(NetworkNamespace())
    namespace.add_interface("eth1", f"{SOURCE}/24")
    namespace.run("sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1")
    return HalfPair(make_amphora(network_namespace=namespace.name).start(), namespace)


def test_one_model_makes_a_pair_of_two_amphorae(make_amphora, resources):
    pair = resources.enter_context(ModelPair(make_amphora))
    master = pair.master()
    backup = next(node for node in pair.nodes if node is not master)
    for node in pair.nodes:
        again = node.serve_model(pair.model())
        assert (again["applied"], again["changes"]) == ("none", [])
    assert pair.measure(master.lose_interface).away_s < 10
    assert pair.master() is backup


def test_the_config_is_that_of_the_amphora_in_the_path(half):
    shown = half.put(half.model(), query="?dry_run=true").json
    assert half.config() is None
    applied = half.apply(half.model())
    assert applied["applied"] == "start"
    assert "VRRP added" in applied["changes"]
    assert half.config() == shown["keepalived-vrrp"]
    assert f"unicast_src_ip {SOURCE}" in half.config() and "priority 100" in half.config()
    assert half.put(half.model(), query="?dry_run=true").json["would_apply"] == "none"
    assert half.stored() == half.model()


def test_an_amphora_that_is_none_of_the_pair_is_a_fault(half):
    for query in ("", "?dry_run=true"):
        answer = half.put(half.model(), "stranger", query)
        assert answer.status == 400
        assert [fault["path"] for fault in answer.json["details"]] == ["/amphorae"]
    assert half.put(half.single(), "stranger").status == 200


def test_another_interval_is_taken_up_without_losing_the_vip(half):
    half.apply(half.model())
    eventually(half.has_vip, "it has the VIP")
    pid = half.keepalived()
    applied = half.apply(half.model(advert_int=2))
    assert applied["applied"] == "reload"
    assert "VRRP changed" in applied["changes"]
    assert "advert_int 2" in half.config()
    assert half.keepalived() == pid
    stays_so(half.has_vip, "it has the VIP", 1)


def test_an_interface_that_is_not_there_does_not_cost_the_vip(half):
    """keepalived would end over it, and the VIP would move."""
    half.apply(half.model())
    pid, text = half.keepalived(), half.config()
    answer = half.put(half.model("no-such"))
    assert answer.status == 500
    assert "no-such" in answer.json["details"]
    assert half.config() == text
    assert half.keepalived() == pid
    assert half.stored() == half.model()


def test_when_haproxy_cannot_bind_vrrp_stays_as_it_was(half):
    half.apply(half.model())
    pid, text = half.keepalived(), half.config()
    half.namespace.run("sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=0")
    model = half.model(advert_int=2)
    model["vip_address"] = "198.51.100.99"
    assert half.put(model).status == 500
    assert half.config() == text
    assert half.keepalived() == pid
    assert half.stored() == half.model()


def test_the_pair_ends_with_its_model(half):
    half.apply(half.model())
    applied = half.apply(half.single())
    assert "VRRP removed" in applied["changes"]
    assert half.config() is None and not half.keepalived()
    assert half.stored() == half.single()
    half.apply(half.model())
    assert half.keepalived()
    assert half.api.delete(half.path).status == 200
    assert half.config() is None and not half.keepalived()


def test_an_uploaded_vrrp_config_ends_the_model_and_is_not_a_single_ones(half):
    half.apply(half.model())
    uploaded = vrrp.configuration(half.amphora, VIP, SOURCE, PEER)
    assert half.api.put("/1.0/vrrp/upload", uploaded).status == 200
    assert half.stored() is None
    half.apply(half.single())
    assert half.config() == uploaded and half.keepalived()
    assert half.stored() == half.single()
    assert half.api.delete(half.path).status == 200
    assert half.config() == uploaded and half.keepalived()


def test_the_vrrp_instance_of_another_load_balancer_is_not_taken(half):
    half.apply(half.model())
    thief = HalfPair(half.amphora, half.namespace)
    answer = thief.put({**thief.model(), "listeners": []})
    assert answer.status == 409
    assert half.id in answer.json["details"]
    assert half.stored() == half.model()
