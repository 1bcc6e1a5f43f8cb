# SPDX-License-Identifier: Apache-2.0
"""PING monitors: HAProxy, in the amphora's namespace and as its own user, runs ping-wrapper.sh."""

import os
import uuid

import pytest

from harness import haproxy, processes
from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.network_namespace import NetworkNamespace

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

NOBODY = 65534


@pytest.fixture
def namespace(resources):
    namespace = resources.enter_context(NetworkNamespace())
    namespace.add_interface("eth1", "10.99.0.10/24")
    namespace.ip("address", "add", "fd00:99::10/64", "dev", "eth1", "nodad")
    return namespace


@pytest.fixture
def amphora(make_amphora, namespace):
    return make_amphora(network_namespace=namespace.name).install().start()


@pytest.fixture
def balancer(amphora):
    """As a controller's template has it for a PING monitor."""
    balancer = LoadBalancer(
        amphora, check="check inter 1s fall 1 rise 1",
        in_global=["external-check", "insecure-fork-wanted"],
        pool_lines=["option external-check",
                    f"external-check command {amphora.base_path}/ping-wrapper.sh"])
    balancer.address = "10.99.0.10"
    for address in ("10.99.0.10", "[fd00:99::10]", "10.99.0.77", "[fd00:99::77]"):
        balancer.members.append((str(uuid.uuid4()), address, 80, 1))
    assert balancer.upload().status == 202
    assert balancer.act("reload").status == 202
    return balancer


def test_members_that_answer_a_ping_are_up_and_others_down(balancer):
    def statuses():
        return [haproxy.member_status(balancer.socket, member) for member, *_ in balancer.members]
    eventually(lambda: statuses() == ["UP", "UP", "DOWN", "DOWN"], "the monitors have found out")

    def worker():
        """What it has forked for a monitor looks like another one until it executes that."""
        workers = balancer.workers
        return workers[0] if len(workers) == 1 else None
    assert processes.user_of(eventually(worker, "the worker is alone"))[0] == NOBODY
