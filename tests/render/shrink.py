# SPDX-License-Identifier: Apache-2.0
"""Takes away from a description whatever does not matter for a failure."""

import copy

LISTS = ("listeners", "pools", "members", "l7policies", "rules", "additional_vips", "allowed_cidrs",
         "sni_certificates", "host_routes")
OPTIONAL = ("healthmonitor", "session_persistence", "default_pool_id", "monitor_address",
            "monitor_port", "client_crl", "crl", "client_certificate", "domain_name", "gateway")
DEFAULTS = {"connection_limit": -1, "timeout_tcp_inspect": 0, "timeout_client_data": 50000,
            "timeout_member_connect": 5000, "timeout_member_data": 50000, "insert_headers": {},
            "tls_enabled": False, "backup": False, "weight": 1, "name": "", "admin_state_up": True,
            "http_version": None, "invert": False}


def _objects(value):
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from _objects(part)


def _smaller(description):
    """Copies of the description that each lack something."""
    count = len(list(_objects(description)))
    for number in range(count):
        def changed(change, number=number):
            made = copy.deepcopy(description)
            change(list(_objects(made))[number])
            return made
        original = list(_objects(description))[number]
        for key, value in original.items():
            if key in LISTS:
                for at in range(len(value)):
                    yield changed(lambda found, key=key, at=at: found[key].pop(at))
            elif key in OPTIONAL and value is not None:
                yield changed(lambda found, key=key: found.update({key: None}))
            elif key in DEFAULTS and value != DEFAULTS[key]:
                yield changed(lambda found, key=key: found.update({key: DEFAULTS[key]}))


def _is_whole(description):
    """Whatever is referred to is there."""
    pools = {pool["id"] for pool in description["pools"]}
    return bool(description["listeners"]) and all(
        listener["default_pool_id"] in {None, *pools}
        and all(policy["redirect_pool_id"] in {None, *pools} for policy in listener["l7policies"])
        for listener in description["listeners"])


def smallest(description, fails):
    """fails(description) tells whether it still does."""
    while True:
        for candidate in _smaller(description):
            if _is_whole(candidate) and fails(candidate):
                description = candidate
                break
        else:
            return description
