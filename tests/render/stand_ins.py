# SPDX-License-Identifier: Apache-2.0
"""Values that Octavia's templates cannot write: they escape quotes as HTML ("&#39;"), whose '#' begins
a comment for HAProxy, and escape blanks and backslashes in rules only; a rule's value that begins
with '-' becomes a flag of its `acl`; for keepalived, where '!' begins a comment, too, they quote
nothing. Octavia renders such a value under a stand-in, which becomes the value again once its text is
read into words."""

import re

RULE, OTHER = r"[\"'#]|^-", r"[\"'#\\ ]"
HOLDERS = (
    (("pools", "healthmonitor"), {"url_path": OTHER + "|!"}),
    (("pools", "session_persistence"), {"cookie_name": OTHER}),
    (("listeners", "l7policies"), {"redirect_url": OTHER, "redirect_prefix": OTHER}),
    (("listeners", "l7policies", "rules"), {"key": OTHER, "value": RULE}),
    (("vrrp",), {"auth_pass": r"[\"#!]"}))


def _holders(value, path):
    if value is None:
        return
    if isinstance(value, list):
        for element in value:
            yield from _holders(element, path)
    elif path:
        yield from _holders(value[path[0]], path[1:])
    else:
        yield value


class StandIns:
    """Changes the description, which is Octavia's alone."""

    def __init__(self, description):
        self.values = {}
        for path, keys in HOLDERS:
            for holder in _holders(description, path):
                for key, cannot in keys.items():
                    if holder[key] and re.search(cannot, holder[key]):
                        holder[key] = self._stand_in(holder[key])

    def _stand_in(self, value):
        name = f"zZ{len(self.values)}Zz"  # no longer than a pair's password may be
        self.values[name] = value
        return name

    def resolve(self, word):
        for name, value in self.values.items():
            word = word.replace(name, value)
        return word
