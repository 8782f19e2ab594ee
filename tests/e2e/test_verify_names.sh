#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay verify`: entries of IMA's list as kernels write them: names with '_' for each space,
# and digests of violations.
set -eu
cd "$(dirname "$0")/../.."
verifier=${ASSAY_VERIFY:-$PWD/build/host/assay-verify}
data=$PWD/tests/data/ima_names
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

# judge NAME [OPTION]...: the boot is not known, and not all files of the manifest were measured
judge() {
	name=$1
	shift
	run "$verifier" verify "$data/$name.json" --ak "$data/$name.ak" --waive boot-known --waive assay-log-chain \
		--accept-file-signature "$@"
}
by_hand() { # NAME [OPTION]...
	name=$1
	shift
	judge "$name" --nonce 746869732069732061206e6f6e636521 --manifest "$data/manifest.jsonl" \
		--cert "$data/cert.pem" "$@"
}
trusted() { [ "$status" -eq 0 ] && [ "$(head -n 1 stdout)" = 'trusted (the boot was not judged)' ]; }
refused() { [ "$status" -eq 1 ] && grep -q "^FAIL  *$1" stdout; }

echo 1..8
by_hand e_space_evil --manifest "$data/sp.jsonl" --cert "$data/sc.pem" --waive files-complete
check 'a signed file with a space in its name that was exchanged' \
	refused 'ima-files-match: /opt/My_App/run_me.sh: '
"$verifier" policy import "$data/sp.sums" >sums.json
by_hand e_space --policy sums.json
check 'a good one, by its digest' trusted
judge guest --nonce 00112233445566778899aabbccddeeff --manifest "$data/guest.jsonl" \
	--cert "$data/guest.pem" --strip-prefix /mnt --waive files-complete
check 'one that was exchanged in a guest' refused 'ima-files-match: /mnt/opt/My_App/run_me: '
for zeros in 20 32; do
	by_hand "e_viol$zeros"
	check "a violation with $zeros zeros is trusted where violations are accepted" trusted
	check 'and its path is named' \
		grep -q '^note  *ima-log-violations: .*/var/log/journal/x.journal' stdout
done
jq '.ima.violations = "refuse" | .ima.unknown_files = "accept"' sums.json >strict.json
by_hand e_viol20 --policy strict.json
check 'where they are refused it is not' refused ima-log-violations
