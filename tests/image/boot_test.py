# SPDX-License-Identifier: Apache-2.0
"""The image's first boot: what it answers, when, and what runs on it."""

import collections
import re
import shutil
import socket

import pytest

from harness.eventually import eventually
from harness.image_amphora import ImageAmphora
from harness.ports import free_port

# An emulated machine takes many times what a real one does: these catch a boot that waits for something.
ANSWER_AFTER_NETWORK_S, BEAT_AFTER_ANSWER_S = 10, 20

# As the kernel shortens their names.
OUR_PROGRAMS = {"amphora-agent", "amphora-heartbe", "prometheus-prox"}
OUR_MEMORY_MIB = 20


@pytest.fixture
def shell(amphora):
    return amphora.machine.shell


def seconds_of(journal, text):
    """When the first line with that text was logged, in seconds since the kernel started."""
    line = next(line for line in journal.splitlines() if text in line)
    return float(re.match(r"\[ *([\d.]+)\]", line)[1])


def test_the_first_answer_comes_with_the_network(booted, amphora, figure):
    boot = booted[1]
    figure("power-on to the first mutual-TLS answer", f"{boot.first_answer_s - boot.started_s:.1f} s")
    figure("power-on to the first heartbeat", f"{boot.first_beat.arrived_s - boot.started_s:.1f} s")
    network = seconds_of(amphora.journal("systemd-networkd"), "address 10.0.2.15")
    answer = seconds_of(amphora.journal("amphora-agent"), "GET / 200")
    figure("  in the machine: kernel start to the management address", f"{network:.2f} s")
    figure("  and from then to the first answer", f"{answer - network:.2f} s")
    assert answer - network < ANSWER_AFTER_NETWORK_S
    assert boot.first_beat.arrived_s - boot.first_answer_s < BEAT_AFTER_ANSWER_S


def test_nothing_fails_and_nothing_waits(shell):
    assert shell.run("systemctl --failed --no-legend") == ""
    assert shell.run("systemctl list-jobs --no-legend") == ""
    assert shell.run("systemctl is-system-running") == "running\n"


def test_the_machine_is_the_amphora_that_its_config_drive_names(booted, amphora, shell):
    info = amphora.api.get("/1.0/info").json
    assert info["hostname"] == shell.run("hostname").strip() == f"amphora-{amphora.id}"
    assert info["api_version"] == "1.0"
    assert (shell.run("stat -c '%U %a' /etc/octavia/certs/server.pem")) == "root 600\n"
    assert "applied" in amphora.journal("amphora-config-drive")
    assert "is applied" in booted[1].console


def test_what_an_idle_amphora_takes(shell, figure):
    rows = shell.run("cd /proc; for pid in [0-9]*; do echo $(cat $pid/comm) "
                     "$(awk '/^Pss:/ { print $2 }' $pid/smaps_rollup); done 2>/dev/null", 300)
    sizes = collections.Counter()  # a name may be several processes'
    for name, size in (row for row in map(str.split, rows.splitlines()) if len(row) == 2):
        if name not in ("sh", "awk", "cat"):
            sizes[name] += int(size)
    for name, size in sizes.most_common():
        figure(f"memory of the idle guest (PSS): {name}", f"{size / 1024:.1f} MiB")
    figure("memory of the idle guest: all processes", f"{sum(sizes.values()) / 1024:.1f} MiB")
    ours = {name: size for name, size in sizes.items() if name in OUR_PROGRAMS}
    assert ours.keys() == OUR_PROGRAMS
    assert sum(ours.values()) < OUR_MEMORY_MIB * 1024
    assert not [name for name in sizes if "python" in name]


def test_only_the_management_nic_is_networkds(amphora, shell, bed):
    mac = "fa:16:3e:00:00:77"
    amphora.machine.add_nic(bed.open_tap("vip"), mac)
    # Until networkd has looked at it there is no such file, and networkctl calls it unmanaged, too.
    state = "/run/systemd/netif/links/$(cat /sys/class/net/eth1/ifindex)"
    eventually(lambda: shell.ask(f"grep -x ADMIN_STATE=unmanaged {state}")[0] == 0,
               "networkd leaves eth1 alone", 60)
    eth1 = shell.run("ip -br link show eth1")
    assert mac in eth1 and " DOWN " in eth1
    amphora.machine.remove_nic(mac)


def test_the_kernel_is_set_up_for_load_balancing(shell):
    sysctl = shell.run("sysctl -n net.ipv4.ip_nonlocal_bind net.core.somaxconn fs.nr_open")
    assert sysctl.split() == ["1", "65534", "2600000"]
    assert shell.run("ls /proc/net/ip_vs /proc/sys/net/ipv4/vs/conntrack")
    assert shell.run("findmnt -no FSTYPE /var/lib/octavia/certs") == "tmpfs\n"


def test_the_same_disk_boots_by_uefi(image, folder, figure):
    shutil.copyfile("/usr/share/OVMF/OVMF_VARS_4M.fd", folder / "variables")
    amphora = ImageAmphora.new(folder, image, free_port(), free_port(kind=socket.SOCK_DGRAM), firmware=(
        "-drive", "file=/usr/share/OVMF/OVMF_CODE_4M.fd,if=pflash,format=raw,unit=0,readonly=on",
        "-drive", f"file={folder / 'variables'},if=pflash,format=raw,unit=1"))
    with amphora.machine as machine:
        machine.start()
        first_answer_s = amphora.wait_for_first_answer()
        figure("power-on by UEFI to the first mutual-TLS answer",
               f"{first_answer_s - machine.started_s:.1f} s")
        amphora.wait_for_boot()
        assert machine.shell.run("ls -d /sys/firmware/efi")
