# SPDX-License-Identifier: Apache-2.0
"""Certificates for the load balancers of a run: real ones, because HAProxy reads what a config
names. What Octavia gets as references to its vault has the same names in a description; the files
are called as its driver calls them."""

import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
CERTIFICATES = ("certificate-1", "certificate-2", "certificate-3")
AUTHORITIES = ("ca-1", "ca-2")


def _pem(made):
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _self_signed(name, key, is_authority):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}.example")])
    now = datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY).not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .sign(key, hashes.SHA256()))


def _revocation_list(issuer, key):
    now = datetime.datetime.utcnow()
    return (x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
            .last_update(now - DAY).next_update(now + 30 * DAY).sign(key, hashes.SHA256()))


class Certificates:
    """vault: what Octavia gets for each name; files: {name: (file name, content)}."""

    def __init__(self):
        key = ec.generate_private_key(ec.SECP256R1())  # Octavia checks an RSA key for 40 ms
        key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption()).decode()
        self.vault, self.files = {}, {}
        for name in CERTIFICATES:
            pem = _pem(_self_signed(name, key, is_authority=False))
            self.vault[name] = {"certificate": pem, "key": key_pem}
            self._add_file(name, pem, f"{pem}\n{key_pem}\n")
        for name in AUTHORITIES:
            authority = _self_signed(name, key, is_authority=True)
            for secret, pem in ((name, _pem(authority)),
                                (f"crl-of-{name}", _pem(_revocation_list(authority, key)))):
                self.vault[secret] = pem
                self._add_file(secret, pem, pem)

    def _add_file(self, name, identity, content):
        self.files[name] = (f"{hashlib.sha1(identity.encode()).hexdigest()}.pem", content)

    def file_name(self, name):
        return self.files[name][0]

    def write_to(self, folder):
        for file_name, content in self.files.values():
            (folder / file_name).write_text(content)
