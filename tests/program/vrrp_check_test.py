# SPDX-License-Identifier: Apache-2.0
"""haproxy-vrrp-check: one question to each stats socket and pid file, an exit status."""

import contextlib
import socket
import subprocess
import threading
import time

import pytest

from harness.amphora import BUILD
from harness.eventually import eventually

STATISTICS = b"# pxname,svname,qcur,\nfront,FRONTEND,,\n\n"


def check(*arguments):
    return subprocess.run([BUILD / "haproxy-vrrp-check", *map(str, arguments)], text=True,
                          capture_output=True, timeout=30, check=False)


class StatsSocket:
    """Answers every connection with these bytes, or, with None, not at all."""

    def __init__(self, path, answer):
        self.path = path
        self.answer = answer
        self.questions = []
        self.asked_s = None  # when the last one came
        self._connections = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self.asked_s = time.monotonic()
            with contextlib.suppress(OSError):  # it has heard enough, or the test has ended
                self.questions.append(connection.recv(1000))
                if self.answer is not None:
                    connection.sendall(self.answer)
                    connection.close()

    def __fspath__(self):
        return str(self.path)

    __str__ = __fspath__

    def close(self):
        for opened in (self._listener, *self._connections):
            opened.close()


@pytest.fixture
def haproxy_with(tmp_path, resources):
    def make(answer, name="haproxy"):
        made = StatsSocket(tmp_path / f"{name}.sock", answer)
        resources.callback(made.close)
        return made
    return make


def test_one_that_answers_is_fine(haproxy_with):
    haproxy = haproxy_with(STATISTICS)
    result = check(haproxy)
    assert (result.returncode, result.stderr) == (0, "")
    question, = haproxy.questions
    assert question.startswith(b"show stat")


def test_a_long_answer_is_one(haproxy_with):
    assert check(haproxy_with(STATISTICS + b"x" * (3 << 20))).returncode == 0


@pytest.mark.parametrize("answer", [b"", b"Unknown command\n"])
def test_no_statistics_are_a_failure(haproxy_with, answer):
    result = check(haproxy_with(answer))
    assert result.returncode == 1
    assert "no statistics" in result.stderr


def test_a_socket_that_nobody_listens_on_is_a_failure(tmp_path):
    result = check(tmp_path / "absent.sock")
    assert result.returncode == 1
    assert "absent.sock" in result.stderr


def test_any_failure_is_one(haproxy_with, tmp_path):
    good = haproxy_with(STATISTICS)
    assert check(good, tmp_path / "absent.sock").returncode == 1
    assert check(tmp_path / "absent.sock", good).returncode == 1


def test_silent_ones_are_given_up_together_before_keepalived_would_kill_the_check(haproxy_with):
    sockets = [haproxy_with(None, f"silent-{number}") for number in range(3)]
    started_s = time.monotonic()
    result = check(*sockets)
    ended_s = time.monotonic()
    assert result.returncode == 1
    assert ended_s - started_s > 4
    # Of its own time: how long it takes to become a process is the machine's.
    assert ended_s - min(path.asked_s for path in sockets) < 5
    assert all(str(path) in result.stderr for path in sockets)


def test_nothing_to_serve_is_a_failure():
    result = check()
    assert result.returncode == 1
    assert "nothing to serve" in result.stderr


def test_a_pid_file_must_name_a_keepalived_that_runs(tmp_path, resources):
    pid_file = tmp_path / "listener.pid"
    result = check("--pid-file", pid_file)
    assert result.returncode == 1
    assert str(pid_file) in result.stderr
    # Like a keepalived of ours it has the file among its arguments.
    process = resources.enter_context(
        subprocess.Popen(["tail", "-f", "/dev/null", pid_file], stderr=subprocess.DEVNULL))
    resources.callback(process.kill)
    pid_file.write_text(f"{process.pid}\n")
    # A process has its arguments a moment later than Popen returns: what it waits for is closed before.
    eventually(lambda: check("--pid-file", pid_file).returncode == 0, "the process is found")
    assert check("--pid-file", pid_file, "--pid-file", tmp_path / "other.pid").returncode == 1
    process.kill()
    process.wait()
    assert check("--pid-file", pid_file).returncode == 1


def test_one_that_leaves_listeners_out_is_a_failure(haproxy_with, tmp_path):
    haproxy, partial = haproxy_with(STATISTICS), tmp_path / "lb.partial.cfg"
    assert check(haproxy, f"--unless={partial}").returncode == 0
    partial.touch()
    result = check(haproxy, f"--unless={partial}")
    assert result.returncode == 1
    assert str(partial) in result.stderr
    assert "nothing to serve" in check(f"--unless={tmp_path / 'absent'}").stderr


def test_wrong_use_is_told_from_failure():
    assert check("--color").returncode == 2
    assert check("--pid-file").returncode == 2


def test_it_says_its_version_and_its_use():
    assert check("--version").stdout.startswith("haproxy-vrrp-check ")
    assert "SOCKET" in check("--help").stdout
