#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: reproducible_test.sh FOLDER
# Builds the image that image.sh made in FOLDER once more, from a checkout elsewhere, with another umask, time zone, locale and
# host name, and compares the bytes: of the same Debian trees, or with FRESH=1 of ones newly made. As root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$1" && pwd)
suite=${IMAGE_SUITE:-trixie}
name=amphora-$suite-$(dpkg --print-architecture)

work=$(mktemp -d "$folder/again.XXXXXX")
trap 'rm -rf "$work"' EXIT
checkout=$work/a/checkout/elsewhere
mkdir -p "$checkout" "$work/build"
SOURCE_DATE_EPOCH=$(git -C "$here" log -1 --format=%ct)
export SOURCE_DATE_EPOCH

cd "$here/.."
umask 077
git ls-files -z --cached | tar --null --files-from=- -cf - | tar --no-same-permissions -C "$checkout" -xf -
if [ "${FRESH:-}" != 1 ]; then
	ln "$folder"/base-"$suite"-*.tar.zst "$folder"/compiler-"$suite"-*.tar.zst "$work/build"
fi
# shellcheck disable=SC2016 # $0 and $1 are the inner shell's
TZ=Pacific/Chatham LC_ALL=C HOME=/nonexistent unshare --uts \
	sh -c 'hostname elsewhere && exec "$0" "$1"' "$checkout/image/image.sh" "$work/build"

for file in "$name.qcow2" "$name.cdx.json"; do
	cmp "$folder/$file" "$work/build/$file" || {
		echo "reproducible_test.sh: $file is not the same the second time" >&2
		exit 1
	}
done
echo "reproducible_test.sh: $name.qcow2 is the same twice"
