# SPDX-License-Identifier: Apache-2.0
"""Reads a haproxy.cfg as HAProxy does (its configuration manual, 2.1 to 2.3), so that two texts can
be compared by what they say."""

import re

SECTIONS = ("global", "defaults", "frontend", "backend", "peers")
ESCAPES = {"t": "\t", "n": "\n", "r": "\r"}


def words(line):
    """The words of one line, quotes and escapes resolved; [] for a comment. A variable between
    double quotes is an error here: nothing that is rendered may hold one."""
    result, word, quote, at = [], None, None, 0
    while at < len(line):
        char = line[at]
        at += 1
        if char == "#" and not quote:
            break
        if char in "\"'" and quote in (None, char):
            quote = None if quote else char
            word = word or ""
        elif char == "\\" and quote != "'" and at < len(line):
            following = line[at]
            at += 1
            if following == "x":
                word = (word or "") + chr(int(line[at:at + 2], 16))
                at += 2
            elif following in ESCAPES:
                word = (word or "") + ESCAPES[following]
            elif following in "\\ #'\"" or (following == "$" and quote):
                word = (word or "") + following
            else:
                word = (word or "") + "\\" + following
        elif char == "$" and quote == '"':
            raise ValueError(f"a variable in {line!r}")
        elif char.isspace() and char.isascii() and not quote:
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
        for line in re.split(r"[\r\n]+", text):
            found = words(line)
            if not found:
                continue
            if found[0] in SECTIONS:
                name = found[1] if len(found) > 1 else ""
                assert (found[0], name) not in self.sections, f"twice: {line}"
                directives = self.sections.setdefault((found[0], name), [])
            else:
                directives.append(found)

    def named(self, kind):
        return {name: directives for (this, name), directives in self.sections.items()
                if this == kind}
