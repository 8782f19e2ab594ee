#!/bin/sh
# SPDX-License-Identifier: MIT
# Evidence with a violation in IMA's list as Linux before 5.19 writes it, with 20 zeros as its
# digest whatever the algorithm: the verifier judges the violation, not the size.
set -u
cd "$(dirname "$0")/../.." || exit 2
verifier=$PWD/build/host/assay-verify
data=tests/data/evidence
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh

verify() { # OPTION...
	run "$verifier" verify $data/violation.json --nonce "$(xxd -p -c 64 $data/nonce)" --ak $data/violation.ak \
		--manifest $data/manifest.jsonl --cert $data/cert.pem --waive boot-known --waive assay-log-chain --verbose "$@"
}

verify
check "a violation is accepted, and its path told" prints 0 '^trusted' \
	'ima-log-violations *1 violations, the first of /var/log/journal/x.journal'
check "the list replays with it" prints 0 'pass *ima-log-replay *3 entries replay' 'pass *ima-log-entries'
echo '{"assay": 1, "type": "policy", "ima": {"violations": "refuse"}}' >"$work/policy.json"
verify --policy "$work/policy.json"
check "and refused where the policy says so" prints 1 '^NOT TRUSTED' \
	'ima-log-violations: 1 violations, the first of /var/log/journal/x.journal'
echo "1..$check_number"
exit "$check_failed"
