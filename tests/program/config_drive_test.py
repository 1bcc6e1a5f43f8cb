# SPDX-License-Identifier: Apache-2.0
"""amphora-config-drive on a root of its own: what a drive leads to, once per instance, whole or not
at all. Drives that are really mounted: tests/guest/config_drive_test.py."""

import os
import random
import re
import stat
import subprocess
import uuid

import pytest
import yaml

from harness.amphora import BUILD
from harness.config_drive import (
    DHCP, MAC, SSH_KEY, ConfigDrive, network_data, octavia_files, octavia_user_data)

APPLIED, FAULT, WRONG_USE, NOTHING_TO_DO, NO_DRIVE = range(5)
AGENT_CONF = "/etc/octavia/amphora-agent.conf"
SERVER_PEM = "/etc/octavia/certs/server.pem"
SAVED = "/var/lib/amphora-config-drive/instance"


def snapshot(folder):
    """What is in a tree: {path: (kind and mode, inode, time of change, bytes or target)}."""
    def look(path):
        status = path.lstat()
        content = (os.readlink(path) if path.is_symlink()
                   else path.read_bytes() if path.is_file() else b"")
        return stat.filemode(status.st_mode), status.st_ino, status.st_mtime_ns, content
    return {str(path.relative_to(folder)): look(path) for path in folder.rglob("*")}


class Machine:
    """A root folder, with what the image of an amphora has before it first boots."""

    def __init__(self, root):
        self.root = root
        for folder in ("etc/octavia", "etc/rsyslog.d", "etc/systemd/network", "dev", "usr/sbin",
                       "usr/share/zoneinfo/Europe", "sys/class/block", "var/lib", "root"):
            (root / folder).mkdir(parents=True)
        (root / "etc/hosts").write_text("127.0.0.1\tlocalhost\n127.0.1.1\tdebian\n::1\tlocalhost\n")
        (root / "etc/hostname").write_text("debian\n")
        (root / "dev/urandom").touch()  # stands for the device
        for zone in ("UTC", "Europe/Vienna"):
            (root / "usr/share/zoneinfo" / zone).write_text("TZif")

    def command(self, *arguments):
        return [BUILD / "amphora-config-drive", "--root", self.root, "--wait", "0", *arguments]

    def run(self, *arguments, wrapper=()):
        return subprocess.run([*wrapper, *self.command(*arguments)], text=True, timeout=60,
                              capture_output=True, check=False)

    def apply(self, drive):
        return self.run("--drive", getattr(drive, "folder", drive))

    def path(self, path):
        return self.root / path.lstrip("/")

    def read(self, path):
        return self.path(path).read_text()

    def device(self, name):
        """Where an image has to be to be the block device of that name."""
        (self.root / "sys/class/block" / name).mkdir()
        return self.root / "dev" / name


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "root")


@pytest.fixture
def make_drive(tmp_path):
    def make(**content):
        return ConfigDrive(tmp_path / f"drive-{uuid.uuid4()}", **content)
    return make


@pytest.fixture(scope="module")
def files():
    return octavia_files(str(uuid.uuid4()))


def lines(result):
    """The log's lines, without the journal's priorities."""
    return [re.sub(r"^<\d>", "", line) for line in result.stderr.splitlines()]


# What a controller sends.

def test_the_files_of_a_controller_arrive_byte_for_byte(machine, make_drive, files):
    drive = make_drive(files=files, user_data=octavia_user_data({}), network=network_data(DHCP))
    result = machine.apply(drive)
    assert result.returncode == APPLIED, result.stderr
    assert {path: machine.read(path) for path in files} == files


def test_files_are_for_root_only_and_their_folders_for_everybody(machine, make_drive, files):
    assert machine.apply(make_drive(files=files)).returncode == APPLIED
    for path in files:
        assert stat.filemode(machine.path(path).stat().st_mode) == "-rw-------"
        assert machine.path(path).stat().st_uid == os.getuid()
    assert stat.filemode(machine.path("/etc/octavia/certs").stat().st_mode) == "drwxr-xr-x"


def test_the_files_of_user_data_are_what_cloud_init_would_read(machine, make_drive, files):
    user_data = octavia_user_data(files)
    assert machine.apply(make_drive(user_data=user_data)).returncode == APPLIED
    expected = {entry["path"]: entry["content"]
                for entry in yaml.safe_load(user_data)["write_files"]}
    assert {path: machine.read(path) for path in files} == expected
    for path in files:
        if path.endswith(".pem"):
            assert machine.read(path) == files[path]
        assert stat.filemode(machine.path(path).stat().st_mode) == "-rw-------"


def test_whatever_text_the_template_is_given_is_read_as_yaml_has_it(machine, make_drive):
    generator = random.Random(5)
    pieces = ["", "", "a", "- b: |", "    deep", "# no comment", "key: value", "ü€", "runcmd:",
              "trailing  ", "\ttab", "'\"<&>", "---"]

    def text():
        # YAML takes the indentation from the first line, which no file of Octavia's indents.
        return "\n".join(["", "", "first"][generator.randrange(3):] + [
            generator.choice(pieces) for _ in range(generator.randrange(12))])
    sent = {f"/etc/octavia/{number}": text() for number in range(60)}
    user_data = octavia_user_data(sent)
    result = machine.apply(make_drive(user_data=user_data))
    assert result.returncode == APPLIED, result.stderr
    for entry in yaml.safe_load(user_data)["write_files"]:
        assert machine.read(entry["path"]) == entry["content"], repr(sent[entry["path"]])


def test_the_machine_gets_its_name(machine, make_drive, files):
    assert machine.apply(make_drive(files=files)).returncode == APPLIED
    assert machine.read("/etc/hostname") == "amphora-1\n"
    assert machine.read("/etc/hosts") == (
        "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tamphora-1.novalocal amphora-1\n")


def test_the_time_zone_is_linked(machine, make_drive):
    drive = make_drive(user_data=octavia_user_data({}, timezone="Europe/Vienna"))
    assert machine.apply(drive).returncode == APPLIED
    assert os.readlink(machine.path("/etc/localtime")) == "../usr/share/zoneinfo/Europe/Vienna"


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../../../etc/shadow", "/etc/shadow", "a//b"])
def test_a_time_zone_that_is_none_is_left_out(machine, make_drive, zone):
    result = machine.apply(make_drive(user_data=octavia_user_data({}, timezone=zone)))
    assert result.returncode == APPLIED
    assert "time zone" in result.stderr
    assert not machine.path("/etc/localtime").is_symlink()


def test_ssh_keys_are_for_images_with_sshd(machine, make_drive):
    assert machine.apply(make_drive()).returncode == APPLIED
    assert not machine.path("/root/.ssh").exists()
    machine.path("/usr/sbin/sshd").touch()
    machine.path("/root/.ssh").mkdir()
    machine.path("/root/.ssh/authorized_keys").write_text("ssh-rsa AAAA baked-in")
    assert machine.apply(make_drive()).returncode == APPLIED
    keys = machine.path("/root/.ssh/authorized_keys")
    assert keys.read_text() == f"ssh-rsa AAAA baked-in\n{SSH_KEY}\n"
    assert stat.filemode(keys.stat().st_mode) == "-rw-------"


def test_the_random_seed_goes_to_the_kernel(machine, make_drive):
    drive = make_drive()
    assert machine.apply(drive).returncode == APPLIED
    assert machine.read("/dev/urandom") == drive.metadata["random_seed"]


def test_the_management_nic_is_matched_by_its_mac_and_the_rest_left_alone(machine, make_drive):
    assert machine.apply(make_drive(network=network_data(DHCP))).returncode == APPLIED
    first, last = sorted(machine.path("/etc/systemd/network").iterdir())
    assert f"MACAddress={MAC}\n" in first.read_text()
    assert "MTUBytes=1442\n" in first.read_text()
    assert "DHCP=ipv4\n" in first.read_text()
    assert "UseDNS=no\n" in first.read_text()
    assert "Name=*\n" in last.read_text() and "Unmanaged=yes\n" in last.read_text()
    assert stat.filemode(first.stat().st_mode) == "-rw-r--r--"  # networkd is not root


@pytest.mark.parametrize("network", [None, {"links": [], "networks": []}, {"links": 5}, [], "{"])
def test_without_a_network_the_first_nic_asks_by_dhcp(machine, make_drive, network):
    drive = make_drive(network=network)
    if network == "{":
        drive.write("network_data.json", network)
    result = machine.apply(drive)
    assert result.returncode == APPLIED
    assert "eth0 asks by DHCP" in result.stderr
    first, _ = sorted(machine.path("/etc/systemd/network").iterdir())
    assert "Name=eth0\n" in first.read_text() and "DHCP=ipv4\n" in first.read_text()


def test_it_says_what_it_did_in_a_line_each(machine, make_drive, files):
    result = machine.apply(make_drive(files=files, network=network_data(DHCP)))
    assert all(line.startswith(("<4>", "<6>")) for line in result.stderr.splitlines())
    said = "\n".join(lines(result))
    for word in (*files, "host name amphora-1", MAC, "DHCP", "is applied"):
        assert word in said
    assert "PRIVATE KEY" not in said and "insecure" not in said


# Once per instance.

def test_the_same_instance_is_written_once(machine, make_drive, files):
    drive = make_drive(files=files, network=network_data(DHCP))
    assert machine.apply(drive).returncode == APPLIED
    machine.path(SERVER_PEM).write_text("rotated\n")
    before = snapshot(machine.root)
    result = machine.apply(drive)
    assert result.returncode == NOTHING_TO_DO, result.stderr
    assert "nothing is written" in result.stderr
    assert snapshot(machine.root) == before


def test_another_instance_is_applied_and_the_network_of_the_one_before_forgotten(
        machine, make_drive, files):
    two_nics = network_data(DHCP)
    two_nics["links"].append({**two_nics["links"][0], "id": "tap1",
                              "ethernet_mac_address": "fa:16:3e:00:00:02"})
    two_nics["networks"].append({**DHCP, "id": "network1", "link": "tap1"})
    assert machine.apply(make_drive(files=files, network=two_nics)).returncode == APPLIED
    assert len(list(machine.path("/etc/systemd/network").iterdir())) == 3
    drive = make_drive(files={AGENT_CONF: "[another]\n"}, network=network_data(DHCP))
    assert machine.apply(drive).returncode == APPLIED
    assert machine.read(AGENT_CONF) == "[another]\n"
    assert machine.read(SAVED) == f"{drive.uuid}\n"
    assert len(list(machine.path("/etc/systemd/network").iterdir())) == 2


def test_when_nobody_knows_what_was_applied_nothing_is_written(machine, make_drive, files):
    machine.path(SAVED).mkdir(parents=True)
    before = snapshot(machine.root)
    result = machine.apply(make_drive(files=files))
    assert result.returncode == FAULT
    assert SAVED in result.stderr
    assert snapshot(machine.root) == before


def injected(call, fault):
    """A wrapper under which a system call fails, or is the program's last."""
    return ["strace", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{fault}"]


def write_steps(machine, drive, call):
    """How often a whole run calls it."""
    trace = machine.root.parent / "trace"
    wrapper = ["strace", "-o", trace, "-e", f"trace={call}"]
    assert machine.run("--drive", drive.folder, wrapper=wrapper).returncode == APPLIED
    return sum(1 for line in trace.read_text().splitlines() if f"{call}(" in line)


@pytest.mark.parametrize("call, fault", [
    ("rename", "signal=KILL"), ("fsync", "signal=KILL"), ("fsync", "error=EIO"),
    ("fchmod", "error=ENOSPC")])
def test_a_run_that_does_not_come_to_its_end_is_done_again_wholly(
        tmp_path, make_drive, files, monkeypatch, call, fault):
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0")  # it cannot look while it is traced
    drive = make_drive(files=files, user_data=octavia_user_data({}, timezone="Europe/Vienna"),
                       network=network_data(DHCP))
    whole = Machine(tmp_path / "whole")
    steps = write_steps(whole, drive, call)
    assert steps >= len(files)
    for step in range(1, steps + 1):
        machine = Machine(tmp_path / f"root-{step}")
        result = machine.run("--drive", drive.folder,
                             wrapper=injected(call, f"{fault}:when={step}"))
        # Of the last ones the record itself may be on disk already.
        if step < steps - 1:
            assert not machine.path(SAVED).exists()
        if fault.startswith("error"):
            assert result.returncode == FAULT, result.stderr
        if not machine.path(SAVED).exists():
            assert machine.apply(drive).returncode == APPLIED
        machine.path("/dev/urandom").write_text(whole.read("/dev/urandom"))
        assert ({path: (mode, content) for path, (mode, _, _, content)
                 in snapshot(machine.root).items()} ==
                {path: (mode, content) for path, (mode, _, _, content)
                 in snapshot(whole.root).items()})


# What nobody should send.

@pytest.mark.parametrize("path", [
    "etc/octavia/relative", "", "/", "/etc/../etc/shadow", "/etc/octavia/..", "//etc/shadow",
    "/etc/octavia/", "/etc/./shadow", "/proc/sys/kernel/core_pattern", "/sys/power/state", "/dev/sda",
    "/dev", "/etc/line\nbreak", "/etc/" + "n" * 201, "/etc" + "/n" * 300])
@pytest.mark.parametrize("mode", ["files", "user_data"])
def test_a_hostile_path_spoils_the_whole_drive(machine, make_drive, files, path, mode):
    hostile = {**files, path: "hostile\n"}
    drive = (make_drive(files=hostile) if mode == "files" else
             make_drive(user_data=octavia_user_data(hostile)))
    before = snapshot(machine.root)
    result = machine.apply(drive)
    assert result.returncode == FAULT
    assert "refused" in result.stderr or "line " in result.stderr
    assert snapshot(machine.root) == before


def test_no_file_is_written_through_a_link(machine, make_drive, tmp_path):
    (tmp_path / "outside").mkdir()
    machine.path("/etc/linked").symlink_to(tmp_path / "outside")
    result = machine.apply(make_drive(files={"/etc/linked/file": "hostile\n"}))
    assert result.returncode == FAULT
    assert "symbolic link" in result.stderr
    assert not list((tmp_path / "outside").iterdir())
    assert not machine.path(SAVED).exists()


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(machine, make_drive, tmp_path):
    (tmp_path / "outside").write_text("untouched")
    machine.path(AGENT_CONF).symlink_to(tmp_path / "outside")
    assert machine.apply(make_drive(files={AGENT_CONF: "new\n"})).returncode == APPLIED
    assert (tmp_path / "outside").read_text() == "untouched"
    assert not machine.path(AGENT_CONF).is_symlink() and machine.read(AGENT_CONF) == "new\n"


@pytest.mark.parametrize("content_path", [
    "/content/9999", "/../../secret", "content/0001", "/content", "/content/link", "/linked/0001",
    "/content/fifo", None, 5])
def test_content_comes_from_files_on_the_drive_only(machine, make_drive, files, content_path):
    drive = make_drive(files=files)
    (drive.folder.parent / "secret").write_text("secret")
    (drive.content / "link").symlink_to(drive.folder.parent / "secret")
    (drive.folder / "openstack/linked").symlink_to(drive.content)
    os.mkfifo(drive.content / "fifo")
    drive.metadata["files"].append({"path": "/etc/octavia/last", "content_path": content_path})
    drive.save_metadata()
    before = snapshot(machine.root)
    result = machine.apply(drive)
    assert result.returncode == FAULT
    assert snapshot(machine.root) == before


@pytest.mark.parametrize("metadata", [
    "", "{", "[]", "5", "null", '{"uuid": 5}', "{}", '{"uuid": "a/b"}', '{"uuid": "..", "files": []}',
    '{"uuid": "a", "uuid": "b"}', '{"uuid": "a", "files": 5}', '{"uuid": "a", "files": [5]}',
    '{"uuid": "a", "files": [' + ",".join(['{"path": "/a", "content_path": "/b"}'] * 65) + "]}",
    '{"uuid": "a", "x": ' + "[" * 5000 + "]" * 5000 + "}", '{"uuid": "a\\u0000"}', b'{"uuid": "\xff"}',
    '{"uuid": "a"}' + " " * (256 << 10)], ids=range(17))
def test_metadata_that_cannot_be_used_is_a_fault_that_names_it(machine, make_drive, metadata):
    drive = make_drive()
    drive.write("meta_data.json", metadata)
    before = snapshot(machine.root)
    result = machine.apply(drive)
    assert result.returncode == FAULT
    assert "meta_data.json" in result.stderr
    assert snapshot(machine.root) == before


@pytest.mark.parametrize("name", ["-a", "a b", "a..b", "", "a" * 64, "a\nb", "ä", ".".join("a" * 130)])
def test_a_name_that_is_none_is_left_out(machine, make_drive, name):
    result = machine.apply(make_drive(hostname=name))
    assert result.returncode == APPLIED
    assert "hostname is not used" in result.stderr
    assert machine.read("/etc/hostname") == "debian\n"


def test_a_file_may_take_256_kib_and_no_byte_more(machine, make_drive):
    size = 256 << 10
    assert machine.apply(make_drive(files={AGENT_CONF: b"\xff" * size})).returncode == APPLIED
    assert machine.path(AGENT_CONF).read_bytes() == b"\xff" * size
    result = machine.apply(make_drive(files={AGENT_CONF: b"x" * (size + 1)}))
    assert result.returncode == FAULT
    assert f"{size} bytes" in result.stderr


def test_user_data_that_is_no_cloud_config_is_left_out(machine, make_drive, files):
    result = machine.apply(make_drive(files=files, user_data=b"\x1f\x8b\x00gzip"))
    assert result.returncode == APPLIED
    assert "user_data is no #cloud-config" in result.stderr
    assert machine.read(AGENT_CONF) == files[AGENT_CONF]


# Where the drive is.

@pytest.mark.parametrize("options, size_mib", [
    (None, 0), ((), 64), (("-F", "12"), 4), (("-F", "32"), 64)])
def test_the_drive_is_found_by_its_label(machine, make_drive, options, size_mib):
    drive = make_drive()
    machine.device("sr0")  # without a medium
    machine.device("vda").write_bytes(os.urandom(1 << 20))
    subprocess.run(["genisoimage", "-quiet", "-V", "another", "-o", machine.device("sr1"),
                    drive.folder], check=True)
    path = machine.device("vdb")
    if options is None:
        drive.iso(path)
    else:
        drive.vfat(path, *options, size_mib=size_mib)
    result = machine.run()
    assert str(path) in result.stderr
    # This machine's kernel may lack the file system; the guest's mounts it.
    lacks_it = "this kernel's file system" in result.stderr
    assert result.returncode == (FAULT if lacks_it else APPLIED), result.stderr


def test_without_a_drive_nothing_is_done(machine):
    machine.device("vda").write_bytes(bytes(1 << 20))
    before = snapshot(machine.root)
    result = machine.run()
    assert result.returncode == NO_DRIVE
    assert "config-2" in result.stderr
    assert snapshot(machine.root) == before


def test_a_drive_may_be_late(machine, make_drive):
    with subprocess.Popen([*machine.command("--wait", "60")], stderr=subprocess.PIPE,
                          text=True) as program:
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(0.5)
        image = make_drive().iso(machine.root / "image")
        image.rename(machine.device("vdb"))
        _, said = program.communicate(timeout=120)
    assert str(machine.root / "dev/vdb") in said


@pytest.mark.parametrize("what", ["nothing", "fifo", "empty"])
def test_a_drive_that_is_none_is_a_fault(machine, tmp_path, what):
    path = tmp_path / what
    if what == "fifo":
        os.mkfifo(path)
        keep = os.open(path, os.O_RDWR)
    elif what == "empty":
        path.touch()
    result = machine.apply(path)
    assert result.returncode == FAULT
    assert str(path) in result.stderr
    if what == "fifo":
        os.close(keep)


@pytest.mark.parametrize("arguments", [("--bogus",), ("operand",), ("--wait", "long"),
                                       ("--wait", "601"), ("--drive",)])
def test_wrong_use_is_told_from_a_fault(machine, arguments):
    result = machine.run(*arguments)
    assert result.returncode == WRONG_USE
    assert "amphora-config-drive" in result.stderr


# As a machine's own root.

def test_on_its_own_root_the_machine_is_renamed_at_once(machine, make_drive, files):
    drive = make_drive(files=files)
    for folder in ("usr", "proc", "build", "drive"):
        (machine.root / folder).mkdir(exist_ok=True)
    for link in ("lib", "lib64", "bin"):
        machine.path(link).symlink_to(f"usr/{link}")
    script = f"""set -e
        mount --bind /usr {machine.root}/usr
        mount --bind /proc {machine.root}/proc
        mount --bind {BUILD.resolve()} {machine.root}/build
        mount --bind {drive.folder} {machine.root}/drive
        chroot {machine.root} /build/amphora-config-drive --drive /drive
        hostname"""
    result = subprocess.run(["unshare", "--mount", "--uts", "sh", "-c", script],
                            capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "amphora-1\n"
    assert f"wrote {AGENT_CONF}, " in result.stderr
    assert machine.read(AGENT_CONF) == files[AGENT_CONF]
    assert os.uname().nodename != "amphora-1"
