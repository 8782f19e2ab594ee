#!/bin/sh
# SPDX-License-Identifier: MIT
# The demo as a test: each step must be done, each attack caught, and the report whole.
set -eu
cd "$(dirname "$0")/../.."

report=build/demo/report.json
status=0
tests/e2e/demo.sh >&2 || status=$?
if [ ! -s "$report" ]; then
	printf '1..1\nnot ok 1 - the demo ends with a report (status %s)\n' "$status"
	exit 1
fi
jq -r --argjson status "$status" '
	[(.steps[] | {ok, what: "step \(.name): \(.detail)"}),
	 (.attacks[] | {ok: .caught, what: "attack \(.name): \(.by)"}),
	 (.checks[] | select(.required) | {ok: (.result == "pass"), what: "check \(.name)"}),
	 {ok: (.attacks | length == 6), what: "six attacks were made"},
	 {ok: (.files >= 40 and .bytes >= 20e6), what: "at least 40 files and 20 MB"},
	 {ok: (.ok == ($status == 0)), what: "the exit status is the report'"'"'s verdict"},
	 {ok: .ok, what: "every expectation held"}] as $tests
	| "1..\($tests | length)",
	  ($tests | to_entries[] |
	   "\(if .value.ok then "ok" else "not ok" end) \(.key + 1) - \(.value.what | gsub("[#\n]"; " "))")' "$report"
