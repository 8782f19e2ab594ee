#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-fleet in short: 200 devices on SQLite, each attests whole and then going on, for some seconds.
# What is judged is that every answer was "trusted" and what the last line says, not how fast it was.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-fleet-load.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

number=0 failed=0
check() { # NAME COMMAND...
	number=$((number + 1)) name=$1
	shift
	if "$@"; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		failed=1
		sed 's/^/# /' "$work/said" "$work/errors"
	fi
}
# shellcheck disable=SC2317 # called by check
last() { # FILTER: jq finds nothing wrong with no line at all
	[ -s "$work/said" ] && tail -n 1 "$work/said" | jq -e "$1" >/dev/null
}

PREBUILT=1 DEVICES=200 SECONDS_LONG=3 CONNECTIONS=32 DATABASE=sqlite TMPDIR=$work \
	timeout 300 tests/bench/fleet.sh >"$work/said" 2>"$work/errors"
status=$?
check 'it ends well' [ "$status" -eq 0 ]
check 'all that attested is trusted' last '.failed == 0 and .runs > 0'
check 'the last line is its result' last '.name == "fleet" and .ratio == .ours / .peer and .peer == 3333 and .devices == 200'
check 'with times, and what each part took' last '.p50_ms > 0 and .p99_ms >= .p50_ms and .cpu_us_each.load > 0 and .cpu_us_each.fleet > 0'
check 'evidence that goes on is smaller than the whole' last '.sent_bytes < .whole_bytes'
echo "1..$number"
exit "$failed"
