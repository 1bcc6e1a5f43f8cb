#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: element_test.sh PACKAGE.deb [SUITE]
# Has diskimage-builder build trees of a Debian suite (this machine's) with the amphora-agent element and the package, and
# looks at them. As root; whole-file loop devices, no partitions. The Debian that these start from, and the packages that
# they download, stay in build/element.
set -euo pipefail
[ -n "${AMPHORA_MOUNTS_ARE_OURS:-}" ] || AMPHORA_MOUNTS_ARE_OURS=1 exec unshare --mount "$0" "$@"

here=$(cd "$(dirname "$0")" && pwd)
package=$(realpath "$1")
# shellcheck source=/dev/null
export DIB_RELEASE=${2:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
folder=$here/../build/element
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
element=$here/elements/amphora-agent
# What debootstrap and Octavia's other elements bring.
tree_packages="busybox ca-certificates iputils-ping lsb-release python3 rsync sudo systemd-sysv"

# In memory: diskimage-builder copies whole trees several times.
work=$folder/work
mkdir -p "$work"
mount -t tmpfs -o size=4G element "$work"

fail() {
	echo "element_test.sh: $*" >&2
	exit 1
}

make_debian_tree() {
	export DIB_DEBIAN_TREE
	DIB_DEBIAN_TREE=$folder/debian-$DIB_RELEASE-$(sha256sum <<<"$tree_packages" | cut -c1-12).tar
	[ ! -e "$DIB_DEBIAN_TREE" ] || return 0
	mmdebstrap --quiet --mode=root --variant=minbase --format=tar --include="${tree_packages// /,}" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='APT::Sandbox::User "root"' \
		"$DIB_RELEASE" "$DIB_DEBIAN_TREE.new"
	mv "$DIB_DEBIAN_TREE.new" "$DIB_DEBIAN_TREE"
}

# $@: elements. The tree that comes of it is $root.
build() {
	find "$work" -mindepth 1 -delete
	root=$work/root
	mkdir "$root" "$work/dib"
	if ! ELEMENTS_PATH=$here/elements:$here/../tests/image/elements TMP_DIR=$work/dib DIB_NO_TMPFS=1 \
		DIB_IMAGE_CACHE=$folder/cache DIB_AMPHORA_AGENT_DEB=$package \
		disk-image-create -n -t tar -o "$work/amphora" debian-tree "$@" >"$folder/build.log" 2>&1; then
		tail -n 40 "$folder/build.log" >&2
		fail "disk-image-create failed: the whole log is $folder/build.log"
	fi
	tar --numeric-owner -xf "$work/amphora.tar" -C "$root"
	rm "$work/amphora.tar"
	mkdir -p "$root/proc"
	mount -t proc proc "$root/proc"
}

# $1: what systemctl is-enabled says; others: units.
expect_units() {
	local state=$1 unit found
	shift
	for unit in "$@"; do
		found=$(chroot "$root" systemctl is-enabled "$unit" 2>/dev/null) || true
		[ "$found" = "$state" ] || fail "$unit is $found, not $state"
	done
}

# $1: file of the tree; $2: a line of it.
expect_line() {
	grep -qxF "$2" "$root/$1" || fail "$1 does not say: $2"
}

expect_whole_tree() {
	local found
	found=$(chroot "$root" dpkg --audit)
	[ -z "$found" ] || fail "dpkg --audit: $found"
	found=$(chroot "$root" find /etc/systemd -xtype l)
	[ -z "$found" ] || fail "these links lead nowhere: $found"
	found=$(chroot "$root" systemd-analyze verify --man=no multi-user.target "$@" 2>&1) ||
		fail "systemd-analyze verify: $found"
	! grep -qi 'cycle' <<<"$found" || fail "systemd-analyze verify: $found"
	chroot "$root" rsyslogd -N1 >"$work/rsyslog" 2>&1 || fail "rsyslogd -N1: $(cat "$work/rsyslog")"
	[ "$(chroot "$root" apt-mark showhold)" = amphora-agent ] || fail "an upgrade may take another's package"
	chroot "$root" amphora-agent --version >/dev/null || fail "the agent does not run"
}

# Trixie's dhclient is not confined.
expect_free_dhcp_script() {
	[ -e "$root/etc/apparmor.d/sbin.dhclient" ] || return 0
	expect_line etc/apparmor.d/local/sbin.dhclient '/usr/bin/amphora-dhcp-script Uxr,'
	chroot "$root" apparmor_parser --skip-kernel-load --skip-cache /etc/apparmor.d/sbin.dhclient 2>"$work/apparmor" ||
		fail "apparmor_parser: $(cat "$work/apparmor")"
}

# Only dpkg, as an operator might.
expect_purge() {
	chroot "$root" dpkg --purge amphora-agent >"$work/purge" 2>&1 || fail "dpkg --purge: $(cat "$work/purge")"
	[ ! -e "$root/etc/octavia" ] || fail "the purge leaves /etc/octavia"
	[ ! -L "$root/etc/systemd/system/multi-user.target.wants/amphora-agent.service" ] || fail "the purge leaves its unit enabled"
	umount "$root/proc"
}

cloud_init_is_the_default() {
	local unit
	build amphora-agent
	expect_whole_tree cloud-init.target
	expect_units enabled amphora-agent.service amphora-netns.service rsyslog.service ssh.service \
		var-lib-octavia-certs.mount cloud-init-local.service
	expect_units disabled amphora-config-drive.service haproxy.service keepalived.service systemd-networkd.service
	for unit in amphora-agent amphora-netns; do
		expect_line etc/systemd/system/$unit.service.d/20-cloud-init.conf After=cloud-config.target
	done
	expect_free_dhcp_script
	expect_purge
}

beside_octavias_elements_without_cloud_init() {
	DIB_AMPHORA_CLOUD_INIT=False DIB_OCTAVIA_AMP_USE_SSH=False build amphora-agent certs-ramfs haproxy-octavia
	expect_whole_tree
	expect_units enabled amphora-agent.service amphora-netns.service amphora-config-drive.service certs-ramfs.service \
		systemd-networkd.service
	expect_units disabled haproxy.service keepalived.service var-lib-octavia-certs.mount
	expect_line etc/systemd/system/amphora-agent.service.d/20-certs-ramfs.conf Requires=certs-ramfs.service
	[ -e "$root/etc/cloud/cloud-init.disabled" ] || fail "cloud-init would run if another element brings it"
	[ ! -e "$root/usr/sbin/sshd" ] || fail "there is an ssh server"
	expect_purge
}

# $1: a piece of what it says; others: environment.
expect_refusal() {
	local text=$1 found
	shift
	found=$(env DISTRO_NAME=debian DIB_AMPHORA_CLOUD_INIT=True DIB_OCTAVIA_AMP_USE_SSH=True TMP_HOOKS_PATH="$work" \
		DIB_AMPHORA_AGENT_DEB="$package" "$@" "$element/extra-data.d/50-amphora-agent-package" 2>&1) &&
		fail "nothing is refused with $*"
	[[ $found == *"$text"* ]] || fail "with $*: $found"
}

what_cannot_be_built_is_refused_at_once() {
	expect_refusal 'no package of the agent for centos' DISTRO_NAME=centos
	expect_refusal 'share their SSH host keys' DIB_AMPHORA_CLOUD_INIT=False
	expect_refusal 'must be True or False' DIB_AMPHORA_CLOUD_INIT=1
	expect_refusal 'set DIB_AMPHORA_AGENT_DEB' DIB_AMPHORA_AGENT_DEB=
	expect_refusal 'cannot read' DIB_AMPHORA_AGENT_DEB=/nonexistent.deb
}

make_debian_tree
for test in what_cannot_be_built_is_refused_at_once cloud_init_is_the_default beside_octavias_elements_without_cloud_init; do
	$test
	echo "element_test.sh: $DIB_RELEASE: ${test//_/ }"
done
