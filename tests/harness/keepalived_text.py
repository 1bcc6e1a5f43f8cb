# SPDX-License-Identifier: Apache-2.0
"""Reads a keepalived.conf as keepalived does (keepalived.conf(5); lib/parser.c of 2.2 and 2.3), so
that two texts can be compared by what they say. What nothing rendered may hold is a ValueError:
variables, conditions (@), sequences (~), includes, continued lines, lines that keepalived would cut."""

import re

LINE_MAX_BYTES = 1022  # fgets() into MAXBUF, with the line's end
ODD = re.compile(r"^[ \t]*(@|~|\$[A-Za-z_]\w*[ \t]*=|include[rmwb]*\b)|\$\{?[A-Za-z_]")


def _without_comment(line):
    """A '#' or '!' outside quotes begins a comment, unless a backslash stands before it."""
    result, quoted, at = "", False, 0
    while at < len(line):
        char = line[at]
        if char == "\\":
            if at + 1 == len(line):
                raise ValueError(f"a continued line: {line!r}")
            following = line[at + 1]
            result += following if not quoted and following in "#!" else char + following
            at += 2
            continue
        if char == '"':
            quoted = not quoted
        elif char in "#!" and not quoted:
            break
        result += char
        at += 1
    if quoted:
        raise ValueError(f"an open quote in {line!r}")
    return result


def words(line):
    """The words of one line; a brace outside quotes is one of its own, '{' or '}' as a tuple."""
    if re.search("[\0-\x08\x0a-\x1f\x7f]", line) or len(line.encode(errors="surrogateescape")) > \
            LINE_MAX_BYTES:
        raise ValueError(f"a control character, or too long a line: {line[:2000]!r}")
    text = _without_comment(line)
    if ODD.search(text):
        raise ValueError(f"what keepalived computes: {line!r}")
    result = []
    for quoted, brace, plain in re.findall(r'"([^"]*)"|([{}])|([^\s"{}]+)', text):
        result.append((brace,) if brace else plain or quoted)
    return result


class Block:
    """words: what it is called; children: the blocks and directives in it, in the text's order."""

    def __init__(self, found):
        self.words = found
        self.children = []
        self.is_block = False

    def add(self, found):
        self.children.append(Block(found))

    def find(self, *path):
        """All blocks below of which the first words are these."""
        level = [self]
        for name in path:
            level = [child for block in level for child in block.children
                     if child.words[0] == name]
        return level


def parse(text):
    """The whole file as a block without words."""
    root = Block([])
    stack = [root]
    for line in text.split("\n"):
        pending = []
        for word in [*words(line), None]:
            if isinstance(word, str):
                pending.append(word)
                continue
            if pending:
                stack[-1].add(pending)
                pending = []
            if word == ("{",):
                if not stack[-1].children or stack[-1].children[-1].is_block:
                    raise ValueError(f"a block without a name: {line!r}")
                stack.append(stack[-1].children[-1])
                stack[-1].is_block = True
            elif word == ("}",):
                if len(stack) == 1:
                    raise ValueError(f"too many braces: {line!r}")
                stack.pop()
    if len(stack) > 1:
        raise ValueError(f"an open block: {stack[-1].words}")
    return root
