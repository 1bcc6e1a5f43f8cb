#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: manifest.sh ROOT SUITE
# Prints what the amphora in ROOT is made of, every Debian package with its version and source, as CycloneDX.
set -euo pipefail
root=$1
suite=$2
: "${SOURCE_DATE_EPOCH:?}"

# shellcheck disable=SC2016 # names of dpkg
chroot "$root" dpkg-query -W -f '${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n' |
	LC_ALL=C sort | awk -v time="$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" -v suite="$suite" \
	-v arch="$(dpkg --print-architecture)" '
	BEGIN {
		printf "{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.4\",\n  \"version\": 1,\n"
		printf "  \"metadata\": {\"timestamp\": \"%s\", \"component\": ", time
		printf "{\"type\": \"operating-system\", \"name\": \"amphora\", \"version\": \"%s-%s\"}},\n", suite, arch
		printf "  \"components\": ["
	}
	function encoded(text) {
		gsub(/\+/, "%2B", text)
		gsub(/:/, "%3A", text)
		return text
	}
	{
		printf "%s\n    {\"type\": \"library\", \"name\": \"%s\", \"version\": \"%s\", ", (NR > 1 ? "," : ""), $1, $2
		printf "\"purl\": \"pkg:deb/debian/%s@%s?arch=%s&distro=%s\", ", encoded($1), encoded($2), $3, suite
		printf "\"properties\": [{\"name\": \"debian:source\", \"value\": \"%s %s\"}]}", $4, $5
	}
	END { printf "\n  ]\n}\n" }'
