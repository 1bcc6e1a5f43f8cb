# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 for real: members that are nghttpd, and curl as their client."""

import contextlib
import pathlib
import socket
import subprocess
import tempfile

from harness.eventually import eventually


class Http2Server:
    """A member: GET /who answers its identity. Over TLS with a certificate, else without (h2c with
    prior knowledge)."""

    def __init__(self, identity, address, port, certificate=None):
        self._address, self._port = address, port
        self._directory = tempfile.TemporaryDirectory(prefix="http2-test-")
        folder = pathlib.Path(self._directory.name)
        (folder / "who").write_text(identity)
        arguments = ["nghttpd", "--address", address, "--htdocs", folder]
        if certificate:
            (folder / "key.pem").write_bytes(certificate.key_pem)
            (folder / "certificate.pem").write_bytes(certificate.certificate_pem)
            arguments += [str(port), folder / "key.pem", folder / "certificate.pem"]
        else:
            arguments += ["--no-tls", str(port)]
        self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _is_listening(self):
        assert self._process.poll() is None, "nghttpd has ended"
        with contextlib.suppress(OSError):
            socket.create_connection((self._address, self._port), timeout=1).close()
            return True
        return False

    def __enter__(self):
        eventually(self._is_listening, "nghttpd listens")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._directory.cleanup()


def curl(url, *options):
    """The version of HTTP that was spoken, and the body."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "30", *options, "--write-out",
         "\n%{http_version}", url], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    body, version = done.stdout.rsplit("\n", 1)
    return version, body
