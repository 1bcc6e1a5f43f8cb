# SPDX-License-Identifier: Apache-2.0
"""The comparison reads words as HAProxy does: it complains of unknown ones, each with its line."""

import random
import re

from harness.haproxy_text import words

from render import suite
from render.daemons import run

PIECES = ("a", "b", "x41", "n", " ", "  ", "\"", "'", "\\", "\\\\", "\\\"", "\\'", "\\ ", "\\#", "\\x41",
          "#", "$", "{", "}", "%[", "\t", "ä")
LINES = 2000
AT_ONCE = 40


def read_first_words(lines):
    """{number of the line: its first word} where the reader takes the line."""
    result = {}
    for number, line in enumerate(lines):
        try:
            found = words(line)
        except ValueError:
            continue
        if found and not re.search("[\0-\x1f]", found[0]):
            result[number] = found[0]
    return result


def haproxys_first_words(folder, lines):
    """{number of the line: the word}; HAProxy gives up after 50 of them."""
    path = f"{folder}/words.cfg"
    with open(path, "w", encoding="utf-8") as file:
        file.write("global\n" + "".join(f"{line}\n" for line in lines))
    says = run("haproxy", "-c", "-f", suite.inside(path)).stderr
    found = re.findall(
        r"words\.cfg:(\d+)\] ?: unknown keyword '(.*)' in 'global' section", says)
    return {int(number) - 2: word for number, word in found}


def test_words_are_read_as_haproxy_reads_them():
    chosen = random.Random(1)
    made = ["".join(chosen.choices(PIECES, k=chosen.randint(1, 9))) for _ in range(LINES)]
    ours = read_first_words(made)
    numbers = sorted(ours)
    compared = 0
    with suite.temporary_folder() as folder:
        for start in range(0, len(numbers), AT_ONCE):
            part = numbers[start:start + AT_ONCE]
            read = haproxys_first_words(folder, [made[number] for number in part])
            compared += len(read)
            wrong = [(made[part[at]], word, ours[part[at]])
                     for at, word in read.items() if word != ours[part[at]]]
            assert not wrong
    assert compared > LINES / 3
