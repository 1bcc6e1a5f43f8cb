# SPDX-License-Identifier: Apache-2.0
"""What a configuration says, as lines that can be compared: words are written in one way, and what
has no order is sorted.

Order has a meaning where a daemon goes through a list: rules of one kind (http-request, use_backend,
redirect, http-check, stick, …), servers (round robin and the hash of `balance source` follow it),
addresses and routes of keepalived. Between kinds it has none, HAProxy evaluates each kind in a phase
of its own; nor has it between sections (but defaults are those of what follows), settings, the keywords
of a server or of a bind line."""

# Keywords of `server` and `bind` by how many words follow each.
FLAGS = ("ssl", "check", "check-ssl", "backup", "disabled", "send-proxy", "send-proxy-v2",
         "send-proxy-v2-ssl-cn", "no-sslv3", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13")
WITH_VALUE = ("weight", "inter", "fall", "rise", "addr", "port", "cookie", "crt", "crt-list",
              "ca-file", "crl-file", "verify", "sni", "check-sni", "ciphers", "alpn", "check-alpn")
REPEATED = ("crt",)
# Settings that are told apart by their second word; `acl` by its name.
PAIRED = ("timeout", "option", "acl", "tcp-request", "stats")
# keepalived's blocks whose lines are a list of things, not settings.
LISTS = ("virtual_ipaddress", "virtual_ipaddress_excluded", "virtual_routes", "virtual_rules",
         "unicast_peer", "virtual_server_group")


def keywords(found):
    """{keyword: [values]} of what follows the address; of what can be there once, the last counts."""
    result, at = {}, 0
    while at < len(found):
        name = found[at]
        if name in FLAGS:
            result[name] = []
            at += 1
        elif name in WITH_VALUE and at + 1 < len(found):
            result[name] = (result.get(name, []) if name in REPEATED else []) + [found[at + 1]]
            at += 2
        else:
            raise ValueError(f"no keyword: {name!r} in {found}")
    return result


def _directive(found):
    """(what its order is kept among, its words in one order)."""
    if found[0] in ("server", "bind"):
        fixed = 3 if found[0] == "server" else 2
        options = keywords(found[fixed:])
        return found[0], found[:fixed] + [
            word for name in sorted(options) for word in (name, *options[name])]
    return " ".join(found[:2] if found[0] in PAIRED else found[:1]), found


def route(found):
    """keepalived's: where to, then words in one order."""
    rest = [word for word in found[1:] if word != "onlink"]
    pairs = sorted(zip(rest[::2], rest[1::2], strict=True))
    return [found[0], *(["onlink"] if "onlink" in found else []),
            *(word for pair in pairs for word in pair)]


def write(found):
    return " ".join(word if word and " " not in word else repr(word) for word in found)


def of_haproxy(configuration):
    kinds = [kind for kind, _ in configuration.sections]
    lines = [f"before its defaults: {kind}" for kind in kinds[:kinds.index("defaults")]]
    for (kind, name), directives in sorted(configuration.sections.items()):
        lines.append(f"{kind} {name}")
        ordered = sorted((_directive(found) for found in directives), key=lambda pair: pair[0])
        lines += [f"    {write(found)}" for _, found in ordered]
    return lines


def comments(text):
    """Those of an LVS listener name its parts to the heartbeat (lvs/config.h): a member's, what
    stands behind it."""
    lines = [line.strip() for line in text.splitlines()]
    return [f"{line} {following}" if following.startswith("real_server") else line
            for line, following in zip(lines, [*lines[1:], ""]) if line.startswith("#")]


def of_keepalived(block, depth=0):
    lines = []
    children = block.children
    if not block.words or block.words[0] not in LISTS:
        children = sorted(children, key=lambda child: child.words[0])
    is_routes = block.words[:1] == ["virtual_routes"]
    for child in children:
        said = write(route(child.words) if is_routes else child.words)
        lines.append("    " * depth + said + (" {" if child.is_block else ""))
        lines += of_keepalived(child, depth + 1)
    return lines
