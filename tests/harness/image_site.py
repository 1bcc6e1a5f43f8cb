# SPDX-License-Identifier: Apache-2.0
"""A load balancer on a virtual machine, its NICs in the bed: HTTP, TCP and UDP listeners with a member
each, which the client may use and the neighbour may not. One PUT of a model makes it."""

import ssl
import threading
import uuid

from cryptography import x509

from harness import network_bed as net
from harness.api_client import tls_connect
from harness.datagram import DatagramMember, who_answers
from harness.eventually import eventually
from harness.plugging import VIP, fixed_ip, network_body, plug_network, plug_vip, vip_body

VIP_MAC, MEMBER_MAC = "fa:16:3e:00:00:51", "fa:16:3e:00:00:52"
HTTP_PORT, TCP_PORT, UDP_PORT = 80, 8080, 53
# What a slow machine needs for a NIC, HAProxy and keepalived to come up.
SETTLED_S = 120


class ImageSite:
    """Plugged and served once made. members: stack of context managers that its members go to."""

    def __init__(self, amphora, bed, members):
        self.amphora, self.bed, self.id = amphora, bed, str(uuid.uuid4())
        self.listener_ids = {port: str(uuid.uuid4()) for port in (HTTP_PORT, TCP_PORT, UDP_PORT)}
        self.server = members.enter_context(bed.web_server("one", net.MEMBERS[0]))
        members.enter_context(DatagramMember("one", bed.members, net.MEMBERS[0], UDP_PORT))
        self.plug()
        self.apply(self.model())
        self.wait_until_served()

    def plug(self):
        machine = self.amphora.machine
        machine.add_nic(self.bed.open_tap("vip"), VIP_MAC)
        machine.add_nic(self.bed.open_tap("member"), MEMBER_MAC)
        for what, plug in (
                ("VIP", lambda: plug_vip(self.amphora, vip_body(VIP_MAC))),
                ("network", lambda: plug_network(
                    self.amphora, network_body(MEMBER_MAC, fixed_ip(routes=[
                        {"destination": "192.0.2.128/25", "nexthop": net.MEMBER_GATEWAY}]))))):
            eventually(lambda plug=plug: plug().status == 202, f"the {what} is plugged", SETTLED_S)

    # What it serves

    def model(self, **changes):
        """Its load balancer, with other values for keys of the HTTP listener."""
        return {
            "id": self.id, "vip_address": VIP, "listeners": [
                {**self._listener(HTTP_PORT, "HTTP"), **changes},
                self._listener(TCP_PORT, "TCP"), self._listener(UDP_PORT, "UDP")]}

    def _listener(self, port, protocol):
        member = {"address": self.server.address,
                  "protocol_port": UDP_PORT if protocol == "UDP" else self.server.port}
        return {"id": self.listener_ids[port], "protocol": protocol, "protocol_port": port,
                "allowed_cidrs": [f"{net.CLIENT}/32"],
                "default_pool": {"protocol": protocol, "lb_algorithm": "ROUND_ROBIN",
                                 "members": [member]}}

    @property
    def model_path(self):
        return f"/1.0/loadbalancer/{self.amphora.id}/{self.id}/model"

    def put(self, model):
        return self.amphora.api.put(self.model_path, {"loadbalancer": model}, timeout=60)

    def apply(self, model):
        answer = self.put(model)
        assert answer.status == 200, answer
        return answer

    # Who is served

    def ask(self, port, whence=None, timeout_s=5):
        """Who answers the client, or the neighbour; None: nobody."""
        whence = whence or self.bed.client
        if port != UDP_PORT:
            return self.bed.ask(VIP, port, whence, timeout_s)
        return who_answers(whence, VIP, port, timeout_s)

    def answers(self, whence=None, timeout_s=5):
        """By listener."""
        return [self.ask(port, whence, timeout_s) for port in self.listener_ids]

    def wait_until_served(self, timeout_s=SETTLED_S):
        eventually(lambda: self.answers() == ["one"] * 3, "all listeners serve the client", timeout_s)

    def certificate_shown(self, port):
        """The serial number of the certificate that a TLS listener shows the client."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with self.bed.client.entered(), tls_connect((VIP, port), context, None) as connection:
            return x509.load_der_x509_certificate(connection.getpeercert(True)).serial_number

    def is_told(self, beat, *others):
        """Whether a heartbeat tells of all listeners and those others, open, and of the pools and members
        of the former."""
        members = [member for pool in beat.pools.values() for member in pool["members"]]
        return (set(beat.listeners) == {*self.listener_ids.values(), *others}
                and all(listener["status"] == "OPEN" for listener in beat.listeners.values())
                and len(beat.pools) == 3 and len(members) == 3)

    # Its network inside

    def network(self):
        """Addresses, routes, rules and firewall of the namespace, as text that stays the same."""
        inside = "ip netns exec amphora-haproxy"
        said = self.amphora.machine.shell.run(
            f"for what in 'address show' 'route show table all' '-6 route show table all' rule; do "
            f"echo \"$what:\"; {inside} ip -oneline -noresolve $what; done; {inside} nft list ruleset")
        return sorted(line for line in map(_without_passing, said.splitlines()) if line)


class Client:
    """Asks one listener without a pause, as a context manager. Answers that take long are answers:
    the machine is emulated."""

    TIMEOUT_S = 20

    def __init__(self, site, port=HTTP_PORT):
        self._site, self._port = site, port
        self.answers = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def _ask(self):
        while not self._stopped.is_set():
            self.answers.append(self._site.ask(self._port, timeout_s=self.TIMEOUT_S))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()

    def wait_until_served(self):
        """From now on: a request that began before counts as well, and another one."""
        seen = len(self.answers)
        eventually(lambda: len(self.answers) > seen + 1, "requests are answered", SETTLED_S)

    def has_always_been_served(self):
        return bool(self.answers) and set(self.answers) == {self._site.server.identity}


def _without_passing(line):
    """Interfaces' numbers, life times and counters are other ones each time."""
    words = line.replace("\\", " ").split()
    if words and words[0].endswith(":") and words[0][:-1].isdigit() and "inet" in line:
        del words[0]
    for key in ("expires", "valid_lft", "preferred_lft", "packets", "bytes", "qlen"):
        if key in words:
            at = words.index(key)
            del words[at:at + 2]
    return " ".join(words)
