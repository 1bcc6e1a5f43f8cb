#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: deb_test.sh PACKAGE.deb
# Installs the package in a throw-away root of this machine's suite, runs its programs, and purges it. As root.
set -eu
package=$(realpath "$1")
# shellcheck source=/dev/null
. /etc/os-release

fail() {
	echo "deb_test.sh: $*" >&2
	exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

lintian --allow-root --fail-on error --suppress-tags no-manual-page "$package" ||
	fail "lintian finds errors in $package"

# systemd has the helpers of maintainer scripts; nothing is started where it did not boot.
depends=$(dpkg-deb -f "$package" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/ //g')
mmdebstrap --quiet --mode=root --variant=minbase --aptopt='APT::Install-Recommends "false"' \
	--aptopt='APT::Sandbox::User "root"' --include="systemd,$depends" "$VERSION_CODENAME" "$root"
# Logs and dpkg's own record change with any package.
files() {
	(cd "$root" && find . -path ./var/log -prune -o -path ./var/lib/dpkg -prune -o -path ./var/lib/systemd -prune \
		-o -path ./proc -prune -o -print | LC_ALL=C sort)
}
files >"$work/before"

cp "$package" "$root/package.deb"
chroot "$root" dpkg -i /package.deb >"$work/log" 2>&1 || fail "dpkg -i: $(cat "$work/log")"
rm "$root/package.deb"
for program in $(dpkg-deb -c "$package" | sed -n 's|.* \./usr/bin/||p'); do
	case $program in
	# Whoever starts these gives them no options.
	amphora-dhcp-script | amphora-health-checker | haproxy-vrrp-check)
		chroot "$root" ldd "/usr/bin/$program" | grep 'not found' && fail "$program lacks a library"
		;;
	*)
		version=$(chroot "$root" "$program" --version) || fail "$program --version fails"
		echo "$version"
		;;
	esac
done
for unit in "$root"/lib/systemd/system/amphora-*.service; do
	grep -q '^\[Install\]' "$unit" || continue
	[ "$(chroot "$root" systemctl is-enabled "${unit##*/}")" = enabled ] || fail "${unit##*/} is not enabled"
done

chroot "$root" dpkg --purge amphora-agent >"$work/log" 2>&1 || fail "dpkg --purge: $(cat "$work/log")"
files >"$work/after"
# Copies that the tools of users and groups keep.
diff "$work/before" "$work/after" | grep '^[<>]' | grep -v ' \./etc/\(passwd\|shadow\|group\|gshadow\)-$' &&
	fail "the purge leaves or takes the files above"
echo "deb_test.sh: ${package##*/} installs, runs and goes without a trace"
