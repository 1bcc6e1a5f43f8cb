# SPDX-License-Identifier: Apache-2.0
"""Where our texts are meant to differ from Octavia's. Each rule changes one side's words, never both,
to what they would be if the two differed in nothing else, and counts how often it had to: one that a
whole run never needed is stale. `before` is the release of Octavia that says it as we do."""

import html
import re

RULES = []


class Rule:
    def __init__(self, function, side, kind, before):
        self.function = function
        self.name = function.__name__
        self.side = side
        self.kind = kind
        self.before = before

    def applies_to(self, release):
        return self.before is None or int(release.split(".")[0]) < self.before


def rule(side, kind, before=None):
    """side: whose text it changes; kind: which of the texts."""
    def register(function):
        RULES.append(Rule(function, side, kind, before))
        return function
    return register


class Case:
    """What a rule may look at: the load balancer, and what Octavia has uploaded beside configs."""

    def __init__(self, description, uploads, stand_ins):
        self.description = description
        self.uploads = uploads
        self.stand_ins = stand_ins
        self.pools = {pool["id"]: pool for pool in description["pools"]}
        self.listeners = {listener["id"]: listener for listener in description["listeners"]}

    def backends(self, configuration):
        """(pool, listener, directives) of each backend."""
        for name, directives in configuration.named("backend").items():
            pool_id, _, listener_id = name.partition(":")
            if pool_id in self.pools:
                yield self.pools[pool_id], self.listeners[listener_id], directives

    def frontends(self, configuration):
        for name, directives in configuration.named("frontend").items():
            if name in self.listeners:
                yield self.listeners[name], directives


def everything(configuration):
    return (found for directives in configuration.sections.values() for found in directives)


def change(words, new):
    """Counts."""
    changed = words != new
    words[:] = new
    return changed


def remove(directives, found):
    """A directive that has to be there."""
    directives.remove(found)
    return 1


# What Octavia's templates do to values

@rule("octavia", "haproxy")
def octavia_cannot_write_every_value(case, configuration):
    """See stand_ins.py."""
    return sum(change(found, [case.stand_ins.resolve(word) for word in found])
               for found in everything(configuration))


@rule("octavia", "haproxy")
def html_is_not_haproxy(_case, configuration):
    """Octavia escapes values for HTML, which HAProxy takes for part of the value."""
    return sum(change(found, [html.unescape(word) for word in found])
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


@rule("octavia", "haproxy", before=13)
def stick_tables_hold_ipv6(_case, configuration):
    """A table of type ip takes no IPv6 client; one of type ipv6 takes both."""
    return sum(change(found, ["stick-table", "type", "ipv6", *found[3:]])
               for found in everything(configuration) if found[:3] == ["stick-table", "type", "ip"])


@rule("octavia", "haproxy", before=14)
def tls_hello_is_no_sslv3_hello(_case, configuration):
    """`option ssl-hello-chk` sends an SSLv3 hello, which nobody answers any more."""
    return sum(remove(directives, ["option", "ssl-hello-chk"])
               for directives in configuration.named("backend").values()
               if ["option", "ssl-hello-chk"] in directives)


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


@rule("octavia", "haproxy", before=15)
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


# HAProxy: where we are right, or mean the same in other words

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


@rule("ours", "haproxy")
def ipv6_stands_in_brackets(_case, configuration):
    """HAProxy reads the port behind the last colon in both; brackets leave no doubt to people."""
    return sum(change(found, [*found[:at], found[at].replace("[", "").replace("]", ""),
                              *found[at + 1:]])
               for found in everything(configuration)
               for at in [{"bind": 1, "server": 2, "peer": 2}.get(found[0])] if at)


@rule("ours", "haproxy")
def tunnels_have_a_timeout(case, configuration):
    """Octavia sets no `timeout tunnel`: a WebSocket ends after the shorter of the client's and the
    server's timeout for requests. Ours gives it the client's."""
    return sum(remove(directives, ["timeout", "tunnel",
                                   str(listener["timeout_client_data"] or 50000)])
               for _, listener, directives in case.backends(configuration)
               if listener["protocol"] in ("HTTP", "TERMINATED_HTTPS"))


@rule("ours", "haproxy")
def values_stand_behind_two_dashes(_case, configuration):
    """An `acl` takes a value that begins with '-' for a flag, unless "--" stands before it."""
    return sum(change(found, [word for word in found[:-1] if word != "--"] + found[-1:])
               for found in everything(configuration) if found[0] == "acl")
