#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay quote` while the log grows, and while it is trimmed: what it collects replays to what
# the TPM quoted, each time; and logs that go on where an earlier one ended.
# guest: --region auto --tpm new --banks sha256,sha384 --timeout 120
# flavours: 64k
# soak: amd64
# shellcheck disable=SC2016
# shellcheck source=tests/check.sh
. /bed/check.sh

insmod /bed/assay.ko || exit 1
cd /run || exit 1
nonce=000102030405060708090a0b0c0d0e0f
assay key create --restricted --out ak.pem --public ak.pub >/dev/null || exit 1
echo '{"assay": 1, "type": "policy", "log": {"trimmed": "accept"}, "ima": {"required": false}}' >policy.json

quote() { # OUT OPTION...
	quote_out=$1
	shift
	assay quote --nonce "$nonce" --ak ak.pem --no-ima-log --out "$quote_out" "$@"
}
# replays EVIDENCE [WORDS]: the verdict has these checks; others want a manifest and IMA
replays() {
	assay verify "$1" --nonce $nonce --ak ak.pub --policy policy.json --verbose >verdict
	for check in quote-signature pcr-digest assay-log-records assay-log-digests assay-log-replay; do
		grep -q "^ *pass  *$check " verdict || { cat verdict; return 1; }
	done
	[ -z "${2:-}" ] || grep -q "$2" verdict || { cat verdict; return 1; }
}
records() { cat /sys/class/misc/assay/log/records; }

append() { # until /run/go is gone; what has no fs-verity is recorded all the same
	while [ -e go ]; do
		assay measure /bed/test >/dev/null 2>&1
	done
}
trim() {
	while [ -e go ]; do
		assay log trim --no-archive --keep 3 >/dev/null 2>&1
	done
}

# A busy machine's TPM does not answer in its driver's time.
quote_in_time() {
	for _ in $(seq 5); do
		"$@" >quote.log 2>&1 && return 0
		grep -q 'Timer expired\|tcti:' quote.log || break
	done
	cat quote.log
	return 1
}
raced() { # COUNT [UNTIL]: quotes, each of which replays, so many at least, and until that is so
	uncovered=0
	for round in $(seq $((10 * $1))); do
		[ "$round" -le "$1" ] || ! "${2:-true}" || break
		quote_in_time quote raced.json || return 1
		replays raced.json || { echo "round $round"; return 1; }
		! grep -q 'came later and are not covered' verdict || uncovered=$((uncovered + 1))
	done
}
appended_meanwhile() { # and some between a quote and its log
	[ "$(records)" -ge $((before + 12)) ] && [ "$uncovered" -gt 0 ]
}

race() { # TITLE COUNT UNTIL TASK...: so many quotes at least, beside these tasks
	race_title=$1 race_count=$2 race_until=$3
	shift 3
	touch go
	for race_task; do
		"$race_task" &
	done
	raced "$race_count" "$race_until" >raced.log 2>&1
	race_status=$?
	rm go
	wait
	cp raced.log stderr
	check "$race_title" test "$race_status" -eq 0
}

works 'a quote of a log at rest' quote rest.json
works 'replays' replays rest.json 'assay-log-replay .* records\? replay to the quoted'

before=$(records)
race '12 quotes while records are appended replay' 12 appended_meanwhile append append
check 'records were appended meanwhile' test "$(records)" -ge $((before + 12))
check 'some came between a quote and its log, and are told as not covered' test "$uncovered" -gt 0

next=$(records)
works 'a quote since the next record' quote since.json --since "$next" --json
check 'has nothing yet' grep -q "\"assay_log_first\": $next" stdout
assay measure /bed/test >/dev/null 2>&1
assay measure /bed/test >/dev/null 2>&1
works 'and then what came after' quote since.json --since "$next"
check 'says with which record it begins' grep -q "\"first\": $next" since.json
check 'and is shorter than the whole' test "$(wc -c <since.json)" -lt "$(wc -c <raced.json)"
run quote late.json --since 100000
check 'a record that is not due yet is told' told 1 'there is no record 100000 yet'

race '10 quotes while the log is trimmed, too, replay' 10 true append trim
assay log trim --no-archive --keep 2 >/dev/null 2>&1
works 'a log that was trimmed is quoted from where it begins' quote trimmed.json
check 'which the evidence says' grep -q '"first": ' trimmed.json
run quote late.json --since 1
check 'a record that was trimmed is told' told 1 'record 1 is not in the log any more'
check 'what was refused left no file' test ! -e late.json
echo "1..$check_number"
exit "$check_failed"
