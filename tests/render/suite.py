# SPDX-License-Identifier: Apache-2.0
"""Where Octavia, HAProxy and keepalived are taken from: this machine's, or those in a chroot of another
Debian, AMPHORA_RENDER_ROOT (`make test-render SUITE=trixie`). What is ours runs here in either case."""

import os
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(os.environ.get("AMPHORA_RENDER_ROOT") or "/")


def command(*words):
    return list(words) if ROOT == pathlib.Path("/") else ["chroot", ROOT, *words]


def temporary_folder():
    """A context manager; both sides see the folder, see inside()."""
    return tempfile.TemporaryDirectory(prefix="render-", dir=ROOT / "tmp")


def inside(path):
    """What a path is called in the chroot."""
    return pathlib.Path("/") / pathlib.Path(path).relative_to(ROOT)


def haproxy_version():
    said = subprocess.run(command("haproxy", "-v"), capture_output=True, text=True, check=True)
    return re.search(r"version (\d+\.\d+\.\d+)", said.stdout)[1]
