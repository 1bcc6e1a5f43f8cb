# SPDX-License-Identifier: Apache-2.0
"""From exec to the first answered request; both certificates are RSA-2048."""

import statistics


def _start_ms(subject):
    """Every start's milliseconds and the CPU it took. One start before reads the files in."""
    walls_ms, cpus_ms = [], []
    subject.start()
    subject.stop()
    for _ in range(subject.counts.starts):
        walls_ms.append(subject.start() * 1000)
        cpus_ms.append(subject.api_cpu_s() * 1000)
        subject.stop()
    return walls_ms, cpus_ms


def measure(subjects, report):
    report.section("start")
    starts = [_start_ms(subject) for subject in subjects]
    report.row("to the first mutual-TLS answer, median",
               [statistics.median(walls_ms) for walls_ms, _ in starts], "ms", below=30)
    report.row("slowest", [max(walls_ms) for walls_ms, _ in starts], "ms")
    report.row("CPU until then", [statistics.median(cpus_ms) for _, cpus_ms in starts], "ms")
