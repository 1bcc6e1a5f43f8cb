# SPDX-License-Identifier: Apache-2.0
"""VRRP with the service manager `systemd`: what has to be the same with every service manager, and
its unit."""

import os

import pytest

from program.vrrp_test import (  # noqa: F401
    amphora,
    namespace,
    pair,
    test_a_killed_one_is_back_at_once_and_clears_the_vip_that_it_left,
    test_a_reload_of_what_does_not_run_starts_it,
    test_a_start_brings_keepalived_into_the_namespace_and_a_stop_ends_it,
    test_a_start_of_what_runs_takes_up_the_new_config_without_giving_the_vip_up,
    test_a_start_without_the_interface_is_a_500_in_keepaliveds_words,
    test_keepalived_outlives_the_agent_which_finds_it_again,
    test_what_was_stopped_is_not_started_by_the_next_agent,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@pytest.fixture
def make_amphora(make_systemd_amphora):
    return make_systemd_amphora


def test_its_unit_is_named_as_octavias_and_started_by_a_boot(amphora, pair):  # noqa: F811
    systemd = amphora.systemd
    assert pair.upload().status == 200
    assert pair.act("start").status == 202
    assert systemd.enabled() == ["octavia-keepalived.service"]
    assert pair.act("stop").status == 202
    assert systemd.enabled() == []
