# SPDX-License-Identifier: Apache-2.0
"""A reboot as nova does it, by the power button, of an amphora that serves: it ends in order and soon,
everything comes back, and nothing is told before it is back. What a config drive brought is not
brought again."""

import contextlib
import re
import tempfile
import time

import pytest
from cryptography import x509

from harness import certificates
from harness.controller import HEARTBEAT_KEY, Controller
from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.image_site import ImageSite
from harness.network_bed import NetworkBed

TLS_PORT, TLS_ID = 443, "5b4e3f5c-0000-4000-8000-000000000443"
SENDER, HAPROXY, LVS = "amphora-heartbeat", "haproxy-", "octavia-keepalivedlvs-"
STOPS = "/var/log/stops"
NOBODY = [None] * 3
# Half of what nova gives a guest before it pulls the plug ([compute] shutdown_timeout).
OFF_S = 30
# systemd kills what has not ended after 90 s. Nothing of ours takes long.
STOP_S = 20
STOP = re.compile(
    r"^\[ *([\d.]+)\] .* systemd\[1\]: (Stopping|Stopped) (\S+?)\.service", re.MULTILINE)


class Reboot:
    """What was seen before it, while it went down, and afterwards. The heartbeats from when it was asked
    to end are `last_beats`, those of the next boot, until one told of everything, `first_beats`."""

    def __init__(self, amphora, rotated, balancer, health_manager):
        """rotated: the serial number of the server certificate that the controller has sent."""
        self.amphora, self.rotated = amphora, rotated
        self.balancer, self.health_manager = balancer, health_manager
        self.identity = certificates.foreign_authority().issue("www.example.com")
        self.certificate_path = f"/1.0/loadbalancer/{balancer.id}/certificates/site.pem"
        self._serve_tls()
        self.network = balancer.network()
        assert balancer.answers(balancer.bed.neighbour, timeout_s=1) == NOBODY
        shell = amphora.machine.shell
        # The journal of the image ends with the machine; the test's shell is there to its very end.
        shell.run(f"setsid journalctl --follow --output=short-monotonic _PID=1 >{STOPS} 2>&1 & "
                  f"until [ -s {STOPS} ]; do sleep 0.1; done")
        seen = len(health_manager.beats)
        self.off_s = self._turn_off()
        self.console = amphora.machine.console()
        was_off = len(health_manager.beats)
        amphora.machine.start()
        amphora.wait_for_boot()
        health_manager.next_beat(balancer.is_told, "a heartbeat tells of everything", 60)
        self.last_beats, self.first_beats = (
            health_manager.beats[seen:was_off], health_manager.beats[was_off:])
        self.stops = shell.run(f"cat {STOPS}")

    def _serve_tls(self):
        model = self.balancer.model()
        model["listeners"].append({
            "id": TLS_ID, "protocol": "TERMINATED_HTTPS", "protocol_port": TLS_PORT,
            "certificate": "site.pem"})
        assert self.amphora.api.put(self.certificate_path, self.identity.pem).status == 200
        self.balancer.apply(model)
        assert self.balancer.certificate_shown(TLS_PORT) == self.identity.serial_number
        self.health_manager.next_beat(lambda beat: TLS_ID in beat.listeners, "it is told", 30)

    def _turn_off(self):
        """How long that takes."""
        began_s = time.monotonic()
        self.amphora.machine.press_power_button()
        self.amphora.machine.wait_until_off()
        return time.monotonic() - began_s

    def ends_of_units(self):
        """{unit: (when it was asked to stop, when it had stopped)} in seconds."""
        ends = {}
        for second, what, unit in STOP.findall(self.stops):
            asked, _ = ends.get(unit, (None, None))
            ends[unit] = (float(second), None) if what == "Stopping" else (asked, float(second))
        return ends


def rotate_certificate(amphora):
    """The new one's serial number."""
    with tempfile.TemporaryDirectory() as directory, contextlib.closing(
            Controller(amphora, directory)) as controller:
        pem, certificate = controller.server_certificate()
        controller.driver.upload_cert_amp(controller.amphora_model(), pem)
    rotated = x509.load_pem_x509_certificate(certificate).serial_number
    assert amphora.api.server_certificate_serial() == rotated
    return rotated


def be_patient(amphora):
    """A heartbeat waits a quarter of its interval for HAProxy, and then leaves it out: with the second
    of the other tests that is too short for an emulated one that is busy."""
    config = "/etc/octavia/amphora-agent.conf"
    amphora.machine.shell.run(
        f"sed -i 's/^heartbeat_interval *=.*/heartbeat_interval = 2/' {config} && "
        f"grep -x 'heartbeat_interval = 2' {config} && systemctl reload amphora-agent")


@pytest.fixture(scope="module")
def rebooted(booted, session_folder):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=session_folder))
        amphora = stack.enter_context(booted[0].gone_on(folder))
        be_patient(amphora)
        rotated = rotate_certificate(amphora)
        health_manager = stack.enter_context(
            HealthManager(HEARTBEAT_KEY, port=amphora.heartbeat_port))
        balancer = ImageSite(amphora, stack.enter_context(NetworkBed()), stack)
        yield Reboot(amphora, rotated, balancer, health_manager)


@pytest.fixture
def reboot(rebooted):
    yield rebooted
    rebooted.amphora.show()


def test_the_power_button_ends_it_in_order(reboot, figure):
    figure("power button to power off", f"{reboot.off_s:.1f} s")
    assert reboot.off_s < OFF_S
    assert "Power down" in reboot.console


def test_the_sender_falls_silent_first(reboot, figure):
    ends = reboot.ends_of_units()

    def of(prefix):
        return next(end for unit, end in ends.items() if unit.startswith(prefix))
    assert of(SENDER)[1] <= min(of(HAPROXY)[0], of(LVS)[0])
    both = [(asked, stopped) for asked, stopped in ends.values() if asked and stopped]
    assert all(stopped - asked < STOP_S for asked, stopped in both)
    took_s = max(stopped for _, stopped in both) - min(asked for asked, _ in both)
    figure("  of which all services need to stop", f"{took_s:.1f} s")


def test_no_heartbeat_tells_of_less_while_it_ends(reboot):
    beats = reboot.last_beats
    assert all(reboot.balancer.is_told(beat, TLS_ID) for beat in beats), [beat.message for beat in beats]


def test_everything_is_back_with_the_first_heartbeat(reboot, figure):
    """That of a listener whose certificate lay in memory is a test of its own."""
    balancer, beats = reboot.balancer, reboot.first_beats
    figure("power-on to the first heartbeat that tells of everything",
           f"{beats[0].arrived_s - reboot.amphora.machine.started_s:.1f} s")
    assert all(balancer.is_told(beat) for beat in beats), [beat.message for beat in beats]
    balancer.wait_until_served()
    assert balancer.answers(balancer.bed.neighbour, timeout_s=1) == NOBODY
    eventually(lambda: balancer.network() == reboot.network,
               "addresses, routes and rules are those before", 30)


def test_a_rotated_certificate_stays(reboot):
    assert reboot.amphora.api.server_certificate_serial() == reboot.rotated
    assert "was applied before" in reboot.amphora.journal("amphora-config-drive")


def test_listeners_without_tls_do_not_wait_for_certificates(reboot):
    """Certificates lie in memory only. Whoever has them is told by the heartbeats that a listener is
    missing; when they are uploaded again it is back."""
    balancer, api = reboot.balancer, reboot.amphora.api
    balancer.wait_until_served()
    assert f"frontend {TLS_ID} is not served" in reboot.amphora.journal("amphora-agent")
    assert api.put(reboot.certificate_path, reboot.identity.pem).status == 200
    assert api.put(f"/1.0/loadbalancer/{balancer.id}/reload", timeout=60).status == 202
    reboot.health_manager.next_beat(lambda beat: TLS_ID in beat.listeners, "the listener is told", 30)
    assert balancer.certificate_shown(TLS_PORT) == reboot.identity.serial_number
    assert balancer.answers() == ["one"] * 3


def test_a_reset_needs_nobody_to_listen(reboot):
    """nova's hard one. The last test: it ends the boot that the others look at."""
    amphora = reboot.amphora
    before = amphora.machine.boot_id()
    amphora.machine.monitor.execute("system_reset")
    amphora.machine.shell.close()
    amphora.wait_for_boot(before)
    reboot.balancer.wait_until_served()
