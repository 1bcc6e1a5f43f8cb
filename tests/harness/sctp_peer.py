# SPDX-License-Identifier: Apache-2.0
"""An SCTP endpoint by hand, on a raw socket in a network namespace: what answers an INIT, and how,
is the test's choice. The kernel needs no SCTP."""

import json
import pathlib
import socket
import struct
import subprocess
import sys

INIT, INIT_ACK, ABORT = 1, 2, 6
PEER_TAG = 0xCAFEBABE


class SctpPeer:
    """answers: packets to send for an INIT, in turn: "init-ack", "abort", "other", or a wrong one:
    "init-ack/tag", "init-ack/ports", "init-ack/checksum"."""

    def __init__(self, namespace, address, port, answers=()):
        self.command = ["ip", "netns", "exec", namespace.name, sys.executable,
                        str(pathlib.Path(__file__)), address, str(port), *answers]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def next_packet(self):
        """The next packet that arrived: type, tag (in its header), initiate_tag (of an INIT)."""
        return json.loads(self.process.stdout.readline())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def packet(source, destination, tag, chunk, damage=0):
    header = struct.pack("!HHL", source, destination, tag)
    checksum = crc32c(header + bytes(4) + chunk) ^ damage
    return header + struct.pack("<L", checksum) + chunk


def answer(kind, port, init):
    """The packet of that kind for an INIT that came to port."""
    name, _, wrong = kind.partition("/")
    chunk = {
        "init-ack": struct.pack("!BBHLLHHL", INIT_ACK, 0, 20, PEER_TAG, 65536, 1, 1, 7),
        "abort": struct.pack("!BBH", ABORT, 0, 4),
        "other": struct.pack("!BBH", 14, 0, 4),
    }[name]
    return packet(port + (wrong == "ports"), init["source"],
                  init["initiate_tag"] ^ (wrong == "tag"), chunk, wrong == "checksum")


def parse(data):
    source, destination, tag, checksum = struct.unpack("!HHLL", data[:12])
    assert checksum == struct.unpack(">L", struct.pack(
        "<L", crc32c(data[:8] + bytes(4) + data[12:])))[0], "a wrong checksum"
    assert struct.unpack("!H", data[14:16])[0] == len(data) - 12, "a wrong chunk length"
    found = {"source": source, "destination": destination, "tag": tag, "type": data[12]}
    if found["type"] == INIT:
        found["initiate_tag"] = struct.unpack("!L", data[16:20])[0]
    return found


def main(address, port, *answers):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    endpoint = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_SCTP)
    endpoint.bind((address, 0))
    print("ready", flush=True)
    while True:
        data, sender = endpoint.recvfrom(2048)
        if family == socket.AF_INET:
            data = data[(data[0] & 0xF) * 4:]
        received = parse(data)
        if received["destination"] != port:
            continue
        print(json.dumps(received), flush=True)
        if received["type"] == INIT:
            for kind in answers:
                endpoint.sendto(answer(kind, port, received), (sender[0], 0))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
