# SPDX-License-Identifier: Apache-2.0
"""PUT /1.0/certificate: rotation without a restart, and what is refused."""

import pytest

from harness import certificates
from harness.certificates import Authority

PATH = "/1.0/certificate"
# X509_V_FLAG_NO_CHECK_TIME of openssl/x509_vfy.h, which Python has no name for.
NO_CHECK_TIME = 0x200000


def new_identity(amphora, **options):
    return certificates.amphora_authority().issue(amphora.id, **options)


def stored(amphora):
    return (amphora.certificate_dir / "server.pem").read_bytes()


def test_new_connections_see_the_new_certificate_and_old_ones_go_on(amphora):
    identity = new_identity(amphora)
    pid = amphora.pid
    with amphora.api.session() as before:
        assert before.request("GET", "/").status == 200
        answer = amphora.api.put(PATH, identity.pem)
        assert answer.status == 202
        assert answer.json == {"message": "OK"}
        assert answer.etag is None
        assert amphora.api.server_certificate_serial() == identity.serial_number
        assert before.request("GET", "/").status == 200
    assert amphora.pid == pid and amphora.is_running()
    assert stored(amphora) == identity.pem
    assert (amphora.certificate_dir / "server.pem").stat().st_mode & 0o777 == 0o600


def test_a_new_certificate_survives_a_crash_of_the_agent(amphora):
    identity = new_identity(amphora)
    assert amphora.api.put(PATH, identity.pem).status == 202
    amphora.kill()
    amphora.start()
    assert amphora.api.server_certificate_serial() == identity.serial_number


@pytest.mark.parametrize("order", ["key first", "with chain", "rsa"])
def test_a_certificate_is_taken_in_every_form_a_controller_has(amphora, order):
    if order == "key first":
        identity = new_identity(amphora)
        pem = identity.key_pem + identity.certificate_pem
    elif order == "with chain":
        identity = Authority("below", signer=certificates.amphora_authority()).issue(amphora.id)
        pem = identity.pem
    else:
        identity = new_identity(amphora, key="rsa")
        pem = identity.pem
    assert amphora.api.put(PATH, pem).status == 202
    assert amphora.api.server_certificate_serial() == identity.serial_number


def test_a_controller_whose_clock_is_ahead_may_rotate_it(amphora):
    """It made the certificate just now, which here is in the future."""
    identity = certificates.amphora_authority().issue_not_yet_valid(amphora.id)
    amphora.api.context.verify_flags |= NO_CHECK_TIME
    assert amphora.api.put(PATH, identity.pem).status == 202
    assert amphora.api.server_certificate_serial() == identity.serial_number
    assert "is this machine's clock behind the controller's?" in amphora.log()
    amphora.kill()
    amphora.start()
    assert amphora.api.server_certificate_serial() == identity.serial_number


BAD_UPLOADS = {
    "nothing": lambda amphora: b"",
    "text that is no PEM": lambda amphora: b"I am a certificate, trust me\n",
    "a certificate without its key": lambda amphora: new_identity(amphora).certificate_pem,
    "a key without its certificate": lambda amphora: new_identity(amphora).key_pem,
    "a key of another certificate": lambda amphora: (
        new_identity(amphora).certificate_pem + new_identity(amphora).key_pem),
    "a cut certificate": lambda amphora: (
        new_identity(amphora).certificate_pem[:200] + new_identity(amphora).key_pem),
    "an expired certificate": lambda amphora: (
        certificates.amphora_authority().issue_expired(amphora.id).pem),
    "bytes": lambda amphora: bytes(range(256)) * 16,
}


@pytest.mark.parametrize("what", BAD_UPLOADS)
def test_a_bad_upload_changes_nothing(amphora, what):
    before = stored(amphora)
    answer = amphora.api.put(PATH, BAD_UPLOADS[what](amphora))
    assert answer.status == 400
    assert answer.json["message"]
    assert stored(amphora) == before
    assert amphora.api.server_certificate_serial() == amphora.server_identity.serial_number
    assert [path.name for path in amphora.certificate_dir.iterdir()
            if path.name not in ("server.pem", "client_ca.pem")] == []


def test_the_log_of_a_rotation_holds_no_key(amphora):
    identity = new_identity(amphora)
    assert amphora.api.put(PATH, identity.pem).status == 202
    assert amphora.api.put(PATH, identity.key_pem).status == 400
    for line in identity.key_pem.decode().splitlines()[1:-1]:
        assert line not in amphora.log()
