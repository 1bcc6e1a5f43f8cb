# SPDX-License-Identifier: Apache-2.0
"""Waiting for something that other processes do, bounded and with a name."""

import time


def eventually(condition, what, timeout_s=30.0, pause_s=0.02):
    """Returns the first true value of condition(); fails with `what` when none comes in time. It is
    asked once more when the time is over: the machine may have stood still meanwhile."""
    deadline = time.monotonic() + timeout_s
    while True:
        is_last = time.monotonic() >= deadline
        value = condition()
        if value:
            return value
        if is_last:
            raise AssertionError(f"after {timeout_s} s still not: {what} (last value: {value!r})")
        time.sleep(pause_s)


def stays_so(condition, what, duration_s, pause_s=0.02):
    """Fails with `what` as soon as condition() is false within duration_s."""
    deadline = time.monotonic() + duration_s
    while time.monotonic() < deadline:
        value = condition()
        assert value, f"did not stay so: {what} (became {value!r})"
        time.sleep(pause_s)
