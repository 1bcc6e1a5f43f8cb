# SPDX-License-Identifier: Apache-2.0
"""Disk full and read-only file systems: a clear 500, and the old configuration goes on."""

import contextlib
import os
import shutil
import signal
import subprocess

import pytest

from harness import certificates
from harness.eventually import eventually
from harness.health_manager import HealthManager
from harness.load_balancer import LoadBalancer
from harness.web_server import WebServer

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


def mount_state(amphora, resources):
    """Its state lies on a file system of 512 kB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "amphora-test"]
    subprocess.run([*mount, amphora.base_path], check=True)
    resources.callback(subprocess.run, ["umount", "--lazy", amphora.base_path], check=True)


@pytest.fixture
def amphora(make_amphora, resources):
    amphora = make_amphora()
    mount_state(amphora, resources)
    return amphora.start()


@pytest.fixture
def balancer(amphora, resources):
    return LoadBalancer(amphora, [resources.enter_context(WebServer("one"))]).serve()


class Full:
    """While it lasts, not one more byte fits."""

    def __init__(self, amphora):
        self._path = amphora.base_path / "filler"
        self._of_sender = amphora.base_path / "heartbeat"

    def __enter__(self):
        with open(self._path, "wb", buffering=0) as filler:
            # What the sender is just replacing would make room afterwards.
            eventually(lambda: self._is_filled(filler), f"{self._path} takes the last byte")

    def _is_filled(self, filler):
        files, before = self._sender_files(), filler.tell()
        with contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 4096)
        return (filler.tell() == before and self._sender_files() == files
                and not any(".tmp-" in name for name, _ in files))

    def _sender_files(self):
        try:
            return {(entry.name, entry.inode()) for entry in os.scandir(self._of_sender)}
        except FileNotFoundError:
            return set()

    def __exit__(self, *_):
        self._path.unlink()


def remount(path, mode):
    """Busy while somebody has a file open for writing: nobody has for long."""
    command = ["mount", "-o", f"remount,{mode}", path]
    eventually(lambda: subprocess.run(command, capture_output=True).returncode == 0,
               f"{path} is remounted {mode}")


class ReadOnly:
    def __init__(self, amphora):
        self._path = amphora.base_path

    def __enter__(self):
        remount(self._path, "ro")

    def __exit__(self, *_):
        remount(self._path, "rw")


CONDITIONS = {"full": Full, "read-only": ReadOnly}
WORDS = {"full": "No space left", "read-only": "Read-only file system"}


@pytest.fixture(params=CONDITIONS)
def condition(request):
    return request.param


def test_an_upload_is_a_clear_500_and_the_old_config_goes_on(amphora, balancer, condition):
    good = balancer.configuration()
    files = amphora.files()
    with CONDITIONS[condition](amphora):
        answer = balancer.upload(good + "# newer\n" * 1000)
        assert answer.status == 500
        assert WORDS[condition].lower() in answer.json["details"].lower()
        assert amphora.config_path(balancer.id).read_text() == good
        assert balancer.who_answers() == "one"
        assert amphora.api.get(f"{balancer.path}/haproxy").text == good
    assert amphora.files() == files
    assert balancer.upload(good + "# newer\n").status == 202
    assert balancer.act("reload").status == 202


def test_a_first_upload_is_a_clear_500_and_leaves_nothing(amphora, condition):
    files = amphora.files()
    fresh = LoadBalancer(amphora)
    with CONDITIONS[condition](amphora):
        answer = fresh.upload()
        assert answer.status == 500
        assert WORDS[condition].lower() in answer.json["details"].lower()
        assert amphora.api.get(f"{fresh.path}/haproxy").status == 404
    assert amphora.files() - files <= {f"lib/{fresh.id}"}
    assert fresh.upload().status == 202


def test_a_certificate_is_a_clear_500_and_the_old_one_stays(amphora, balancer, condition):
    path = f"{balancer.path}/certificates/site.pem"
    assert amphora.api.put(path, "old\n").status == 200
    md5 = amphora.api.get(path).json
    with CONDITIONS[condition](amphora):
        answer = amphora.api.put(path, "new\n" * 5000)
        assert answer.status == 500
        assert WORDS[condition].lower() in answer.json["details"].lower()
        assert amphora.api.get(path).json == md5


def test_a_model_is_a_clear_500_and_the_old_config_goes_on(amphora, balancer, condition):
    model = {"vip_address": "127.0.0.1", "listeners": [
        {"protocol": "TCP", "protocol_port": balancer.port, "name": "n" * 200}]}
    with CONDITIONS[condition](amphora):
        answer = amphora.api.put(f"/1.0/loadbalancer/{amphora.id}/{balancer.id}/model", model)
        assert answer.status == 500
        assert amphora.config_path(balancer.id).read_text() == balancer.configuration()
        assert balancer.who_answers() == "one"


def test_a_reload_needs_no_room(amphora, balancer):
    balancer.listener_lines = ("timeout client 40s",)
    assert balancer.upload().status == 202
    with Full(amphora):
        answer = balancer.act("reload")
        assert answer.status in (202, 500), answer
        assert balancer.who_answers() == "one"
    assert balancer.act("reload").status == 202
    assert balancer.who_answers() == "one"


def test_a_delete_makes_room_on_a_full_disk(amphora, balancer):
    with Full(amphora):
        assert balancer.delete().status == 200
        assert amphora.haproxy_pids() == []
    assert not (amphora.base_path / balancer.id).exists()


def test_a_server_certificate_is_a_clear_500_and_the_old_one_stays(make_amphora, resources):
    amphora = make_amphora()
    pem = amphora.server_identity.pem
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k,mode=755", "amphora-test"]
    subprocess.run([*mount, amphora.certificate_dir], check=True)
    resources.callback(subprocess.run, ["umount", "--lazy", amphora.certificate_dir], check=True)
    (amphora.certificate_dir / "server.pem").write_bytes(pem)
    (amphora.certificate_dir / "client_ca.pem").write_bytes(
        certificates.controller_authority().pem)
    amphora.start()
    remount(amphora.certificate_dir, "ro")
    new = certificates.amphora_authority().issue(amphora.id)
    answer = amphora.api.put("/1.0/certificate", new.pem)
    assert answer.status == 500
    assert "read-only" in answer.json["details"].lower()
    assert (amphora.certificate_dir / "server.pem").read_bytes() == pem
    assert amphora.api.server_certificate_serial() == amphora.server_identity.serial_number


def test_a_configuration_is_a_clear_500_and_the_old_one_stays(make_amphora, resources):
    amphora = make_amphora()
    folder = amphora.directory / "controller"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k,mode=755", "amphora-test"]
    subprocess.run([*mount, folder], check=True)
    resources.callback(subprocess.run, ["umount", "--lazy", folder], check=True)
    amphora.config_file = folder / "amphora-agent.conf"
    amphora.start()
    before = amphora.config_file.read_text()
    remount(folder, "ro")
    config = amphora.config.copy().set("DEFAULT", "debug", "no")
    answer = amphora.api.put("/1.0/config", config.text())
    assert answer.status == 500
    assert answer.json["message"] == "Unable to update amphora-agent configuration."
    assert "read-only" in answer.json["details"].lower()
    assert amphora.config_file.read_text() == before


def remove(folder):
    """Somebody may be writing in it, who cannot make it anew."""
    def is_gone():
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()
    eventually(is_gone, f"{folder} is removed")


@pytest.mark.parametrize("folder_is_there", [True, False])
def test_a_sender_that_starts_on_a_read_only_disk_beats(make_amphora, resources, folder_is_there):
    manager = resources.enter_context(HealthManager("heartbeat-key"))
    amphora = make_amphora()
    amphora.config.set("health_manager", "heartbeat_key", manager.key)
    amphora.config.set("health_manager", "controller_ip_port_list", manager.target)
    mount_state(amphora, resources)
    amphora.start()
    manager.next_beat()
    first = amphora.heartbeat_pid()
    if not folder_is_there:
        remove(amphora.base_path / "heartbeat")
    with ReadOnly(amphora):
        seen = len(manager.beats)
        os.kill(first, signal.SIGKILL)
        eventually(lambda: any(beat.message["seq"] == 0 for beat in manager.beats[seen:]),
                   "the new sender's first heartbeat")
        assert amphora.heartbeat_pid() not in (0, first)


def test_an_agent_starts_on_a_disk_that_turned_read_only(amphora, balancer):
    master = balancer.master
    amphora.kill()
    with ReadOnly(amphora):
        amphora.start()
        assert amphora.api.get(f"{balancer.path}/haproxy").text == balancer.configuration()
        assert balancer.master == master
        assert balancer.who_answers() == "one"
