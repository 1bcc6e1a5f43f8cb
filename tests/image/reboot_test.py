# SPDX-License-Identifier: Apache-2.0
"""A reboot: everything comes back, and nothing is told before it is back. What a config drive brought
is not brought again."""

import contextlib
import tempfile
import time

from cryptography import x509
import pytest

from harness import certificates
from harness.controller import HEARTBEAT_KEY, Controller
from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.image_site import ImageSite

TLS_PORT, TLS_ID = 443, "5b4e3f5c-0000-4000-8000-000000000443"


@pytest.fixture
def health_manager(amphora, resources):
    return resources.enter_context(HealthManager(HEARTBEAT_KEY, port=amphora.heartbeat_port))


@pytest.fixture
def site(amphora, bed, resources):
    return ImageSite(amphora, bed, resources)


def beats_of_a_reboot(amphora, health_manager, is_complete):
    """Those that arrived from before a reboot until the first one after it that tells of everything."""
    seen = len(health_manager.beats)
    amphora.reboot()
    health_manager.next_beat(is_complete, "a heartbeat tells of everything", 60)
    return health_manager.beats[seen:]


def test_everything_is_back_with_the_first_heartbeat(amphora, site, bed, health_manager, figure):
    health_manager.next_beat(site.is_told, "a heartbeat tells of everything", 60)
    network = site.network()
    assert site.answers(bed.neighbour, timeout_s=1) == [None] * 3
    began_s = time.monotonic()
    beats = beats_of_a_reboot(amphora, health_manager, site.is_told)
    figure("reboot to the first heartbeat that tells of everything",
           f"{beats[-1].arrived_s - began_s:.1f} s")
    assert all(site.is_told(beat) for beat in beats), [beat.message for beat in beats]
    site.wait_until_served()
    assert site.answers(bed.neighbour, timeout_s=1) == [None] * 3
    eventually(lambda: site.network() == network, "addresses, routes and rules are those before", 30)


def test_a_rotated_certificate_stays(amphora):
    with tempfile.TemporaryDirectory() as directory, contextlib.closing(
            Controller(amphora, directory)) as controller:
        pem, certificate = controller.server_certificate()
        controller.driver.upload_cert_amp(controller.amphora_model(), pem)
    rotated = x509.load_pem_x509_certificate(certificate).serial_number
    assert amphora.api.server_certificate_serial() == rotated
    amphora.reboot()
    assert amphora.api.server_certificate_serial() == rotated
    assert "was applied before" in amphora.journal("amphora-config-drive")


def test_listeners_without_tls_do_not_wait_for_certificates(amphora, site, health_manager):
    """Certificates lie in memory only. Whoever has them is told by the heartbeats that a listener is
    missing; when they are uploaded again it is back."""
    identity = certificates.foreign_authority().issue("www.example.com")
    path = f"/1.0/loadbalancer/{site.id}/certificates/site.pem"
    model = site.model()
    model["listeners"].append({
        "id": TLS_ID, "protocol": "TERMINATED_HTTPS", "protocol_port": TLS_PORT,
        "certificate": "site.pem"})
    assert amphora.api.put(path, identity.pem).status == 200
    site.apply(model)
    assert site.certificate_shown(TLS_PORT) == identity.serial_number

    beats_of_a_reboot(amphora, health_manager, site.is_told)
    site.wait_until_served()
    assert f"frontend {TLS_ID} is not served" in amphora.journal("amphora-agent")
    assert amphora.api.put(path, identity.pem).status == 200
    assert amphora.api.put(f"/1.0/loadbalancer/{site.id}/reload", timeout=60).status == 202
    health_manager.next_beat(lambda beat: TLS_ID in beat.listeners, "the listener is told", 30)
    assert site.certificate_shown(TLS_PORT) == identity.serial_number
    assert site.answers() == ["one"] * 3
