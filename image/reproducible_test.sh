#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: reproducible_test.sh FOLDER
# Builds the image that image.sh made in FOLDER once more, from a checkout elsewhere that lists its files in another order, with
# another umask, time zone, locale, host name and CFLAGS, and compares the bytes: of the same Debian trees, or with FRESH=1 of
# ones newly made. As root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$1" && pwd)
suite=${IMAGE_SUITE:-trixie}
name=amphora-$suite-$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d "$folder/again.XXXXXX")
trap 'rm -rf "$work"' EXIT
checkout=$work/a/checkout/elsewhere
mkdir -p "$checkout" "$work/build"
if [ "${FRESH:-}" != 1 ]; then
	ln "$folder"/base-"$suite"-*.tar.zst "$folder"/compiler-"$suite"-*.tar.zst "$work/build"
fi

cd "$here/.."
umask 077
# A tmpfs lists the file that was made last first.
# shellcheck disable=SC2016 # $1 and $2 are the inner shell's
git ls-files -z --cached | tar --null --files-from=- -cf - |
	TZ=Pacific/Chatham LC_ALL=C HOME=/nonexistent CFLAGS=-O0 unshare --mount --uts sh -euc '
		hostname elsewhere
		mount -t tmpfs checkout "$1"
		tar --no-same-permissions -C "$1" -xf -
		exec "$1/image/image.sh" "$2"' sh "$checkout" "$work/build"

# The manifest first: where it differs, Debian's packages do.
for file in "$name.cdx.json" "$name.qcow2"; do
	cmp "$folder/$file" "$work/build/$file" || {
		echo "reproducible_test.sh: $file is not the same the second time" >&2
		exit 1
	}
done
echo "reproducible_test.sh: $name.qcow2 is the same twice"
