# SPDX-License-Identifier: Apache-2.0
"""Certificates of controllers and amphorae: authorities, identities, expired and foreign ones."""

import datetime
import functools
import os
import pathlib
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key(kind):
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


class Identity:
    """A certificate with its key, and the chain above it if an intermediate signed it."""

    def __init__(self, certificate, key, chain=()):
        self.certificate = certificate
        self.certificate_pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.key_pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption())
        self.chain_pem = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain)
        self.pem = self.certificate_pem + self.key_pem + self.chain_pem

    @property
    def serial_number(self):
        return self.certificate.serial_number

    def load_into(self, context):
        """Makes an ssl.SSLContext present this identity."""
        descriptor, path = tempfile.mkstemp()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self.pem)
            context.load_cert_chain(path)
        finally:
            os.unlink(path)

    def write_to(self, path):
        pathlib.Path(path).write_bytes(self.pem)
        return str(path)


class Authority:
    """A CA that issues identities. `signer` makes it an intermediate below another one."""

    def __init__(self, name, signer=None):
        self._key = _key("ec")
        self.name = name
        issuer = signer.certificate.subject if signer else _name(name)
        now = datetime.datetime.utcnow()
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(name)).issuer_name(issuer)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY).not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(signer._key if signer else self._key, hashes.SHA256()))
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self._is_intermediate = signer is not None

    def as_identity(self):
        """The authority's own certificate and key."""
        return Identity(self.certificate, self._key)

    def issue(self, name, key="ec", valid_from_days=-1, valid_for_days=30, bare=False):
        """An identity whose CN and SAN are `name`; bare: with no extension at all, as old
        controllers made them."""
        now = datetime.datetime.utcnow()
        private = _key(key)
        start = now + valid_from_days * DAY
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name)).issuer_name(self.certificate.subject)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start).not_valid_after(start + valid_for_days * DAY))
        if not bare:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            builder = builder.add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Identity(certificate, private, [self.certificate] if self._is_intermediate else [])

    def issue_expired(self, name):
        return self.issue(name, valid_from_days=-20, valid_for_days=10)

    def issue_not_yet_valid(self, name):
        return self.issue(name, valid_from_days=5)

    def trust_context(self, min_version=None, max_version=None):
        """A client's context that trusts this authority and presents nothing."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.pem.decode())
        if min_version:
            context.minimum_version = min_version
        if max_version:
            context.maximum_version = max_version
        return context


@functools.lru_cache(maxsize=None)
def controller_authority():
    """Signs what the controller presents to an amphora."""
    return Authority("test controller CA")


@functools.lru_cache(maxsize=None)
def amphora_authority():
    """Signs what an amphora presents to the controller."""
    return Authority("test amphora CA")


@functools.lru_cache(maxsize=None)
def foreign_authority():
    """Somebody else's: nobody here trusts it."""
    return Authority("somebody else's CA")


@functools.lru_cache(maxsize=None)
def controller_identity():
    return controller_authority().issue("octavia-controller")
