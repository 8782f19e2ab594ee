# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# How TAP is judged: a test passed if it kept its plan and nothing is "not ok".
# Several plans (a program that runs several groups) add up. Sourced.

# tap_judge FILE: sets tap_passed, tap_failed, tap_skipped, tap_planned and, if the
# test is to be failed, tap_complaint.
tap_judge() {
	eval "$(tr -d '\r\000' <"$1" | awk '
		/^1\.\.[0-9]+/ { plans++; planned += substr($1, 4); next }
		/^ok([ \t]|$)/ { if (tolower($0) ~ /# *skip/) skipped++; else passed++; next }
		/^not ok([ \t]|$)/ { if (toupper($0) ~ /# SKIP/) skipped++; else failed++; next } # cmocka says it so
		/^Bail out!/ { bailed = 1 }
		END {
			printf "tap_plans=%d tap_planned=%d tap_passed=%d tap_failed=%d tap_skipped=%d tap_bailed=%d\n",
				plans, planned, passed, failed, skipped, bailed
		}')"
	tap_complaint=
	tap_seen=$((tap_passed + tap_failed + tap_skipped))
	if [ "$tap_plans" -eq 0 ]; then
		tap_complaint='the test printed no plan'
	elif [ "$tap_failed" -gt 0 ]; then
		tap_complaint="$tap_failed not ok"
	elif [ "$tap_bailed" -ne 0 ]; then
		tap_complaint='the test bailed out'
	elif [ "$tap_seen" -ne "$tap_planned" ]; then
		tap_complaint="$tap_planned tests were planned, $tap_seen were run"
	fi
}
