# SPDX-License-Identifier: Apache-2.0
"""UDP and SCTP listeners with the service manager `systemd`: what has to be the same with every
service manager, and their units."""

import pytest

from program.udp_listener_test import (  # noqa: F401
    amphora,
    keepalived,
    listener,
    stopped_amphora,
    test_a_keepalived_that_ends_over_a_reload_is_started_with_the_new_config,
    test_a_killed_keepalived_is_started_again,
    test_a_reload_is_one_and_keeps_the_process,
    test_a_stopped_one_stays_so_over_a_restart_until_it_is_started,
    test_after_a_failure_at_any_step_the_same_requests_succeed,
    test_keepalived_outlives_the_agent_and_is_found_again,
    test_the_first_reload_starts_it,
    test_what_did_not_change_costs_nothing,
    test_why_a_start_failed_is_told_in_keepaliveds_words,
)


@pytest.fixture
def make_amphora(make_systemd_amphora):
    return make_systemd_amphora


def test_its_unit_is_named_as_octavias_and_goes_with_it(amphora, listener):  # noqa: F811
    systemd = amphora.systemd
    unit = f"octavia-keepalivedlvs-{listener.id}.service"
    listener.serve()
    assert systemd.enabled() == [unit]
    assert listener.delete().status == 200
    assert systemd.enabled() == []
    assert unit not in systemd.units()
