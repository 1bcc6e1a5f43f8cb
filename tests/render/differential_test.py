# SPDX-License-Identifier: Apache-2.0
"""What we render of a random load balancer means to HAProxy and keepalived what Octavia's own code
renders of it; where it is meant to differ, a rule says so (rules.py).

AMPHORA_RENDER_COUNT load balancers (default: 2,000), made from AMPHORA_RENDER_SEED (default: 1)."""

import collections
import concurrent.futures
import os

import pytest

from render import daemons, features, suite
from render.certificates import Certificates
from render.comparison import Comparison, Octavia, Ours, explain
from render.generator import generate
from render.rules import RULES

COUNT = int(os.environ.get("AMPHORA_RENDER_COUNT") or 2000)
SEED = os.environ.get("AMPHORA_RENDER_SEED") or "1"
WORKERS = os.cpu_count() or 1
ENOUGH = 1000  # load balancers, to expect of them that they hold everything
SHOWN = 5
MUTATED = 20


class Run:
    """What a range of load balancers came to; runs of several processes add up."""

    def __init__(self):
        self.failures = []
        self.complaints = []
        self.used = collections.Counter()
        self.features = collections.Counter()
        self.pairs = collections.Counter()
        self.release = None

    def add(self, other):
        self.failures += other.failures
        self.complaints += other.complaints
        self.used += other.used
        self.features += other.features
        self.pairs += other.pairs
        self.release = other.release


def compare_range(numbers, certificates):
    run = Run()
    with suite.temporary_folder() as folder:
        octavia = Octavia(folder, certificates)
        ours = Ours(folder, certificates)
        check = daemons.Check(folder, certificates)
        try:
            for number in numbers:
                compare_one(run, number, octavia, ours, check)
        finally:
            octavia.close()
        run.release = octavia.release
    return run


def compare_one(run, number, octavia, ours, check):
    description = generate(SEED, number)
    run.features.update(features.of_load_balancer(description))
    run.pairs.update(set(features.pairs(description)))
    comparison = Comparison(description, octavia, ours)
    run.used += comparison.used
    if comparison.differences:
        run.failures.append(number)
    elif check.is_chosen(number):
        run.complaints += [f"{number}: {complaint}" for complaint in check.of(comparison)]


@pytest.fixture(scope="module")
def run():
    certificates = Certificates()
    total = Run()
    with concurrent.futures.ProcessPoolExecutor(WORKERS) as pool:
        ranges = [range(start, COUNT, WORKERS) for start in range(WORKERS)]
        for part in pool.map(compare_range, ranges, [certificates] * len(ranges)):
            total.add(part)
    return total


def test_every_load_balancer_means_the_same(run):
    if run.failures:
        pytest.fail(f"{len(run.failures)} of {COUNT} load balancers differ\n\n" + "\n\n".join(
            explain(SEED, number) for number in sorted(run.failures)[:SHOWN]))


def test_the_daemons_take_both_texts(run):
    if run.complaints:
        pytest.fail(f"{len(run.complaints)} complaints\n" + "\n\n".join(run.complaints[:SHOWN]))


def test_no_rule_is_stale(run, report):
    wanted = {rule.name for rule in RULES if rule.applies_to(run.release)}
    report += [f"Octavia {run.release}, {COUNT} load balancers; how often each rule was needed:",
               *(f"{count:7} {name}" for name, count in run.used.most_common())]
    if COUNT >= ENOUGH:
        assert wanted - set(+run.used) == set()


def test_every_feature_occurs(run):
    if COUNT >= ENOUGH:
        assert features.FEATURES - set(run.features) == set()
        assert features.PAIRS - set(run.pairs) == set()


def shuffled(lines, at):
    """Two neighbours that say the same kind of thing change places."""
    return [*lines[:at], lines[at + 1], lines[at], *lines[at + 2:]]


def mutations(name, text):
    """(what is done, text) for a text with one thing wrong each."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        found = line.split()
        is_read = not line.lstrip().startswith("#") or name.startswith("keepalived-lvs")
        if not found or not is_read or found[-1] in "{}":
            continue
        yield f"without {line}", "\n".join([*lines[:at], *lines[at + 1:]])
        if len(found) > 1:
            yield f"another word in {line}", "\n".join(
                [*lines[:at], line.replace(found[-1], found[-1] + "0"), *lines[at + 1:]])
        kinds = [other.split()[:1] for other in lines[at:at + 2]]
        if kinds == [["server"], ["server"]] or kinds == [["use_backend"], ["use_backend"]]:
            yield f"out of turn: {line}", "\n".join(shuffled(lines, at))


def test_a_difference_would_be_noticed():
    """Whatever is taken out of ours, or changed in it, or changes places, makes a difference."""
    certificates = Certificates()
    unnoticed, tried = [], 0
    with suite.temporary_folder() as folder:
        octavia, ours = Octavia(folder, certificates), Ours(folder, certificates)
        for number in range(MUTATED):
            comparison = Comparison(generate(SEED, number), octavia, ours)
            assert not comparison.differences
            for name, text in comparison.ours.items():
                for what, mutated in mutations(name, text) if name in comparison.octavias else ():
                    tried += 1
                    if not comparison.notices(name, mutated):
                        unnoticed.append(f"{number}: {name}: {what}")
        octavia.close()
    assert not unnoticed, "\n".join(unnoticed)
    assert tried > 50 * MUTATED
