# SPDX-License-Identifier: Apache-2.0
"""A reboot: everything comes back, and nothing is told before it is back. What a config drive brought
is not brought again."""

import contextlib
import tempfile
import time

from cryptography import x509

from harness import certificates
from harness.controller import Controller
from harness.eventually import eventually

TLS_PORT, TLS_ID = 443, "5b4e3f5c-0000-4000-8000-000000000443"


def beats_of_a_reboot(amphora, health_manager, is_complete):
    """Those that arrived from before a reboot until the first one after it that tells of everything."""
    seen = len(health_manager.beats)
    amphora.reboot()
    health_manager.next_beat(is_complete, "a heartbeat tells of everything", 60)
    return health_manager.beats[seen:]


def test_everything_is_back_with_the_first_heartbeat(amphora, balancer, bed, health_manager, figure):
    health_manager.next_beat(balancer.is_told, "a heartbeat tells of everything", 60)
    network = balancer.network()
    assert balancer.answers(bed.neighbour, timeout_s=1) == [None] * 3
    began_s = time.monotonic()
    beats = beats_of_a_reboot(amphora, health_manager, balancer.is_told)
    figure("reboot to the first heartbeat that tells of everything",
           f"{beats[-1].arrived_s - began_s:.1f} s")
    assert all(balancer.is_told(beat) for beat in beats), [beat.message for beat in beats]
    balancer.wait_until_served()
    assert balancer.answers(bed.neighbour, timeout_s=1) == [None] * 3
    eventually(lambda: balancer.network() == network, "addresses, routes and rules are those before", 30)


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


def test_listeners_without_tls_do_not_wait_for_certificates(amphora, balancer, health_manager):
    """Certificates lie in memory only. Whoever has them is told by the heartbeats that a listener is
    missing; when they are uploaded again it is back."""
    identity = certificates.foreign_authority().issue("www.example.com")
    path = f"/1.0/loadbalancer/{balancer.id}/certificates/site.pem"
    model = balancer.model()
    model["listeners"].append({
        "id": TLS_ID, "protocol": "TERMINATED_HTTPS", "protocol_port": TLS_PORT,
        "certificate": "site.pem"})
    assert amphora.api.put(path, identity.pem).status == 200
    balancer.apply(model)
    assert balancer.certificate_shown(TLS_PORT) == identity.serial_number

    beats_of_a_reboot(amphora, health_manager, balancer.is_told)
    balancer.wait_until_served()
    assert f"frontend {TLS_ID} is not served" in amphora.journal("amphora-agent")
    assert amphora.api.put(path, identity.pem).status == 200
    assert amphora.api.put(f"/1.0/loadbalancer/{balancer.id}/reload", timeout=60).status == 202
    health_manager.next_beat(lambda beat: TLS_ID in beat.listeners, "the listener is told", 30)
    assert balancer.certificate_shown(TLS_PORT) == identity.serial_number
    assert balancer.answers() == ["one"] * 3
