# SPDX-License-Identifier: Apache-2.0
"""The agent ends without being asked, or hangs: systemd starts it again, it beats again, and no client
notices."""

from harness.eventually import eventually
from harness.image_site import Client

# Longer than the agent's main thread sleeps, and much less than the unit says.
WATCHDOG = "[Service]\nWatchdogSec=25\nTimeoutAbortSec=1\n"
RESTARTED_S = 90


def main_pid(amphora):
    return int(amphora.machine.shell.run("systemctl show --value -p MainPID amphora-agent.service"))


def kill(amphora):
    amphora.machine.shell.run("systemctl kill --kill-whom=main --signal=KILL amphora-agent.service")


def restart(amphora):
    amphora.machine.shell.run("systemctl restart amphora-agent.service")


def hang(amphora):
    shell = amphora.machine.shell
    shell.run("systemctl kill --kill-whom=main --signal=STOP amphora-agent.service")


def test_no_client_notices_that_the_agent_ends(amphora, balancer, health_manager):
    shell = amphora.machine.shell
    folder = "/run/systemd/system/amphora-agent.service.d"
    shell.run(f"mkdir -p {folder} && printf '{WATCHDOG}' >{folder}/watchdog.conf".replace("\n", "\\n")
              + " && systemctl daemon-reload")
    haproxy = shell.run("pidof haproxy")
    with Client(balancer) as client:
        # The restart comes first: what it starts has the short watchdog.
        for mishap in (restart, kill, hang):
            before = main_pid(amphora)
            client.wait_until_served()
            mishap(amphora)
            eventually(lambda: main_pid(amphora) not in (0, before),
                       f"after {mishap.__name__} systemd starts the agent", RESTARTED_S)
            amphora.wait_until_it_answers()
            amphora.wait_until_ready(RESTARTED_S)
            health_manager.next_beat(balancer.is_told, "it beats and tells of everything", RESTARTED_S)
            client.wait_until_served()
    assert client.has_always_been_served(), client.answers
    assert shell.run("pidof haproxy") == haproxy
    assert balancer.answers() == ["one"] * 3
    assert "Watchdog timeout" in shell.run("journalctl --no-pager _PID=1 --unit=amphora-agent")
