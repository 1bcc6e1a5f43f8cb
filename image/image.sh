#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: image.sh FOLDER
# Makes FOLDER/amphora-SUITE-ARCH.qcow2 and what is inside by name, amphora-SUITE-ARCH.cdx.json (CycloneDX); amphora-ARCH.*
# are links to those made last. As root.
#   IMAGE_SUITE     the Debian it stands on: trixie (default) or bookworm
#   IMAGE_PACKAGES  more Debian packages, for instance tcpdump; openssh-server
#   IMAGE_TREE      a folder whose files are laid over the image's
#   COMPRESSION     zstd (default), or zlib where the clouds' qemu is older than 5.1
# The trees that Debian's packages make stay in FOLDER, named after the list of those packages; remove them to have newer
# versions of these. The same versions and the same commit make the same bytes.
set -euo pipefail
[ -n "${AMPHORA_MOUNTS_ARE_OURS:-}" ] || AMPHORA_MOUNTS_ARE_OURS=1 exec unshare --mount "$0" "$@"
umask 022
export LC_ALL=C.UTF-8 TZ=UTC

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
suite=${IMAGE_SUITE:-trixie}
arch=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
# One moment for all that Debian's packages make, so that a kept tree is the same as a new one.
base_epoch=1700000000
# What the agent's package needs and nothing in base.sh brings. Debian names a library after its ABI.
case $suite in
trixie) libraries=libmicrohttpd12t64 ;;
bookworm) libraries=libmicrohttpd12 ;;
*)
	echo "image.sh: IMAGE_SUITE=$suite: must be trixie or bookworm" >&2
	exit 2
	;;
esac

step() {
	printf '%-6s %s\n' IMAGE "$*"
}

# Runs the command; what it says is kept in FOLDER/NAME.log, and shown when it fails.
logged() {
	local log=$folder/$1.log
	shift
	"$@" >"$log" 2>&1 || {
		tail -n 40 "$log" >&2
		echo "image.sh: $* failed: the whole log is $log" >&2
		return 1
	}
}

# Where the tree that a script makes of these packages is kept: named after all that it is made of but Debian.
kept_path() {
	printf '%s/%s-%s-%s.tar.zst' "$folder" "$(basename "$1" .sh)" "$suite" \
		"$({ cat "$1" && printf '%s\n' "$base_epoch" "${@:2}"; } | sha256sum | cut -c1-12)"
}

# The tree that a script makes of these packages, or made before.
keep_tree() {
	local kept name new
	name=$(basename "$1" .sh)
	kept=$(kept_path "$@")
	if [ -e "$kept" ]; then
		step "$name, Debian $suite of $(date -r "$kept" +%F): $kept"
		return
	fi
	step "$name, Debian $suite: $kept"
	new=${kept%.tar.zst}.$BASHPID.tar.zst
	# What fails leaves a file too, and must not be taken for a tree from then on; nor does bash stop here where the caller
	# asks whether it failed.
	if ! TMPDIR=$memory SOURCE_DATE_EPOCH=$base_epoch logged "$name-$suite" "$1" "$suite" "$new" "${@:2}"; then
		rm -f "$new"
		return 1
	fi
	mv "$new" "$kept"
}

# By the compiler and the libraries of the image's own suite, not this machine's, and with nobody's CFLAGS or MAKEFLAGS.
make_package() {
	local compiler=$memory/compiler
	keep_tree "$here/compiler.sh"
	step "package of the agent for $suite"
	mkdir "$compiler"
	tar --numeric-owner -xf "$(kept_path "$here/compiler.sh")" -C "$compiler"
	mkdir "$compiler/src"
	cp -a "$here"/../{Makefile,LICENSE,README.md,agent,templates,systemd,image} "$compiler/src"
	logged "package-$suite" env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL="$LC_ALL" TZ="$TZ" \
		SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" chroot "$compiler" /src/image/deb.sh /out
	mv "$compiler"/out/amphora-agent_*.deb "$memory/package.deb"
	rm -rf "$compiler"
}

# Both at a time: neither needs the other.
make_parts() {
	local package_job failed=0
	make_package &
	package_job=$!
	keep_tree "$here/base.sh" "${base_packages[@]}" || failed=1
	wait "$package_job" || failed=1
	return $failed
}

make_image() {
	local name=amphora-$suite-$arch
	step "amphora of $suite"
	mkdir "$memory/root"
	logged "root-$suite" "$here/root.sh" "$(kept_path "$here/base.sh" "${base_packages[@]}")" "$memory/package.deb" "$memory/root"
	"$here/manifest.sh" "$memory/root" "$suite" >"$memory/$name.cdx.json"
	step "disk: $folder/$name.qcow2"
	NAME="amphora $suite $arch" "$here/disk.sh" "$memory/root" "$folder/$name.qcow2"
	mv "$memory/$name.cdx.json" "$folder"
	ln -sf "$name.qcow2" "$folder/amphora-$arch.qcow2"
	ln -sf "$name.cdx.json" "$folder/amphora-$arch.cdx.json"
	(cd "$folder" && sha256sum "$name.qcow2")
}

# Trees are made in memory, for speed.
memory=$folder/memory
mkdir -p "$memory"
mount -t tmpfs -o mode=0755,size=4G amphora "$memory"
# shellcheck disable=SC2206 # lists
base_packages=($libraries ${IMAGE_PACKAGES:-})

make_parts
make_image
