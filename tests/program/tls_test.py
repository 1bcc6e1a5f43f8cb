# SPDX-License-Identifier: Apache-2.0
"""Mutual TLS: who gets in, who does not, and what both see."""

import socket
import ssl

import pytest

from harness import certificates
from harness.api_client import read_to_end
from harness.certificates import Authority

REQUEST = b"GET /1.0/info?who-are-you HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def answer_to(client):
    """Bytes that come back for a request on a fresh connection; b"" when TLS refuses."""
    try:
        with client.connect() as connection:
            connection.sendall(REQUEST)
            return read_to_end(connection)
    except (ssl.SSLError, ConnectionError):
        return b""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_controller_that_offers_exactly_one_version_gets_in(amphora, version):
    client = amphora.client(min_version=version, max_version=version)
    assert answer_to(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("who", ["nobody", "a stranger", "somebody expired", "an amphora"])
def test_no_byte_of_http_is_parsed_for(amphora, version, who):
    identity = {
        "nobody": lambda: None,
        "a stranger": lambda: certificates.foreign_authority().issue("octavia-controller"),
        "somebody expired": lambda: certificates.controller_authority().issue_expired("octavia"),
        "an amphora": lambda: amphora.server_identity,
    }[who]()
    client = amphora.client(identity, min_version=version, max_version=version)
    assert answer_to(client) == b""
    assert amphora.api.get("/").status == 200
    assert "who-are-you" not in amphora.log()


def test_a_stranger_whose_authority_has_our_authoritys_name_stays_out(amphora):
    impostor = Authority(certificates.controller_authority().name).issue("octavia-controller")
    assert answer_to(amphora.client(impostor)) == b""


def test_a_self_signed_certificate_with_the_controllers_name_stays_out(amphora):
    selfmade = Authority("octavia-controller").as_identity()
    assert answer_to(amphora.client(selfmade)) == b""


def test_a_version_below_tls_1_2_is_refused(amphora):
    context = certificates.amphora_authority().trust_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with socket.create_connection((amphora.connect_host, amphora.port)) as plain:
            context.wrap_socket(plain, server_hostname=amphora.id)


def test_tls_1_3_only_refuses_tls_1_2(make_amphora):
    amphora = make_amphora()
    amphora.config.set("amphora_agent", "agent_tls_protocol", "TLSv1.3")
    amphora.start()
    old = amphora.client(max_version=ssl.TLSVersion.TLSv1_2)
    assert answer_to(old) == b""
    new = amphora.client(min_version=ssl.TLSVersion.TLSv1_3)
    assert answer_to(new).startswith(b"HTTP/1.1 200 ")


def test_the_server_certificate_names_the_amphora(amphora):
    with amphora.api.connect() as connection:
        subject = connection.getpeercert()["subject"]
    assert ((("commonName", amphora.id),)) in subject


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_an_old_controllers_certificate_without_any_extension_gets_in(amphora, key):
    identity = certificates.controller_authority().issue("octavia", key=key, bare=True)
    assert answer_to(amphora.client(identity)).startswith(b"HTTP/1.1 200 ")


def test_a_controller_below_an_intermediate_authority_gets_in(amphora):
    intermediate = Authority("below", signer=certificates.controller_authority())
    identity = intermediate.issue("octavia-controller")
    assert answer_to(amphora.client(identity)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("order", ["leaf key chain", "key leaf chain", "key chain leaf",
                                   "chain leaf key"])
def test_the_server_pem_may_hold_its_blocks_in_any_order(make_amphora, order):
    amphora = make_amphora()
    intermediate = Authority("intermediate", signer=certificates.amphora_authority())
    identity = intermediate.issue(amphora.id)
    blocks = {"leaf": identity.certificate_pem, "key": identity.key_pem,
              "chain": identity.chain_pem}
    pem = b"".join(blocks[name] for name in order.split())
    (amphora.certificate_dir / "server.pem").write_bytes(pem)
    amphora.start()
    assert amphora.api.server_certificate_serial() == identity.serial_number


def test_an_rsa_server_certificate_works(make_amphora):
    amphora = make_amphora()
    identity = certificates.amphora_authority().issue(amphora.id, key="rsa")
    identity.write_to(amphora.certificate_dir / "server.pem")
    assert amphora.start().api.server_certificate_serial() == identity.serial_number
