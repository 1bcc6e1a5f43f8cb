# SPDX-License-Identifier: Apache-2.0
"""Random load balancers that Octavia's API would take, and what is in them. The same seed and number
give the same one on every machine.

A description is whole: every key is there, with Octavia's default where nothing was chosen, under
the names of Octavia's API. Pools stand in one list, and listeners and policies name them by id.
Certificates are names of the vault's (certificates.py)."""

import ipaddress
import random
import uuid

LVS = ("UDP", "SCTP")
HTTP_LISTENERS = ("HTTP", "TERMINATED_HTTPS")
POOLS_OF = {
    "TCP": ("TCP", "HTTP", "HTTPS", "PROXY", "PROXYV2"), "HTTP": ("HTTP", "PROXY", "PROXYV2"),
    "HTTPS": ("HTTPS", "TCP", "PROXY", "PROXYV2"),
    "TERMINATED_HTTPS": ("HTTP", "PROXY", "PROXYV2"), "PROMETHEUS": (), "UDP": ("UDP",),
    "SCTP": ("SCTP",)}
# TERMINATED_HTTPS and HTTP have most to say.
LISTENERS = ("HTTP", "HTTP", "TERMINATED_HTTPS", "TERMINATED_HTTPS", "TCP", "HTTPS", "PROMETHEUS",
             "UDP", "SCTP")
MONITORS_OF = {"UDP": ("UDP-CONNECT", "TCP", "HTTP", "SCTP"), "SCTP": ("SCTP", "TCP", "HTTP")}
MONITORS = ("HTTP", "HTTP", "HTTPS", "TCP", "PING", "TLS-HELLO")
PORTS = (53, 80, 443, 5000, 65535)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "PATCH", "CONNECT")
PATHS = ("/", "/healthz", "/a%20b?c=1&d=2", "/x;y=(z)*,~@:1?[2]", "/a!b", "/it's", "/ä")
HAPROXY_PATHS = (*PATHS, "/q?a=\"b\"", "/$HOME")
CODES = ("200", "200,202", "200, 204, 301", "200-204", "100-599", "404,200")
HEADERS = ("X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto")
TLS_HEADERS = (
    "X-SSL-Client-Verify", "X-SSL-Client-Has-Cert", "X-SSL-Client-DN", "X-SSL-Client-CN",
    "X-SSL-Issuer", "X-SSL-Client-SHA1", "X-SSL-Client-Not-Before", "X-SSL-Client-Not-After")
CIPHERS = (
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305")
SOME_CIPHERS = ("ECDHE-RSA-AES256-GCM-SHA384", "HIGH:!aNULL:!MD5",
                "ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=1")
VERSIONS = ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
ALPN = ("h2", "http/1.1", "http/1.0")
COMPARISONS = ("REGEX", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "EQUAL_TO")
# Whatever the API takes for a header's value, with what means something to HAProxy or to HTML in it.
VALUES = ("www.example.org", "/images", "a#b", "it's", "back\\slash", "50%[src]", "$HOME", "a&b<c>",
          "{brace}", "-i", "--", "-f", "!not", "\"quoted with blanks\"", "\"it's\"", "if", "a,b;c")
COOKIE_VALUES = ("abc", "a#b", "it's", "50%[src]", "$HOME", "a&b<c>", "{brace}", "-i", "!not", "if",
                 "a=b")
REGEXES = ("^/(a|b)+/[0-9]{2,}$", "\\.(png|jpe?g)$", "a b", "it's#1", "[\"']", "\\\\", "$", "-m",
           "^50%[a]", "ä+")
KEYS = ("X-Api-Version", "accept", "x_y.z", "!$%&*^`|~+", "x#y")
URLS = ("http://www.example.org/", "https://example.org:8443/a?b=1&c=2#d", "https://[2001:db8::1]/",
        "http://example.org/50%25/it's", "https://example.org")
COOKIES = ("JSESSIONID", "a!#$%&*+-.^_`|~b", "it's", "ID1")


class Generator:
    def __init__(self, seed, number):
        self.random = random.Random(f"{seed}/{number}")
        self.families = []  # of the VIPs

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *choices):
        return self.random.choice(choices)

    def some(self, choices, least=0):
        """A part of the choices, in their order."""
        chosen = set(self.random.sample(choices, self.random.randint(least, len(choices))))
        return [choice for choice in choices if choice in chosen]

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def up(self):
        return self.chance(0.85)

    def address(self, family=None):
        if family == 4 or family is None and self.chance(0.7):
            return f"10.{self.random.randrange(256)}.{self.random.randrange(256)}.7"
        return str(ipaddress.IPv6Address((0x20010db8 << 96) + self.random.getrandbits(40) + 1))

    # Pools

    def member(self, protocol):
        """IPVS reaches members of a VIP's family only."""
        return {
            "id": self.uuid(),
            "address": self.address(self.pick(*self.families) if protocol in LVS else None),
            "protocol_port": self.random.randrange(1, 65536), "weight": self.pick(0, 1, 1, 7, 256),
            "backup": self.chance(0.2), "admin_state_up": self.up(),
            "monitor_address": self.address() if self.chance(0.25) else None,
            "monitor_port": self.random.randrange(1, 65536) if self.chance(0.25) else None}

    def monitor(self, protocol):
        kind = self.pick(*MONITORS_OF.get(protocol, MONITORS))
        is_http = kind in ("HTTP", "HTTPS")
        version = self.pick(None, 1.0, 1.1, 1.1) if is_http else None
        delay, timeout = self.pick((5, 3), (60, 30), (3, 3), (4, 6))
        return {
            "id": self.uuid(), "type": kind, "delay": delay, "timeout": timeout,
            "max_retries": self.random.randint(1, 10),
            "max_retries_down": self.pick(3, self.random.randint(1, 10)),
            "admin_state_up": self.up(),
            "http_method": self.pick("GET", "GET", *METHODS) if is_http else None,
            "url_path": self.pick("/", *(PATHS if protocol in LVS else HAPROXY_PATHS))
            if is_http else None,
            "expected_codes": self.pick("200", *CODES) if is_http else None,
            "http_version": version,
            "domain_name": self.pick(None, "www.example.org", "_x.a-b.example") if version == 1.1
            else None}

    def persistence(self, protocol, in_http):
        kinds = ["SOURCE_IP"] + (
            ["HTTP_COOKIE", "APP_COOKIE"] if in_http and protocol not in LVS else [])
        kind = self.pick(*kinds)
        is_lvs = protocol in LVS
        return {
            "type": kind, "cookie_name": self.pick(*COOKIES) if kind == "APP_COOKIE" else None,
            "persistence_timeout": self.pick(None, 60, 3600) if is_lvs else None,
            "persistence_granularity": self.pick(None, "255.255.255.0", "64") if is_lvs else None}

    def tls(self):
        return {"tls_ciphers": self.pick(CIPHERS, *SOME_CIPHERS),
                # HAProxy refuses what leaves it without any from its own least one, TLS 1.2, on.
                "tls_versions": self.pick(["TLSv1.2", "TLSv1.3"],
                                          self.some(VERSIONS[:3]) + self.some(VERSIONS[3:], 1)),
                "alpn_protocols": self.pick(list(ALPN), self.some(ALPN, 1))}

    def pool(self, protocol, in_http):
        """in_http: every listener that uses it speaks HTTP."""
        tls_enabled = protocol not in LVS and self.chance(0.3)
        ca = self.pick(None, "ca-1", "ca-2") if tls_enabled else None
        return {
            "id": self.uuid(), "name": self.pick("", "a pool", "it's \"#1\""), "protocol": protocol,
            "lb_algorithm": self.pick("ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP"),
            "admin_state_up": self.up(),
            "session_persistence": self.persistence(protocol, in_http) if self.chance(0.4)
            else None,
            "members": [self.member(protocol) for _ in range(self.random.randrange(5))],
            "healthmonitor": self.monitor(protocol) if self.chance(0.7) else None,
            "tls_enabled": tls_enabled, **(self.tls() if tls_enabled else NO_TLS),
            "client_certificate": self.pick(None, "certificate-3") if tls_enabled else None,
            "ca_certificate": ca, "crl": self.pick(None, f"crl-of-{ca}") if ca else None}

    # Policies

    def rule(self, has_tls):
        kinds = ["HOST_NAME", "PATH", "FILE_TYPE", "HEADER", "COOKIE"]
        if has_tls:
            kinds += ["SSL_CONN_HAS_CERT", "SSL_VERIFY_RESULT", "SSL_DN_FIELD"]
        kind = self.pick(*kinds)
        comparison = {
            "FILE_TYPE": self.pick("REGEX", "EQUAL_TO"), "SSL_CONN_HAS_CERT": "EQUAL_TO",
            "SSL_VERIFY_RESULT": "EQUAL_TO"}.get(kind) or self.pick(*COMPARISONS)
        values = REGEXES if comparison == "REGEX" else COOKIE_VALUES if kind == "COOKIE" else VALUES
        value = {"SSL_CONN_HAS_CERT": self.pick("True", "true"),
                 "SSL_VERIFY_RESULT": self.pick("0", "20")}.get(kind) or self.pick(*values)
        return {
            "id": self.uuid(), "type": kind, "compare_type": comparison, "value": value,
            "key": {"HEADER": self.pick(*KEYS), "COOKIE": self.pick(*KEYS),
                    "SSL_DN_FIELD": self.pick("CN", "emailAddress", "O")}.get(kind),
            "invert": self.chance(0.3), "admin_state_up": self.up()}

    def policy(self, has_tls, pools):
        action = self.pick("REJECT", "REDIRECT_TO_URL", "REDIRECT_PREFIX",
                           *(["REDIRECT_TO_POOL"] * 2 if pools else []))
        is_redirect = action in ("REDIRECT_TO_URL", "REDIRECT_PREFIX")
        return {
            "id": self.uuid(), "name": self.pick("", "a policy"), "action": action,
            "admin_state_up": self.up(),
            "redirect_pool_id": self.pick(*pools)["id"] if action == "REDIRECT_TO_POOL" else None,
            "redirect_url": self.pick(*URLS) if action == "REDIRECT_TO_URL" else None,
            "redirect_prefix": self.pick(*URLS) if action == "REDIRECT_PREFIX" else None,
            "redirect_http_code": self.pick(301, 302, 303, 307, 308) if is_redirect else None,
            "rules": [self.rule(has_tls) for _ in range(self.pick(0, 1, 1, 2, 3))]}

    # Listeners

    def listener_tls(self, protocol):
        ca = self.pick(None, "ca-1", "ca-2")
        has_hsts = protocol == "TERMINATED_HTTPS" and self.chance(0.4)
        return {
            "certificate": self.pick("certificate-1", "certificate-2"),
            "sni_certificates": self.some(("certificate-2", "certificate-3")),
            "client_ca_certificate": ca,
            "client_authentication": self.pick("NONE", "OPTIONAL", "MANDATORY") if ca else "NONE",
            "client_crl": self.pick(None, f"crl-of-{ca}") if ca else None,
            "hsts_max_age": self.pick(0, 31536000) if has_hsts else None,
            "hsts_include_subdomains": has_hsts and self.chance(0.5),
            "hsts_preload": has_hsts and self.chance(0.5),
            # A PROMETHEUS listener has no defaults.
            **{key: None if protocol == "PROMETHEUS" and self.chance(0.5) else value
               for key, value in self.tls().items()}}

    def headers(self, protocol):
        choices = HEADERS + (TLS_HEADERS if protocol == "TERMINATED_HTTPS" else ())
        if protocol not in HTTP_LISTENERS or self.chance(0.3):
            return {}
        return {name: self.pick("true", "True", "false") for name in self.some(choices)}

    def cidrs(self, family):
        choices = ["10.0.0.0/8", "192.0.2.7/32", "0.0.0.0/0"] if family == 4 else \
            ["2001:db8::/32", "::/0"]
        return self.random.sample(choices, self.pick(0, 0, 1, 2))

    def listener(self, protocol, port, family, shared):
        """shared: the pools that it may have in common with other listeners."""
        has_tls = protocol == "TERMINATED_HTTPS" or protocol == "PROMETHEUS" and self.chance(0.5)
        own = [self.pool(self.pick(*POOLS_OF[protocol]), protocol in HTTP_LISTENERS)
               for _ in range(self.pick(1, 1, 2) if POOLS_OF[protocol] else 0)]
        fitting = own + [pool for pool in shared if pool["protocol"] in POOLS_OF[protocol]]
        with_policies = protocol in HTTP_LISTENERS and self.chance(0.7)
        listener = {
            "id": self.uuid(), "name": self.pick("", "a listener"), "protocol": protocol,
            "protocol_port": port, "admin_state_up": self.up(),
            "connection_limit": self.pick(-1, -1, 0, 1, 2000, 999999),
            "insert_headers": self.headers(protocol),
            "timeout_client_data": self.pick(50000, 0, 1, 3600000),
            "timeout_member_connect": self.pick(5000, 0, 5001),
            "timeout_member_data": self.pick(50000, 0, 50002),
            "timeout_tcp_inspect": self.pick(0, 0, 300),
            "allowed_cidrs": self.cidrs(family),
            "default_pool_id": self.pick(*fitting)["id"] if fitting and self.chance(0.9) else None,
            "l7policies": [self.policy(protocol == "TERMINATED_HTTPS", fitting)
                           for _ in range(self.random.randint(1, 4))] if with_policies else [],
            **(self.listener_tls(protocol) if has_tls else NO_LISTENER_TLS)}
        return listener, own

    # The load balancer

    def vip(self, family=None):
        address = self.address(family)
        is_ipv4 = ":" not in address
        network = ipaddress.ip_network(f"{address}/{24 if is_ipv4 else 64}", strict=False)
        return {
            "ip_address": address, "subnet_cidr": str(network),
            "gateway": str(network[254]) if self.chance(0.7) else None,
            "host_routes": [{"destination": self.pick("198.51.100.0/24", "203.0.113.0/24")
                             if is_ipv4 else "2001:db8:5::/48", "nexthop": str(network[253])}
                            for _ in range(self.pick(0, 0, 1))]}

    def pair(self, lb_id, vip):
        network = ipaddress.ip_network(vip["subnet_cidr"])
        return {
            "amphorae": [{"id": self.uuid(), "vrrp_ip": str(network[200 + number]),
                          "vrrp_priority": priority, "vrrp_interface": "eth1"}
                         for number, priority in enumerate((100, 90))],
            "vrrp": {"group_name": lb_id.replace("-", ""),
                     "virtual_router_id": self.pick(1, 255), "auth_type": "PASS",
                     "auth_pass": self.pick("b5e00e6", "a#b!c"), "advert_int": self.pick(1, 5)}}

    def ports(self, protocols):
        """Listeners of UDP, SCTP and TCP may have the same port."""
        free = {kind: self.random.sample(PORTS, len(PORTS)) for kind in (*LVS, "TCP")}
        return [free[protocol if protocol in LVS else "TCP"].pop() for protocol in protocols]

    def load_balancer(self):
        lb_id = self.uuid()
        vip = self.vip()
        others = [self.vip() for _ in range(self.pick(0, 0, 0, 1, 2))]
        self.families = [6 if ":" in other["ip_address"] else 4 for other in (vip, *others)]
        protocols = [self.pick(*LISTENERS) for _ in range(self.pick(1, 2, 2, 3, 4))]
        in_http = all(protocol in HTTP_LISTENERS for protocol in protocols)
        shared = [self.pool(self.pick("TCP", "HTTP", "HTTP", "PROXY", "PROXYV2", "UDP"), in_http)
                  for _ in range(self.pick(0, 1, 2))]
        made = [self.listener(protocol, port, self.families[0], shared)
                for protocol, port in zip(protocols, self.ports(protocols))]
        is_pair = self.chance(0.3)
        return {
            "id": lb_id, "name": self.pick("", "a load balancer"),
            "project_id": self.uuid().replace("-", ""), "admin_state_up": self.chance(0.95),
            "vip": vip, "additional_vips": others,
            "topology": "ACTIVE_STANDBY" if is_pair else "SINGLE",
            **(self.pair(lb_id, vip) if is_pair else {"amphorae": [], "vrrp": None}),
            "pools": shared + [pool for _, own in made for pool in own],
            "listeners": [listener for listener, _ in made]}


NO_TLS = {"tls_ciphers": None, "tls_versions": None, "alpn_protocols": None}
NO_LISTENER_TLS = {
    **NO_TLS, "certificate": None, "sni_certificates": [], "client_authentication": "NONE",
    "client_ca_certificate": None, "client_crl": None, "hsts_max_age": None,
    "hsts_include_subdomains": False, "hsts_preload": False}


def generate(seed, number):
    return Generator(seed, number).load_balancer()
