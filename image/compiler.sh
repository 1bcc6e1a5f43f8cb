#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: compiler.sh SUITE OUTPUT.tar.zst
# A Debian that builds the agent's package; dpkg-buildpackage says what it lacks. As root.
set -eu
suite=$1
output=$2

packages="build-essential,debhelper,libgnutls28-dev,libjansson-dev,libmicrohttpd-dev,libnftables-dev,libnl-3-dev"
packages="$packages,libnl-genl-3-dev,libsystemd-dev,nettle-dev,zlib1g-dev"
mmdebstrap --quiet --mode=root --variant=minbase --aptopt='APT::Install-Recommends "false"' \
	--aptopt='APT::Sandbox::User "root"' --include="$packages" "$suite" "$output"
