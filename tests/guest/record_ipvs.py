# SPDX-License-Identifier: Apache-2.0
"""Records what a kernel's IPVS answers, for the unit tests: tests/data/ipvs/README.md.

usage: record_ipvs.py DIRECTORY      in the guest, as root
"""

import pathlib
import socket
import struct
import subprocess
import sys
import time

NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
IPVS_CMD_GET_SERVICE, IPVS_CMD_GET_DEST, IPVS_CMD_ATTR_SERVICE = 4, 8, 1
AF, PROTOCOL, ADDRESS, PORT = 1, 2, 3, 4

SERVICES = {
    "udp4": (socket.AF_INET, socket.IPPROTO_UDP, "10.0.0.10", 53),
    "udp6": (socket.AF_INET6, socket.IPPROTO_UDP, "fd00::10", 53),
    "sctp4": (socket.AF_INET, socket.IPPROTO_SCTP, "10.0.0.10", 2905),
    "many": (socket.AF_INET, socket.IPPROTO_UDP, "10.0.0.11", 514),
}
MANY = 80  # destinations: more than one datagram holds

CONFIG = """
virtual_server_group ipv4-group {
    10.0.0.10 53
}
virtual_server group ipv4-group {
    lb_algo wrr
    lb_kind NAT
    protocol UDP
    real_server 10.0.0.1 5301 {
        weight 1
    }
    real_server 10.0.0.2 5302 {
        weight 0
    }
}
virtual_server_group ipv6-group {
    fd00::10 53
}
virtual_server group ipv6-group {
    lb_algo wrr
    lb_kind NAT
    protocol UDP
    real_server fd00::1 5301 {
        weight 256
        uthreshold 1000
    }
}
virtual_server_group sctp-group {
    10.0.0.10 2905
}
virtual_server group sctp-group {
    lb_algo sh
    lb_kind NAT
    protocol SCTP
    persistence_timeout 360
    persistence_granularity 255.255.255.255
    real_server 10.0.0.1 2906 {
        weight 5
    }
}
"""


def sh(command):
    return subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout


def attribute(kind, payload):
    padding = b"\0" * (-len(payload) % 4)
    return struct.pack("HH", 4 + len(payload), kind) + payload + padding


class Netlink:
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.socket.bind((0, 0))
        self.sequence = 0

    def ask(self, kind, flags, command, payload):
        """The bytes of the whole answer, datagram by datagram."""
        self.sequence += 1
        body = struct.pack("BBH", command, 1, 0) + payload
        self.socket.send(struct.pack(
            "IHHII", 16 + len(body), kind, NLM_F_REQUEST | flags, self.sequence, 0) + body)
        datagrams = []
        while True:
            datagrams.append(self.socket.recv(16384))
            if not flags & NLM_F_DUMP or self._ends(datagrams[-1]):
                return datagrams

    @staticmethod
    def _ends(datagram):
        while datagram:
            length, kind = struct.unpack_from("IH", datagram)
            if kind in (NLMSG_ERROR, NLMSG_DONE):
                return True
            datagram = datagram[(length + 3) & ~3:]
        return False

    def family(self, name):
        answer, = self.ask(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY,
                           attribute(CTRL_ATTR_FAMILY_NAME, name.encode() + b"\0"))
        offset = 20
        while offset < len(answer):
            length, kind = struct.unpack_from("HH", answer, offset)
            if kind == CTRL_ATTR_FAMILY_ID:
                return struct.unpack_from("H", answer, offset + 4)[0]
            offset += (length + 3) & ~3
        raise LookupError(name)


def service(family, protocol, address, port):
    return attribute(IPVS_CMD_ATTR_SERVICE, b"".join([
        attribute(AF, struct.pack("H", family)),
        attribute(PROTOCOL, struct.pack("H", protocol)),
        attribute(ADDRESS, socket.inet_pton(family, address).ljust(16, b"\0")),
        attribute(PORT, struct.pack("!H", port))]))


def record(folder, name, datagrams):
    (folder / f"{name}.bin").write_bytes(b"".join(datagrams))
    print(f"{name}: {len(datagrams)} datagrams of {[len(datagram) for datagram in datagrams]}")


def send_udp(family, source, destination, count):
    """Each datagram from a port of its own: a connection to IPVS."""
    for _ in range(count):
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.bind((source, 0))
            client.sendto(b"x" * 100, destination)


def main():
    folder = pathlib.Path(sys.argv[1])
    for command in ("modprobe ip_vs", "modprobe dummy", "modprobe nf_conntrack",
                    "ip link add d0 type dummy", "ip link set d0 up"):
        sh(command)
    for address in ("10.0.0.1/24", "10.0.0.2/24", "10.0.0.10/32", "10.0.0.11/32"):
        sh(f"ip address add {address} dev d0")
    for address in ("fd00::1/64", "fd00::10/128"):
        sh(f"ip address add {address} dev d0 nodad")
    netlink = Netlink()
    family = netlink.family("IPVS")
    record(folder, "empty", netlink.ask(family, NLM_F_DUMP, IPVS_CMD_GET_SERVICE, b""))

    config = pathlib.Path("/run/keepalived.conf")
    config.write_text(CONFIG)
    sh(f"keepalived -C -f {config} -p /run/k.pid -c /run/c.pid")
    sh(f"ipvsadm -A -u {SERVICES['many'][2]}:514 -s rr")
    for i in range(MANY):
        sh(f"ipvsadm -a -u {SERVICES['many'][2]}:514 -r 10.1.{i // 100}.{i % 100}:514 -m -w {i}")
    sh("ipvsadm -A -f 7 -s rr && ipvsadm -a -f 7 -r 10.0.0.1 -m")
    while "fd00::10" not in sh("ipvsadm -Ln"):
        time.sleep(0.1)
    send_udp(socket.AF_INET, "10.0.0.1", ("10.0.0.10", 53), 3)
    send_udp(socket.AF_INET6, "fd00::1", ("fd00::10", 53), 2)
    time.sleep(3)  # the kernel's statistics are gathered every two seconds
    record(folder, "services", netlink.ask(family, NLM_F_DUMP, IPVS_CMD_GET_SERVICE, b""))
    for name, known_by in SERVICES.items():
        record(folder, f"destinations-{name}",
               netlink.ask(family, NLM_F_DUMP, IPVS_CMD_GET_DEST, service(*known_by)))
    record(folder, "destinations-of-none", netlink.ask(
        family, NLM_F_DUMP, IPVS_CMD_GET_DEST, service(socket.AF_INET, 17, "10.9.9.9", 1)))
    refused = sh(f"setpriv --reuid 65534 --clear-groups {sys.executable} -c '{REFUSED}' {family}")
    record(folder, "refused", [bytes.fromhex(refused)])
    print(sh("uname -r; ipvsadm -Ln | grep -v 10.1.0; ipvsadm -Ln --stats --exact | grep -v 10.1.0"))


REFUSED = """
import socket, struct, sys
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
netlink.send(struct.pack("IHHIIBBH", 20, int(sys.argv[1]), 0x301, 1, 0, 4, 1, 0))
print(netlink.recv(16384).hex())
""".replace("'", "\"")

if __name__ == "__main__":
    main()
