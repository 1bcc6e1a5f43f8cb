# SPDX-License-Identifier: Apache-2.0
"""What is in a description, as names to count: a run in which one does not occur tests less than it
says, and fails."""

import itertools

from render.generator import (
    ALPN, COMPARISONS, HEADERS, LVS, METHODS, MONITORS, MONITORS_OF, POOLS_OF, TLS_HEADERS, VERSIONS)

PERSISTENCE = ("SOURCE_IP", "HTTP_COOKIE", "APP_COOKIE")
ALGORITHMS = ("ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP")
ACTIONS = ("REJECT", "REDIRECT_TO_POOL", "REDIRECT_TO_URL", "REDIRECT_PREFIX")
CODES = (301, 302, 303, 307, 308)
TLS_RULES = ("SSL_CONN_HAS_CERT", "SSL_VERIFY_RESULT", "SSL_DN_FIELD")
RULES = ("HOST_NAME", "PATH", "FILE_TYPE", "HEADER", "COOKIE", *TLS_RULES)


def family(address):
    return "IPv6" if ":" in address else "IPv4"


def of_member(member):
    yield f"member {family(member['address'])}"
    yield from (f"member with {key}" for key in ("monitor_address", "monitor_port") if member[key])
    yield from ("backup member" for _ in range(member["backup"]))
    yield from ("member down" for _ in range(not member["admin_state_up"]))
    if member["weight"] in (0, 256):
        yield f"member of weight {member['weight']}"


def of_monitor(monitor):
    if monitor is None:
        yield "no monitor"
        return
    yield f"monitor {monitor['type']}"
    if not monitor["admin_state_up"]:
        yield "monitor down"
    if monitor["url_path"]:
        yield f"monitor {monitor['http_method']}"
        yield f"monitor HTTP/{monitor['http_version']}"
    if monitor["domain_name"]:
        yield "monitor with domain_name"
    if monitor["timeout"] > monitor["delay"]:
        yield "monitor slower than its delay"


def of_tls(owner, tls):
    yield from (f"{owner} speaks {version}" for version in tls["tls_versions"] or [])
    yield from (f"{owner} offers {protocol}" for protocol in tls["alpn_protocols"] or [])


def of_pool(pool):
    yield f"pool {pool['protocol']}"
    yield f"pool {pool['lb_algorithm']}"
    if not pool["admin_state_up"]:
        yield "pool down"
    yield f"pool with {min(len(pool['members']), 2)} members"
    if pool["session_persistence"]:
        persistence = pool["session_persistence"]
        yield f"persistence {persistence['type']}"
        yield from (f"persistence with {key}" for key in (
            "persistence_timeout", "persistence_granularity") if persistence[key])
    if pool["tls_enabled"]:
        yield "pool with TLS"
        yield from of_tls("pool", pool)
        yield from (f"pool with {key}" for key in ("client_certificate", "ca_certificate", "crl")
                    if pool[key])
    yield from of_monitor(pool["healthmonitor"])
    for member in pool["members"]:
        yield from of_member(member)


def of_policy(policy):
    yield f"policy {policy['action']}"
    if not policy["admin_state_up"]:
        yield "policy down"
    if policy["redirect_http_code"]:
        yield f"redirect {policy['redirect_http_code']}"
    yield f"policy with {min(len(policy['rules']), 2)} rules"
    for rule in policy["rules"]:
        yield f"rule {rule['type']}"
        yield f"rule {rule['compare_type']}"
        yield from ("rule inverted" for _ in range(rule["invert"]))
        yield from ("rule down" for _ in range(not rule["admin_state_up"]))


def of_listener_tls(listener):
    yield "listener with TLS"
    yield from of_tls("listener", listener)
    yield f"client authentication {listener['client_authentication']}"
    yield from (f"listener with {key}" for key in (
        "sni_certificates", "client_ca_certificate", "client_crl", "hsts_include_subdomains",
        "hsts_preload") if listener[key])
    if listener["hsts_max_age"] is not None:
        yield "listener with hsts_max_age"


def of_listener(listener):
    yield f"listener {listener['protocol']}"
    if not listener["admin_state_up"]:
        yield "listener down"
    yield f"listener with {'a' if listener['default_pool_id'] else 'no'} default pool"
    yield from (f"listener inserts {name}" for name, on in listener["insert_headers"].items()
                if on.lower() == "true")
    if listener["connection_limit"] > 0:
        yield "listener with connection_limit"
    if listener["allowed_cidrs"]:
        yield "listener with allowed_cidrs"
    if listener["timeout_tcp_inspect"]:
        yield "listener with timeout_tcp_inspect"
    if listener["certificate"]:
        yield from of_listener_tls(listener)
    for policy in listener["l7policies"]:
        yield from of_policy(policy)


def of_load_balancer(description):
    """Those that are together in one load balancer."""
    found = {f"topology {description['topology']}", f"VIP {family(description['vip']['ip_address'])}"}
    found.update(f"additional VIP {family(vip['ip_address'])}"
                 for vip in description["additional_vips"])
    if not description["admin_state_up"]:
        found.add("load balancer down")
    if description["listeners"] and all(
            listener["protocol"] in LVS for listener in description["listeners"]):
        found.add("nothing for HAProxy")
    users = [listener["default_pool_id"] for listener in description["listeners"]]
    if any(user and users.count(user) > 1 for user in users):
        found.add("pool shared by listeners")
    for part, parts in ((of_pool, description["pools"]), (of_listener, description["listeners"])):
        for owner in parts:
            found.update(part(owner))
    return found


def pairs(description):
    """What meets in one place: a listener and its pool, a pool and its monitor, a rule's two words."""
    pools = {pool["id"]: pool for pool in description["pools"]}
    for pool in description["pools"]:
        kind = f"pool {pool['protocol']}"
        if pool["healthmonitor"]:
            yield kind, f"monitor {pool['healthmonitor']['type']}"
        yield kind, f"pool {pool['lb_algorithm']}"
        if pool["tls_enabled"]:
            yield kind, "TLS"
            if pool["healthmonitor"]:
                yield "TLS", f"monitor {pool['healthmonitor']['type']}"
        if pool["session_persistence"]:
            yield f"persistence {pool['session_persistence']['type']}", description["topology"]
    for listener in description["listeners"]:
        kind = f"listener {listener['protocol']}"
        used = [listener["default_pool_id"]] + [
            policy["redirect_pool_id"] for policy in listener["l7policies"]]
        yield from ((kind, f"pool {pools[pool]['protocol']}") for pool in used if pool)
        yield from ((kind, f"policy {policy['action']}") for policy in listener["l7policies"])
        for policy in listener["l7policies"]:
            yield from ((f"rule {rule['type']}", f"rule {rule['compare_type']}")
                        for rule in policy["rules"])


FEATURES = {
    *(f"listener {name}" for name in POOLS_OF), *(f"pool {name}" for name in (
        *POOLS_OF["TCP"], *LVS)), *(f"pool {name}" for name in ALGORITHMS),
    *(f"monitor {name}" for name in (*MONITORS, *MONITORS_OF["UDP"])),
    *(f"monitor {name}" for name in METHODS), "monitor HTTP/None", "monitor HTTP/1.0",
    "monitor HTTP/1.1", "monitor with domain_name", "monitor down", "no monitor",
    "monitor slower than its delay",
    *(f"persistence {name}" for name in PERSISTENCE), "persistence with persistence_timeout",
    "persistence with persistence_granularity",
    "member IPv4", "member IPv6", "member down", "backup member", "member of weight 0",
    "member of weight 256", "member with monitor_address", "member with monitor_port",
    "pool down", "pool with 0 members", "pool with 1 members", "pool with 2 members",
    "pool with TLS", "pool with client_certificate", "pool with ca_certificate", "pool with crl",
    *(f"{owner} speaks {name}" for owner in ("pool", "listener") for name in VERSIONS),
    *(f"{owner} offers {name}" for owner in ("pool", "listener") for name in ALPN),
    "pool shared by listeners",
    *(f"policy {name}" for name in ACTIONS), "policy down", *(f"redirect {code}" for code in CODES),
    "policy with 0 rules", "policy with 1 rules", "policy with 2 rules",
    *(f"rule {name}" for name in (*RULES, *COMPARISONS)), "rule inverted", "rule down",
    "listener down", "listener with a default pool", "listener with no default pool",
    *(f"listener inserts {name}" for name in (*HEADERS, *TLS_HEADERS)),
    "listener with connection_limit", "listener with allowed_cidrs",
    "listener with timeout_tcp_inspect", "listener with TLS", "listener with sni_certificates",
    *(f"client authentication {name}" for name in ("NONE", "OPTIONAL", "MANDATORY")),
    "listener with client_ca_certificate", "listener with client_crl",
    "listener with hsts_max_age", "listener with hsts_include_subdomains",
    "listener with hsts_preload", "topology SINGLE", "topology ACTIVE_STANDBY", "VIP IPv4",
    "VIP IPv6", "additional VIP IPv4", "additional VIP IPv6", "load balancer down",
    "nothing for HAProxy"}

PAIRS = {
    *((f"listener {listener}", f"pool {pool}")
      for listener, fitting in POOLS_OF.items() for pool in fitting),
    *((f"pool {pool}", f"monitor {monitor}") for pool in POOLS_OF["TCP"] for monitor in MONITORS),
    *((f"pool {pool}", f"monitor {monitor}") for pool in LVS for monitor in MONITORS_OF[pool]),
    *((f"pool {pool}", f"pool {algorithm}")
      for pool, algorithm in itertools.product((*POOLS_OF["TCP"], *LVS), ALGORITHMS)),
    *((f"pool {pool}", "TLS") for pool in POOLS_OF["TCP"]),
    *(("TLS", f"monitor {monitor}") for monitor in MONITORS),
    *((f"persistence {kind}", topology) for kind, topology in itertools.product(
        PERSISTENCE, ("SINGLE", "ACTIVE_STANDBY"))),
    *((f"listener {listener}", f"policy {action}") for listener, action in itertools.product(
        ("HTTP", "TERMINATED_HTTPS"), ACTIONS)),
    *((f"rule {kind}", f"rule {comparison}") for kind, comparison in itertools.product(
        ("HOST_NAME", "PATH", "HEADER", "COOKIE", "SSL_DN_FIELD"), COMPARISONS)),
    ("rule FILE_TYPE", "rule REGEX"), ("rule FILE_TYPE", "rule EQUAL_TO")}
