# SPDX-License-Identifier: Apache-2.0
"""Certificates: one CA, the amphora's (its id and its address), and yours as a controller."""

import subprocess

COMMANDS = """
openssl req -x509 -newkey rsa:2048 -nodes -days 7 -subj "/CN=demo CA" -keyout ca.key -out ca.pem
openssl req -newkey rsa:2048 -nodes -subj "/CN={amphora}" -keyout server.key -out server.csr
printf 'subjectAltName=DNS:{amphora},IP:{address}' >server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 \
	-extfile server.ext -out server.crt
openssl req -newkey rsa:2048 -nodes -subj "/CN=demo controller" -keyout client.key -out client.csr
openssl x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 -out client.crt
cat server.crt server.key >server.pem
cat client.crt client.key >client.pem
chmod 600 *.key server.pem client.pem
"""


def make(folder, amphora, address):
    """ca.pem; server.pem and client.pem with certificate and key."""
    done = subprocess.run(["sh", "-ec", COMMANDS.format(amphora=amphora, address=address)], cwd=folder,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"making certificates: {done.stderr.strip()}")
