# SPDX-License-Identifier: Apache-2.0
"""Config drives as nova makes them, with what Octavia's own templates render for an amphora."""

import base64
import contextlib
import json
import os
import pathlib
import subprocess
import uuid

from octavia.amphorae.backends.agent import agent_jinja_cfg
from octavia.common.config import cfg
from octavia.common.jinja import user_data_jinja_cfg
from octavia.common.jinja.logging import logging_jinja_cfg
from oslo_log import log

from harness import certificates

CONF = cfg.CONF
log.register_options(CONF)

MAC = "fa:16:3e:00:00:01"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ operator"
# The command lines of nova's virt/configdrive.py.
GENISOIMAGE = ["genisoimage", "-ldots", "-allow-lowercase", "-allow-multidot", "-l", "-publisher",
               "OpenStack Nova", "-quiet", "-J", "-r", "-V", "config-2"]
MKFS_VFAT = ["/sbin/mkfs.vfat", "-n", "config-2"]


@contextlib.contextmanager
def controller_options(**options):
    """Octavia's options for a while: group__key=value."""
    names = [name.partition("__")[::2] for name in options]
    for (group, key), value in zip(names, options.values()):
        CONF.set_override(key, value, group)
    try:
        yield
    finally:
        for group, key in names:
            CONF.clear_override(key, group)


def octavia_files(amphora_id, topology="SINGLE", **options):
    """{path: text} of the four files that a controller with these options sends with a new amphora."""
    identity = certificates.amphora_authority().issue(amphora_id)
    with controller_options(**{
            "health_manager__controller_ip_port_list": ["192.0.2.1:5555", "[2001:db8::1]:5555"],
            "health_manager__heartbeat_key": "insecure",
            "amphora_agent__admin_log_targets": ["192.0.2.2:514"], **options}):
        return {
            "/etc/octavia/certs/server.pem": identity.pem.decode(),
            "/etc/octavia/certs/client_ca.pem":
                certificates.controller_authority().as_identity().certificate_pem.decode(),
            "/etc/octavia/amphora-agent.conf":
                agent_jinja_cfg.AgentJinjaTemplater().build_agent_config(amphora_id, topology),
            "/etc/rsyslog.d/10-rsyslog.conf":
                logging_jinja_cfg.LoggingJinjaTemplater().build_logging_config(),
        }


def octavia_user_data(files, timezone="UTC"):
    with controller_options(controller_worker__amp_timezone=timezone):
        return user_data_jinja_cfg.UserDataJinjaCfg().build_user_data_config(files)


def network_data(*networks, mac=MAC, mtu=1442):
    """One NIC, as nova describes it."""
    return {
        "links": [{"id": "tap0", "vif_id": str(uuid.uuid4()), "type": "ovs", "mtu": mtu,
                   "ethernet_mac_address": mac}],
        "networks": [{"id": f"network{number}", "link": "tap0", "network_id": str(uuid.uuid4()),
                      **network} for number, network in enumerate(networks)],
        "services": [{"type": "dns", "address": "192.0.2.53"}],
    }


DHCP = {"type": "ipv4_dhcp"}


class ConfigDrive:
    """The folders of a drive; change what is in them, then use the folder or an image of it."""

    def __init__(self, folder, files=None, user_data=None, network=None, **metadata):
        self.folder = pathlib.Path(folder)
        self.uuid = str(uuid.uuid4())
        self.metadata = {
            "uuid": self.uuid, "name": "amphora-1", "hostname": "amphora-1.novalocal",
            "launch_index": 0, "availability_zone": "nova", "project_id": uuid.uuid4().hex,
            "devices": [], "dedicated_cpus": [], "public_keys": {"operator": SSH_KEY + "\n"},
            "keys": [{"name": "operator", "type": "ssh", "data": SSH_KEY + "\n"}],
            "random_seed": base64.b64encode(os.urandom(512)).decode(), **metadata}
        self.latest = self.folder / "openstack" / "latest"
        self.content = self.folder / "openstack" / "content"
        self.latest.mkdir(parents=True)
        self.content.mkdir()
        # Flat injection takes number 0000: whoever counts takes the wrong ones.
        (self.content / "0000").write_text("# not a file of Octavia's\n")
        for path, text in (files or {}).items():
            self.add_file(path, text)
        if user_data is not None:
            self.write("user_data", user_data)
        if network is not None:
            self.write("network_data.json", json.dumps(network))
        self.write("vendor_data.json", "{}")
        self.save_metadata()

    def write(self, name, text):
        (self.latest / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def save_metadata(self, **changes):
        self.metadata.update(changes)
        self.write("meta_data.json", json.dumps(self.metadata))

    def add_file(self, path, text):
        number = f"{len(self.metadata.setdefault('files', [])) + 1:04}"
        (self.content / number).write_bytes(text if isinstance(text, bytes) else text.encode())
        self.metadata["files"].append({"path": path, "content_path": f"/content/{number}"})
        self.save_metadata()

    def iso(self, path):
        subprocess.run([*GENISOIMAGE, "-o", path, self.folder], check=True)
        return path

    def vfat(self, path, *options, size_mib=64):
        """nova's are of 64 MiB, which mkfs.vfat makes FAT16."""
        with open(path, "wb") as image:
            image.truncate(size_mib << 20)
        subprocess.run([*MKFS_VFAT, *options, path], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["mcopy", "-s", "-i", path, self.folder / "openstack", "::/"], check=True)
        return path
