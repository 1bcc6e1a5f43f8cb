# SPDX-License-Identifier: Apache-2.0
"""A UDP or SCTP listener as a controller uploads it, and a keepalived that only pretends to serve
it: real ones need IPVS in the kernel."""

import pathlib
import uuid

from harness.ports import free_port

FAKE_KEEPALIVED = pathlib.Path(__file__).with_name("fake_keepalived.sh")


class FakeKeepalived:
    """What the fake ones of one amphora did, and what fails from now on. Make it before the agent
    starts."""

    def __init__(self, amphora, monkeypatch, version="2.2.7"):
        self.path = amphora.directory / "keepalived.log"
        monkeypatch.setenv("FAKE_KEEPALIVED_LOG", str(self.path))
        monkeypatch.setenv("FAKE_KEEPALIVED_VERSION", version)
        amphora.drop_in.set("agent", "keepalived_cmd", FAKE_KEEPALIVED)

    def steps(self):
        """The words since the last call: "check", "start", "reload", "stop"."""
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines()
        self.path.unlink()
        return [line.split()[0] for line in lines]

    def fail(self, *steps):
        self.path.with_name(self.path.name + ".fail").write_text("\n".join(steps) + "\n")


class UdpListener:
    def __init__(self, amphora, vips=("127.0.0.1",), members=("203.0.113.1",), protocol="UDP"):
        self.amphora = amphora
        self.id = str(uuid.uuid4())
        self.pool_id = str(uuid.uuid4())
        self.vips = list(vips)
        self.members = {str(uuid.uuid4()): address for address in members}
        self.port = free_port()
        self.protocol = protocol

    def configuration(self):
        if not self.vips:
            return f"# Listener {self.id} is disabled\n\nnet_namespace amphora-haproxy\n"
        lines = [f"# Configuration for Listener {self.id}", "", "net_namespace amphora-haproxy", "",
                 "virtual_server_group ipv4-group {",
                 *(f"    {vip} {self.port}" for vip in self.vips),
                 "}", "",
                 "virtual_server group ipv4-group {", "    lb_algo wrr", "    lb_kind NAT",
                 f"    protocol {self.protocol}", "", f"    # Configuration for Pool {self.pool_id}"]
        for member, address in self.members.items():
            lines += [f"    # Configuration for Member {member}",
                      f"    real_server {address} 53 {{", "        weight 1", "    }"]
        return "\n".join([*lines, "}", ""])

    # Requests

    @property
    def path(self):
        return f"/1.0/listeners/{self.id}/udp_listener"

    def upload(self, text=None):
        path = f"/1.0/listeners/{self.amphora.id}/{self.id}/udp_listener"
        return self.amphora.api.put(path, text or self.configuration())

    def act(self, action):
        return self.amphora.api.put(f"/1.0/loadbalancer/{self.id}/{action}")

    def serve(self):
        answer = self.upload()
        assert answer.status == 200, answer
        answer = self.act("reload")
        assert answer.status == 202, answer
        return self

    def delete(self):
        return self.amphora.api.delete(f"/1.0/listeners/{self.id}")

    def status(self):
        """As GET listeners tells it; None when it is not there."""
        for entry in self.amphora.api.get("/1.0/listeners").json:
            if entry["uuid"] == self.id:
                assert entry["type"] == "UDP"
                return entry["status"]
        return None

    # What is seen from outside

    def file(self, suffix):
        return self.amphora.base_path / "lvs" / f"octavia-keepalivedlvs-{self.id}.{suffix}"

    @property
    def pid(self):
        """Its keepalived's; 0 when it does not run."""
        try:
            pid = int(self.file("pid").read_text())
        except (FileNotFoundError, ValueError):
            return 0
        return pid if pid in self.amphora.processes() else 0
