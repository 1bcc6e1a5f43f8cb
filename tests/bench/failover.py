# SPDX-License-Identifier: Apache-2.0
"""A pair of amphorae under load: how long a client is without its VIP when the master's keepalived,
interface or HAProxy dies; and what the check costs that keepalived runs every few seconds."""

import os
import pathlib
import statistics
import sys
import time
from operator import methodcaller

import sandbox
from subject import Unavailable

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from harness.amphora import BUILD, Amphora  # noqa: E402

TIMES, CHECKS = 5, 200
ADVERT_S = 1
# What the standby, whose priority is 90, waits beyond three advertisements (RFC 3768, 5.3.2).
SKEW_S = (256 - 90) / 256
UNNOTICED_S = 3 * ADVERT_S + SKEW_S + 0.5
ANNOUNCED_S = 1.2
# A keepalived that is back must hear the other's advertisements before it is a standby.
STANDBY_S = 3 * ADVERT_S
# What was killed is started again at once only when it ran for ten seconds.
RESTARTS_AT_ONCE_S = 10.5
REFERENCE_CHECK = "/usr/bin/haproxy-vrrp-check"


def _outages(pair, mishap, remedy, pause_s):
    """Each time it befalls whoever is the master then."""
    outages = []
    for _ in range(TIMES):
        master = pair.master()
        outages.append(pair.measure(mishap, master))
        remedy(master)
        time.sleep(pause_s)
    return outages


def _row(report, others, label, outages, below):
    away_s = [outage.away_s for outage in outages]
    report.row(f"{label}, median of {TIMES}", [statistics.median(away_s), *others], "s",
               below=below)
    report.row("  the longest", [max(away_s), *others], "s")
    report.row("  requests lost, of 50 a second, median",
               [statistics.median(outage.lost for outage in outages), *others])


def _check_ms(program, socket_path):
    """Every run's milliseconds, from the fork to the end."""
    walls_ms = []
    for _ in range(CHECKS):
        start_s = time.monotonic()
        pid = os.posix_spawn(program, [program, socket_path], os.environ)
        _, status = os.waitpid(pid, 0)
        walls_ms.append((time.monotonic() - start_s) * 1000)
        if status != 0:
            raise RuntimeError(f"{program} {socket_path} ended with {status}")
    return walls_ms


def _measure_pair(pair, others, report):
    for label, mishap, remedy, pause_s, below in (
            ("VIP away: keepalived stopped in order",
             methodcaller("stop_keepalived"), methodcaller("start_keepalived"), STANDBY_S,
             ANNOUNCED_S),
            ("VIP away: keepalived killed",
             methodcaller("kill_keepalived"), lambda _: None, RESTARTS_AT_ONCE_S,
             UNNOTICED_S),
            ("VIP away: interface down",
             methodcaller("lose_interface"), methodcaller("get_interface_back"), STANDBY_S,
             UNNOTICED_S),
            ("VIP away: HAProxy killed (it stays)",
             methodcaller("kill_haproxy"), lambda _: None, RESTARTS_AT_ONCE_S,
             ANNOUNCED_S)):
        _row(report, others, label, _outages(pair, mishap, remedy, pause_s), below)


def measure(subjects, report):
    # It takes a second, which the other sections have not to wait.
    from harness.namespace_pair import NamespacePair
    report.section("failover")
    sandbox.mount_empty("/run/netns")
    others = [Unavailable("a pair needs two places, and its paths are wired in")
              for _ in subjects[1:]]
    made = []

    def make_amphora(**options):
        made.append(Amphora(**options))
        return made[-1]

    try:
        with NamespacePair(make_amphora) as pair:
            socket_path = str(pair.master().amphora.stats_socket(pair.config.id))
            checks = [_check_ms(program, socket_path)
                      for program in (str(BUILD / "haproxy-vrrp-check"),
                                      *(REFERENCE_CHECK for _ in subjects[1:]))]
            report.row("haproxy-vrrp-check, median", [statistics.median(ms) for ms in checks],
                       "ms", below=5)
            _measure_pair(pair, others, report)
    finally:
        for amphora in made:
            amphora.destroy()
