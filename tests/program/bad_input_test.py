# SPDX-License-Identifier: Apache-2.0
"""Malformed TLS, HTTP and JSON, hostile ids, too much and too slow: others are served in time."""

import contextlib
import hashlib
import os
import random
import socket
import threading
import time

import pytest

from harness.api_client import parse_answer, read_to_end
from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.web_server import WebServer

BODY_MAX = 16 * 1024 * 1024


@pytest.fixture
def balancer(amphora, resources):
    """Runs while the bad input comes, and must not notice."""
    return LoadBalancer(amphora, [resources.enter_context(WebServer("one"))]).serve()


@pytest.fixture
def untouched(amphora, balancer):
    """After the test HAProxy and the files are what they were before, and the agent serves."""
    files, pids = amphora.files(), amphora.haproxy_pids()
    yield balancer
    began = time.monotonic()
    assert amphora.api.get("//").json == {"api_version": "1.0"}
    assert time.monotonic() - began < 1
    assert amphora.files() == files
    assert amphora.haproxy_pids() == pids
    assert balancer.who_answers() == "one"
    assert amphora.config_path(balancer.id).read_text() == balancer.configuration()


def answer_or_close(amphora, data):
    """The answer to raw bytes (held to the contract), or None when the connection was closed."""
    began = time.monotonic()
    answer = parse_answer(amphora.api.send_raw(data))
    assert time.monotonic() - began < 5
    return answer


# Ids

HOSTILE_IDS = ["..", ".", "%2f", "%2e%2e", "a%2fb", "%00", "a%00b", "a%0ab", "a%20b", "-a", "a.b",
               "a:b", "a$b", "%", "%zz", "\\", "x" * 65, "x" * 10000, "%c3%a4", "vrrp", "lvs",
               "certs", "heartbeat"]


@pytest.mark.parametrize("hostile", HOSTILE_IDS)
def test_an_id_that_is_none_is_400_everywhere(amphora, untouched, hostile):
    pem = "/certificates/a.pem"
    for method, path in [
            ("PUT", f"/1.0/loadbalancer/{amphora.id}/{hostile}/haproxy"),
            ("PUT", f"/1.0/loadbalancer/{hostile}/{untouched.id}/haproxy"),
            ("GET", f"/1.0/loadbalancer/{hostile}/haproxy"),
            ("PUT", f"/1.0/loadbalancer/{hostile}/reload"),
            ("DELETE", f"/1.0/listeners/{hostile}"),
            ("DELETE", f"/1.0/loadbalancer/{hostile}"),
            ("PUT", f"/1.0/loadbalancer/{hostile}{pem}"),
            ("GET", f"/1.0/loadbalancer/{hostile}{pem}"),
            ("DELETE", f"/1.0/loadbalancer/{hostile}{pem}"),
            ("PUT", f"/1.0/loadbalancer/{amphora.id}/{hostile}/model"),
            ("GET", f"/1.0/loadbalancer/{hostile}/model"),
            ("GET", f"/1.0/loadbalancer/{hostile}/status")]:
        answer = amphora.api.request(method, path, body="{}" if method == "PUT" else None)
        assert answer.status == 400, f"{method} {path[:200]}: {answer}"


def test_an_id_of_64_characters_is_one(amphora, lb_id):
    for name in ("x" * 64, "_", "0", "a-b_C"):
        assert amphora.api.get(f"/1.0/loadbalancer/{name}/haproxy").status == 404


def test_raw_bytes_in_the_path_are_400_or_404(amphora, untouched):
    for path in (b"/1.0/loadbalancer/\xff\xfe/haproxy", b"/1.0/loadbalancer/a\x01b/haproxy",
                 b"/\xc3\xa4", b"/1.0/../../etc/passwd"):
        answer = answer_or_close(
            amphora, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer is None or answer.status in (400, 404), path


# HTTP

MALFORMED = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10 + b"\r\n\r\n",
    "a request line only": b"GET\r\n\r\n",
    "no version": b"GET /1.0/info\r\n\r\n",
    "a version of the future": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "a header without colon": b"GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\nConnection: close\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\nConnection: close\r\n\r\n",
    "a length that is no number":
        b"PUT /1.0/config HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
    "a negative length": b"PUT /1.0/config HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a length beyond 64 bits":
        b"PUT /1.0/config HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "a chunk that is none":
        b"PUT /1.0/config HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    "an unknown transfer encoding":
        b"PUT /1.0/config HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: rot13\r\n\r\nabc",
    "a header without end": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1_000_000,
    "very many headers":
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
    "a path without end": b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "an absolute URL of somebody else":
        b"GET http://example.com/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "CONNECT": b"CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_http_is_an_allowed_error_or_a_closed_connection(amphora, untouched, what):
    with amphora.api.connect(timeout=5) as connection:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            connection.sendall(MALFORMED[what])
            connection.unwrap()  # "no more from here": nobody has to wait for the rest
        answer = parse_answer(read_to_end(connection))
        assert time.monotonic() - began < 5
    assert answer is None or answer.status in (200, 400, 404, 405), answer


def test_bytes_at_random_are_an_allowed_error_or_a_closed_connection(amphora, untouched):
    generator = random.Random(20)
    for _ in range(40):
        data = generator.randbytes(generator.randrange(1, 3000))
        with amphora.api.connect(timeout=5) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data + b"\r\n\r\n")
                connection.unwrap()
            parse_answer(read_to_end(connection))


def test_an_error_of_the_http_library_itself_is_json_too(amphora):
    answer = answer_or_close(amphora, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer is None or answer.status in (200, 400)


# Bodies

@pytest.mark.parametrize("path", ["/1.0/config", "/1.0/certificate",
                                  "/1.0/loadbalancer/a/b/haproxy", "/1.0/loadbalancer/a/b/model",
                                  "/1.0/loadbalancer/b/certificates/c.pem"])
def test_a_body_over_the_limit_is_400_before_it_is_sent_whole(amphora, untouched, path):
    head = (f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY_MAX + 1}\r\n"
            "Connection: close\r\n\r\n").encode()
    answer = answer_or_close(amphora, head + b"x" * 4096)
    assert answer.status == 400


def test_a_body_over_the_limit_that_is_sent_whole_is_400(amphora, untouched):
    path = f"/1.0/loadbalancer/{amphora.id}/too-large/haproxy"
    answer = amphora.api.put(path, b"#" * (BODY_MAX + 1))
    assert answer.status == 400


def test_a_chunked_body_over_the_limit_is_400(amphora, untouched):
    with amphora.api.connect() as connection:
        with contextlib.suppress(OSError):
            connection.sendall(b"PUT /1.0/config HTTP/1.1\r\nHost: a\r\n"
                               b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
            for _ in range(17):
                connection.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
        answer = parse_answer(read_to_end(connection))
    assert answer is None or answer.status == 400


def test_a_chunked_body_is_a_body(amphora, lb_id):
    text = LoadBalancer(amphora).configuration().encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(text[i:i + 100]), text[i:i + 100])
                      for i in range(0, len(text), 100))
    answer = answer_or_close(
        amphora, f"PUT /1.0/loadbalancer/{amphora.id}/{lb_id}/haproxy HTTP/1.1\r\nHost: a\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode() + chunks + b"0\r\n\r\n")
    assert answer.status == 202
    assert answer.etag == hashlib.md5(text).hexdigest()


def test_a_body_just_within_the_limit_is_taken(amphora, lb_id):
    text = LoadBalancer(amphora).configuration()
    text += "# a comment of sixty-four characters, which HAProxy has to skip\n" * 250000
    assert BODY_MAX - 1_000_000 < len(text) < BODY_MAX
    answer = amphora.api.put(f"/1.0/loadbalancer/{amphora.id}/{lb_id}/haproxy", text)
    assert answer.status == 202, answer


def test_a_client_that_asks_before_it_sends_a_body_is_told_to_go_on(amphora, lb_id):
    text = LoadBalancer(amphora).configuration().encode()
    with amphora.api.connect() as connection:
        connection.sendall(
            f"PUT /1.0/loadbalancer/{amphora.id}/{lb_id}/haproxy HTTP/1.1\r\nHost: a\r\n"
            f"Expect: 100-continue\r\nContent-Length: {len(text)}\r\n"
            "Connection: close\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(text)
        assert parse_answer(read_to_end(connection)).status == 202


def test_requests_in_one_piece_are_answered_one_after_the_other(amphora):
    one = b"GET /1.0/info HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /1.0/nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    received = amphora.api.send_raw(one + one + last)
    assert received.count(b"HTTP/1.1 200 ") == 2
    assert received.count(b"HTTP/1.1 404 ") == 1


def end_early(connection):
    """Without TLS's own end; until the agent has seen it, and ended the connection too."""
    connection.shutdown(socket.SHUT_WR)
    read_to_end(connection)


def test_a_truncated_body_changes_nothing(amphora, untouched):
    text = untouched.configuration() + "# newer\n"
    with amphora.api.connect() as connection:
        connection.sendall(
            f"PUT {untouched.upload_path} HTTP/1.1\r\nHost: a\r\n"
            f"Content-Length: {len(text) + 10}\r\n\r\n{text}".encode())
        end_early(connection)


def test_a_truncated_server_certificate_changes_nothing(amphora, untouched):
    pem = amphora.server_identity.pem
    with amphora.api.connect() as connection:
        connection.sendall(f"PUT /1.0/certificate HTTP/1.1\r\nHost: a\r\n"
                           f"Content-Length: {len(pem) + 1}\r\n\r\n".encode() + pem)
        end_early(connection)
    assert (amphora.certificate_dir / "server.pem").read_bytes() == pem


def test_an_empty_put_is_no_body_and_no_crash(amphora, untouched):
    for path in ("/1.0/config", "/1.0/certificate", untouched.upload_path,
                 f"/1.0/loadbalancer/{amphora.id}/{untouched.id}/model"):
        answer = amphora.api.put(path)
        assert answer.status in (400, 500), path
    (amphora.base_path / untouched.id / "haproxy.cfg.new-failed").unlink()


# TLS, and connections without an end

def plain(amphora):
    return socket.create_connection((amphora.connect_host, amphora.port), timeout=20)


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\xff\xff" + b"\x00" * 1000,
    b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
    bytes(range(256)) * 20,
    b"\x80\x2e\x01\x00\x02",
])
def test_what_is_no_tls_is_closed(amphora, untouched, data):
    with plain(amphora) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        began = time.monotonic()
        received = read_to_end(connection)
        assert time.monotonic() - began < 15
        assert b"HTTP/1.1 200" not in received


def test_one_silent_connection_delays_nobody(amphora, untouched):
    with plain(amphora):
        began = time.monotonic()
        for _ in range(5):
            assert amphora.api.get("/1.0/info").status == 200
        assert time.monotonic() - began < 2


def test_a_thousand_silent_connections_keep_nobody_out(amphora, untouched):
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            try:
                stack.enter_context(plain(amphora))
            except OSError:
                pass  # refused or reset: its good right
        for _ in range(5):
            began = time.monotonic()
            assert amphora.api.get("/1.0/info").status == 200
            assert time.monotonic() - began < 2
    assert amphora.api.get("/1.0/info").status == 200


def test_a_thousand_connections_that_never_finish_their_handshake_keep_nobody_out(
        amphora, untouched):
    hello = b"\x16\x03\x01\x02\x00"  # the head of a record whose body never comes
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            try:
                stack.enter_context(plain(amphora)).sendall(hello)
            except OSError:
                pass
        for _ in range(5):
            began = time.monotonic()
            assert amphora.api.get("/1.0/info").status == 200
            assert time.monotonic() - began < 2


def test_more_controllers_than_the_limit_are_all_served(amphora, untouched):
    """64 authenticated connections stay; the longest idle one goes for each more."""
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(amphora.api.session()) for _ in range(80)]
        for session in sessions:
            assert session.request("GET", "/").status == 200
        assert sessions[-1].request("GET", "/1.0/info").status == 200


def test_a_client_of_one_byte_a_second_delays_nobody(amphora, untouched):
    stopped = threading.Event()

    def drip(connection):
        with contextlib.suppress(OSError):
            for byte in b"PUT /1.0/config HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000:
                connection.sendall(bytes([byte]))
                if stopped.wait(0.05):
                    return
    with contextlib.ExitStack() as stack:
        # One after the other: of too many handshakes at once some are given up, maybe ours.
        connections = [stack.enter_context(amphora.api.connect()) for _ in range(20)]
        for connection in connections:
            thread = threading.Thread(target=drip, args=(connection,))
            thread.start()
            stack.callback(thread.join)
        stack.callback(stopped.set)
        for _ in range(10):
            began = time.monotonic()
            assert amphora.api.get("/1.0/info").status == 200
            assert time.monotonic() - began < 1


def test_a_request_that_takes_longer_than_the_time_out_is_ended(make_amphora):
    amphora = make_amphora()
    amphora.config.set("amphora_agent", "agent_request_read_timeout", 2)
    amphora.start()
    with amphora.api.connect(timeout=10) as connection:
        began = time.monotonic()
        connection.sendall(b"PUT /1.0/config HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 8:
                connection.sendall(b"x")  # activity alone must not keep it alive
                time.sleep(0.2)
        assert 1.9 < time.monotonic() - began < 5
    assert amphora.api.get("/").status == 200


def test_an_idle_connection_is_not_closed_by_the_time_out_of_requests(make_amphora):
    amphora = make_amphora()
    amphora.config.set("amphora_agent", "agent_request_read_timeout", 1)
    amphora.start()
    with amphora.api.session() as session:
        assert session.request("GET", "/").status == 200
        time.sleep(2.5)
        assert session.request("GET", "/").status == 200


def test_bad_input_leaves_no_descriptor_and_no_thread_behind(amphora, untouched):
    def open_things():
        return (len(os.listdir(f"/proc/{amphora.pid}/fd")),
                len(os.listdir(f"/proc/{amphora.pid}/task")))

    def one_round():
        for data in (b"nonsense\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"):
            amphora.api.send_raw(data)
        with plain(amphora) as connection:
            connection.sendall(b"no TLS at all, and some more of it\r\n\r\n")
        amphora.api.put("/1.0/certificate", b"rubbish")
        amphora.api.put("/1.0/config", b"rubbish")
        amphora.api.put(untouched.upload_path.replace(untouched.id, "rubbish"), b"rubbish")
        amphora.api.delete("/1.0/listeners/rubbish")

    one_round()
    eventually(lambda: open_things()[1] < 20, "threads end")
    before, rounds = open_things(), 10
    for _ in range(rounds):
        one_round()
    # A connection that overlaps the end of another one has a thread more, which is kept for others.
    eventually(lambda: all(now < then + rounds for now, then in zip(open_things(), before)),
               f"not one more a round than {before}")
