# SPDX-License-Identifier: Apache-2.0
"""The HTTP server on its own (tests/program/http_echo.c): who gets in, what counts as a request,
and that silent, slow, hostile and too many peers delay nobody."""

import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness import certificates
from harness.api_client import ApiClient, parse_answer, read_to_end
from harness.certificates import Authority, Identity
from harness.eventually import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("AMPHORA_BUILD", "build") / "tests" / "http_echo"
NAME = "echo.example"
BODY_MAX = 16 * 1024 * 1024
# While it ends, for peers to send or to take the rest of what is under way.
GRACE_S = 2
TLS_VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
HEAD = b"Host: a\r\nConnection: close\r\n"


class HttpEcho:
    """The program, in a directory of its own."""

    def __init__(self, *options, server_pem=None, ca_pem=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="http-echo-"))
        self.log_path = self.directory / "log"
        server_pem = server_pem or server_identity().pem
        ca_pem = ca_pem or certificates.controller_authority().pem
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, *map(str, options), self.write("server.pem", server_pem),
                 self.write("ca.pem", ca_pem)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def write(self, name, data):
        (self.directory / name).write_bytes(data)
        return str(self.directory / name)

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def client(self, identity=True, authority=None, **versions):
        if identity is True:
            identity = certificates.controller_identity()
        return ApiClient("127.0.0.1", self.port, NAME,
                         authority or certificates.amphora_authority(), identity, **versions)

    def plain(self, family=socket.AF_INET):
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        return socket.create_connection((host, self.port), timeout=20)

    @contextlib.contextmanager
    def held_requests(self, count=1):
        """Connections with a request each that the handler is about; let_go() ends its work."""
        gate = self.directory / "gate"
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(self.client().connect(60)) for _ in range(count)]
            for connection in connections:
                connection.sendall(f"GET /until?{gate} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            # The handler must come to its end also where the test does not.
            stack.callback(gate.touch)
            eventually(lambda: self.log().count("handled") == count, "they are under way")
            yield connections, gate.touch

    def accepts(self):
        try:
            self.plain().close()
        except ConnectionError:
            return False
        return True

    def log(self):
        return self.log_path.read_text(errors="replace")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def thread_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def cpu_s(self):
        """Processor time it has used so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        return sum(int(ticks) for ticks in fields.split()[11:13]) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """Ends it by http_server_free(); how long that took."""
        began = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            status = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise
        took = time.monotonic() - began
        assert status == 0, self.log()
        assert "Sanitizer" not in self.log() and "runtime error" not in self.log(), self.log()
        return took

    def destroy(self):
        if self.process.returncode is None:
            self.stop()
        self.process.stdout.close()
        shutil.rmtree(self.directory)


def server_identity(key="ec"):
    return certificates.amphora_authority().issue(NAME, key=key)


@pytest.fixture
def make_echo():
    with contextlib.ExitStack() as stack:
        def make(*options, **pems):
            echo = HttpEcho(*options, **pems)
            stack.callback(echo.destroy)
            return echo
        yield make


@pytest.fixture
def echo(make_echo):
    return make_echo()


class Seen:
    """What the handler saw, as http_echo writes it."""

    def __init__(self, text):
        self.method, self.path, self.query, size, total, self.header, _ = text.split("\n")
        self.size, self.sum = int(size), int(total)


def tls_answer(client, data=b"GET /secret HTTP/1.1\r\n" + HEAD + b"\r\n"):
    """All that comes back for bytes on a connection of their own; b"" when TLS refuses."""
    try:
        with client.connect() as connection:
            connection.sendall(data)
            return read_to_end(connection)
    except (ssl.SSLError, ConnectionError):
        return b""


def read_one_answer(connection):
    """An answer of http_echo's, off a connection that stays open."""
    received = b""
    while not received.endswith(b"\n-\n"):
        chunk = connection.recv(65536)
        assert chunk, received
        received += chunk
    assert received.startswith(b"HTTP/1.1 200 "), received


# Who gets in


def identity_for(purposes, issuer):
    """An identity whose certificate says what it is for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "octavia")])
    template = issuer.issue("octavia").certificate
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(issuer.certificate.subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(template.not_valid_before).not_valid_after(template.not_valid_after)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .sign(issuer._key, hashes.SHA256()))
    return Identity(certificate, key)


STRANGERS = {
    "nobody": (lambda: None, "showed no client certificate"),
    "a stranger": (lambda: certificates.foreign_authority().issue("octavia"), "issuer is unknown"),
    "an impostor authority": (
        lambda: Authority(certificates.controller_authority().name).issue("octavia"),
        "NOT trusted"),
    "somebody expired": (
        lambda: certificates.controller_authority().issue_expired("octavia"), "expired"),
    "somebody too early": (
        lambda: certificates.controller_authority().issue_not_yet_valid("octavia"),
        "not yet valid"),
    "a server of the same authority": (
        lambda: identity_for([ExtendedKeyUsageOID.SERVER_AUTH],
                             certificates.controller_authority()), "purpose"),
}


@pytest.mark.parametrize("version", TLS_VERSIONS)
@pytest.mark.parametrize("who", STRANGERS)
def test_no_byte_of_http_is_parsed_for(echo, who, version):
    make_identity, reason = STRANGERS[who]
    client = echo.client(make_identity(), min_version=version, max_version=version)
    assert tls_answer(client) == b""
    assert "handled" not in echo.log()
    eventually(lambda: reason in echo.log(), f"the log says why ({reason}): {echo.log()}")


@pytest.mark.parametrize("version", TLS_VERSIONS)
def test_a_client_that_offers_exactly_one_version_gets_in(echo, version):
    client = echo.client(min_version=version, max_version=version)
    assert tls_answer(client).startswith(b"HTTP/1.1 200 ")


def test_tls_1_1_is_refused(echo):
    context = certificates.amphora_authority().trust_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with echo.plain() as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname=NAME)


def test_tls_1_3_only_refuses_tls_1_2(make_echo):
    echo = make_echo("-3")
    assert tls_answer(echo.client(max_version=ssl.TLSVersion.TLSv1_2)) == b""
    assert tls_answer(echo.client()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_a_certificate_without_any_extension_gets_in(echo, key):
    identity = certificates.controller_authority().issue("octavia", key=key, bare=True)
    assert tls_answer(echo.client(identity)).startswith(b"HTTP/1.1 200 ")


def test_a_certificate_of_x509_version_1_gets_in(make_echo, tmp_path):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=ca")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "csr",
            "-subj", "/CN=octavia")
    openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "crt")
    pem = (tmp_path / "crt").read_bytes() + (tmp_path / "key").read_bytes()
    assert x509.load_pem_x509_certificate(pem).version == x509.Version.v1
    (tmp_path / "client.pem").write_bytes(pem)
    echo = make_echo(ca_pem=(tmp_path / "ca.pem").read_bytes())
    client = echo.client(None)
    client.context.load_cert_chain(tmp_path / "client.pem")
    assert tls_answer(client).startswith(b"HTTP/1.1 200 ")


def test_a_client_below_an_intermediate_authority_gets_in(echo):
    identity = Authority("below", signer=certificates.controller_authority()).issue("octavia")
    assert tls_answer(echo.client(identity)).startswith(b"HTTP/1.1 200 ")


def test_clients_of_each_authority_in_the_ca_file_get_in(make_echo):
    second = Authority("second controller CA")
    echo = make_echo(ca_pem=certificates.controller_authority().pem + second.pem)
    for identity in (certificates.controller_identity(), second.issue("octavia")):
        assert tls_answer(echo.client(identity)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_the_chain_is_sent_in_order_whatever_the_files_order_is(make_echo, key):
    middle = Authority("middle", signer=certificates.amphora_authority())
    identity = middle.issue(NAME, key=key)
    root_pem = certificates.amphora_authority().pem
    echo = make_echo(server_pem=root_pem + identity.chain_pem + identity.key_pem +
                     identity.certificate_pem)
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{echo.port}", "-showcerts"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    assert re.findall(r" \d+ s:CN = (.*)", shown) == [NAME, "middle", "test amphora CA"]


def test_new_credentials_are_for_new_connections_and_present_ones_go_on(echo):
    new_server, new_authority = server_identity(), Authority("newer controller CA")
    server_path = echo.write("new-server.pem", new_server.pem)
    ca_path = echo.write("new-ca.pem", new_authority.pem)
    with echo.client().session() as session:
        assert session.request("GET", "/").status == 200
        assert echo.tell(f"credentials {server_path} {ca_path}") == "OK"
        assert session.request("GET", "/").status == 200
        assert tls_answer(echo.client()) == b""
        newcomer = echo.client(new_authority.issue("octavia"))
        assert newcomer.server_certificate_serial() == new_server.serial_number
        assert newcomer.get("/").status == 200
        assert session.request("GET", "/").status == 200


def test_bad_credentials_change_nothing(echo):
    rubbish = echo.write("rubbish.pem", b"rubbish")
    good = str(echo.directory / "server.pem"), str(echo.directory / "ca.pem")
    assert "no certificate" in echo.tell(f"credentials {rubbish} {good[1]}")
    assert "CA of the clients" in echo.tell(f"credentials {good[0]} {rubbish}")
    assert echo.client().get("/").status == 200


def test_both_address_families_reach_it(echo):
    for family in (socket.AF_INET, socket.AF_INET6):
        with echo.client().context.wrap_socket(
                echo.plain(family), server_hostname=NAME) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
            assert read_to_end(connection).startswith(b"HTTP/1.1 200 ")


# What the handler gets, and what comes back


@pytest.mark.parametrize("target, path, query", [
    ("/", "/", ""), ("//", "//", ""), ("/a%2fb%00/../c", "/a%2fb%00/../c", ""),
    ("/x?a=%20&b", "/x", "a=%20&b"), ("/x?", "/x", ""), ("/x?a?b", "/x", "a?b"),
    ("/" + "y" * 10000, "/" + "y" * 10000, ""),
])
def test_path_and_query_arrive_as_they_were_sent(echo, target, path, query):
    seen = Seen(echo.client().get(target).text)
    assert (seen.path, seen.query) == (path, query)


@pytest.mark.parametrize("size", [0, 1, 1023, 16384, 16385, 200_000, BODY_MAX])
def test_a_body_arrives_whole(echo, size):
    body = random.Random(size).randbytes(size)
    seen = Seen(echo.client().put("/x", body).text)
    assert (seen.method, seen.size, seen.sum) == ("PUT", size, sum(body))


def test_a_chunked_body_arrives_whole_and_its_trailer_harms_nothing(echo):
    answer = parse_answer(tls_answer(
        echo.client(), b"PUT /x HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n5;extension=1\r\nde\r\nf\r\n0\r\nTrailer: x\r\n\r\n"))
    seen = Seen(answer.text)
    assert (seen.size, seen.sum) == (8, sum(b"abcde\r\nf"))


def test_headers_are_found_in_any_case(echo):
    assert Seen(echo.client().get("/", headers={"X-TEST": "value"}).text).header == "value"
    assert Seen(echo.client().get("/").text).header == "-"


def test_the_reply_carries_type_etag_and_allow(echo):
    answer = echo.client().get("/")
    assert answer.etag == "0123456789abcdef"
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Allow"] is None
    answer = echo.client().request("PATCH", "/")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, PUT")


def test_a_connection_serves_many_requests(echo):
    with echo.client().session() as session:
        for i in range(50):
            seen = Seen(session.request("PUT", f"/{i}", b"x" * i).text)
            assert (seen.path, seen.size) == (f"/{i}", i)


def test_pipelined_requests_are_answered_in_order(echo):
    answers = tls_answer(
        echo.client(), b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        b"PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        b"GET /3 HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert re.findall(rb"\n(/\d)\n", answers) == [b"/1", b"/2", b"/3"]


def test_head_has_no_body(echo):
    answer = tls_answer(echo.client(), b"HEAD / HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n")


def test_http_1_0_needs_no_host_and_closes(echo):
    answer = parse_answer(tls_answer(echo.client(), b"GET /old HTTP/1.0\r\n\r\n"))
    assert Seen(answer.text).path == "/old"


def test_a_client_may_wait_for_leave_to_send_its_body(echo):
    with echo.client().connect() as connection:
        connection.sendall(b"PUT /x HTTP/1.1\r\n" + HEAD +
                           b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert Seen(parse_answer(read_to_end(connection)).text).size == 3


def test_a_large_reply_arrives_whole(echo):
    assert echo.client().get("/bytes?20000000").body == b"x" * 20_000_000


@pytest.mark.parametrize("size", [0, 1000, 1300, 1500, 3000, 20000])
def test_no_reply_waits_for_a_delayed_acknowledgement(echo, size):
    took = []
    with echo.client().session() as session:
        session.request("GET", "/")  # shakes hands
        for _ in range(30):
            began = time.monotonic()
            session.request("GET", f"/bytes?{size}")
            took.append(time.monotonic() - began)
    assert statistics.median(took) < 0.02


# Malformed requests

REFUSED_AS_JSON = {
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two lengths": b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 46\r\n\r\n",
    "two equal lengths":
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 46\r\nContent-Length: 46\r\n\r\n",
    "a length and chunks":
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 46\r\nTransfer-Encoding: chunked\r\n\r\n0"
        b"\r\n\r\n",
    "two transfer encodings":
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"
        b"\r\n0\r\n\r\n",
    "another transfer encoding":
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length : 46\r\n\r\n",
    "a carriage return in a header": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "a blank in the path": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control character in the path": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes above ASCII in the path": b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
    "an absolute URL": b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT": b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method that is no word": b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
}
CLOSED = {
    "no version": b"GET /\r\n\r\n",
    "no path": b"GET\r\n\r\n",
    "HTTP/2.0": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "a version that is none": b"GET / HTTP/x\r\nHost: a\r\n\r\n",
    "a header without colon": b"GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
    "a length that is no number": b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    "a negative length": b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a signed length": b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +46\r\n\r\n",
    "an empty length": b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n",
    "a list of lengths": b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 46, 46\r\n\r\n",
    "a length beyond 64 bits":
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "a chunk that is none":
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    "a negative chunk":
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n",
    "a chunk beyond 64 bits":
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
    "a path without end": b"GET /" + b"x" * 100_000,
    "a header without end": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000,
    "very many headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X:\r\n" * 10_000 + b"\r\n",
    "very many arguments": b"GET /?" + b"a&" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "very many cookies":
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a;" * 5000 + b"\r\n\r\n",
}
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def send_and_read(connection, data):
    with contextlib.suppress(OSError):
        connection.sendall(data)
    return read_to_end(connection)


@pytest.mark.parametrize("what", REFUSED_AS_JSON)
def test_a_malformed_request_is_400_and_what_follows_it_is_not_read(echo, what):
    with echo.client().connect() as connection:
        answer = send_and_read(connection, REFUSED_AS_JSON[what] + SMUGGLED)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert parse_answer(answer).status == 400
    assert parse_answer(answer).headers["Connection"] == "close"
    assert "handled" not in echo.log()


@pytest.mark.parametrize("what", CLOSED)
def test_what_libmicrohttpd_refuses_closes_the_connection(echo, what):
    with echo.client().connect() as connection:
        assert send_and_read(connection, CLOSED[what] + SMUGGLED) == b""
    assert "handled" not in echo.log()
    assert echo.client().get("/").status == 200


def test_bytes_at_random_harm_nobody(echo):
    generator = random.Random(4)
    client = echo.client()
    for i in range(60):
        data = generator.randbytes(generator.randrange(1, 3000))
        if i % 2:
            data = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + data
        with client.connect(timeout=30) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
                connection.unwrap()
            parse_answer(read_to_end(connection))
    assert client.get("/").status == 200


def test_a_truncated_request_never_reaches_the_handler(echo):
    head = b"PUT /whole HTTP/1.1\r\nHost: a\r\n"
    for data in (head[:10], head, head + b"Content-Length: 10\r\n\r\n12345",
                 head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"):
        with echo.client().connect() as connection:
            connection.sendall(data)
    assert echo.client().get("/after").status == 200
    echo.stop()  # every connection is over then
    assert "handled PUT" not in echo.log()


# Bodies that are too large


def test_a_body_over_the_limit_is_refused_before_it_is_sent(echo):
    with echo.client().connect() as connection:
        began = time.monotonic()
        answer = send_and_read(
            connection, f"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY_MAX + 1}\r\n\r\n"
            .encode() + b"x" * 4096)
        assert time.monotonic() - began < 1, "it waits for the body"
    assert parse_answer(answer).status == 400


def test_a_body_over_the_limit_is_refused_instead_of_giving_leave_to_send_it(echo):
    with echo.client().connect() as connection:
        answer = send_and_read(
            connection, f"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY_MAX + 1}\r\n"
            "Expect: 100-continue\r\n\r\n".encode())
    assert parse_answer(answer).status == 400


@pytest.mark.parametrize("size", [BODY_MAX + 1, 3 * BODY_MAX])
def test_a_client_that_sends_a_body_over_the_limit_sees_the_answer(echo, size):
    assert echo.client().put("/", b"x" * size).status == 400


def chunked(size, chunk=1024 * 1024):
    for _ in range(size // chunk):
        yield b"%x\r\n%s\r\n" % (chunk, b"x" * chunk)


def test_a_chunked_body_over_the_limit_is_400(echo):
    with echo.client().connect() as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for data in chunked(BODY_MAX + 1024 * 1024):
            connection.sendall(data)
        connection.sendall(b"0\r\n\r\n")
        assert parse_answer(read_to_end(connection)).status == 400
    assert "handled" not in echo.log()


def test_a_chunked_body_without_end_closes_the_connection(echo):
    with echo.client().connect() as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(OSError):
            for data in chunked(8 * BODY_MAX):
                connection.sendall(data)


def test_all_bodies_together_are_bounded(echo):
    head = f"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY_MAX}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(echo.client().connect(60)) for _ in range(4)]
        for connection in held:
            connection.sendall(head + b"x" * (BODY_MAX - 1))
        # What the sockets hold is soon read; then the four hold all but four bytes.
        eventually(lambda: echo.client().put("/", b"x" * 1000).status == 503, "there is no room",
                   timeout_s=60)
        assert echo.client().get("/").status == 200
        for connection in held:
            connection.sendall(b"x")
            read_one_answer(connection)
    assert echo.client().put("/", b"x" * BODY_MAX).status == 200


# Slow, silent and too many peers


class FirstFlight:
    """What a TLS client sends first, and, once that was sent, the rest of its side."""

    def __init__(self, context):
        self._incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, outgoing, server_hostname=NAME)
        self._outgoing = outgoing
        with pytest.raises(ssl.SSLWantReadError):
            self._tls.do_handshake()
        self.data = outgoing.read()

    def go_on(self, plain, request):
        """Shakes hands and sends the request; the first bytes of the answer."""
        self._do(plain, self._tls.do_handshake)
        self._tls.write(request)
        return self._do(plain, lambda: self._tls.read(1000))

    def _do(self, plain, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                plain.sendall(self._outgoing.read())
                received = plain.recv(65536)
                assert received, "the connection was ended"
                self._incoming.write(received)


def delay(echo, other, times=15):
    """How much longer than at another one a request on a connection of its own takes, in the median
    of pairs: whatever else the machine is doing meanwhile, it does to both."""
    def took(client):
        began = time.monotonic()
        assert client.get("/").status == 200
        return time.monotonic() - began

    client, client_of_other = echo.client(), other.client()
    return statistics.median(took(client) - took(client_of_other) for _ in range(times))


@pytest.mark.parametrize("first_bytes", [b"", b"\x16\x03\x01\x02\x00"])
def test_a_thousand_connections_without_a_handshake_delay_nobody(make_echo, first_bytes):
    echo, other = make_echo(), make_echo()
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            connection = stack.enter_context(echo.plain())
            with contextlib.suppress(OSError):
                connection.sendall(first_bytes)
        assert delay(echo, other) < 0.1
        assert echo.thread_count() < 16 + 64 + 32
    lines = [line for line in echo.log().splitlines() if "handled" not in line]
    assert "pushed out" in lines[0] and len(lines) <= 15, "the log is not flooded"


@pytest.mark.parametrize("answered", [False, True])
def test_a_client_gets_in_while_newcomers_push_each_other_out(echo, answered):
    """They come between its first bytes, or the server's answer to them, and the rest."""
    flight = FirstFlight(echo.client().context)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(echo.plain())
        client.sendall(flight.data)
        if answered:
            assert client.recv(1, socket.MSG_PEEK)
        newcomers = [stack.enter_context(echo.plain()) for _ in range(200)]
        for newcomer in newcomers[:100]:
            assert newcomer.recv(1) == b"", "it is pushed out"
        answer = flight.go_on(client, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")


def test_an_unfinished_handshake_is_ended_in_time(make_echo):
    echo = make_echo("-h", 300)
    began = time.monotonic()
    with echo.plain() as silent, echo.plain() as stalled:
        stalled.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert silent.recv(1) == b""
        assert 0.25 < time.monotonic() - began < 2
        read_to_end(stalled)
        assert time.monotonic() - began < 2
    assert "TLS handshake not finished within 0.3 s" in echo.log()


REQUEST = b"PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"x" * 999


@pytest.mark.parametrize("whole", [0, REQUEST.index(b"\r\n") + 2, REQUEST.index(b"\r\n\r\n") + 4])
def test_a_request_that_trickles_in_is_cut(make_echo, whole):
    """From the request line, from the headers, from the body on."""
    echo = make_echo("-r", 1)
    with echo.client().connect() as connection:
        began = time.monotonic()
        if whole:
            connection.sendall(REQUEST[:whole])
        with contextlib.suppress(OSError):
            for byte in REQUEST[whole:whole + 200]:  # ten seconds' worth
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        assert read_to_end(connection) == b""
        assert 0.9 < time.monotonic() - began < 2.5
    assert "request not received whole within 1 s" in echo.log()
    assert "handled" not in echo.log()


def test_trickling_clients_delay_nobody(make_echo):
    echo, other = make_echo(), make_echo()
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(echo.client().connect()).sendall(REQUEST[:70])
        assert delay(echo, other) < 0.1


def test_waiting_peers_cost_no_processor_time(echo):
    """Silent, in the middle of a record, in a handshake, idle, in each part of a request."""
    with contextlib.ExitStack() as stack:
        hello = FirstFlight(certificates.amphora_authority().trust_context()).data
        for data in (b"", b"\x16\x03\x01\x02\x00\x01", hello):
            stack.enter_context(echo.plain()).sendall(data)
        for data in (b"", REQUEST[:10], REQUEST[:40], REQUEST[:70],
                     b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET /bytes?50000000 HTTP/1.1\r\nHost: a\r\n\r\n"):
            stack.enter_context(echo.client().connect()).sendall(data)
        eventually(lambda: "handled GET /bytes" in echo.log(), "all has come that is to come")

        def rests():
            before = echo.cpu_s()
            time.sleep(1)
            return echo.cpu_s() - before < 0.1
        eventually(rests, "it rests, once it has sent what its peers take")


def test_a_client_that_does_not_take_its_reply_is_cut(make_echo):
    echo = make_echo("-r", 1)
    with echo.client().connect() as connection:
        connection.sendall(b"GET /bytes?50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually(lambda: "reply not taken within 1 s" in echo.log(), "it is cut", timeout_s=3)


def test_a_handler_may_take_longer_than_every_time_out(make_echo):
    echo = make_echo("-r", 1, "-i", 1)
    assert echo.client().get("/sleep?2200").status == 200


def test_a_new_request_time_out_counts_at_once(echo):
    assert echo.tell("request-timeout 1") == "OK"
    with echo.client().connect() as connection:
        began = time.monotonic()
        connection.sendall(b"GET /")
        assert read_to_end(connection) == b""
        assert 0.9 < time.monotonic() - began < 2.5


def test_an_idle_connection_is_closed_cleanly_and_not_before_its_time(make_echo):
    echo = make_echo("-i", 2)
    with echo.client().connect() as connection:
        connection.suppress_ragged_eofs = False  # an end without close_notify raises
        for _ in range(4):
            time.sleep(0.7)
            began = time.monotonic()
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            read_one_answer(connection)
        assert connection.recv(1) == b""
        assert 1.9 < time.monotonic() - began < 3
    began = time.monotonic()
    with echo.client().connect() as connection:
        assert connection.recv(1) == b"", "one that never asked anything"
        assert 1.9 < time.monotonic() - began < 3


def test_request_time_outs_do_not_touch_an_idle_connection(make_echo):
    echo = make_echo("-r", 2, "-h", 2000)
    with echo.client().session() as session:
        assert session.request("GET", "/").status == 200
        time.sleep(2.5)
        assert session.request("GET", "/").status == 200


def test_one_connection_too_many_ends_the_longest_idle_one(echo):
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(echo.client().session()) for _ in range(64)]
        for session in [*sessions, sessions[0], *sessions[2:]]:  # the second rests since long ago
            assert session.request("GET", "/").status == 200
        newcomer = stack.enter_context(echo.client().session())
        assert newcomer.request("GET", "/").status == 200
        assert read_to_end(sessions[1].connection.sock) == b"", "it is closed"
        for session in [sessions[0], *sessions[2:5], newcomer]:
            assert session.request("GET", "/").status == 200


def test_one_connection_too_many_goes_itself_when_all_are_busy(echo):
    with echo.held_requests(64) as (connections, let_go):
        assert tls_answer(echo.client()) == b""
        let_go()
        for connection in connections:
            read_one_answer(connection)
    assert "64 connections are busy" in echo.log()
    assert echo.client().get("/").status == 200


def test_what_is_no_tls_is_closed(echo):
    for data in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", bytes(range(256)) * 20,
                 b"\x16\x03\x01\xff\xff" + b"\0" * 100, b"\x80\x2e\x01\x00\x02"):
        with echo.plain() as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            assert b"HTTP/1.1 200" not in read_to_end(connection)
    assert "handled" not in echo.log()
    assert echo.client().get("/").status == 200


# Its end


def test_it_ends_at_once_with_idle_and_silent_peers(echo):
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(echo.plain())
            assert stack.enter_context(echo.client().session()).request("GET", "/").status == 200
        assert echo.stop() < 1


@contextlib.contextmanager
def ending(echo):
    """It ends meanwhile, in a thread of its own; the block must let it."""
    stopper = threading.Thread(target=echo.stop)
    stopper.start()
    yield stopper
    stopper.join()


def test_a_request_under_way_is_answered_before_it_ends(echo):
    with echo.held_requests() as ((connection,), let_go), echo.client().connect(60) as idle:
        with ending(echo):
            assert read_to_end(idle) == b"", "it is ending"
            let_go()
            answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in answer


def test_slow_peers_cannot_keep_it_from_ending(echo):
    with echo.client().connect() as sender, echo.client().connect() as reader:
        sender.sendall(REQUEST[:70])
        reader.sendall(b"GET /bytes?50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually(lambda: "handled GET" in echo.log(), "the reply is on its way")
        assert echo.stop() < 2 * GRACE_S
    assert f"reply not taken within {GRACE_S} s" in echo.log()


def test_nothing_is_accepted_while_it_ends(echo):
    with echo.held_requests() as (_, let_go), ending(echo) as stopper:
        eventually(lambda: not echo.accepts(), "it refuses newcomers")
        assert stopper.is_alive()
        let_go()


def test_a_descriptor_that_libmicrohttpd_cannot_use_is_closed_and_said(make_echo):
    echo = make_echo("-f", 1024)
    assert tls_answer(echo.client()) == b""
    eventually(lambda: "not served" in echo.log(), "the log says so")


def test_connections_leave_no_descriptor_behind_and_few_threads(echo):
    before = echo.descriptors()
    for _ in range(20):
        echo.client().get("/")
        tls_answer(echo.client(None))
        with echo.plain() as connection:
            connection.sendall(b"rubbish, and more of it\r\n\r\n")
    eventually(lambda: echo.descriptors() == before, f"{before} again")
    assert echo.thread_count() < 10


def test_a_thread_that_has_shaken_hands_is_used_again(echo):
    """GnuTLS keeps memory for each thread that ever did."""
    def threads():
        return set(os.listdir(f"/proc/{echo.process.pid}/task"))

    def serve_one():
        echo.client().get("/")
        eventually(lambda: echo.descriptors() == idle, "its connection is gone")

    idle = echo.descriptors()
    serve_one()
    before = threads()
    for _ in range(20):
        serve_one()
    assert len(threads() - before) < 3
    assert before <= threads()
