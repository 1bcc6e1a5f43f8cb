# SPDX-License-Identifier: Apache-2.0
"""A health manager: receives heartbeats, checks their HMAC, prints each as one line of JSON.

usage: health_manager.py ADDRESS PORT KEY

A heartbeat is zlib(json) and the hex HMAC-SHA256 of those bytes under the shared key.
"""

import hashlib
import hmac
import json
import socket
import sys
import zlib

HMAC_HEX_SIZE = 64


def main():
    address, port, key = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((address, port))
        while True:
            datagram = receiver.recv(65536)
            packed, signature = datagram[:-HMAC_HEX_SIZE], datagram[-HMAC_HEX_SIZE:]
            expected = hmac.new(key, packed, hashlib.sha256).hexdigest().encode()
            if hmac.compare_digest(signature, expected):
                line = {"hmac": "good", "bytes": len(datagram),
                        **json.loads(zlib.decompress(packed))}
            else:
                line = {"hmac": "WRONG", "bytes": len(datagram)}
            print(json.dumps(line), flush=True)


main()
