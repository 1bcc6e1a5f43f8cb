# SPDX-License-Identifier: Apache-2.0
"""A load balancer as a controller uploads it: one listener, one pool, members that are servers."""

import uuid

from harness import haproxy
from harness.eventually import eventually
from harness.ports import free_port
from harness.web_server import share, who_answers


class LoadBalancer:
    """What a test knows of one load balancer; nothing reaches the amphora before `upload`."""

    def __init__(self, amphora, servers=(), mode="tcp", address="127.0.0.1",
                 check="check inter 1s fall 1 rise 1", pool_lines=(), listener_lines=(),
                 bind_options="", in_global=(), port=None):
        self.amphora = amphora
        self.id = str(uuid.uuid4())
        self.listener_id = str(uuid.uuid4())
        self.pool_id = str(uuid.uuid4())
        self.address = address
        self.port = port or free_port(address)
        self.mode = mode
        self.check = check
        self.pool_lines = pool_lines
        self.listener_lines = listener_lines
        self.bind_options = bind_options
        self.in_global = in_global
        self.members = []
        for server in servers:
            self.add_member(server)

    def add_member(self, server, weight=1):
        member_id = str(uuid.uuid4())
        self.members.append((member_id, server.address, server.port, weight))
        return member_id

    def member_id(self, server):
        return next(member for member, _, port, _ in self.members if port == server.port)

    def configuration(self, *more_proxies):
        return haproxy.configuration(
            self.amphora, self.id,
            haproxy.frontend(self.listener_id, self.port, self.pool_id, self.mode, self.address,
                             self.bind_options, self.listener_lines),
            haproxy.backend(self.pool_id, self.listener_id, self.members, self.mode, self.check,
                            self.pool_lines),
            *more_proxies, in_global=self.in_global)

    # Requests

    @property
    def upload_path(self):
        return f"/1.0/loadbalancer/{self.amphora.id}/{self.id}/haproxy"

    @property
    def path(self):
        return f"/1.0/loadbalancer/{self.id}"

    def upload(self, text=None, **options):
        return self.amphora.api.put(self.upload_path, text or self.configuration(), **options)

    def act(self, action, **options):
        return self.amphora.api.put(f"{self.path}/{action}", **options)

    def serve(self):
        """Upload and reload, as a controller's first start is; until a member answers."""
        answer = self.upload()
        assert answer.status == 202, answer
        answer = self.act("reload")
        assert answer.status == 202, answer
        if self.members:
            self.wait_until_it_serves()
        return self

    def delete(self):
        return self.amphora.api.delete(f"/1.0/listeners/{self.id}")

    # What is seen from outside

    def wait_until_it_serves(self):
        eventually(lambda: who_answers(self.port, self.address), "a member answers")

    def who_answers(self):
        return who_answers(self.port, self.address)

    def share(self, requests):
        return share(self.port, requests, self.address)

    @property
    def socket(self):
        return self.amphora.stats_socket(self.id)

    def member_status(self, server):
        return haproxy.member_status(self.socket, self.member_id(server))

    @property
    def master(self):
        return self.amphora.haproxy_master(self.id)

    @property
    def workers(self):
        return self.amphora.haproxy_workers(self.id)
