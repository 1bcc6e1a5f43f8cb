# SPDX-License-Identifier: Apache-2.0
"""The controller's side of the wire: HTTPS with mutual TLS, and what holds for every answer."""

import http.client
import io
import json
import socket
import ssl

from cryptography import x509

ALLOWED_STATUSES = {200, 202, 400, 401, 403, 404, 405, 409, 500, 503}


class Answer:
    """One HTTP answer. Reading `json` of what is none fails."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        assert self.headers.get_content_type() == "application/json", self
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def etag(self):
        return self.headers.get("ETag")

    def check_contract(self):
        """What amphora-api.md promises about every answer, whatever the request was."""
        assert self.status in ALLOWED_STATUSES, (
            f"status {self.status} means success to the controller: {self}")
        if self.status >= 400:
            error = self.json
            assert isinstance(error, dict), f"the controller calls .get() on it: {self}"
            if "error" in error:
                assert set(error) == {"error", "http_code"}, self
                assert error["http_code"] == self.status, self
                assert isinstance(error["error"], str) and error["error"], self
            if self.status == 404:
                assert isinstance(error.get("details", ""), str), self

    def __repr__(self):
        return f"<{self.status} {self.body[:2000]!r}>"


class _Connection(http.client.HTTPSConnection):
    """Connects to an IP address and expects a certificate for the amphora's id."""

    def __init__(self, host, port, context, server_name, timeout):
        super().__init__(host, port, context=context, timeout=timeout)
        self._server_name = server_name

    def connect(self):
        self.sock = tls_connect(
            (self.host, self.port), self._context, self._server_name, self.timeout)


def tls_connect(address, context, server_name, timeout=30):
    plain = socket.create_connection(address, timeout)
    try:
        return context.wrap_socket(plain, server_hostname=server_name)
    except BaseException:
        plain.close()
        raise


class ApiClient:
    """Requests to one amphora, one connection each unless `session()` is used."""

    def __init__(self, host, port, amphora_id, trust, identity=None, **tls_versions):
        self.address = (host, port)
        self.amphora_id = amphora_id
        self.context = trust.trust_context(**tls_versions)
        if identity:
            identity.load_into(self.context)

    def connect(self, timeout=30):
        """A raw TLS socket, for what http.client would never send."""
        return tls_connect(self.address, self.context, self.amphora_id, timeout)

    def server_certificate_serial(self):
        with self.connect() as connection:
            der = connection.getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(der).serial_number

    def session(self, timeout=60):
        return Session(_Connection(*self.address, self.context, self.amphora_id, timeout))

    def request(self, method, path, body=None, headers=None, timeout=60):
        with self.session(timeout) as session:
            return session.request(method, path, body, {"Connection": "close", **(headers or {})})

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def put(self, path, body=None, **options):
        return self.request("PUT", path, body, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def send_raw(self, data, timeout=30):
        """Sends bytes as they are and returns all that comes back until the peer closes."""
        with self.connect(timeout) as connection:
            try:
                connection.sendall(data)
            except OSError:
                pass  # closed under us: what it said before counts
            return read_to_end(connection)


class Session:
    """One keep-alive connection."""

    def __init__(self, connection):
        self.connection = connection

    def request(self, method, path, body=None, headers=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers = {"Content-Type": "application/json", **(headers or {})}
        if isinstance(body, str):
            body = body.encode()
        self.connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            self.connection.putheader(name, value)
        if body is not None or method in ("PUT", "POST"):
            self.connection.putheader("Content-Length", str(len(body or b"")))
        self.connection.endheaders(body)
        answer = self.connection.getresponse()
        result = Answer(answer.status, answer.headers, answer.read())
        result.check_contract()
        return result

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read_to_end(connection):
    """All bytes until the peer closes; a reset or a TLS alert ends it as well."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except (ConnectionError, ssl.SSLError):
        pass
    return received


def parse_answer(data):
    """The one HTTP answer that `data` is, checked like any other; None when there is none."""
    if not data:
        return None

    class FakeSocket:
        def makefile(self, *_, **__):
            return io.BytesIO(data)

    answer = http.client.HTTPResponse(FakeSocket())
    answer.begin()
    result = Answer(answer.status, answer.headers, answer.read())
    result.check_contract()
    return result
