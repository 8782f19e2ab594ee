#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay policy`: from evidence to a policy that trusts it and nothing else, from Keylime's
# runtime policy to reference values, and a policy in words.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016
set -eu
cd "$(dirname "$0")/../.."
verifier=${ASSAY_VERIFY:-$PWD/build/host/assay-verify}
assay=${ASSAY:-$PWD/build/host/assay}
data=$PWD/tests/data/evidence
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

policy() {
	run "$verifier" policy "$@"
}

ended() { # STATUS WORDS
	told "$@"
}

judge() { # POLICY
	run "$verifier" verify "$data/evidence.json" --nonce "$(xxd -p "$data/nonce")" \
		--ak "$data/ak.pub" --policy "$1" --waive boot-known
}

echo 1..21
policy learn "$data/evidence.json" --ima --manifest "$data/manifest.jsonl" --cert "$data/cert.pem"
check 'learn prints a policy' [ "$(jq -r .type stdout)" = policy ]
cp stdout learned.json
judge learned.json
check 'which trusts that evidence' [ "$status" -eq 0 ]
jq '.ima.digests["/bin/sh"] |= map(sub(".$"; "0"))' learned.json >other.json
judge other.json
check 'and not a device with another /bin/sh' \
	grep -q '^FAIL  *ima-files-match: /bin/sh: IMA measured ' stdout
jq 'del(.ima.digests["/bin/sh"])' learned.json >other.json
judge other.json
check 'nor one with a file more' grep -q '^FAIL  *ima-files-known: /bin/sh is no' stdout
jq '.allow = [{path: "/bin/", reason: "a test"}]' other.json >allowed.json
judge allowed.json
check 'unless that is allowed' [ "$status" -eq 0 ]
policy lint allowed.json
check 'lint warns of it: exit status 1' [ "$status" -eq 1 ]
check 'in words' grep -q '^warning: Anything below /bin/ may be measured' stdout
policy lint learned.json
check 'nothing to warn of: exit status 0' [ "$status" -eq 0 ]
policy lint allowed.json --json
check 'JSON: one warning' [ "$(jq '[.findings[] | select(.level == "warning")] | length' stdout)" -eq 1 ]
check 'JSON: not ok' [ "$(jq .ok stdout)" = false ]
jq '.log.unknwon = 1' learned.json >misspelt.json
policy lint misspelt.json
check 'a member that is misspelt' ended 1 'misspelt.json: .*"log.unknwon" is not known'

jq '.logs.assay.cel |= sub("^.{40}"; "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")' "$data/evidence.json" >bad.json
policy learn bad.json
check 'nothing is learned from evidence that is not good' ended 1 'nothing is learned from evidence where assay-log-'

cat >runtime.json <<'END'
{"meta": {"version": 1}, "release": 0, "excludes": ["/sbin/.*", "/bin/[a-k].*"],
 "digests": {"/bin/sh": [], "/usr/bin/x": ["0123456789abcdef0123456789abcdef01234567"]},
 "keyrings": {}, "ima": {"ignored_keyrings": []}, "ima-buf": {}, "verification-keys": ""}
END
policy import runtime.json
check "import of Keylime's runtime policy" [ "$(jq -c .ima.digests stdout)" = \
	'{"/usr/bin/x":["sha1:0123456789abcdef0123456789abcdef01234567"]}' ]
check 'an exclusion that is a path' [ "$(jq -r '.allow[].path' stdout)" = /sbin/ ]
check 'an exclusion that is none is told' grep -qF '"/bin/[a-k].*" is not taken over' stderr
for path in sh ls; do
	jq -r --arg path "/bin/$path" '.ima.digests[$path][] | sub("sha256:"; "") + "  " + $path' learned.json
done >SHA256SUMS
jq 'del(.ima.digests)' learned.json >base.json
policy import SHA256SUMS --policy base.json
cp stdout imported.json
judge imported.json
check 'import of digests and paths, into a policy: what is left is refused' \
	grep -q '^FAIL  *ima-files-known: /sbin/init is no' stdout
jq '.allow = [{path: "/sbin/init", reason: "a test"}]' imported.json >whole.json
judge whole.json
check 'and trusted once it is allowed' [ "$status" -eq 0 ]
echo 'no digest' >SHA256SUMS
policy import SHA256SUMS
check 'what has no digests: exit status 1' ended 1 'line 1: it does not begin with a digest'
policy import
check 'nothing to import: exit status 2' ended 2 'one file is to be named'
policy
check 'no verb: exit status 2' ended 2 'lint, learn or import'
run "$assay" policy lint learned.json
check 'assay policy does the same' [ "$status" -eq 0 ]
