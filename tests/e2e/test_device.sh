#!/bin/sh
# SPDX-License-Identifier: MIT
# The demonstration of a whole device (device.sh) in its short form, or with DEVICE_FORM=long in its long
# one, as a test: each step must be done, each attack caught.
# It boots many guests and builds packages: soak_e2e=y make test T=e2e/test_device.
# limit: 3600
# soak
set -eu
cd "$(dirname "$0")/../.."
status=0
if [ "${DEVICE_FORM:-short}" = long ]; then
	steps=11 attacks=7
	tests/e2e/device.sh >&2 || status=$?
else
	steps=9 attacks=1
	tests/e2e/device.sh --short >&2 || status=$?
fi
jq -n -r --slurpfile steps build/device/steps --slurpfile attacks build/device/attacks \
	--argjson status "$status" --argjson wanted "$attacks" --argjson made "$steps" '
	[($steps[] | {ok, what: "step \(.name): \(.detail)"}),
	 ($attacks[] | {ok: .caught, what: "attack \(.name): \(.by)"}),
	 {ok: ($steps | length == $made), what: "\($made) steps were made"},
	 {ok: ($attacks | length == $wanted), what: "\($wanted) attacks were made"},
	 {ok: ($status == 0), what: "every expectation held"}] as $tests
	| "1..\($tests | length)",
	  ($tests | to_entries[] |
	   "\(if .value.ok then "ok" else "not ok" end) \(.key + 1) - \(.value.what | gsub("[#\n]"; " "))")'
