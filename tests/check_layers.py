# SPDX-License-Identifier: Apache-2.0
"""Fails on an #include "folder/…" that ARCHITECTURE.md does not list as an edge.

usage: check_layers.py ARCHITECTURE.md AGENT_FOLDER

The edges stand in ARCHITECTURE.md in a fenced block that opens with ```layers, one line a folder:
"api: haproxy conf base". Every folder may include itself. bin may include everything.
"""

import pathlib
import re
import sys


def allowed_edges(document):
    block = re.search(r"^```layers\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    if not block:
        sys.exit("check-layers: ARCHITECTURE.md has no ```layers block")
    edges = {}
    for line in block.group(1).splitlines():
        folder, _, below = line.partition(":")
        edges[folder.strip()] = set(below.split())
    return edges


def cycles(edges):
    """Folders that can reach themselves: then they are no layers."""
    def reach(folder, seen):
        for below in edges.get(folder, ()):
            if below not in seen:
                seen.add(below)
                reach(below, seen)
        return seen
    return [folder for folder in edges if folder in reach(folder, set())]


def main():
    edges = allowed_edges(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    faults = [f"{folder}: depends on itself" for folder in cycles(edges)]
    for source in sorted(pathlib.Path(sys.argv[2]).glob("*/*.[ch]")):
        folder = source.parent.name
        if folder == "bin":
            continue
        if folder not in edges:
            faults.append(f"{source}: folder {folder} is not in ARCHITECTURE.md")
            continue
        lines = source.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            include = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not include:
                continue
            if "/" not in include.group(1):
                faults.append(f"{source}:{number}: spell the layer in \"{include.group(1)}\"")
                continue
            below = include.group(1).split("/")[0]
            if below != folder and below not in edges[folder]:
                faults.append(f"{source}:{number}: {folder} may not include {include.group(1)}")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
