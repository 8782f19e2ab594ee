#!/bin/sh
# SPDX-License-Identifier: MIT
# `make attest-ci` as a test: every step is done, what it leaves is whole, and the same
# evidence is not trusted where it should not be.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-attest-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh

out=build/attest-ci
verify=build/host/assay-verify
works 'the device is enrolled, quotes, and is trusted' tests/e2e/attest-ci.sh
check 'each step is told' test "$(grep -c '^ok ' "$work/stdout")" -eq 7
works 'what was exchanged and judged is kept' sh -c 'for file in request.json challenge.json answer.json \
	evidence.json nonce policy.json manifest.jsonl manifest.jsonl.p7s signer.pem verdict.json verdict.html junit.xml \
	records/devices/ci-device.json; do test -s "$1/$file" || { echo "no $file"; exit 1; }; done' sh "$out"
works 'the verdict is trust' jq -e .trusted "$out/verdict.json"
works 'the JUnit file says so' sh -c 'grep -q "<testcase" "$1" && ! grep -q "<failure" "$1"' sh "$out/junit.xml"

judged() { # STATUS CHECK OPTION...: not trusted, for that reason
	judged_status=$1 judged_check=$2
	shift 2
	judged_seen=0
	"$verify" verify "$@" --json >"$work/verdict" 2>"$work/why" || judged_seen=$?
	[ "$judged_seen" -eq "$judged_status" ] &&
		jq -e --arg check "$judged_check" '(.trusted | not) and
			(.checks[] | select(.name == $check) | .result == "fail")' "$work/verdict"
}
nonce=$(cat "$out/nonce")
record=$out/records/devices/ci-device.json
works 'an old nonce is not trusted' judged 1 quote-nonce "$out/evidence.json" --nonce "$(openssl rand -hex 32)" \
	--device "$record" --policy "$out/policy.json"
works 'nor is evidence that is older than the policy allows' judged 1 quote-age "$out/evidence.json" \
	--nonce "$nonce" --issued 2020-01-01T00:00:00Z --device "$record" --policy "$out/policy.json"
cp -r "$out" "$work/changed"
tail -n 1 "$out/manifest.jsonl" >>"$work/changed/manifest.jsonl"
works 'nor what a manifest says that was changed' judged 1 manifest-signature "$out/evidence.json" --nonce "$nonce" \
	--device "$record" --policy "$work/changed/policy.json"
works 'the sample workflow calls what there is' sh -c '
	grep -o -e "--[a-z][a-z-]*" policy/ci/attest.yml | sort -u >"$1/options" && test -s "$1/options" &&
	{ for command in "verify" "quote" "measure"; do build/host/assay $command --help; done; echo "--hex"; } >"$1/help" &&
	while read -r option; do grep -q -e "$option" "$1/help" || { echo "no $option"; exit 1; }; done <"$1/options"' sh "$work"
echo "1..$check_number"
exit "$check_failed"
