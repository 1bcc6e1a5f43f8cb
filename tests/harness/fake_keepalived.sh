#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Behaves as keepalived does, without touching the network or the kernel: -v, --config-test, and the
# daemon with -f, -p, -r, -c, --namespace, SIGHUP and SIGTERM. It notes what it did, a line each, in
# the file $FAKE_KEEPALIVED_LOG: "check", "start", "reload" or "stop", then the config's first line.
#
# A word in the file $FAKE_KEEPALIVED_LOG.fail makes the step of that name fail, and
# $FAKE_KEEPALIVED_VERSION is its version. A config that holds REFUSED is refused; where
# $FAKE_KEEPALIVED_CHECKER names a real keepalived, that one judges.

fails() {
	grep -qsx "$1" "$FAKE_KEEPALIVED_LOG.fail"
}

note() {
	echo "$1 $(head -n 1 "$config")" >>"$FAKE_KEEPALIVED_LOG"
}

check() {
	note check
	if fails check || grep -q REFUSED "$config"; then
		echo "($config: Line 1) There are 1 missing '}'s or extra '{'s" >&2
		exit 4
	fi
	if [ -n "$FAKE_KEEPALIVED_CHECKER" ]; then
		exec "$FAKE_KEEPALIVED_CHECKER" --config-test -f "$config"
	fi
	exit 0
}

end() {
	note stop
	rm -f "$pid_file" "$vrrp_pid_file" "$check_pid_file"
	exit "$1"
}

# take_up STEP WORDS
take_up() {
	note "$1"
	if fails "$1"; then
		echo "fake keepalived: cannot $1" >&2
		end 1
	fi
	# As the real one has a checker process where there is something to check.
	if grep -q '^virtual_server' "$config"; then
		echo $$ >"$check_pid_file"
	else
		rm -f "$check_pid_file"
	fi
	echo "$2" >&2
}

mode=run
while [ $# -gt 0 ]; do
	case $1 in
	-v) mode=version ;;
	--config-test) mode=check ;;
	-f) config=$2; shift ;;
	-p) pid_file=$2; shift ;;
	-r) vrrp_pid_file=$2; shift ;;
	-c) check_pid_file=$2; shift ;;
	--namespace) shift ;;
	esac
	shift
done

case $mode in
version) echo "Keepalived v${FAKE_KEEPALIVED_VERSION:-2.2.7} (01/16,2022)" >&2; exit 0 ;;
check) check ;;
esac

# One that waits for its host's name to be looked up.
fails hang && exec sleep 1000
trap 'is_told=1' HUP
trap 'end 0' TERM
echo $$ >"$pid_file"
take_up start "Startup complete"
trap 'take_up reload "Reload complete"' HUP
[ -z "$is_told" ] || take_up reload "Reload complete"
while :; do
	sleep 1000 &
	wait $!
	kill $! 2>/dev/null
done
