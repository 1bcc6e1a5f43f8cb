# SPDX-License-Identifier: Apache-2.0
"""Where our texts are meant to differ from Octavia's. Each rule changes one side's words, never both,
to what they would be if the two differed in nothing else, and counts how often it had to: one that a
whole run never needed is stale. `since` and `before` are releases of Octavia: the first that says it
otherwise, and the first that says it as we do."""

import html
import re

from harness.keepalived_text import Block

RULES = []
NEVER = 10 ** 6


class Rule:
    def __init__(self, function, side, kind, since, before):
        self.function = function
        self.name = function.__name__
        self.side = side
        self.kinds = kind.split()
        self.since = since
        self.before = before

    def applies_to(self, release):
        return self.since <= int(release.split(".")[0]) < self.before

    def apply(self, case, text):
        """How often it changed something."""
        try:
            return self.function(case, text)
        except ValueError as error:
            raise ValueError(f"rule {self.name}: {error}") from error


def rule(side, kind, since=0, before=NEVER):
    """side: whose text it changes; kind: which of the texts (several: "lvs vrrp")."""
    def register(function):
        RULES.append(Rule(function, side, kind, since, before))
        return function
    return register


class Case:
    """What a rule may look at: the load balancer, and what Octavia has uploaded beside configs."""

    def __init__(self, base_path, description, uploads, stand_ins):
        self.base_path = base_path
        self.description = description
        self.uploads = uploads
        self.stand_ins = stand_ins
        self.pools = {pool["id"]: pool for pool in description["pools"]}
        self.listeners = {listener["id"]: listener for listener in description["listeners"]}

    def backends(self, configuration):
        """(pool, listener, directives) of each backend."""
        for name, directives in configuration.named("backend").items():
            pool_id, _, listener_id = name.partition(":")
            if pool_id in self.pools and listener_id in self.listeners:
                yield self.pools[pool_id], self.listeners[listener_id], directives

    def frontends(self, configuration):
        for name, directives in configuration.named("frontend").items():
            if name in self.listeners:
                yield self.listeners[name], directives


def everything(configuration):
    """The words of every directive."""
    if isinstance(configuration, Block):
        return (block.words for block in blocks(configuration))
    return (found for directives in configuration.sections.values() for found in directives)


def blocks(block):
    for child in block.children:
        yield child
        yield from blocks(child)


def change(words, new):
    """Counts."""
    changed = words != new
    words[:] = new
    return changed


def without_brackets(word):
    return word.replace("[", "").replace("]", "")


def remove(directives, found):
    """A directive, or a word of one, that has to be there."""
    if found not in directives:
        raise ValueError(f"no {found} in {directives}")
    directives.remove(found)
    return 1


# What Octavia's templates do to values

@rule("octavia", "haproxy lvs vrrp")
def nobody_reads_html(_case, configuration):
    """Octavia escapes values for HTML, which the daemons take for part of the value."""
    return sum(change(found, [html.unescape(word) for word in found])
               for found in everything(configuration))


@rule("octavia", "haproxy lvs vrrp")
def octavia_cannot_write_every_value(case, configuration):
    """See stand_ins.py."""
    return sum(change(found, [case.stand_ins.resolve(word) for word in found])
               for found in everything(configuration))


# HAProxy: what a newer release of Octavia says as we do

@rule("octavia", "haproxy", before=17)
def httpchk_names_its_host_apart(_case, configuration):
    """`option httpchk` with "HTTP/1.1\\r\\nHost:\\ X", of which HAProxy 2.2 and later warn and which 3.0
    refuses, is `http-check send` since."""
    count = 0
    for directives in configuration.named("backend").values():
        for number, found in enumerate(directives):
            if found[:2] != ["option", "httpchk"] or "\r\n" not in found[-1]:
                continue
            version, _, host = found[-1].partition("\r\n")
            found[-1] = version
            if host:
                host = host.partition(": ")[2]
                directives.insert(number + 1, ["http-check", "send", "hdr", "Host", host])
            count += 1
            break
    return count


@rule("octavia", "haproxy", since=12, before=17)
def htx_is_no_option(_case, configuration):
    """`option http-use-htx` of the metrics' frontend is no word of HAProxy's since 2.1."""
    return sum(remove(directives, ["option", "http-use-htx"])
               for directives in configuration.named("frontend").values()
               if ["option", "http-use-htx"] in directives)


@rule("octavia", "haproxy", before=13)
def stick_tables_hold_ipv6(_case, configuration):
    """A table of type ip takes no IPv6 client; one of type ipv6 takes both."""
    return sum(change(found, ["stick-table", "type", "ipv6", *found[3:]])
               for found in everything(configuration) if found[:3] == ["stick-table", "type", "ip"])


@rule("octavia", "haproxy", before=14)
def checks_speak_alpn(case, configuration):
    """A check of members that speak TLS offers the ALPN protocols that traffic offers."""
    count = 0
    for pool, _, directives in case.backends(configuration):
        monitor = pool["healthmonitor"]
        if not (monitor and monitor["admin_state_up"] and pool["tls_enabled"]):
            continue
        for found in directives:
            if found[0] == "server":
                found += ["check-alpn", ",".join(pool["alpn_protocols"])]
                count += 1
    return count


@rule("octavia", "haproxy", before=13)
def hsts_is_known(case, configuration):
    """Listeners may send Strict-Transport-Security."""
    count = 0
    for listener, directives in case.frontends(configuration):
        if listener["hsts_max_age"] is not None:
            value = f"max-age={listener['hsts_max_age']};"
            value += " includeSubDomains;" if listener["hsts_include_subdomains"] else ""
            value += " preload;" if listener["hsts_preload"] else ""
            directives.append(["http-response", "set-header", "Strict-Transport-Security", value])
            count += 1
    return count


@rule("octavia", "haproxy", before=17)
def file_types_are_compared_whole(_case, configuration):
    """`path_end -m str` compares the whole path; `path_end` alone its end."""
    return sum(change(found, [*found[:3], *found[5:]]) for found in everything(configuration)
               if found[0] == "acl" and found[2:5] == ["path_end", "-m", "str"])


@rule("octavia", "haproxy", before=15)
def maxconn_counts_open_listeners_only(case, configuration):
    """The limits of disabled listeners were added up, too."""
    total = sum(
        limit if (limit := listener["connection_limit"]) > 0 else 50000
        for listener in case.listeners.values()
        if listener["admin_state_up"] and listener["protocol"] not in ("UDP", "SCTP"))
    return sum(change(found, ["maxconn", str(total if 0 < total < 1000000 else 1000000)])
               for found in configuration.sections["global", ""] if found[0] == "maxconn")


# HAProxy: where we mean the same in other words

@rule("octavia", "haproxy")
def expected_codes_are_a_set(_case, configuration):
    """Octavia lists the codes in the random order of a Python set."""
    return sum(change(found, [*found[:3], "|".join(sorted("".join(found[3:]).split("|")))])
               for found in everything(configuration)
               if found[:3] == ["http-check", "expect", "rstatus"])


@rule("octavia", "haproxy")
def certificates_stand_on_the_bind_line(case, configuration):
    """A crt-list is a second file, which could not be installed in one step with the config."""
    count = 0
    for found in everything(configuration):
        if found[0] != "bind" or "crt-list" not in found:
            continue
        at = found.index("crt-list")
        names = case.uploads[re.sub(".*/(certs/.*)", r"\1", found[at + 1])].split()
        found[at:at + 2] = [word for name in names for word in ("crt", name)]
        count += 1
    return count


@rule("octavia", "haproxy")
def file_types_are_ends_of_a_path(_case, configuration):
    """`path_end` is `path -m end`, and HAProxy warns of it with another -m."""
    count = 0
    for found in everything(configuration):
        if found[0] == "acl" and found[2] == "path_end":
            found[2:3] = ["path"] if found[3] == "-m" else ["path", "-m", "end"]
            count += 1
    return count


@rule("octavia", "haproxy")
def verification_is_said(_case, configuration):
    """With a CA and without a word, HAProxy verifies; ours says it."""
    return sum(change(found, [*found, "verify", "required"]) for found in everything(configuration)
               if found[0] == "server" and "ca-file" in found and "verify" not in found)


@rule("octavia", "haproxy")
def ping_is_under_base_path(case, configuration):
    """Octavia's path of the wrapper is fixed; ours lies where everything else does."""
    return sum(change(found, [*found[:2], f"{case.base_path}/ping-wrapper.sh"])
               for found in everything(configuration) if found[:2] == ["external-check", "command"])


@rule("octavia", "haproxy")
def unused_acls_are_left_out(_case, configuration):
    """Octavia keeps the ACLs of a policy that redirects to a pool that is down."""
    count = 0
    for directives in configuration.named("frontend").values():
        used = {word.lstrip("!") for found in directives if found[0] != "acl" for word in found}
        unused = [found for found in directives if found[0] == "acl" and found[1] not in used]
        for found in unused:
            count += remove(directives, found)
    return count


@rule("octavia", "haproxy")
def external_checks_are_for_frontends(case, configuration):
    """Octavia allows external checks for PING monitors of a load balancer that is down."""
    directives = configuration.sections["global", ""]
    if case.description["admin_state_up"] or ["external-check"] not in directives:
        return 0
    return remove(directives, ["external-check"]) + remove(directives, ["insecure-fork-wanted"])


@rule("ours", "haproxy")
def ipv6_stands_in_brackets(_case, configuration):
    """HAProxy reads the port behind the last colon in both; brackets leave no doubt to people."""
    return sum(change(found, [without_brackets(word) if number == at else word
                              for number, word in enumerate(found)])
               for found in everything(configuration)
               for at in [{"bind": 1, "server": 2, "peer": 2}.get(found[0])] if at)


@rule("ours", "haproxy")
def check_addresses_stand_in_brackets(_case, configuration):
    """Behind `addr` HAProxy takes what follows an IPv6 address's last colon for a port, which Octavia
    leaves to it."""
    return sum(change(found, [without_brackets(word) if before == "addr" else word
                              for before, word in zip(["", *found], found)])
               for found in everything(configuration) if found[0] == "server")


@rule("ours", "haproxy")
def arguments_are_quoted(_case, configuration):
    """Names of headers and cookies are arguments of req.hdr() and the like, where HAProxy reads quotes
    once more."""
    def unquote(match):
        return "(" + re.sub(r"\\(.)", r"\1", match[1]) + ")"
    return sum(change(found, [re.sub(r'\("((?:[^"\\]|\\.)*)"\)$', unquote, word)
                              if word.startswith(("req.", "res.", "ssl_c_s_dn(")) else word
                              for word in found])
               for found in everything(configuration) if found[0] in ("acl", "stick"))


@rule("ours", "haproxy")
def values_stand_behind_two_dashes(_case, configuration):
    """An `acl` takes a value that begins with '-' for a flag, unless "--" stands before it."""
    return sum(remove(found, "--") for found in everything(configuration)
               if found[0] == "acl" and found[-2] == "--")


# HAProxy: where we do more, or what Octavia meant

@rule("ours", "haproxy")
def allowed_cidrs_are_enforced(case, configuration):
    """Octavia leaves allowed_cidrs to security groups, which stand outside of an amphora."""
    count = 0
    for listener, directives in case.frontends(configuration):
        if listener["allowed_cidrs"]:
            remove(directives, ["acl", "client.allowed", "src", *listener["allowed_cidrs"]])
            count += remove(directives, ["tcp-request", "connection", "reject", "unless",
                                         "client.allowed"])
    return count


@rule("octavia", "haproxy")
def hsts_is_on_every_answer(_case, configuration):
    """Octavia leaves it off redirects and errors that HAProxy makes itself."""
    return sum(change(found, ["http-after-response", *found[1:]])
               for found in everything(configuration)
               if found[:3] == ["http-response", "set-header", "Strict-Transport-Security"])


@rule("ours", "haproxy")
def tunnels_have_a_timeout(case, configuration):
    """Octavia sets no `timeout tunnel`: a WebSocket ends after the shorter of the client's and the
    server's timeout for requests. Ours gives it the client's."""
    return sum(remove(directives, ["timeout", "tunnel",
                                   str(listener["timeout_client_data"] or 50000)])
               for _, listener, directives in case.backends(configuration)
               if listener["protocol"] in ("HTTP", "TERMINATED_HTTPS"))


def checked(case, configuration, kind):
    """(pool, directives) of the backends whose monitor is of the kind, and on."""
    for pool, _, directives in case.backends(configuration):
        monitor = pool["healthmonitor"]
        if monitor and monitor["admin_state_up"] and monitor["type"] in kind:
            yield pool, directives


@rule("ours", "haproxy")
def http_1_1_needs_a_host(case, configuration):
    """An HTTP/1.1 check without a domain_name is answered 400 unless it has a Host: ours has the
    VIP."""
    vip = case.description["vip"]["ip_address"]
    host = f"[{vip}]" if ":" in vip else vip
    return sum(remove(directives, ["http-check", "send", "hdr", "Host", host])
               for pool, directives in checked(case, configuration, ("HTTP", "HTTPS"))
               if pool["healthmonitor"]["http_version"] == 1.1
               and not pool["healthmonitor"]["domain_name"])


@rule("ours", "haproxy")
def checks_say_the_name_in_tls(case, configuration):
    """An HTTPS monitor's domain_name is the name in the handshake, too, unless HAProxy would hold it
    against a certificate that it verifies."""
    count = 0
    for pool, directives in checked(case, configuration, ("HTTPS",)):
        name = None if pool["ca_certificate"] else pool["healthmonitor"]["domain_name"]
        for found in directives if name else ():
            if found[0] == "server":
                at = found.index("check-sni")
                count += change(found, found[:at] + found[at + 2:])
                assert name not in found
    return count


@rule("octavia", "haproxy", before=14)
def tls_hello_is_no_sslv3_hello(case, configuration):
    """`option ssl-hello-chk` sends an SSLv3 hello, which nobody answers any more."""
    return sum(remove(directives, ["option", "ssl-hello-chk"])
               for _, directives in checked(case, configuration, ("TLS-HELLO",)))


# A record of a handshake, or an alert.
TLS_ANSWER = ["tcp-check", "expect", "rbinary", "^1[56]", "min-recv", "5", "ok-status", "L6OK",
              "error-status", "L6RSP", "tout-status", "L6TOUT"]


def is_client_hello(record):
    """A whole record with a whole ClientHello (RFC 8446, 4.1.2 and 5.1)."""
    return record[:2] == b"\x16\x03" and int.from_bytes(record[3:5], "big") == len(record) - 5 \
        and record[5] == 1 and int.from_bytes(record[6:9], "big") == len(record) - 9


@rule("ours", "haproxy")
def tls_hello_wants_tls(case, configuration):
    """Octavia's newest TLS-HELLO is a bare TCP connect: ours makes the handshake where the pool speaks
    TLS, and else sends a hello and wants an answer."""
    count = 0
    for pool, directives in checked(case, configuration, ("TLS-HELLO",)):
        if pool["tls_enabled"]:
            count += sum(remove(found, "check-ssl") for found in directives if found[0] == "server")
            continue
        remove(directives, ["option", "tcp-check"])
        remove(directives, TLS_ANSWER)
        hello, = (found for found in directives if found[:2] == ["tcp-check", "send-binary"])
        if is_client_hello(bytes.fromhex(hello[2])) and len(hello) == 3:
            count += remove(directives, hello)
    return count


@rule("octavia", "haproxy")
def checks_leave_verification_on(case, configuration):
    """`check-ssl verify none` of an HTTPS monitor ends the verification that a CA was given for, unless
    a CRL brings it back."""
    count = 0
    for pool, directives in checked(case, configuration, ("HTTPS",)):
        for found in directives if pool["ca_certificate"] and not pool["crl"] else ():
            if found[0] == "server":
                count += change(found, [*found, "verify", "required"])
    return count


# keepalived

@rule("octavia", "lvs", before=12)
def ipv6_granularity_is_a_length(_case, root):
    """What single addresses are is 128 for IPv6."""
    return sum(change(found.words, ["persistence_granularity", "128"])
               for server in root.find("virtual_server") if server.words[2] == "ipv6-group"
               for found in server.find("persistence_granularity")
               if found.words[1] == "255.255.255.255")


@rule("octavia", "lvs")
def granularity_is_of_one_family(_case, root):
    """A netmask says nothing to an IPv6 group and a prefix length nothing to an IPv4 group: there,
    single addresses are meant."""
    count = 0
    for server in root.find("virtual_server"):
        is_ipv6 = server.words[2] == "ipv6-group"
        for found in server.find("persistence_granularity"):
            if is_ipv6 == ("." in found.words[1]):
                found.words[1] = "128" if is_ipv6 else "255.255.255.255"
                count += 1
    return count


@rule("octavia", "lvs")
def codes_are_alternatives(_case, root):
    """Octavia writes a `url` for each expected code, and keepalived wants every `url` to succeed; one with
    all the codes is meant."""
    count = 0
    for check in root.find("virtual_server", "real_server", "HTTP_GET"):
        first, *others = check.find("url")
        for other in others:
            first.find("status_code")[0].words.append(other.find("status_code")[0].words[1])
            check.children.remove(other)
        count += bool(others)
    return count


@rule("ours", "lvs")
def codes_have_ranges(_case, root):
    """keepalived knows ranges of codes: a line has 1,023 bytes."""
    def expand(word):
        low, _, high = word.partition("-")
        return [str(code) for code in range(int(low), int(high or low) + 1)]
    return sum(change(found.words, [found.words[0],
                                    *(code for word in found.words[1:] for code in expand(word))])
               for found in root.find("virtual_server", "real_server", "HTTP_GET", "url",
                                      "status_code"))


@rule("ours", "lvs")
def http_checks_say_version_and_host(_case, root):
    """Octavia does not tell keepalived of a monitor's http_version and domain_name."""
    count = 0
    for check in root.find("virtual_server", "real_server", "HTTP_GET"):
        for found in check.find("http_protocol") + check.find("virtualhost"):
            check.children.remove(found)
            count += 1
    return count


@rule("ours", "lvs")
def checkers_have_a_path(_case, root):
    """keepalived's script user may have another PATH."""
    return sum(change(found.words, [re.sub("^/.*/(amphora-health-checker )", r"\1", word)
                                    for word in found.words])
               for found in root.find("virtual_server", "real_server", "MISC_CHECK", "misc_path"))


@rule("octavia", "vrrp", before=15)
def both_amphorae_begin_as_backup(_case, root):
    """With `nopreempt` keepalived asks for that; who is master, priorities tell."""
    count = 0
    for instance in root.find("vrrp_instance"):
        for found in instance.find("state"):
            instance.children.remove(found)
            count += 1
    return count


@rule("octavia", "vrrp")
def next_hops_stand_behind_via(_case, root):
    """"gateway" is no word of keepalived's, which then leaves the route out."""
    return sum(change(route.words, ["via" if word == "gateway" else word for word in route.words])
               for routes in root.find("vrrp_instance", "virtual_routes")
               for route in routes.children)


@rule("octavia", "vrrp")
def ipv6_vrrp_has_no_authentication(case, root):
    """VRRP version 3, which is IPv6's, has none, and keepalived says so at each start."""
    if ":" not in case.description["vip"]["ip_address"]:
        return 0
    count = 0
    for instance in root.find("vrrp_instance"):
        for found in instance.find("authentication"):
            instance.children.remove(found)
            count += 1
    return count
