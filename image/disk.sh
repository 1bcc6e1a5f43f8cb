#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: disk.sh ROOT OUTPUT.qcow2
# A disk that boots by BIOS and by UEFI from the tree in ROOT, without loop devices or mounts. The same tree makes the same
# bytes: names of file systems and partitions come from NAME, times are SOURCE_DATE_EPOCH; files of ROOT carry no other.
set -euo pipefail
root=$1
output=$2
: "${SOURCE_DATE_EPOCH:?}" "${NAME:?}"
# What e2fsprogs before 1.47.1 reads.
export SOURCE_DATE_EPOCH E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH

# A GiB in all, the smallest disk of a flavor; in MiB.
disk_size=1024
esp_at=2
esp_size=8
root_at=$((esp_at + esp_size))
root_size=$((disk_size - root_at - 1))
core_sector=2048

work=$(mktemp -d "$(dirname "$output")/disk.XXXXXX")
trap 'rm -rf "$work"' EXIT

# A UUID (version 5's shape) of NAME and $1.
uuid() {
	printf '%s' "$NAME $1" | sha256sum | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-5\3-8\4-\5/'
}

le64() {
	local value=$1 text=
	for _ in 1 2 3 4 5 6 7 8; do
		text+=$(printf '\\x%02x' $((value & 255)))
		value=$((value >> 8))
	done
	# shellcheck disable=SC2059 # a format of escapes
	printf "$text"
}

write_boot_menu() {
	local kernel
	kernel=$(basename "$root"/boot/vmlinuz-*)
	mkdir -p "$root/boot/grub"
	cat >"$root/boot/grub/grub.cfg" <<-MENU
		set timeout=0
		serial --unit=0 --speed=115200
		terminal_output serial console
		linux /boot/$kernel root=LABEL=amphora rw console=tty0 console=ttyS0,115200 net.ifnames=0 quiet
		initrd /boot/${kernel/vmlinuz/initrd.img}
		boot
	MENU
	find "$root/boot" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

make_root() {
	mke2fs -q -t ext4 -F -L amphora -m 0 -U "$(uuid root)" -E "hash_seed=$(uuid hash),root_owner=0:0" \
		-O ^metadata_csum_seed,^orphan_file -d "$root" "$work/root" "${root_size}M" >/dev/null
	# mke2fs has copied when each file of this machine was last read and changed.
	(cd "$root" && find . -mindepth 1 -printf '"%P"\n' | LC_ALL=C sort) |
		sed -E "s|.*|sif & atime @$SOURCE_DATE_EPOCH\nsif & ctime @$SOURCE_DATE_EPOCH|" >"$work/times"
	printf 'sif / %s @%s\n' atime "$SOURCE_DATE_EPOCH" ctime "$SOURCE_DATE_EPOCH" >>"$work/times"
	debugfs -w -f "$work/times" "$work/root" >"$work/debugfs.log" 2>&1
	e2fsck -fn "$work/root" >"$work/e2fsck.log" 2>&1 || {
		cat "$work/e2fsck.log" >&2
		exit 1
	}
}

make_boot_loaders() {
	local modules="part_gpt ext2 search search_label configfile normal linux serial terminal echo test minicmd"
	printf '%s\n' 'search.fs_label amphora root' "set prefix=(\$root)/boot/grub" "configfile \$prefix/grub.cfg" \
		>"$work/early.cfg"
	# shellcheck disable=SC2086 # a list
	grub-mkimage -O i386-pc -p /boot/grub -c "$work/early.cfg" -o "$work/core" biosdisk $modules
	# shellcheck disable=SC2086
	grub-mkimage -O x86_64-efi -p /boot/grub -c "$work/early.cfg" -o "$work/BOOTX64.EFI" fat efi_gop $modules
	touch -d "@$SOURCE_DATE_EPOCH" "$work/BOOTX64.EFI"
	truncate -s ${esp_size}M "$work/esp"
	mkfs.vfat --invariant -i "$(uuid esp | cut -c1-8)" -n ESP "$work/esp" >/dev/null
	TZ=UTC mmd -i "$work/esp" ::/EFI ::/EFI/BOOT
	TZ=UTC mcopy -m -i "$work/esp" "$work/BOOTX64.EFI" ::/EFI/BOOT/BOOTX64.EFI
}

assemble() {
	truncate -s ${disk_size}M "$work/disk"
	sfdisk -q "$work/disk" <<-TABLE
		label: gpt
		label-id: $(uuid disk)
		start=$core_sector, size=2048, type=21686148-6449-6E6F-744E-656564454649, uuid=$(uuid bios), name=bios
		start=$((esp_at * 2048)), size=$((esp_size * 2048)), type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=$(uuid efi), name=esp
		start=$((root_at * 2048)), size=$((root_size * 2048)), type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=$(uuid part), name=root
	TABLE
	# Where grub-install would write: boot.img finds core.img, whose first sector finds the rest of it.
	dd status=none if=/usr/lib/grub/i386-pc/boot.img of="$work/disk" bs=440 count=1 conv=notrunc
	le64 $core_sector | dd status=none of="$work/disk" bs=1 seek=$((0x5c)) conv=notrunc
	le64 $((core_sector + 1)) | dd status=none of="$work/core" bs=1 seek=$((0x1f4)) conv=notrunc
	dd status=none if="$work/core" of="$work/disk" bs=512 seek=$core_sector conv=notrunc
	dd status=none if="$work/esp" of="$work/disk" bs=1M seek=$esp_at conv=notrunc,sparse
	dd status=none if="$work/root" of="$work/disk" bs=1M seek=$root_at conv=notrunc,sparse
}

write_boot_menu
make_root
make_boot_loaders
assemble
qemu-img convert -c -O qcow2 -o "compression_type=${COMPRESSION:-zstd}" "$work/disk" "$work/qcow2"
mv "$work/qcow2" "$output"
