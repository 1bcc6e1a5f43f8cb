# SPDX-License-Identifier: Apache-2.0
"""What a rendered haproxy.cfg means to HAProxy, with real traffic: texts that might break out of
their place, and where ours is meant to differ from Octavia's."""

import http.client
import socket
import ssl

import pytest
from cryptography import x509

from harness.certificates import Authority
from harness.eventually import eventually, stays_so
from harness.line_server import TlsServer
from harness.ports import free_port
from harness.web_server import WebServer

VIP = "127.0.0.1"
FAST = {"delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 1}
# Of members that are to stay up, although a crowded machine may fail a check's second.
PATIENT = {**FAST, "max_retries_down": 5}
TIMEOUT_S = 30


class LoadBalancer:
    """One listener as a model, and what it answers."""

    def __init__(self, amphora, lb_id):
        self.amphora = amphora
        self.id = lb_id
        self.port = free_port()

    def _put_model(self, listener, pools=(), query=""):
        model = {"vip_address": VIP, "pools": list(pools),
                 "listeners": [{"protocol_port": self.port, **listener}]}
        return self.amphora.api.put(
            f"/1.0/loadbalancer/{self.amphora.id}/{self.id}/model{query}", model)

    def preview(self, listener):
        return self._put_model(listener, query="?dry_run=true")

    def put(self, listener, pools=()):
        answer = self._put_model(listener, pools)
        assert answer.status == 200, answer
        eventually(self.accepts, "the listener accepts")
        return answer.json["applied"]

    def accepts(self):
        try:
            socket.create_connection((VIP, self.port), TIMEOUT_S).close()
        except OSError:
            return False
        return True

    def put_pem(self, name, data):
        answer = self.amphora.api.put(
            f"/1.0/loadbalancer/{self.id}/certificates/{name}", data)
        assert answer.status == 200, answer

    def get(self, path="/", headers=(), method="GET", context=None):
        """(status, headers) of the answer."""
        connection = (
            http.client.HTTPSConnection(VIP, self.port, timeout=TIMEOUT_S, context=context)
            if context else http.client.HTTPConnection(VIP, self.port, timeout=TIMEOUT_S))
        try:
            connection.putrequest(method, path, skip_host="Host" in dict(headers))
            for name, value in dict(headers).items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers
        finally:
            connection.close()

    def member_statuses(self):
        """Operating statuses of the default pool's members, by port."""
        answer = self.amphora.api.get(f"/1.0/loadbalancer/{self.id}/status")
        pool = answer.json["statuses"]["loadbalancer"]["listeners"][0]["pools"][0]
        return {member["protocol_port"]: member["operating_status"]
                for member in pool["members"]}


@pytest.fixture
def balancer(amphora, lb_id):
    return LoadBalancer(amphora, lb_id)


@pytest.fixture
def server(resources):
    return resources.enter_context(WebServer("one"))


@pytest.fixture(scope="module")
def authority():
    return Authority("members' CA")


def member(server):
    return {"address": server.address, "protocol_port": server.port}


def http_pool(*servers, **keys):
    return {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN",
            "members": [member(server) for server in servers], **keys}


def rejects(*rules):
    return [{"action": "REJECT", "rules": [rule]} for rule in rules]


def rule(kind, value, compare="EQUAL_TO", **keys):
    return {"type": kind, "compare_type": compare, "value": value, **keys}


# L7 policies

@pytest.mark.parametrize("action, key, target, path, location", [
    ("REDIRECT_TO_URL", "redirect_url", "http://x.example/a%20b?c=%25&d=[src]#e", "/any",
     "http://x.example/a%20b?c=%25&d=[src]#e"),
    ("REDIRECT_PREFIX", "redirect_prefix", "http://x.example/a%20b", "/c%20d?e",
     "http://x.example/a%20b/c%20d?e"),
])
def test_where_a_redirect_leads_is_what_the_model_says(
        balancer, server, action, key, target, path, location):
    balancer.put({"protocol": "HTTP", "default_pool": http_pool(server), "l7policies": [
        {"action": action, key: target, "redirect_http_code": 307,
         "rules": [rule("PATH", "/", "STARTS_WITH")]}]})
    status, headers = balancer.get(path)
    assert (status, headers["Location"]) == (307, location)


@pytest.mark.parametrize("value", ["-f", "-i", "--", "\"a b\"", "#x", "%[src]", "a\\nb", "${HOME}", "a'b"])
def test_a_value_is_compared_as_it_is(balancer, server, value):
    """Quotes, too: they are the header's own (RFC 7230, "quoted-string")."""
    balancer.put({"protocol": "HTTP", "default_pool": http_pool(server),
                  "l7policies": rejects(rule("HEADER", value, key="X-Kind"))})
    assert balancer.get(headers={"X-Kind": value})[0] == 403
    assert balancer.get(headers={"X-Kind": "other"})[0] == 200
    assert balancer.get()[0] == 200


@pytest.mark.parametrize("key", ["it's", "a#b", "a$HOME", "a%b|c~"])
def test_a_key_is_the_name_that_it_is(balancer, server, key):
    balancer.put({"protocol": "HTTP", "default_pool": http_pool(server), "l7policies": rejects(
        rule("HEADER", "x", key=key), rule("COOKIE", "y", key=key))})
    assert balancer.get(headers={key: "x"})[0] == 403
    assert balancer.get(headers={key[:-1]: "x"})[0] == 200
    assert balancer.get(headers={"Cookie": f"{key}=y"})[0] == 403
    assert balancer.get(headers={"Cookie": f"{key[:-1]}=y"})[0] == 200


def test_a_regular_expression_keeps_its_backslashes(balancer, server):
    balancer.put({"protocol": "HTTP", "default_pool": http_pool(server), "l7policies": rejects(
        rule("PATH", r"^/a\.b\d+$", "REGEX"), rule("FILE_TYPE", "php"))})
    assert [balancer.get(path)[0] for path in
            ("/a.b12", "/aXb12", "/a.b", "/x.php", "/x.html")] == [403, 200, 200, 403, 200]


def test_policies_act_as_octavia_orders_them(balancer, server, resources):
    other = resources.enter_context(WebServer("two"))
    balancer.put({"protocol": "HTTP", "default_pool": http_pool(server), "l7policies": [
        {"action": "REDIRECT_TO_POOL", "position": 1,
         "redirect_pool": http_pool(other, name="other"),
         "rules": [rule("PATH", "/a", "STARTS_WITH")]},
        {"action": "REDIRECT_TO_URL", "position": 2, "redirect_url": "http://x.example/",
         "rules": [rule("PATH", "/a/b", "STARTS_WITH")]},
        {"action": "REJECT", "position": 3,
         "rules": [rule("PATH", "/a/b/c", "STARTS_WITH"), rule("HOST_NAME", "NEVER", "CONTAINS",
                                                              invert=True)]}]})
    balancer.get("/a")
    assert other.requests == 1
    assert balancer.get("/a/b")[0] == 302
    assert balancer.get("/a/b/c")[0] == 403
    assert balancer.get("/a/b/c", {"Host": "never.example"})[0] == 302


# Who may connect

def test_only_allowed_networks_get_in(balancer, server):
    balancer.put({"protocol": "TCP", "allowed_cidrs": ["127.0.0.128/25", "192.0.2.0/24"],
                  "default_pool": {**http_pool(server), "protocol": "TCP"}})

    def answer_to(source):
        connection = http.client.HTTPConnection(VIP, balancer.port, timeout=TIMEOUT_S,
                                                source_address=(source, 0))
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()
    assert answer_to("127.0.0.129") == 200
    assert answer_to("127.0.0.1") is None
    assert answer_to("127.0.0.127") is None


# TLS

def test_hsts_is_on_answers_of_haproxys_own_too(balancer, server, authority):
    balancer.put_pem("site.pem", authority.issue("localhost").pem)
    balancer.put({"protocol": "TERMINATED_HTTPS", "certificate": "site.pem",
                  "hsts_max_age": 300, "hsts_include_subdomains": True,
                  "default_pool": http_pool(server), "l7policies": [
                      {"action": "REDIRECT_PREFIX", "redirect_prefix": "https://x.example",
                       "rules": [rule("PATH", "/old", "STARTS_WITH")]},
                      *rejects(rule("PATH", "/secret", "STARTS_WITH"))]})
    context = ssl._create_unverified_context()
    for path, status in (("/", 200), ("/old", 302), ("/secret", 403)):
        answer = balancer.get(path, context=context)
        assert answer[0] == status
        assert answer[1]["Strict-Transport-Security"] == "max-age=300; includeSubDomains;"


def certificate_of(balancer, name):
    """The serial number of the certificate that a client gets who asks for that name."""
    context = ssl._create_unverified_context()
    with socket.create_connection((VIP, balancer.port), TIMEOUT_S) as connection:
        with context.wrap_socket(connection, server_hostname=name) as session:
            return x509.load_der_x509_certificate(session.getpeercert(True)).serial_number


def test_a_listener_may_have_more_certificates_than_a_line_takes(
        balancer, amphora, server, authority):
    identities = {f"site-{i}.example.org": authority.issue(f"site-{i}.example.org")
                  for i in range(40)}
    first, *others = identities
    listener = {"protocol": "TERMINATED_HTTPS", "default_pool": http_pool(server),
                "certificate": f"{first}.pem",
                "sni_certificates": [f"{name}.pem" for name in others]}
    folder = amphora.base_path / "certs" / balancer.id
    for name, identity in identities.items():
        balancer.put_pem(f"{name}.pem", identity.pem)
    uploaded = sorted(path.name for path in folder.iterdir())

    def files_of_ours():
        return [path.name for path in folder.iterdir() if path.name not in uploaded]

    assert balancer.preview(listener).status == 200
    assert files_of_ours() == []  # a dry run leaves nothing
    refused = balancer.preview({**listener, "sni_certificates": [
        *listener["sni_certificates"], "missing.pem"]})
    assert (refused.status, files_of_ours()) == (500, [])

    balancer.put(listener)
    for name in (first, others[0], others[-1]):
        assert certificate_of(balancer, name) == identities[name].serial_number
    assert certificate_of(balancer, "unknown.example.org") == identities[first].serial_number
    before = files_of_ours()
    assert len(before) == 1

    balancer.put({**listener, "sni_certificates": listener["sni_certificates"][1:]})
    assert certificate_of(balancer, others[0]) == identities[first].serial_number
    assert certificate_of(balancer, others[-1]) == identities[others[-1]].serial_number
    assert len(files_of_ours()) == 1 and files_of_ours() != before


@pytest.mark.parametrize("monitor", [
    {}, {"healthmonitor": {"type": "HTTPS", "url_path": WebServer.health_path, **FAST}}])
def test_members_of_a_strangers_authority_get_no_traffic(
        balancer, resources, authority, monitor):
    """Whatever the monitor: with Octavia's own config, an HTTPS monitor ends verification."""
    stranger = resources.enter_context(WebServer(
        "stranger", certificate=Authority("somebody").issue("localhost")))
    balancer.put_pem("ca.pem", authority.pem)
    pool = http_pool(stranger, tls_enabled=True, ca_certificate="ca.pem", **monitor)
    balancer.put({"protocol": "HTTP", "default_pool": pool})
    stays_so(lambda: balancer.get()[0] == 503, "nobody answers", 2, pause_s=0.2)

    ours = resources.enter_context(WebServer("ours", certificate=authority.issue("localhost")))
    pool["members"].append(member(ours))
    balancer.put({"protocol": "HTTP", "default_pool": pool})
    eventually(lambda: balancer.get()[0] == 200, "the other one does")
    assert (stranger.requests, ours.requests) == (0, 1)


def test_a_domain_name_is_no_name_that_members_certificates_must_have(
        balancer, resources, authority):
    """HAProxy holds the name that it says in a verified handshake against the certificate."""
    node = resources.enter_context(WebServer("node", certificate=authority.issue("node-1")))
    balancer.put_pem("ca.pem", authority.pem)
    balancer.put({"protocol": "HTTP", "default_pool": http_pool(
        node, tls_enabled=True, ca_certificate="ca.pem", healthmonitor={
            "type": "HTTPS", "http_version": 1.1, "domain_name": "www.example.org",
            "url_path": "/healthz", **PATIENT})})
    eventually(lambda: len(node.check_hosts) > 1, "it is checked, and checked again")
    stays_so(lambda: balancer.member_statuses() == {node.port: "ONLINE"}, "it is up", 3)
    assert balancer.get()[0] == 200


def test_a_tls_hello_monitor_tells_tls_from_a_listening_port(
        balancer, amphora, server, resources, authority):
    """Members that ask for a client's certificate, or refuse to talk without a name, speak TLS."""
    mutual = resources.enter_context(TlsServer(
        "mutual", VIP, free_port(), {None: authority.issue("x")}, clients=authority))
    named = resources.enter_context(TlsServer(
        "named", VIP, free_port(), {"x.example": authority.issue("x.example")}))
    # The agent's own API: another library's TLS.
    members = [member(server), member(mutual), member(named),
               {"address": VIP, "protocol_port": amphora.port}]
    balancer.put({"protocol": "HTTPS", "default_pool": {
        "protocol": "HTTPS", "lb_algorithm": "ROUND_ROBIN", "members": members,
        "healthmonitor": {"type": "TLS-HELLO", **PATIENT}}})
    wanted = {server.port: "ERROR", mutual.port: "ONLINE", named.port: "ONLINE",
              amphora.port: "ONLINE"}
    eventually(lambda: balancer.member_statuses() == wanted, "the members are told apart")
    stays_so(lambda: balancer.member_statuses() == wanted, "they stay so", 2)


# Checks and persistence

@pytest.mark.parametrize("domain, host", [({}, VIP), ({"domain_name": "a.example"}, "a.example")])
def test_an_http_1_1_check_has_a_host(balancer, server, domain, host):
    balancer.put({"protocol": "HTTP", "default_pool": http_pool(server, healthmonitor={
        "type": "HTTP", "http_version": 1.1, "url_path": "/healthz", **domain, **FAST})})
    eventually(lambda: server.check_hosts, "it is checked")
    assert set(server.check_hosts) == {host}


def test_members_may_be_checked_at_an_ipv6_address(balancer, server, resources):
    six = resources.enter_context(WebServer("six", "::1"))
    balancer.put({"protocol": "HTTP", "default_pool": {
        **http_pool(), "members": [{**member(server), "monitor_address": "::1",
                                    "monitor_port": six.port}],
        "healthmonitor": {"type": "HTTP", "url_path": "/healthz", **FAST}}})
    eventually(lambda: six.checks > 0, "the other address is checked")
    assert server.checks == 0


@pytest.mark.parametrize("starts_down", [False, True])
def test_what_begins_to_serve_may_have_to_pass_its_checks_first(
        make_amphora, lb_id, server, resources, starts_down):
    amphora = make_amphora()
    amphora.drop_in.set("agent", "members_start_down", starts_down)
    balancer = LoadBalancer(amphora.start(), lb_id)
    dead, alive = (resources.enter_context(WebServer(name)) for name in ("dead", "alive"))
    broken = {**member(dead), "monitor_port": free_port()}
    monitor = {"type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 10}

    def put(*members):
        return balancer.put({"protocol": "HTTP", "default_pool": {
            **http_pool(), "members": [member(server), *members], "healthmonitor": monitor}})
    put()
    for is_up in (True, False, True):
        assert put({**broken, "admin_state_up": is_up}) == "runtime"
        for _ in range(4):
            assert balancer.get()[0] == 200
    assert (dead.requests == 0) == starts_down
    assert put(broken, member(alive)) == "runtime"
    eventually(lambda: balancer.get()[0] == 200 and alive.requests, "the other one gets some")


@pytest.mark.parametrize("version, knows", [("3.0.11-1", False), ("3.1.0-1~bpo12+1", True),
                                            ("4.0-1", True), ("2.9-1", False)])
def test_init_state_is_said_to_a_haproxy_that_knows_it(
        make_amphora, lb_id, server, tmp_path, version, knows):
    """Ours is older than its package says here, and refuses the word."""
    (tmp_path / "status").write_text(
        f"Package: haproxy\nStatus: install ok installed\nVersion: {version}\n\n")
    amphora = make_amphora(wrapper=(
        "unshare", "--mount", "sh", "-c",
        f"mount --bind {tmp_path}/status /var/lib/dpkg/status && exec \"$@\"", "sh"))
    amphora.drop_in.set("agent", "members_start_down", True)
    answer = amphora.start().api.put(
        f"/1.0/loadbalancer/{amphora.id}/{lb_id}/model?dry_run=true",
        {"vip_address": VIP, "listeners": [{"protocol": "HTTP", "protocol_port": 80,
                                            "default_pool": http_pool(server, healthmonitor={
                                                "type": "TCP", **FAST})}]})
    assert ("unknown keyword 'init-state'" in answer.text) == knows
    assert answer.status == (500 if knows else 200)


def test_a_cookie_with_an_odd_name_sticks(balancer, resources):
    servers = [resources.enter_context(WebServer(name)) for name in ("one", "two")]
    for server in servers:
        server.headers["Set-Cookie"] = f"it's#1={server.identity}"
    balancer.put({"protocol": "HTTP", "default_pool": http_pool(
        *servers, session_persistence={"type": "APP_COOKIE", "cookie_name": "it's#1"})})
    assert {balancer.get()[1]["Set-Cookie"] for _ in range(4)} == {"it's#1=one", "it's#1=two"}
    for name in ("one", "two"):
        cookie = f"it's#1={name}"
        assert {balancer.get(headers={"Cookie": cookie})[1]["Set-Cookie"]
                for _ in range(4)} == {cookie}
