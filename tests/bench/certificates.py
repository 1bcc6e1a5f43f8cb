# SPDX-License-Identifier: Apache-2.0
"""A CA, the agent's certificate and a controller's, all RSA-2048, made with openssl."""

import pathlib
import subprocess


class Certificates:
    """ca: the CA's certificate; server, client: certificate and key in one PEM."""

    def __init__(self, folder, server_name):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.ca = self.folder / "ca.pem"
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                      "-subj", "/CN=bench CA", "-keyout", "ca.key", "-out", "ca.pem")
        self.server = self._issue("server", server_name)
        self.client = self._issue("client", "controller")

    def _issue(self, name, common_name):
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={common_name}",
                      "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                      "-CAcreateserial", "-days", "2", "-out", f"{name}.crt")
        pem = self.folder / f"{name}.pem"
        pem.write_text((self.folder / f"{name}.crt").read_text()
                       + (self.folder / f"{name}.key").read_text())
        pem.chmod(0o600)
        return pem

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
