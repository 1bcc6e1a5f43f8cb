# SPDX-License-Identifier: Apache-2.0
"""What amphoractl renders from a model means to HAProxy what Octavia's own renderer (release 11.0.0,
Debian's python3-octavia) gives for the same load balancer. Random load balancers, seeded; whatever
may differ is a named rule below, with its reason. RENDER_CASES and RENDER_SEED make more."""

import html
import ipaddress
import json
import os
import random
import subprocess
import uuid

import pytest
from octavia.common import constants, data_models
from octavia.common.config import cfg
from octavia.common.jinja.haproxy.combined_listeners import jinja_cfg

from harness.amphora import BUILD
from harness.haproxy_text import Configuration

CASES = int(os.environ.get("RENDER_CASES", "40"))
SEED = int(os.environ.get("RENDER_SEED", "1"))
BASE_PATH = "/var/lib/octavia"
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "PATCH", "CONNECT"]
PATHS = ["/", "/healthz", "/a%20b?c=1&d=2", "/x;y=(z)!*,~@:[1]", "/ä"]
CODES = ["200", "200,202", "200 , 204, 301", "200-204", "100-599"]
PROTOCOLS = [("TCP", "TCP"), ("TCP", "HTTP"), ("HTTP", "HTTP")]


class Generator:
    """Random models, whole but within what this version renders."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def maybe(self, **values):
        """Each of the keys or not; a callable makes its value."""
        return {key: make() for key, make in values.items() if self.random.random() < 0.5}

    def up(self):
        return {} if self.random.random() < 0.8 else {"admin_state_up": False}

    def address(self):
        if self.random.random() < 0.7:
            return f"10.{self.random.randrange(256)}.{self.random.randrange(256)}.7"
        return str(ipaddress.IPv6Address((0x20010db8 << 96) + self.random.getrandbits(40) + 1))

    def member(self):
        return {"id": self.uuid(), "address": self.address(),
                "protocol_port": self.random.randrange(1, 65536), **self.up(),
                **self.maybe(weight=lambda: self.random.choice([0, 1, 5, 256]),
                             name=lambda: "a name")}

    def monitor(self):
        seconds = self.random.choice([[5, 3], [60, 30], [3, 3], [2, 4]])
        monitor = {"id": self.uuid(), "delay": seconds[0], "timeout": seconds[1],
                   "max_retries": self.random.randrange(1, 11), **self.up(),
                   "type": self.random.choice(["TCP", "HTTP"]),
                   **self.maybe(max_retries_down=lambda: self.random.randrange(1, 11))}
        if monitor["type"] == "HTTP":
            choice = self.random.choice
            monitor.update(self.maybe(
                http_method=lambda: choice(METHODS), url_path=lambda: choice(PATHS),
                expected_codes=lambda: choice(CODES), http_version=lambda: choice([1.0, 1.1])))
            if monitor.get("http_version") == 1.1:
                monitor.update(self.maybe(domain_name=lambda: "www.example.org"))
        return monitor

    def pool(self, protocol):
        pool = {"id": self.uuid(), "protocol": protocol, "lb_algorithm": "ROUND_ROBIN",
                **self.up(), **self.maybe(healthmonitor=self.monitor),
                "members": [self.member() for _ in range(self.random.randrange(5))]}
        if self.random.random() < 0.2:
            pool["name"] = f"pool {pool['id']}"
        return pool

    def listener(self, port, shared):
        protocol, pool_protocol = self.random.choice(PROTOCOLS)
        listener = {"id": self.uuid(), "protocol": protocol, "protocol_port": port, **self.up(),
                    **self.maybe(
                        connection_limit=lambda: self.random.choice([-1, 0, 1, 2000, 999999]),
                        timeout_client_data=lambda: self.random.choice([0, 1, 50001]),
                        timeout_member_connect=lambda: 5001, timeout_member_data=lambda: 50002,
                        timeout_tcp_inspect=lambda: self.random.choice([0, 300]))}
        fitting = [pool for pool in shared if pool["protocol"] == pool_protocol]
        what = self.random.choice(["own", "own", "shared", "none"])
        if what == "own":
            listener["default_pool"] = self.pool(pool_protocol)
        elif what == "shared" and fitting:
            listener["default_pool_id"] = self.random.choice(fitting)["id"]
        return listener

    def load_balancer(self):
        shared = [self.pool(self.random.choice(["TCP", "HTTP"])) for _ in range(2)]
        ports = self.random.sample(range(1, 65536), self.random.randrange(1, 5))
        return {"id": self.uuid(), "project_id": self.uuid().replace("-", ""),
                "vip_address": self.address(), "pools": shared,
                **({} if self.random.random() < 0.95 else {"admin_state_up": False}),
                "listeners": [self.listener(port, shared) for port in ports]}


def octavia_monitor(monitor):
    is_http = monitor["type"] == "HTTP"
    return data_models.HealthMonitor(
        id=monitor["id"], type=monitor["type"], delay=monitor["delay"],
        timeout=monitor["timeout"], rise_threshold=monitor["max_retries"],
        fall_threshold=monitor.get("max_retries_down", 3),
        # What Octavia's API fills in.
        http_method=monitor.get("http_method", "GET") if is_http else None,
        url_path=monitor.get("url_path", "/") if is_http else None,
        expected_codes=monitor.get("expected_codes", "200") if is_http else None,
        http_version=monitor.get("http_version"), domain_name=monitor.get("domain_name"),
        enabled=monitor.get("admin_state_up", True))


def octavia_pool(pool):
    members = [data_models.Member(
        id=member["id"], ip_address=member["address"], protocol_port=member["protocol_port"],
        weight=member.get("weight", 1), enabled=member.get("admin_state_up", True), backup=False)
        for member in pool["members"]]
    monitor = pool.get("healthmonitor")
    return data_models.Pool(
        id=pool["id"], protocol=pool["protocol"], lb_algorithm=pool["lb_algorithm"],
        members=members, enabled=pool.get("admin_state_up", True), tls_enabled=False,
        health_monitor=monitor and octavia_monitor(monitor))


def octavia_listeners(model):
    load_balancer = data_models.LoadBalancer(
        id=model["id"], project_id=model["project_id"],
        enabled=model.get("admin_state_up", True), topology=constants.TOPOLOGY_SINGLE,
        vip=data_models.Vip(ip_address=model["vip_address"]))
    pools = {pool["id"]: octavia_pool(pool) for pool in all_pools(model)}
    for listener in model["listeners"]:
        pool = pools.get(default_pool_id(listener))
        load_balancer.listeners.append(data_models.Listener(
            id=listener["id"], protocol=listener["protocol"],
            protocol_port=listener["protocol_port"], load_balancer=load_balancer,
            enabled=listener.get("admin_state_up", True), default_pool=pool,
            pools=[pool] if pool else [], peer_port=1025,
            connection_limit=listener.get("connection_limit", -1),
            timeout_client_data=listener.get("timeout_client_data"),
            timeout_member_connect=listener.get("timeout_member_connect"),
            timeout_member_data=listener.get("timeout_member_data"),
            timeout_tcp_inspect=listener.get("timeout_tcp_inspect")))
    return load_balancer.listeners


def default_pool_id(listener):
    return listener.get("default_pool_id") or listener.get("default_pool", {}).get("id")


def all_pools(model):
    inline = [listener["default_pool"] for listener in model["listeners"]
              if "default_pool" in listener]
    return model["pools"] + inline


def octavia_renders(model):
    # A fresh environment: another test's templater may have left one with other folders.
    jinja_cfg.JINJA_ENV = None
    templater = jinja_cfg.JinjaTemplater(base_amp_path=BASE_PATH, base_crt_dir=f"{BASE_PATH}/certs")
    return templater.build_config(
        data_models.Amphora(id="amphora"), octavia_listeners(model), tls_certs=None,
        haproxy_versions=("2", "6"))


def amphoractl(folder, model, *arguments):
    path = folder / "model.json"
    path.write_text(model if isinstance(model, str) else json.dumps(model))
    return subprocess.run([BUILD / "amphoractl", "render", *arguments, path],
                          capture_output=True, text=True, timeout=60, check=False)


def we_render(folder, model):
    result = amphoractl(folder, model)
    assert result.returncode == 0, result.stderr
    return result.stdout


# The rules. Each changes one of the two configurations, never both, to what the other would say if
# they differed in nothing else; `model` is what both were rendered from.

def httpchk_names_its_host_apart(octavia, model):
    """11.0.0 puts "HTTP/1.1\\r\\nHost:\\ X" into `option httpchk`, which HAProxy 2.2 and later warn of
    and 3.0 refuses; newer releases and ours use `http-check send`."""
    for directives in octavia.named("backend").values():
        for number, directive in enumerate(directives):
            if directive[:2] != ["option", "httpchk"] or "\r\n" not in directive[-1]:
                continue
            version, _, host = directive[-1].partition("\r\n")
            directive[-1] = version
            if host:
                directives.insert(
                    number, ["http-check", "send", "hdr", "Host", host.partition(": ")[2]])
            break


def maxconn_counts_open_listeners_only(octavia, model):
    """11.0.0 adds up the limits of disabled listeners, too; newer releases and ours do not."""
    total = sum(limit if (limit := listener.get("connection_limit", -1)) > 0 else 50000
                for listener in model["listeners"] if listener.get("admin_state_up", True))
    for directive in octavia.sections["global", ""]:
        if directive[0] == "maxconn":
            directive[1] = str(total if 0 < total < 1000000 else 1000000)


def html_is_not_haproxy(octavia, model):
    """Octavia's templates escape values for HTML, which HAProxy takes for part of the value."""
    for directives in octavia.sections.values():
        for directive in directives:
            directive[:] = [html.unescape(word) for word in directive]


def expected_codes_are_a_set(octavia, model):
    """Octavia lists the codes in the random order of a Python set, and keeps the blank of "200 , 204",
    which its API takes and HAProxy does not."""
    for directives in octavia.named("backend").values():
        for directive in directives:
            if directive[:3] == ["http-check", "expect", "rstatus"]:
                directive[3:] = ["|".join(sorted("".join(directive[3:]).split("|")))]


def ipv6_stands_in_brackets(ours, model):
    """HAProxy reads the port behind the last colon in both; brackets leave no doubt to people."""
    for directives in ours.sections.values():
        for directive in directives:
            if directive[0] in ("bind", "server"):
                directive[:] = [word.replace("[", "").replace("]", "") for word in directive]


def tunnels_have_a_timeout(ours, model):
    """Octavia sets no `timeout tunnel`: a WebSocket ends after the shorter of the client's and the
    server's timeout for requests. Ours gives it the client's."""
    for listener in model["listeners"]:
        if listener["protocol"] != "HTTP":
            continue
        timeout = str(listener.get("timeout_client_data") or 50000)
        for name, directives in ours.named("backend").items():
            if name.endswith(f":{listener['id']}"):
                directives.remove(["timeout", "tunnel", timeout])


RULES_FOR_OCTAVIA = [httpchk_names_its_host_apart, maxconn_counts_open_listeners_only,
                     html_is_not_haproxy, expected_codes_are_a_set]
RULES_FOR_OURS = [ipv6_stands_in_brackets, tunnels_have_a_timeout]


def meaning(configuration):
    """Servers keep their order, round robin follows it; other directives of a section have none."""
    return {section: (sorted(directive for directive in directives if directive[0] != "server"),
                      [directive for directive in directives if directive[0] == "server"])
            for section, directives in configuration.sections.items()}


def assert_haproxy_takes(folder, text):
    path = folder / "haproxy.cfg"
    path.write_text(text)
    check = subprocess.run(["haproxy", "-c", "-q", "-f", path], capture_output=True, text=True,
                           timeout=60, check=False)
    assert check.returncode == 0, check.stderr


@pytest.fixture(autouse=True)
def octavias_own_defaults():
    """Whatever another test has configured, these are what model.md's defaults are."""
    for option in ("timeout_client_data", "timeout_member_connect", "timeout_member_data",
                   "timeout_tcp_inspect", "default_connection_limit", "user_log_format"):
        cfg.CONF.clear_override(option, "haproxy_amphora")
    for option in ("user_log_facility", "administrative_log_facility"):
        cfg.CONF.clear_override(option, "amphora_agent")


def differs(ours_text, octavias_text, model, without=None):
    """Whether the two texts mean something else to HAProxy, with the rules but for one."""
    ours, octavia = Configuration(ours_text), Configuration(octavias_text)
    for rule in RULES_FOR_OCTAVIA:
        if rule is not without:
            rule(octavia, model)
    for rule in RULES_FOR_OURS:
        if rule is not without:
            rule(ours, model)
    return (meaning(ours), list(ours.sections)) != (meaning(octavia), list(octavia.sections))


@pytest.mark.parametrize("number", range(CASES))
def test_a_random_load_balancer_means_the_same(tmp_path, number):
    model = Generator(SEED * 1000003 + number).load_balancer()
    ours, octavias = we_render(tmp_path, model), octavia_renders(model)
    assert not differs(ours, octavias, model), f"{ours}\n{octavias}"
    assert_haproxy_takes(tmp_path, ours)


@pytest.mark.parametrize("rule", RULES_FOR_OCTAVIA + RULES_FOR_OURS, ids=lambda rule: rule.__name__)
def test_every_rule_is_needed(tmp_path, rule):
    for number in range(200):
        model = Generator(number).load_balancer()
        if differs(we_render(tmp_path, model), octavia_renders(model), model, without=rule):
            return
    pytest.fail(f"nothing differs without {rule.__name__}")


def test_a_difference_would_be_noticed(tmp_path):
    model = Generator(1).load_balancer()
    ours, octavias = we_render(tmp_path, model), octavia_renders(model)
    directives = [line for line in ours.splitlines() if line.startswith("    ")]
    assert len(directives) > 20
    for line in directives:
        try:
            noticed = differs(ours.replace(line + "\n", "", 1), octavias, model)
        except ValueError:  # a rule misses what it would take away
            noticed = True
        assert noticed, f"nobody misses {line}"
