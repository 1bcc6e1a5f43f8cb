# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up: changes are refused in clear words, what runs goes on, and nobody has to do
anything once there is room again."""

ROOM_KIB = 300
LARGE = "# padding that means nothing to HAProxy\n" * 25000


def free_kib(shell):
    return int(shell.run("df --output=avail -k / | tail -1"))


def limit_of(balancer):
    """The connection limit of its HTTP listener, as installed."""
    model = balancer.amphora.api.get(f"/1.0/loadbalancer/{balancer.id}/model").json
    return model["loadbalancer"]["listeners"][0]["connection_limit"]


def config_of(balancer):
    return balancer.amphora.api.get(f"/1.0/loadbalancer/{balancer.id}/haproxy").text


def upload(balancer, config):
    """As a controller does that knows nothing of models."""
    return balancer.amphora.api.put(f"/1.0/loadbalancer/{balancer.amphora.id}/{balancer.id}/haproxy", config)


def assert_refused(answer):
    assert answer.status == 500, answer
    assert "no space left on device" in answer.text.lower(), answer


def assert_goes_on(balancer, health_manager):
    assert balancer.answers() == ["one"] * 3
    health_manager.next_beat(balancer.is_told, "it beats and tells of everything", 30)


def test_a_disk_that_fills_up(amphora, balancer, health_manager):
    shell = amphora.machine.shell
    shell.run(f"fallocate -l {free_kib(shell) - ROOM_KIB}K /var/filler")
    assert_refused(upload(balancer, config_of(balancer) + LARGE))
    balancer.apply(balancer.model(connection_limit=1001))
    assert_goes_on(balancer, health_manager)

    shell.run("dd if=/dev/zero of=/var/filler2 bs=4k 2>/dev/null; sync")
    assert free_kib(shell) < 16
    assert_refused(balancer.put(balancer.model(connection_limit=1002)))
    assert limit_of(balancer) == 1001
    assert_goes_on(balancer, health_manager)
    # An agent that starts meanwhile finds what it needs.
    shell.run("systemctl restart amphora-agent.service", 120)
    amphora.wait_until_it_answers()
    assert_goes_on(balancer, health_manager)

    shell.run("rm /var/filler /var/filler2; sync")
    assert upload(balancer, config_of(balancer) + LARGE).status == 202
    balancer.apply(balancer.model(connection_limit=1003))
    assert limit_of(balancer) == 1003
    assert_goes_on(balancer, health_manager)
