# SPDX-License-Identifier: Apache-2.0
"""Reads a haproxy.cfg as HAProxy does (its configuration manual, 2.1 to 2.3), so that two texts can
be compared by what they say."""

import re

SECTIONS = ("global", "defaults", "frontend", "backend", "peers")
ESCAPES = {"t": "\t", "n": "\n", "r": "\r"}
BLANKS = " \t\v\f"
HEX = re.compile("[0-9a-fA-F]{2}")


def _escape(line, at, in_double_quotes):
    """(what a backslash before `at` stands for, where to go on)."""
    following = line[at:at + 1]
    if following == "x":
        if not HEX.match(line, at + 1):
            raise ValueError(f"no hexadecimal digits in {line!r}")
        return chr(int(line[at + 1:at + 3], 16)), at + 3
    if following in ESCAPES:
        return ESCAPES[following], at + 1
    if following and (following in "\\ #'\"" or following == "$" and in_double_quotes):
        return following, at + 1
    return "\\", at


def words(line):
    """The words of one line, quotes and escapes resolved; [] for a comment. What nothing rendered may
    hold is a ValueError: a variable between double quotes, a control character as it is."""
    if re.search("[\0-\x08\x0a-\x1f\x7f]", line):
        raise ValueError(f"a control character in {line!r}")
    result, word, quote, at = [], None, None, 0
    while at < len(line):
        char = line[at]
        at += 1
        if char == "#" and not quote:
            break
        if char in "\"'" and quote in (None, char):
            quote = None if quote else char
            word = word or ""
        elif char == "\\" and quote != "'":
            meant, at = _escape(line, at, quote == '"')
            word = (word or "") + meant
        elif char == "$" and quote == '"':
            raise ValueError(f"a variable in {line!r}")
        elif char in BLANKS and not quote:
            if word is not None:
                result.append(word)
            word = None
        else:
            word = (word or "") + char
    if quote:
        raise ValueError(f"an open quote in {line!r}")
    return result if word is None else [*result, word]


class Configuration:
    """sections: {(kind, name): [[word, …], …]}, in the order of the text."""

    def __init__(self, text):
        self.sections = {}
        directives = None
        for line in text.split("\n"):
            found = words(line)
            if not found:
                continue
            if found[0] in SECTIONS:
                name = found[1] if len(found) > 1 else ""
                if (found[0], name) in self.sections:
                    raise ValueError(f"twice: {line}")
                directives = self.sections[found[0], name] = []
            elif directives is None:
                raise ValueError(f"in no section: {line}")
            else:
                directives.append(found)

    def named(self, kind):
        return {name: directives for (this, name), directives in self.sections.items()
                if this == kind}
