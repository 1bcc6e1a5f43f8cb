# SPDX-License-Identifier: Apache-2.0
"""How large an amphora's image is, and beside it, on request, the same Debian with Octavia's agent in
Python. Measures the disk that `make image` made: its file system is read back.

usage: image_sizes.py IMAGE.qcow2 DEBIAN.tar.zst [PYTHON.tar.zst]

DEBIAN is the tree that both stand on, without an agent; PYTHON the same with octavia-agent.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

from report import Report
from subject import Unavailable

DPKG_STATUS = "var/lib/dpkg/status"
DPKG_LIST = re.compile(r"var/lib/dpkg/info/(amphora-agent|.*octavia.*)\.list$")
# What depends on when and how it was installed.
RECORDS = ("var/cache/", "var/lib/apt/", "var/lib/dpkg/", "var/log/")
PYTHON = re.compile(r"(^|/)(bin/python|lib/python|.*\.py[co]?$)")
MEGABYTE = 1e6


class Tree:
    """The files of a system, {path: size}, a hard link counted like a file; its packages, and the paths
    that are the agent's own."""

    def __init__(self, name):
        self.name = name
        self.files = {}
        self.packages = set()
        self.own_paths = []

    def take_record(self, path, text):
        """One of dpkg's."""
        if path == DPKG_STATUS:
            self.packages = {
                line.partition(" ")[2] for line in text.splitlines() if line.startswith("Package: ")}
        else:
            self.own_paths += text.splitlines()

    def size(self):
        return sum(self.files.values()) / MEGABYTE

    def own_size(self):
        """Debian 12 lists under /lib what is in /usr/lib."""
        return sum(self.files.get(path[1:]) or self.files.get("usr" + path, 0)
                   for path in self.own_paths) / MEGABYTE

    def python_files(self):
        return [path for path in self.files if PYTHON.search(path)]

    def without(self, other):
        """What is here and not there, records of packages left out."""
        added = Tree(self.name)
        added.files = {path: size for path, size in self.files.items()
                       if path not in other.files and not path.startswith(RECORDS)}
        added.packages = self.packages - other.packages
        return added


def is_record(path):
    return path == DPKG_STATUS or DPKG_LIST.match(path)


def archived_tree(name, path):
    tree = Tree(name)
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as unpacker, \
            tarfile.open(fileobj=unpacker.stdout, mode="r|") as archive:
        for member in archive:
            path = member.name.removeprefix("./")
            if member.islnk():
                tree.files[path] = tree.files[member.linkname.removeprefix("./")]
            elif member.isreg():
                tree.files[path] = member.size
            if is_record(path):
                tree.take_record(path, archive.extractfile(member).read().decode())
    return tree


def root_partition(disk):
    """Where the last partition of a raw disk begins, in bytes."""
    table = subprocess.run(["sfdisk", "-d", disk], capture_output=True, text=True, check=True)
    return 512 * max(int(start) for start in re.findall(r"start= *(\d+)", table.stdout))


def image_tree(name, image, folder):
    """Of a disk without mounting it: loop devices are not everywhere."""
    disk, root = folder / "disk", folder / "root"
    root.mkdir()
    subprocess.run(["qemu-img", "convert", "-O", "raw", image, disk], check=True)
    subprocess.run(["debugfs", "-R", f"rdump / {root}", f"{disk}?offset={root_partition(disk)}"],
                   check=True, capture_output=True)
    tree = Tree(name)
    for directory, _, names in os.walk(root):
        for file in (pathlib.Path(directory) / name for name in names):
            path = str(file.relative_to(root))
            if file.is_file() and not file.is_symlink():
                tree.files[path] = file.stat().st_size
            if is_record(path):
                tree.take_record(path, file.read_text())
    return tree


def measure(report, image, trees, debian):
    added = [tree.without(debian) for tree in trees]
    disks = [image.stat().st_size / MEGABYTE, Unavailable("no disk is made of it")]
    report.section("image")
    report.row("disk, qcow2", disks[:len(trees)], "MB", below=130)
    report.row("files", [tree.size() for tree in trees], "MB", below=380)
    report.row("packages of Debian", [len(tree.packages) for tree in trees])
    report.row("the agent's own packages", [tree.own_size() for tree in trees], "MB", below=2)
    report.row("added to Debian, libraries included", [tree.size() for tree in added], "MB")
    report.row("packages added to Debian", [len(tree.packages) for tree in added])
    report.row("files of Python", [len(tree.python_files()) for tree in trees], wanted="0")


def main():
    parser = argparse.ArgumentParser(prog="image_sizes.py")
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("debian")
    parser.add_argument("python", nargs="?")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.image.parent) as folder:
        trees = [image_tree("amphora-agent", arguments.image, pathlib.Path(folder))]
    if arguments.python:
        trees.append(archived_tree("python", arguments.python))
    report = Report(trees)
    measure(report, arguments.image, trees, archived_tree("debian", arguments.debian))
    report.end()
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
