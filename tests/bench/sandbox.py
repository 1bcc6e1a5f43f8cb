# SPDX-License-Identifier: Apache-2.0
"""A place where measuring leaves no trace: mount, network and PID namespaces of its own and one
temporary folder. Every process ends and every mount goes with the namespaces, however it ends."""

import os
import shutil
import subprocess
import tempfile

# PID 1 of a PID namespace inherits orphans (HAProxy outlives its agent) and has to reap them: a
# shell does while it waits. "exit" behind the command keeps it from exec'ing itself away.
FIRST_PROCESS = 'ip link set lo up && "$@"; exit $?'


def run(command):
    """Runs command in a fresh sandbox, the path of its folder appended; returns its exit status."""
    folder = tempfile.mkdtemp(prefix="amphora-bench.")
    # The sender runs as nobody and has to reach its own files below.
    os.chmod(folder, 0o755)
    try:
        return subprocess.call(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", FIRST_PROCESS, "sh", *command, folder])
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def mount_empty(path):
    """Hides a folder behind an empty one."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)


def mount_file(source, path):
    """Hides a file behind another."""
    subprocess.run(["mount", "--bind", source, path], check=True)
