#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: image.sh FOLDER
# Makes FOLDER/amphora-ARCH.qcow2 and what is inside by name, amphora-ARCH.cdx.json (CycloneDX). As root.
#   IMAGE_SUITE     the Debian it stands on: trixie (default) or bookworm
#   IMAGE_PACKAGES  more Debian packages, for instance tcpdump
#   COMPRESSION     zstd (default), or zlib where the clouds' qemu is older than 5.1
# The trees that Debian's packages make stay in FOLDER, named after the list of those packages; remove them to have newer
# versions of these. The same versions and the same commit make the same bytes.
set -euo pipefail
[ -n "${AMPHORA_MOUNTS_ARE_OURS:-}" ] || AMPHORA_MOUNTS_ARE_OURS=1 exec unshare --mount "$0" "$@"

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
suite=${IMAGE_SUITE:-trixie}
arch=$(dpkg --print-architecture)
: "${SOURCE_DATE_EPOCH:=$(git -C "$here" log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH
# One moment for all that Debian's packages make, so that a kept tree is the same as a new one.
base_epoch=1700000000

build_packages="build-essential debhelper libgnutls28-dev libjansson-dev libmicrohttpd-dev libnftables-dev libnl-3-dev
	libnl-genl-3-dev libsystemd-dev nettle-dev zlib1g-dev"
base_packages="ca-certificates dbus initramfs-tools iputils-ping ipvsadm kmod logrotate openssl procps rsyslog systemd-sysv
	tzdata udev zstd ${IMAGE_PACKAGES:-}"

# For a machine with one purpose that nobody logs in to, and whose instances of HAProxy and keepalived are the agent's.
masked_units="apt-daily-upgrade.timer apt-daily.timer dev-hugepages.mount dpkg-db-backup.timer e2scrub_all.timer
	e2scrub_reap.service fstrim.timer getty@tty1.service haproxy.service ipvsadm.service keepalived.service
	kmod-static-nodes.service modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@efi_pstore.service
	modprobe@fuse.service modprobe@loop.service nftables.service proc-sys-fs-binfmt_misc.automount remote-fs.target
	serial-getty@ttyS0.service sys-fs-fuse-connections.mount sys-kernel-debug.mount sys-kernel-tracing.mount
	systemd-binfmt.service systemd-initctl.socket systemd-logind.service systemd-network-generator.service
	systemd-networkd-wait-online.service systemd-pstore.service systemd-update-utmp.service"
enabled_units="systemd-networkd.service var-lib-octavia-certs.mount"

step() {
	printf '%-6s %s\n' IMAGE "$*"
}

# A name for what these words lead to.
key() {
	printf '%s\n' "$*" | sha256sum | cut -c1-12
}

build_package() {
	local build_root
	# shellcheck disable=SC2086,SC2116 # a list, in one line
	build_root=$folder/build-$suite-$(key $build_packages)
	if [ ! -d "$build_root" ]; then
		step "compiler of $suite: $build_root"
		# shellcheck disable=SC2086
		mmdebstrap --quiet --mode=root --variant=minbase --aptopt='APT::Install-Recommends "false"' \
			--aptopt='APT::Sandbox::User "root"' --include="$(printf '%s,' $build_packages)" \
			"$suite" "$build_root.new"
		mv "$build_root.new" "$build_root"
	fi
	step "package of the agent for $suite"
	rm -rf "$build_root/src" "$build_root/out"
	mkdir "$build_root/src"
	cp -a "$here"/../{Makefile,LICENSE,README.md,agent,templates,systemd,image} "$build_root/src"
	chroot "$build_root" /src/image/deb.sh /out >/dev/null
	package=$folder/$(basename "$build_root"/out/amphora-agent_*.deb)
	cp "$build_root"/out/amphora-agent_*.deb "$package"
}

make_base() {
	local depends
	depends=$(dpkg-deb -f "$package" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/,/ /g')
	# shellcheck disable=SC2086
	set -- $base_packages $depends
	base=$folder/base-$suite-$(key "$@" "$(cat "$here/base.sh")").tar
	if [ ! -e "$base" ]; then
		step "Debian $suite: $base"
		SOURCE_DATE_EPOCH=$base_epoch "$here/base.sh" "$suite" "$base.new.tar" "$@"
		mv "$base.new.tar" "$base"
	fi
}

# In memory, where files are listed in the order they were made in: mke2fs numbers them so.
make_root() {
	step "amphora of $suite"
	mkdir -p "$folder/root"
	mount -t tmpfs -o mode=0755,size=2G amphora "$folder/root"
	root=$folder/root/tree
	mkdir "$root"
	tar --numeric-owner --xattrs --xattrs-include='*' -xf "$base" -C "$root"

	mount -t proc proc "$root/proc"
	cp "$package" "$root/package.deb"
	chroot "$root" dpkg -i /package.deb >"$folder/dpkg.log" 2>&1 || {
		cat "$folder/dpkg.log" >&2
		return 1
	}
	rm "$root/package.deb"
	cp -rT --no-preserve=ownership,timestamps "$here/tree" "$root"
	cp -rT --no-preserve=ownership,timestamps "$here/elements/amphora-agent/static" "$root"
	mkdir -p "$root/var/lib/octavia/certs"
	# shellcheck disable=SC2086
	chroot "$root" systemctl --quiet mask $masked_units
	# shellcheck disable=SC2086
	chroot "$root" systemctl --quiet enable $enabled_units
	chroot "$root" passwd --quiet --lock root
	umount "$root/proc"
	tidy_root
}

# What is of this build only; a machine's id is made when it boots.
tidy_root() {
	: >"$root/etc/machine-id"
	rm -rf "$root"/{tmp,run,var/tmp,var/cache/apt,var/cache/debconf,var/lib/apt/lists}/*
	rm -f "$root"/etc/{passwd,shadow,group,gshadow,subuid,subgid}- "$root"/etc/.pwd.lock "$root"/var/lib/dpkg/*-old \
		"$root"/var/cache/ldconfig/aux-cache "$root"/etc/resolv.conf
	find "$root/var/log" -type f -delete
	# Nothing for the first boot to bring up to date.
	touch "$root"/{etc,var}/.updated
	find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# Nothing that an amphora must not have.
check_root() {
	local found
	found=$(find "$root" -xdev \( -path '*/bin/python*' -o -path '*/lib/python*' -o -path '*/bin/*gcc*' -o -path '*/bin/ld' \
		-o -path '*/usr/sbin/sshd' \) -not -path "$root/usr/share/*" -printf '%P\n')
	[ -z "$found" ] || {
		echo "image.sh: the amphora would have: $found" >&2
		return 1
	}
}

tree_size() {
	du -s --apparent-size --block-size=1 "$1" | cut -f1
}

write_manifest() {
	# shellcheck disable=SC2016 # names of dpkg
	chroot "$root" dpkg-query -W -f '${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n' |
		LC_ALL=C sort | awk -v time="$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" -v suite="$suite" -v arch="$arch" '
		BEGIN {
			printf "{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.4\",\n  \"version\": 1,\n"
			printf "  \"metadata\": {\"timestamp\": \"%s\", \"component\": ", time
			printf "{\"type\": \"operating-system\", \"name\": \"amphora\", \"version\": \"%s-%s\"}},\n", suite, arch
			printf "  \"components\": ["
		}
		{
			version = $2
			gsub(/\+/, "%2B", version)
			gsub(/:/, "%3A", version)
			printf "%s\n    {\"type\": \"library\", \"name\": \"%s\", \"version\": \"%s\", ", (NR > 1 ? "," : ""), $1, $2
			printf "\"purl\": \"pkg:deb/debian/%s@%s?arch=%s&distro=%s\", ", $1, version, $3, suite
			printf "\"properties\": [{\"name\": \"debian:source\", \"value\": \"%s %s\"}]}", $4, $5
		}
		END { printf "\n  ]\n}\n" }' >"$manifest"
}

megabytes() {
	awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'
}

print_sizes() {
	local ours
	ours=$(dpkg-deb -c "$package" | awk '{ sum += $3 } END { print sum }')
	printf '%-40s %s\n' "${image##*/}" "$(megabytes "$(stat -c %s "$image")")" \
		"  tree of files" "$(megabytes "$(tree_size "$root")")" \
		"  of these, the agent's package" "$(megabytes "$ours")" \
		"  of these, Python" "$(megabytes 0)" \
		"  packages" "$(grep -c '"purl"' "$manifest")"
	sha256sum "$image"
}

image=$folder/amphora-$arch.qcow2
manifest=${image%.qcow2}.cdx.json
build_package
make_base
make_root
check_root
write_manifest
step "disk: $image"
NAME="amphora $suite $arch" "$here/disk.sh" "$root" "$image"
print_sizes
