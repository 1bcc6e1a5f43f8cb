# SPDX-License-Identifier: Apache-2.0
"""A UDP or SCTP listener as a controller uploads it: addresses, one pool, members."""

import dataclasses
import ipaddress
import uuid


@dataclasses.dataclass
class LvsMember:
    address: str
    port: int
    weight: int = 1
    enabled: bool = True
    check: str = ""  # the lines of a checker, if any
    id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))


class LvsListener:
    """What a test knows of one listener; nothing reaches the amphora before `upload`."""

    def __init__(self, amphora, addresses, port, members=(), protocol="UDP", namespace="",
                 load_balancer_id=None):
        self.amphora = amphora
        self.id = str(uuid.uuid4())
        self.pool_id = str(uuid.uuid4())
        self.has_pool = True
        self.addresses = addresses
        self.port = port
        self.members = list(members)
        self.protocol = protocol
        self.namespace = namespace
        self.load_balancer_id = load_balancer_id

    def configuration(self):
        """In the shape in which a controller renders it."""
        blocks = [f"# Configuration for Listener {self.id}\n"]
        if self.load_balancer_id:
            blocks.insert(0, f"# Configuration for Loadbalancer {self.load_balancer_id}\n")
        if self.namespace:
            blocks.append(f"net_namespace {self.namespace}\n")
        for version in (4, 6):
            addresses = [a for a in self.addresses if version_of(a) == version]
            if addresses and self.has_pool:
                blocks.append(self._virtual_server(version, addresses))
        return "\n".join(blocks)

    def _virtual_server(self, version, addresses):
        members = "".join(member_block(member) for member in self.members
                          if version_of(member.address) == version)
        lines = "".join(f"    {address} {self.port}\n" for address in addresses)
        return (f"virtual_server_group ipv{version}-group {{\n{lines}}}\n\n"
                f"virtual_server group ipv{version}-group {{\n"
                f"    lb_algo wrr\n    lb_kind NAT\n    protocol {self.protocol}\n"
                f"    delay_loop 1\n    delay_before_retry 1\n    retry 1\n\n"
                f"    # Configuration for Pool {self.pool_id}\n{members}}}\n")

    # Requests

    @property
    def upload_path(self):
        return f"/1.0/listeners/{self.amphora.id}/{self.id}/udp_listener"

    def upload(self, text=None):
        return self.amphora.api.put(self.upload_path, text or self.configuration())

    def act(self, action):
        return self.amphora.api.put(f"/1.0/loadbalancer/{self.id}/{action}")

    def serve(self):
        """Upload and reload, as a controller's first start is."""
        answer = self.upload()
        assert answer.status == 200, answer
        answer = self.act("reload")
        assert answer.status == 202, answer
        return self

    def delete(self):
        return self.amphora.api.delete(f"/1.0/listeners/{self.id}")

    def read(self):
        return self.amphora.api.get(f"/1.0/listeners/{self.id}/udp_listener")

    def status(self):
        """As GET listeners tells it; None when it is not there."""
        for entry in self.amphora.api.get("/1.0/listeners").json:
            if entry["uuid"] == self.id:
                assert entry["type"] == "UDP"
                return entry["status"]
        return None

    # Its files and its process

    @property
    def pid(self):
        """Its keepalived's; 0 when it does not run."""
        try:
            pid = int(self.file("pid").read_text())
        except (FileNotFoundError, ValueError):
            return 0
        return pid if pid in self.amphora.processes() else 0

    def file(self, ending):
        return self.amphora.base_path / "lvs" / f"octavia-keepalivedlvs-{self.id}.{ending}"


def version_of(address):
    return ipaddress.ip_address(address).version


def member_block(member):
    if not member.enabled:
        return f"    # Member {member.id} is disabled\n"
    return (f"    # Configuration for Member {member.id}\n"
            f"    real_server {member.address} {member.port} {{\n"
            f"        weight {member.weight}\n{member.check}    }}\n")
