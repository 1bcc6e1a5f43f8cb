# SPDX-License-Identifier: Apache-2.0
"""A pair on what Octavia's own templates render for it: what a client notices of a failover. The
figures are printed; their limits are those of a crowded machine, `make bench` holds the real ones.
"""

import os
import signal
import time

import pytest

from harness.eventually import eventually, stays_so

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
LIMIT_S = 10
# Between a client's requests: what a machine that does much else can answer, too.
PERIOD_S = 0.1


@pytest.fixture
def make_pair(make_amphora, resources):
    # It takes seconds, which not every file has to wait.
    from harness.namespace_pair import NamespacePair

    def make_pair(**options):
        pair = resources.enter_context(NamespacePair(make_amphora, **options))
        pair.period_s = PERIOD_S
        return pair

    return make_pair


@pytest.fixture
def pair(make_pair):
    return make_pair()


def assert_short(outage, what):
    print(f"{what}: {outage}")
    assert outage.away_s < LIMIT_S


def test_the_standby_knows_where_clients_belong(pair):
    master, backup = pair.master(), pair.backup()
    assert pair.measure(lambda: None).lost == 0
    assert master.sticky_clients() == 1
    eventually(lambda: backup.sticky_clients() == 1, "the standby's stick table is in step")


def test_haproxy_dies_on_the_master(pair):
    master = pair.master()
    assert_short(pair.measure(master.kill_haproxy), "HAProxy killed")
    assert pair.master() is master, "it was back before keepalived could notice"


@pytest.mark.parametrize("has_state_line", [False, True])
def test_keepalived_dies_on_the_master(make_pair, has_state_line):
    pair = make_pair(has_state_line=has_state_line)
    master = pair.master()
    assert_short(pair.measure(master.kill_keepalived), "keepalived killed")
    pair.master()
    eventually(master.keepalived_pids, "keepalived is back")


def test_the_interface_of_the_master_goes_down(pair):
    master, backup = pair.master(), pair.backup()
    assert_short(pair.measure(master.lose_interface), "interface down")
    assert pair.master() is backup
    master.get_interface_back()
    stays_so(lambda: pair.master() is backup, "the VIP stays where it is", 2)


def test_the_interface_of_the_master_vanishes(pair):
    master, backup = pair.master(), pair.backup()
    assert_short(pair.measure(master.namespace.ip, "link", "delete", "eth1"), "interface deleted")
    assert backup.has_vip()


def test_the_master_is_stopped_in_order(pair):
    master, backup = pair.master(), pair.backup()
    assert_short(pair.measure(master.stop_keepalived), "orderly stop")
    assert pair.master() is backup
    master.start_keepalived()
    stays_so(lambda: pair.master() is backup, "the VIP stays where it is", 2)


def test_what_comes_back_after_the_other_took_over_clears_the_vip_and_stands_by(pair):
    master, backup = pair.master(), pair.backup()
    master.amphora.kill()
    master.kill_keepalived()
    eventually(backup.has_vip, "the other takes over")
    assert master.has_vip(), "what was killed took nothing back"
    master.amphora.start()
    eventually(lambda: not master.has_vip(), "the VIP is cleared")
    stays_so(lambda: pair.master() is backup, "the VIP stays where it is", 2)


def test_the_vip_moves_when_haproxy_does_not_answer(pair):
    """Frozen: it does not end, so only the check can notice."""
    master, backup = pair.master(), pair.backup()
    started = time.monotonic()
    for pid in master.amphora.haproxy_pids(pair.config.id):
        os.kill(pid, signal.SIGSTOP)
    eventually(lambda: backup.has_vip() and not master.has_vip(), "the VIP moves", 60)
    print(f"HAProxy frozen: the VIP moved after {time.monotonic() - started:.1f} s")
    for pid in master.amphora.haproxy_pids(pair.config.id):
        os.kill(pid, signal.SIGCONT)
