#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: install_packages.sh PACKAGE...
# Installs the Debian packages that are missing, starting none of their services.
set -eu

missing=
for package in "$@"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "missing packages; as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi

# One at a time, for make -j: dpkg and policy-rc.d are there once.
exec 9>/run/amphora-install-packages.lock
flock 9

# policy-rc.d is Debian's way to say "start nothing"; the machine's own, if any, is put back.
policy=/usr/sbin/policy-rc.d
kept=
restore() {
	rm -f "$policy"
	[ -z "$kept" ] || mv "$kept" "$policy"
}
if [ -e "$policy" ]; then
	kept=$policy.kept-by-amphora-agent
	mv "$policy" "$kept"
fi
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086 # a list of package names
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1
then
	cat "$log" >&2
	rm -f "$log"
	exit 1
fi
rm -f "$log"
echo "installed:$missing"
