# SPDX-License-Identifier: Apache-2.0
"""First boots that are not the one of the other tests: nova's other forms of a config drive, and none."""

import pytest

from harness.controller import HEARTBEAT_KEY
from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.image_amphora import ImageAmphora
from harness.ports import free_port
from harness.virtual_machine import BOOT_S


@pytest.fixture
def health_manager(resources):
    return resources.enter_context(HealthManager(HEARTBEAT_KEY))


@pytest.fixture
def make_amphora(image, folder, health_manager, resources):
    """Powered on for the first time."""
    def make(**options):
        amphora = ImageAmphora.new(folder, image, free_port(), health_manager.port, **options)
        resources.enter_context(amphora.machine).start()
        return amphora
    return make


def test_files_that_come_as_user_data_on_a_vfat_disk(make_amphora, health_manager):
    """[controller_worker] user_data_config_drive, and nova's config_drive_format=vfat."""
    amphora = make_amphora(has_user_data_only=True, drive_form="vfat")
    amphora.wait_until_it_answers()
    assert amphora.api.get("/1.0/info").json["hostname"] == f"amphora-{amphora.id}"
    health_manager.next_beat(lambda beat: beat.message["id"] == amphora.id, "it beats", BOOT_S)
    amphora.wait_for_boot()
    shell = amphora.machine.shell
    assert shell.run("stat -c %a /etc/octavia/certs/server.pem") == "600\n"
    assert "admin_forwarding" in shell.run("cat /etc/rsyslog.d/10-rsyslog.conf")
    assert "is applied" in amphora.machine.console()


def test_without_a_config_drive_nobody_listens(make_amphora):
    machine = make_amphora(drive_form=None).machine
    eventually(lambda: "labelled config-2" in machine.console(), "it says so on the console", BOOT_S)
    machine.shell.wait()
    shell = machine.shell
    assert shell.ask("systemctl is-system-running --wait", BOOT_S)[1] == "running\n"
    assert shell.ask("systemctl is-active amphora-agent.service")[1] == "inactive\n"
    assert shell.run("cat /proc/net/tcp /proc/net/tcp6 | grep -c ' 0A ' || true") == "0\n"
