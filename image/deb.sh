#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: deb.sh FOLDER
# Builds the Debian package, for the suite of the machine it runs on, into FOLDER. The same sources and compiler make
# the same bytes: all times are those of the last commit (or SOURCE_DATE_EPOCH).
set -eu
cd "$(dirname "$0")/.."
mkdir -p "$1"
folder=$(cd "$1" && pwd)

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
# shellcheck source=/dev/null
. /etc/os-release
# Packages of two suites differ in what they depend on.
version=$(cat agent/VERSION)+deb$VERSION_ID

# A place of its own, and always the same one within FOLDER: what is lying about in the tree is not built in.
source=$folder/source
rm -rf "$source" "$folder"/amphora-agent*
mkdir "$source"
cp -a Makefile LICENSE README.md agent templates systemd "$source"
cp -a image/debian "$source/debian"
cat >"$source/debian/changelog" <<CHANGELOG
amphora-agent ($version) unstable; urgency=medium

  * Built from its sources; their history is in git.

 -- $(sed -n 's/^Maintainer: //p' image/debian/control)  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
CHANGELOG

log=$folder/build.log
if ! (cd "$source" && dpkg-buildpackage --build=binary --no-sign) >"$log" 2>&1; then
	tail -n 40 "$log" >&2
	echo "deb.sh: dpkg-buildpackage failed: the whole log is $log" >&2
	exit 1
fi
rm -rf "$source"
ls "$folder/amphora-agent_$version"_*.deb
