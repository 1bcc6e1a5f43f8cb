#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: base.sh SUITE OUTPUT.tar.zst [PACKAGE...]
# The Debian that an amphora stands on, without the agent: these packages and what they need, a generic kernel without
# what no virtual machine has. As root, without loop devices.
set -euf
suite=$1
output=$2
shift 2

# acpid: a machine that is asked to stop by its power button does, and gives its VIP away before.
packages="acpid ca-certificates dbus haproxy initramfs-tools iproute2 iputils-ping ipvsadm isc-dhcp-client keepalived kmod
	logrotate nftables openssl procps rsyslog systemd-sysv tzdata udev zstd"

# The cloud kernel has no AHCI driver, and the config drive is a CD-ROM on SATA on machine type q35. So it is the generic
# kernel, less these folders. net/sctp and the drivers of network cards (SR-IOV) stay.
pruned_modules="arch/x86/kvm sound drivers/accel drivers/accessibility drivers/atm drivers/bluetooth drivers/comedi drivers/edac
	drivers/firewire drivers/gpu drivers/hid drivers/hwmon drivers/iio drivers/infiniband drivers/input drivers/isdn
	drivers/leds drivers/md drivers/media drivers/message drivers/mmc drivers/mtd drivers/net/arcnet drivers/net/can
	drivers/net/ieee802154 drivers/net/usb drivers/net/wireless drivers/net/wwan drivers/platform drivers/scsi/*
	drivers/soundwire drivers/staging drivers/target drivers/thunderbolt drivers/usb drivers/video drivers/w1 fs/afs
	fs/bcachefs fs/btrfs fs/ceph fs/f2fs fs/gfs2 fs/jffs2 fs/jfs fs/nfs fs/nfsd fs/nilfs2 fs/ntfs3 fs/ocfs2 fs/reiserfs
	fs/smb fs/ubifs fs/xfs net/bluetooth net/can net/ceph net/mac80211 net/nfc net/rxrpc net/sunrpc net/tipc
	net/wireless"
# What people and debuggers read, udev's names of hardware, and Perl's modules: keepalived's SNMP library is linked with Perl
# but loads none, and what Debian's own scripts load is perl-base's.
pruned_folders="share/bash-completion share/doc share/gcc share/gdb share/info share/locale share/man share/perl lib/udev/hwdb.d
	lib/*-linux-gnu/perl"

# shellcheck disable=SC2086 # a list
include=$(printf '%s,' "linux-image-$(dpkg --print-architecture)" $packages "$@")
set --
# /usr is merged from the beginning: the package that would do it later needs the Perl modules that are left out.
[ "$suite" != bookworm ] || set -- --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr
for folder in $pruned_folders; do
	set -- "$@" --dpkgopt="path-exclude=/usr/$folder/*"
done
set -- "$@" --dpkgopt='path-include=/usr/share/doc/*/copyright'
for modules in $pruned_modules; do
	set -- "$@" --dpkgopt="path-exclude=/lib/modules/*/kernel/$modules/*" \
		--dpkgopt="path-exclude=/usr/lib/modules/*/kernel/$modules/*"
done

# In force before the kernel's own scripts run, so that its initrd is made once: for the disks that clouds attach.
# shellcheck disable=SC2016 # $1 is the hook's
initramfs='mkdir -p "$1/etc/initramfs-tools/conf.d"
printf "MODULES=list\nCOMPRESS=zstd\n" >"$1/etc/initramfs-tools/conf.d/amphora"
printf "%s\n" virtio_pci virtio_blk virtio_scsi sd_mod ahci ata_piix sr_mod ext4 >"$1/etc/initramfs-tools/modules"'

mmdebstrap --quiet --mode=root --variant=minbase --format=tar --include="$include" \
	--aptopt='APT::Install-Recommends "false"' --aptopt='APT::Sandbox::User "root"' \
	"$@" --essential-hook="$initramfs" "$suite" "$output"
