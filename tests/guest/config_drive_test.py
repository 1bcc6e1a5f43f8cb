# SPDX-License-Identifier: Apache-2.0
"""amphora-config-drive as at a boot: it finds the drive among the machine's block devices, and the
kernel mounts it.

Runs in a guest whose kernel has ISO 9660 and FAT, and whose root takes every write and forgets it:
make test-guest.
"""

import os
import pathlib
import re
import stat
import subprocess
import uuid

import pytest

from harness.amphora import BUILD, ROOT
from harness.config_drive import (
    DHCP, ConfigDrive, network_data, octavia_files, octavia_user_data)

pytestmark = pytest.mark.skipif(
    not pathlib.Path("/run/in-guest").exists(), reason="runs in the guest: make test-guest")

SAVED = pathlib.Path("/var/lib/amphora-config-drive/instance")
MEDIA = {
    "iso": lambda drive, path: drive.iso(path),
    "fat12": lambda drive, path: drive.vfat(path, "-F", "12", size_mib=4),
    "fat16": lambda drive, path: drive.vfat(path),
    "fat32": lambda drive, path: drive.vfat(path, "-F", "32"),
}


@pytest.fixture(scope="module", autouse=True)
def modules():
    """What an image lists in modules-load.d; FAT finds its character sets by itself."""
    subprocess.run(["modprobe", "-a", "loop", "isofs", "vfat"], check=True)


@pytest.fixture
def attach():
    """Makes images block devices."""
    devices = []

    def make(image):
        device = subprocess.run(["losetup", "--find", "--show", "--read-only", image], check=True,
                                stdout=subprocess.PIPE, text=True).stdout.strip()
        devices.append(device)
        return device

    yield make
    for device in devices:
        subprocess.run(["losetup", "--detach", device], check=True)


def run(*arguments):
    """With the capabilities that its unit leaves it."""
    unit = (ROOT / "systemd/amphora-config-drive.service").read_text()
    names = re.search("^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)[1].lower().split()
    bounding = ",".join(["-all", *(name.replace("cap_", "+", 1) for name in names)])
    return subprocess.run(
        ["setpriv", f"--bounding-set={bounding}", "--no-new-privs", BUILD / "amphora-config-drive",
         *arguments], text=True, timeout=120, capture_output=True, check=False)


@pytest.mark.parametrize("medium", MEDIA)
def test_a_drive_among_the_block_devices_makes_the_machine_an_amphora(tmp_path, attach, medium):
    amphora_id = str(uuid.uuid4())
    files = octavia_files(amphora_id)
    drive = ConfigDrive(tmp_path / "drive", files=files, user_data=octavia_user_data({}),
                        network=network_data(DHCP), hostname=f"amphora-{amphora_id}.novalocal")
    device = attach(MEDIA[medium](drive, tmp_path / "image"))
    result = run()
    assert result.returncode == 0, result.stderr
    assert device in result.stderr
    for path, text in files.items():
        assert pathlib.Path(path).read_text() == text
        assert stat.filemode(os.stat(path).st_mode) == "-rw-------"
    assert os.uname().nodename == f"amphora-{amphora_id}"
    assert SAVED.read_text() == f"{drive.uuid}\n"
    assert device not in pathlib.Path("/proc/mounts").read_text()

    pathlib.Path("/etc/octavia/certs/server.pem").write_text("rotated\n")
    assert run().returncode == 3
    assert pathlib.Path("/etc/octavia/certs/server.pem").read_text() == "rotated\n"


@pytest.mark.parametrize("medium", MEDIA)
def test_an_image_is_a_drive_and_leaves_no_device_behind(tmp_path, medium):
    files = octavia_files(str(uuid.uuid4()))
    drive = ConfigDrive(tmp_path / "drive", user_data=octavia_user_data(files))
    (tmp_path / "root").mkdir()
    image = MEDIA[medium](drive, tmp_path / "image")
    result = run("--root", tmp_path / "root", "--drive", image)
    assert result.returncode == 0, result.stderr
    certificate = "etc/octavia/certs/server.pem"
    assert (tmp_path / "root" / certificate).read_text() == files[f"/{certificate}"]
    assert str(image) not in subprocess.run(["losetup", "--list"], check=True, text=True,
                                            stdout=subprocess.PIPE).stdout


def test_links_on_a_drive_are_not_followed(tmp_path):
    drive = ConfigDrive(tmp_path / "drive", files={"/etc/octavia/amphora-agent.conf": ""})
    (drive.content / "0001").unlink()
    (drive.content / "0001").symlink_to("/etc/shadow")  # Rock Ridge knows links
    (tmp_path / "root").mkdir()
    result = run("--root", tmp_path / "root", "--drive", drive.iso(tmp_path / "image"))
    assert result.returncode == 1
    assert not list((tmp_path / "root").iterdir())
