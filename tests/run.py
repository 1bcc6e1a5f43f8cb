# SPDX-License-Identifier: Apache-2.0
"""Runs every test and ends with one count line: "N passed, N failed[, N skipped]".

usage: run.py [UNIT_TEST_PROGRAM...]

AMPHORA_BUILD is the build folder (default: build). SUITE=unit, program, interop or render runs that
part alone; unit is the cmocka programs (those named, or all in the build folder's unit/) and the replay
of each fuzz target's corpus, the others are pytest's folders here. SUITE=image, which is no part of
the whole, is a folder too, in one process: its tests share what takes long to boot. AMPHORA_TEST_JOBS is
how many programs or files run at a time (default: two a processor; they mostly wait).
"""

import collections
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from xml.etree import ElementTree

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent
BUILD = ROOT / os.environ.get("AMPHORA_BUILD", "build")
PROGRAM_TIMEOUT_S = 900
FILE_TIMEOUT_S = 2700
IMAGE_TIMEOUT_S = 3600
RUNNING = set()
JOBS = int(os.environ.get("AMPHORA_TEST_JOBS") or 2 * (os.cpu_count() or 1))

TAP_PLAN = re.compile(r"^1\.\.(\d+)")
TAP_SKIP = re.compile(r"^(?:not )?ok \d+ # SKIP ?(.*)")
TAP_RESULT = re.compile(r"^(not )?ok [1-9]\d* - (.*)")


class Tally:
    """What passed, failed and was skipped, with the reasons to show at the end."""

    def __init__(self):
        self.count = collections.Counter(passed=0, failed=0, skipped=0)
        self.failures = []
        self.skips = []

    def passed(self):
        self.count["passed"] += 1

    def failed(self, name, count=1):
        self.count["failed"] += count
        self.failures.append(name)

    def skipped(self, name, reason):
        self.count["skipped"] += 1
        self.skips.append(f"{name}: {reason}")

    def line(self):
        text = f"{self.count['passed']} passed, {self.count['failed']} failed"
        return text + (f", {self.count['skipped']} skipped" if self.count["skipped"] else "")

    def exit_status(self):
        return 0 if self.count["passed"] and not self.count["failed"] else 1


def run_program(command, timeout_s=PROGRAM_TIMEOUT_S, **environment):
    """(exit status, output) of a test program. One that hangs is interrupted, so that it can still
    end what it started, then killed. The output goes to a file: what a failed test leaves running
    would hold a pipe open for ever. Each has a session of its own: a signal that a test sends to
    its whole process group reaches no other test, and not this runner."""
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True) as process:
            RUNNING.add(process)
            note = ""
            for patience_s, give_up in (
                    (timeout_s, lambda: process.send_signal(signal.SIGINT)), (60, process.kill)):
                try:
                    process.wait(timeout=patience_s)
                    break
                except subprocess.TimeoutExpired:
                    note = f"\nstill running after {timeout_s} s\n"
                    give_up()
            RUNNING.discard(process)
        output.seek(0)
        return process.returncode, output.read().decode(errors="replace") + note


def run_unit(program):
    return run_program([program], CMOCKA_MESSAGE_OUTPUT="TAP")


def tally_tap(program, status, output, tally):
    """What one cmocka program said. A test that the plan promises and no line reports (a crash, a
    group that cannot be set up) has failed."""
    planned = reported = failed = 0
    said = "no reason given"
    for line in output.splitlines():
        if plan := TAP_PLAN.match(line):
            planned += int(plan[1])
        elif skip := TAP_SKIP.match(line):
            reported += 1
            tally.skipped(f"{program.name}: {skip[1]}", said)
        elif result := TAP_RESULT.match(line):
            reported += 1
            if result[1]:
                failed += 1
                tally.failed(f"{program.name}: {result[2]}")
            else:
                tally.passed()
        else:
            said = line.lstrip("# ").strip() or said
    if planned > reported:
        failed += planned - reported
        tally.failed(f"{program.name}: {planned - reported} tests did not run to their end "
                     f"(exit status {status})", planned - reported)
    elif planned == 0 or (status != 0 and not failed):
        failed += 1
        tally.failed(f"{program.name}: exit status {status}")
    print(f"{program.name}: {'FAILED' if failed else 'ok'} ({planned} tests)", flush=True)
    if failed:
        print(output)


def run_fuzz_replay(program):
    """One fuzz target over its corpus: one test."""
    return run_program(
        [program, TESTS / "fuzz" / "corpus" / program.name.removesuffix("_fuzz")])


def tally_fuzz_replay(program, status, output, tally):
    if status == 0:
        tally.passed()
        print(f"{program.name}: ok", flush=True)
    else:
        tally.failed(f"{program.name}: exit status {status} on its corpus")
        print(f"{program.name}: FAILED\n{output}", flush=True)


def programs_in(folder):
    return sorted(path for path in folder.glob("*") if path.is_file() and os.access(path, os.X_OK))


def run_unit_suite(named, tally):
    programs = [pathlib.Path(name).resolve() for name in named] or programs_in(BUILD / "unit")
    if not programs:
        tally.failed(f"no unit test program in {BUILD / 'unit'}: run make first")
    replays = [] if named else programs_in(BUILD / "fuzz")
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        units = zip(programs, pool.map(run_unit, programs))
        fuzzes = zip(replays, pool.map(run_fuzz_replay, replays))
        for program, (status, output) in units:
            tally_tap(program, status, output, tally)
        for program, (status, output) in fuzzes:
            tally_fuzz_replay(program, status, output, tally)


def run_pytest(path, timeout_s=FILE_TIMEOUT_S):
    """A file, or a folder, in a process of its own: (exit status, output, JUnit report or None)."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        status, output = run_program(
            [sys.executable, "-B", "-m", "pytest", "-q", "--durations=3",
             f"--junitxml={report}", path], timeout_s, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        return status, output, ElementTree.parse(report) if report.exists() else None


def tally_report(report, tally):
    """Adds a JUnit report's outcomes; returns how many there were."""
    count = 0
    for case in report.iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed(name)
        elif skip is not None:
            tally.skipped(name, skip.get("message"))
        else:
            tally.passed()
        count += 1
    return count


def tally_pytest(path, status, output, report, tally):
    name = path.relative_to(ROOT)
    print(f"{name}:\n{output}", flush=True)
    count = tally_report(report, tally) if report else 0
    if status not in (0, 1) or count == 0:
        tally.failed(f"{name}: pytest ended with status {status} after {count} tests")


def run_pytest_suite(name, tally):
    """The files of one folder, several at a time: they mostly wait. The largest go first."""
    files = sorted((TESTS / name).glob("*_test.py"), key=lambda path: -path.stat().st_size)
    if not files:
        tally.failed(f"tests/{name}: no test file")
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        runs = {pool.submit(run_pytest, path): path for path in files}
        for run in concurrent.futures.as_completed(runs):
            tally_pytest(runs[run], *run.result(), tally)


def run_image_suite(tally):
    path = TESTS / "image"
    tally_pytest(path, *run_pytest(path, IMAGE_TIMEOUT_S), tally)


def main():
    suites = ("unit", "program", "interop", "render")
    wanted = os.environ.get("SUITE") or "all"
    if wanted not in (*suites, "image", "all"):
        sys.exit(f"SUITE={wanted}: must be one of {', '.join(suites)} or image")
    tally = Tally()
    for suite in suites if wanted == "all" else [wanted]:
        began = time.monotonic()
        if suite == "unit":
            run_unit_suite(sys.argv[1:], tally)
        elif suite == "image":
            run_image_suite(tally)
        else:
            run_pytest_suite(suite, tally)
        print(f"{suite}: {time.monotonic() - began:.0f} s", flush=True)
    for skip in tally.skips:
        print(f"skipped: {skip}")
    for failure in tally.failures:
        print(f"failed: {failure}")
    print(tally.line(), flush=True)
    return tally.exit_status()


def interrupt_all(_number, _frame):
    """Control-C, passed on to the sessions that the terminal does not reach: they end what they
    started. What has not begun never does."""
    for process in list(RUNNING):
        process.send_signal(signal.SIGINT)
    os._exit(128 + signal.SIGINT)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, interrupt_all)
    sys.exit(main())
