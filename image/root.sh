#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: root.sh BASE.tar.zst PACKAGE.deb ROOT
# An amphora's tree of files in the empty folder ROOT: the Debian BASE, the agent's PACKAGE, tree/ over it, and what Debian
# would run that an amphora does not. As root. All times are SOURCE_DATE_EPOCH or before.
#   IMAGE_PACKAGES  what was asked for beyond base.sh's packages
#   IMAGE_TREE      a folder whose files are laid over the rest
set -euo pipefail
base=$1
package=$2
root=$3
: "${SOURCE_DATE_EPOCH:?}"
here=$(cd "$(dirname "$0")" && pwd)

# For a machine with one purpose, and whose instances of HAProxy and keepalived are the agent's.
masked_units="apt-daily-upgrade.timer apt-daily.timer dev-hugepages.mount dpkg-db-backup.timer e2scrub_all.timer
	e2scrub_reap.service fstrim.timer getty@tty1.service haproxy.service ipvsadm.service keepalived.service
	kmod-static-nodes.service modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@efi_pstore.service
	modprobe@fuse.service modprobe@loop.service nftables.service proc-sys-fs-binfmt_misc.automount remote-fs.target
	serial-getty@ttyS0.service sys-fs-fuse-connections.mount sys-kernel-debug.mount sys-kernel-tracing.mount
	systemd-binfmt.service systemd-initctl.socket systemd-logind.service systemd-network-generator.service
	systemd-networkd-wait-online.service systemd-pstore.service systemd-update-utmp.service"
enabled_units="systemd-networkd.service var-lib-octavia-certs.mount"

install_package() {
	mount -t proc proc "$root/proc"
	cp "$package" "$root/package.deb"
	chroot "$root" dpkg -i /package.deb
	rm "$root/package.deb"
	umount "$root/proc"
}

is_installed() {
	# shellcheck disable=SC2016 # a name of dpkg
	[ "$(chroot "$root" dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# lay_tree FOLDER [OPTION...]: its files over the rest, root's, as old as the commit.
lay_tree() {
	tar -C "$1" --owner=0 --group=0 --mtime="@$SOURCE_DATE_EPOCH" "${@:2}" -cf - . | tar -C "$root" --no-overwrite-dir -xf -
}

# tree/, what images of Octavia's have too, and of the folders tree-PACKAGE/ those whose packages are there: readable, whatever
# the umask of the checkout was.
lay_trees() {
	local folder needed
	for folder in "$here/tree" "$here/elements/amphora-agent/static" "$here"/tree-*; do
		needed=${folder#"$here/tree-"}
		[ "$needed" = "$folder" ] || is_installed "$needed" || continue
		lay_tree "$folder" --mode=u=rwX,go=rX
	done
	[ -z "${IMAGE_TREE:-}" ] || lay_tree "$IMAGE_TREE"
}

# The network is told by addresses only: a name that is looked up fails at once.
forget_name_servers() {
	sed -i 's/^\(hosts:.*\) dns/\1/' "$root/etc/nsswitch.conf"
	rm -f "$root/etc/resolv.conf"
}

arrange_units() {
	# shellcheck disable=SC2086 # lists
	chroot "$root" systemctl --quiet mask $masked_units
	# shellcheck disable=SC2086
	chroot "$root" systemctl --quiet enable $enabled_units
}

# What is of this build only, or of one machine only: its id and keys are made when it boots.
tidy() {
	: >"$root/etc/machine-id"
	rm -f "$root"/etc/ssh/ssh_host_* "$root"/var/lib/systemd/{random-seed,credential.secret} "$root"/var/lib/dbus/machine-id
	rm -rf "$root"/{tmp,run,var/tmp,var/cache/apt,var/cache/debconf,var/lib/apt/lists}/*
	rm -f "$root"/etc/{passwd,shadow,group,gshadow,subuid,subgid}- "$root"/etc/.pwd.lock "$root"/var/lib/dpkg/*-old \
		"$root"/var/cache/ldconfig/aux-cache
	find "$root/var/log" -type f -delete
	# Nothing for the first boot to bring up to date.
	touch "$root"/{etc,var}/.updated
	find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# Nothing that an amphora must not have, unless its operator asked for it by name.
check() {
	local found
	found=$(find "$root" -xdev \( -path '*/bin/python*' -o -path '*/lib/python*' -o -path '*/bin/*gcc*' -o -path '*/bin/ld' \
		-o -path '*/sbin/sshd' \) -not -path "$root/usr/share/*" -printf '%P\n')
	# shellcheck disable=SC2086,SC2116 # a list, on one line
	case " $(echo ${IMAGE_PACKAGES:-}) " in
	*" openssh-server "*) found=$(grep -v '^usr/sbin/sshd$' <<<"$found" || true) ;;
	esac
	[ -z "$found" ] || {
		echo "root.sh: the amphora would have: $found" >&2
		return 1
	}
}

tar --numeric-owner --xattrs --xattrs-include='*' -xf "$base" -C "$root"
install_package
lay_trees
mkdir -p "$root/var/lib/octavia/certs"
forget_name_servers
arrange_units
chroot "$root" passwd --quiet --lock root
tidy
check
