# SPDX-License-Identifier: Apache-2.0
"""What we render of load balancers: descriptions (generator.py) as the JSON that people and
controllers write, through amphoractl."""

import json
import random

from render.generator import CIPHERS

# What nobody has to write.
DEFAULTS = {
    "name": "", "admin_state_up": True, "weight": 1, "backup": False, "max_retries_down": 3,
    "http_method": "GET", "url_path": "/", "expected_codes": "200", "invert": False,
    "connection_limit": -1, "timeout_client_data": 50000, "timeout_member_connect": 5000,
    "timeout_member_data": 50000, "timeout_tcp_inspect": 0, "topology": "SINGLE",
    "tls_enabled": False, "client_authentication": "NONE", "hsts_include_subdomains": False,
    "hsts_preload": False, "redirect_http_code": 302, "tls_versions": ["TLSv1.2", "TLSv1.3"],
    "alpn_protocols": ["h2", "http/1.1", "http/1.0"], "tls_ciphers": CIPHERS}
TLS = ("tls_ciphers", "tls_versions", "alpn_protocols")
MILLISECONDS = ("timeout_client_data", "timeout_member_connect", "timeout_member_data",
                "timeout_tcp_inspect")
SECONDS = ("delay", "timeout")
CERTIFICATES = ("certificate", "client_ca_certificate", "client_crl", "client_certificate",
                "ca_certificate", "crl")
# What Octavia's answers say beside it.
ANSWERED = {"provisioning_status": "ACTIVE", "operating_status": "ONLINE", "created_at": None,
            "updated_at": "2026-01-01T00:00:00", "tenant_id": "x", "tags": ["a"],
            "description": "b"}


class Writer:
    """Writes the same load balancer in ever other ways: defaults said or not, pools inside their
    listener or beside it, durations as numbers or texts, keys in any order."""

    def __init__(self, description, file_name_of):
        self.random = random.Random(description["id"])
        self.description = description
        self.file_name_of = file_name_of
        self.pools = {pool["id"]: pool for pool in description["pools"]}
        self.inside = set()

    def chance(self, probability):
        return self.random.random() < probability

    def model(self):
        load_balancer = self.load_balancer()
        return {"loadbalancer": load_balancer} if self.chance(0.3) else load_balancer

    def value(self, key, value):
        if key in CERTIFICATES:
            return self.file_name_of(value)
        if key == "sni_certificates":
            return [self.file_name_of(name) for name in value]
        if key in MILLISECONDS and value and self.chance(0.2):
            return f"{value // 1000}s" if value % 1000 == 0 else f"{value}ms"
        if key in SECONDS and self.chance(0.2):
            return f"{value // 60}m" if value % 60 == 0 else f"{value}s"
        return value

    def fields(self, plain, **parts):
        """What stands in the object itself, and its parts; a part that is None is left out."""
        result = {key: self.value(key, value) for key, value in plain.items()
                  if value is not None and value != []
                  and not (value == DEFAULTS.get(key) and self.chance(0.6)
                           and not (key in TLS and plain.get("protocol") == "PROMETHEUS"))}
        result.update({key: None for key, value in plain.items()
                       if value is None and self.chance(0.1)})
        result.update({key: value for key, value in parts.items() if value is not None})
        if self.chance(0.1):
            result.update(ANSWERED)
        return dict(self.random.sample(list(result.items()), len(result)))

    def pool(self, pool):
        plain = {key: value for key, value in pool.items()
                 if key not in ("members", "healthmonitor", "session_persistence")}
        monitor, persistence = pool["healthmonitor"], pool["session_persistence"]
        return self.fields(
            plain, members=[self.fields(member) for member in pool["members"]],
            healthmonitor=monitor and self.fields(monitor),
            session_persistence=persistence and self.fields(persistence))

    def reference(self, key, pool_id):
        """A pool as the listener or policy says it: whole where it is first used, or by reference."""
        pool = self.pools.get(pool_id)
        if not pool:
            return {}
        if pool_id not in self.inside and self.chance(0.5):
            self.inside.add(pool_id)
            return {key: self.pool(pool)}
        ways = [{f"{key}_id": pool_id}, {key: {"id": pool_id}}]
        if [other["name"] for other in self.pools.values()].count(pool["name"]) == 1:
            ways += [{f"{key}_id": pool["name"]}, {key: {"name": pool["name"]}}] if pool["name"] \
                else []
        return self.random.choice(ways)

    def policy(self, policy, position):
        plain = {key: value for key, value in policy.items()
                 if key not in ("rules", "redirect_pool_id")}
        return self.fields(
            {**plain, "position": position}, rules=[self.fields(rule) for rule in policy["rules"]],
            **self.reference("redirect_pool", policy["redirect_pool_id"]))

    def listener(self, listener):
        plain = {key: value for key, value in listener.items()
                 if key not in ("l7policies", "default_pool_id")}
        policies = [self.policy(policy, number)
                    for number, policy in enumerate(listener["l7policies"], 1)]
        self.random.shuffle(policies)
        return self.fields(plain, l7policies=policies or None,
                           **self.reference("default_pool", listener["default_pool_id"]))

    def load_balancer(self):
        parts = ("vip", "additional_vips", "amphorae", "vrrp", "pools", "listeners")
        plain = {key: value for key, value in self.description.items() if key not in parts}
        vip = dict(self.description["vip"])
        vip["vip_address"] = vip.pop("ip_address")
        listeners = [self.listener(listener) for listener in self.description["listeners"]]
        pools = [self.pool(pool) for pool in self.description["pools"]
                 if pool["id"] not in self.inside]
        vrrp = self.description["vrrp"]
        is_pair = self.description["topology"] == "ACTIVE_STANDBY"
        return self.fields(
            {**plain, **(vip if is_pair else {"vip_address": vip["vip_address"]})},
            additional_vips=[self.fields(other if is_pair else {"ip_address": other["ip_address"]})
                             for other in self.description["additional_vips"]],
            amphorae=self.description["amphorae"] or None, vrrp=vrrp, listeners=listeners,
            pools=pools)


def model_of(description, file_name_of):
    return Writer(description, file_name_of).model()


def text_of(description, file_name_of):
    return json.dumps(model_of(description, file_name_of), ensure_ascii=False)
