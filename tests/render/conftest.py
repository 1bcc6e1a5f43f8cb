# SPDX-License-Identifier: Apache-2.0
"""The report at the end: which rules were needed how often."""

import pytest

REPORT = pytest.StashKey()


def pytest_configure(config):
    config.stash[REPORT] = []


@pytest.fixture
def report(pytestconfig):
    """Its lines."""
    return pytestconfig.stash[REPORT]


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[REPORT]:
        terminalreporter.write_line(line)
