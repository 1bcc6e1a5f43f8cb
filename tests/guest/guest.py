#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a virtual machine with Debian's own kernel, for what this machine's may lack: IPVS.

usage: guest.py [--share DIRECTORY] COMMAND [ARGUMENT...]

The guest needs no virtual disk and no network: it sees this machine's files over 9p, but writes to a
layer in memory; DIRECTORY, which it sees as /share, is all that it can change. qemu emulates its
processors, so that no KVM is needed: it boots in about ten seconds, and computes slowly. The
command runs in the present directory; what it says is shown when it has ended, and its exit status
is that of guest.py (125: the guest failed). The kernel is downloaded once, into build/guest.
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

GUEST = pathlib.Path(__file__).resolve().parent
KERNEL = GUEST.parents[1] / "build" / "guest"
TIMEOUT_S = 1200
MEMORY = "1536"
STATUS_GUEST_FAILED = 125
# What the guest needs before it sees this machine's files.
EARLY_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")


def output_of(*command, cwd=None):
    return subprocess.run(
        command, check=True, cwd=cwd, stdout=subprocess.PIPE, text=True).stdout


def prepare_kernel():
    """Debian's kernel package, unpacked and not installed; its release."""
    if not (KERNEL / "ready").exists():
        KERNEL.mkdir(parents=True, exist_ok=True)
        meta = output_of("apt-cache", "depends", "linux-image-amd64")
        package, = {line.split()[-1] for line in meta.splitlines() if "Depends: linux-image" in line}
        output_of("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package, cwd=KERNEL)
        archive, = KERNEL.glob(f"{package}_*.deb")
        output_of("dpkg-deb", "-x", str(archive), str(KERNEL))
        archive.unlink()
        release, = (path.name for path in (KERNEL / "lib/modules").iterdir())
        output_of("depmod", "-b", str(KERNEL), release)
        (KERNEL / "ready").write_text(release)
    return (KERNEL / "ready").read_text()


def early_files(release):
    """What the initramfs holds: {path: bytes}."""
    files = {"init": (GUEST / "initramfs-init").read_bytes(),
             "bin/busybox": pathlib.Path("/usr/bin/busybox").read_bytes()}
    for word in output_of("ldd", "/usr/bin/busybox").split():
        if word.startswith("/"):
            files[word.lstrip("/")] = pathlib.Path(word).read_bytes()
    modules = []
    for name in EARLY_MODULES:
        for line in output_of("modprobe", "-d", str(KERNEL), "-S", release,
                              "--show-depends", name).splitlines():
            path = line.split()[1]
            if line.startswith("insmod") and path not in modules:
                modules.append(path)
    for i, path in enumerate(modules):
        files[f"modules/{i:02}.ko"] = pathlib.Path(path).read_bytes()
    return files


def cpio(files):
    """An archive in the form of the kernel's initramfs (newc), all of it executable by root."""
    folders = {str(parent) for path in files for parent in pathlib.PurePosixPath(path).parents}
    entries = [(path, 0o040755, b"") for path in sorted(folders - {"."}) + ["dev", "proc", "guest"]]
    entries += [(path, 0o100755, data) for path, data in files.items()]
    archive = b""
    for i, (path, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")]):
        name = path.encode() + b"\0"
        numbers = (i + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        for part in (b"070701" + b"".join(b"%08x" % number for number in numbers) + name, data):
            archive += part + b"\0" * (-len(part) % 4)
    return archive


def boot(share):
    """Runs the job in share; returns what the guest's console said. One that takes too long ends."""
    release = prepare_kernel()
    with tempfile.TemporaryDirectory() as folder:
        initramfs = pathlib.Path(folder) / "initramfs"
        initramfs.write_bytes(cpio(early_files(release)))
        command = [
            "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max",
            "-smp", "2", "-m", MEMORY, "-nodefaults", "-display", "none", "-no-reboot",
            "-serial", "stdio", "-device", "virtio-rng-pci",
            "-kernel", KERNEL / f"boot/vmlinuz-{release}", "-initrd", initramfs,
            "-append", f"quiet console=ttyS0 panic=-1 guest_init={GUEST / 'init'} "
                       f"guest_modules={KERNEL / 'lib/modules' / release}",
            "-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap",
            "-virtfs", f"local,path={share},mount_tag=share,security_model=none"]
        try:
            process = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as expired:
            return (expired.stdout or b"").decode(errors="replace") + "\nit took too long"
    return process.stdout.decode(errors="replace")


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
