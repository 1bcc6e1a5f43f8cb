#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a guest kernel (User-Mode Linux), for what this machine's kernel may lack: IPVS.

usage: guest.py [--share DIRECTORY] COMMAND [ARGUMENT...]

The guest is a process of this machine: it needs no virtual disk, no root and no network, and boots in
about two seconds. It sees this machine's files, but writes to a layer in memory; DIRECTORY, which it
sees as /share, is all that it can change. The command runs in the present directory; what it says
is shown when it has ended, and its exit status is that of guest.py (125: the guest failed).
"""

import argparse
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile

GUEST = pathlib.Path(__file__).resolve().parent
PROGRAM = "linux.uml"
TIMEOUT_S = 900
STATUS_GUEST_FAILED = 125


def boot(share, memory="768M"):
    """Runs the job in share; returns what the guest's console said. One that takes too long ends."""
    arguments = [PROGRAM, f"mem={memory}", "rootfstype=hostfs", "rootflags=/", "ro", "quiet",
                 f"init={GUEST / 'init'}", f"guest_share={share}", "con=null", "con0=null,fd:1"]
    with tempfile.TemporaryDirectory() as home:  # it keeps a control socket in ~/.uml
        with subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, env={**os.environ, "HOME": home},
                start_new_session=True) as process:
            try:
                console, _ = process.communicate(timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the guest's processes are ours, too
                console, _ = process.communicate()
    return console.decode(errors="replace")


def run(command, share):
    """Runs the command; returns its exit status and shows its output."""
    share = pathlib.Path(share).resolve()
    variables = [f"export {name}={shlex.quote(value)}" for name, value in os.environ.items()
                 if name.startswith("AMPHORA_")]
    (share / "job").write_text("\n".join(
        [*variables, f"cd {shlex.quote(os.getcwd())} &&", f"exec {shlex.join(command)}"]) + "\n")
    for name in ("output", "status"):
        (share / name).unlink(missing_ok=True)
    console = boot(share)
    if (share / "output").exists():
        print((share / "output").read_text(errors="replace"), end="", flush=True)
    if not (share / "status").exists():
        print(f"the guest failed; its console said:\n{console}", file=sys.stderr)
        return STATUS_GUEST_FAILED
    return int((share / "status").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--share")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.share:
        return run(arguments.command, arguments.share)
    with tempfile.TemporaryDirectory() as share:
        return run(arguments.command, share)


if __name__ == "__main__":
    sys.exit(main())
