#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay verify --ear`: a verdict as an EAR, read by openssl and jq alone: the signature, what is
# claimed of a device that is trusted, of one whose boot was not judged, and of ones that are not.
# And the same in a CMW.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
verify=$PWD/build/host/assay-verify
data=$PWD/tests/data/evidence
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-ear.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work" || exit 1
nonce=$(xxd -p "$data/nonce")
for curve in P-256 P-384; do
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:$curve -out $curve.pem 2>/dev/null
done
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>/dev/null
openssl pkey -in P-256.pem -pubout -out verifier.pub
openssl pkcs8 -topk8 -in P-256.pem -passout pass:secret -out locked.pem

judge() { # OPTION...
	run "$verify" verify "${evidence:-$data/evidence.json}" --nonce "${asked:-$nonce}" --ak "$data/ak.pub" \
		--waive boot-known --waive assay-log-chain --manifest "$data/manifest.jsonl" --cert "$data/cert.pem" "$@"
}

# ---------------------------------------------------------------- a reader of its own

plain() { # base64url to bytes
	tr -- '-_' '+/' | sed 's/$/===/; s/^\(\(....\)*\)=*$/\1/; s/^\(\(....\)*..\)=*$/\1==/; s/^\(\(....\)*...\)=*$/\1=/' | base64 -d
}
# read_ear FILE: its signature is the verifier's; header.json and claims.json are what it holds
read_ear() {
	tr -d '\n' <"$1" >token
	grep -qE '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$' token || return 1
	cut -d. -f1 token | plain >header.json && cut -d. -f2 token | plain >claims.json || return 1
	cut -d. -f3 token | plain | xxd -p -c 64 >pair
	# Ecdsa-Sig-Value of R and S, which openssl takes.
	printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "$(cut -c1-64 pair)" "$(cut -c65-128 pair)" >pair.conf
	openssl asn1parse -genconf pair.conf -noout -out signature.der >/dev/null &&
		printf '%s' "$(cut -d. -f1,2 token)" >signed &&
		openssl dgst -sha256 -verify verifier.pub -signature signature.der signed >verified 2>&1 &&
		grep -q '^Verified OK' verified
}
says() { # JQ-EXPRESSION, of the claims; $s is the appraisal
	read_ear out.ear && jq -e ".submods.assay as \$s | $1" claims.json >/dev/null && return
	cat claims.json
	return 1
}
status_is() {
	[ "$status" -eq "$1" ]
}

# ---------------------------------------------------------------- what it says

before=$(date +%s)
judge --ear out.ear --ear-key P-256.pem
check 'a verdict that is trusted, but for the boot' status_is 0
check 'its signature is good, by openssl' read_ear out.ear
check 'it is a JWT by ES256, and names its key' jq -e --arg kid "$(openssl pkey -pubin -in verifier.pub -outform DER | sha256sum | cut -d' ' -f1)" \
	'. == {alg: "ES256", typ: "JWT", kid: $kid}' header.json
check 'profile, verifier and time' says '.eat_profile == "tag:github.com,2023:veraison/ear" and
	."ear.verifier-id".developer == "assay" and (.iat | type == "number" and . >= '"$before"' and . <= '"$before"' + 60)'
check 'the nonce' says '.eat_nonce == "'"$(base64 -w 0 <"$data/nonce")"'"'
check 'a boot that was not judged is a warning' says '$s."ear.status" == "warning" and
	$s."ear.trustworthiness-vector" == {"instance-identity": 2, "executables": 33, "file-system": 2}'
check 'in the words of the verdict' says '$s.assay_verdict == {sentence: "trusted (the boot was not judged)", boot_judged: false, not_passed: []}'
check 'the policy, and that the call changed it' says '$s."ear.appraisal-policy-id" == "default+options"'
changed() { # a bit of the claims
	sed 's/^\([^.]*\.\)\(.\)/\1X/' out.ear >changed.ear && ! read_ear changed.ear
}
check 'what is changed is not signed' changed

# By a policy, which is named by its digest.
jq -n --rawfile cert "$data/cert.pem" '{assay: 1, type: "policy", manifests: ["'"$data"'/manifest.jsonl"], certificates: [{pem: $cert}],
	waive: {"assay-log-chain": "a log of before", "boot-known": "firmware that measures nothing"}}' >policy.json
run "$verify" verify "$data/evidence.json" --nonce "$nonce" --ak "$data/ak.pub" --policy policy.json --ear out.ear --ear-key P-256.pem
check 'the policy is named by its digest' says '$s."ear.appraisal-policy-id" == "sha256:'"$(sha256sum policy.json | cut -d' ' -f1)"'"'

# ---------------------------------------------------------------- what is not trusted

asked=00000000000000000000000000000000 judge --ear out.ear --ear-key P-256.pem
check 'an old nonce is contraindicated, all of it' says '$s."ear.status" == "contraindicated" and
	($s."ear.trustworthiness-vector" | length == 5 and all(. == 99)) and $s.assay_verdict.sentence == "NOT TRUSTED" and
	($s.assay_verdict.not_passed | index("quote-nonce")) and .eat_nonce == "AAAAAAAAAAAAAAAAAAAAAA=="'
jq '.pcrs.sha256."14" |= ("00" * 32)' "$data/evidence.json" >forged.json
evidence=forged.json judge --ear out.ear --ear-key P-256.pem
check 'so is a PCR that was not quoted' says '$s."ear.status" == "contraindicated" and $s."ear.trustworthiness-vector"."executables" == 99'
echo '{' >none.json
evidence=none.json judge --ear out.ear --ear-key P-256.pem
check 'what is no evidence says nothing' says '$s."ear.status" == "contraindicated" and ($s."ear.trustworthiness-vector" | length > 0 and all(. == 1))'
check 'and its status is another' status_is 3

# ---------------------------------------------------------------- the draft's names, and CMW

judge --ear out.ear --ear-key P-256.pem --ear-profile ietf --cmw out.cmw
check "the draft's names" says '.eat_profile == "tag:ietf.org,2026:rats/ear#03" and .ear_verifier_id.developer == "assay" and
	$s.ear_status == "warning" and $s.ear_trustworthiness_vector."instance-identity" == 2 and
	$s.ear_appraisal_policy_ids == ["default+options"] and $s.eat_nonce == .eat_nonce'
check 'a collection of two records' jq -e 'keys == ["evidence", "result"] and .evidence[2] == 4 and .result[2] == 8 and
	.evidence[0] == "application/vnd.assay.evidence+json" and
	.result[0] == "application/eat+jwt; eat_profile=\"tag:ietf.org,2026:rats/ear#03\""' out.cmw
cmp_imported() { # FILE: what is in there
	"$verify" import cmw "$1" --out imported.json && cmp imported.json "$data/evidence.json"
}
unwrapped() {
	jq -r '.evidence[1]' out.cmw | plain | cmp - "$data/evidence.json" &&
		jq -r '.result[1]' out.cmw | plain >unwrapped && printf '\n' >>unwrapped && cmp unwrapped out.ear
}
check 'both come out as they went in' unwrapped
judge --ear out.ear --ear-key P-256.pem --ear-profile ietf --cmw out.cbor --cmw-form cbor
# The bytes of RFC 8949: a map of two, labels of 8 and 6 characters, records of three.
check 'the same in CBOR' test "$(head -c 14 out.cbor | xxd -p)" = a26865766964656e6365837823"$(printf a | xxd -p)"
check 'whose evidence is what was judged' cmp_imported out.cbor
check 'as that of the collection in JSON' cmp_imported out.cmw
run "$verify" verify out.cmw --nonce "$nonce" --ak "$data/ak.pub" --waive boot-known --waive assay-log-chain \
	--manifest "$data/manifest.jsonl" --cert "$data/cert.pem"
check 'a collection in JSON is none to judge as it is' status_is 3
evidence=out.cbor judge --json
check 'a collection in CBOR is judged as it is' jq -e '.sentence == "trusted (the boot was not judged)" or .trusted' stdout

# ---------------------------------------------------------------- how it is called

refused() { # TITLE WORDS OPTION...: status 1, and nothing is written
	title=$1 words=$2
	shift 2
	rm -f new.ear
	judge --ear new.ear "$@"
	check "$title" told 1 "$words"
	check 'and writes nothing' test ! -e new.ear
}
refused 'a key on another curve' 'P-384.pem: the key cannot sign by ES256: .*secp384r1' --ear-key P-384.pem
refused 'a key of another kind' 'cannot sign by ES256: .*RSA' --ear-key rsa.pem
refused 'a key that is locked' 'locked.pem' --ear-key locked.pem
refused 'a public key' 'verifier.pub' --ear-key verifier.pub
refused 'no key' 'cannot open missing' --ear-key missing

printf 'secret\n' >passphrase
printf wrong >wrong
judge --ear out.ear --ear-key locked.pem --ear-passphrase-file passphrase
check 'with its passphrase in a file a locked key signs' says '$s."ear.status" == "warning"'
exec 8<passphrase
judge --ear out.ear --ear-key locked.pem --ear-passphrase-file /dev/fd/8
exec 8<&-
check 'or in a descriptor' says '$s."ear.status" == "warning"'
refused 'a passphrase that is wrong' 'locked.pem' --ear-key locked.pem --ear-passphrase-file wrong
refused 'a passphrase that is not there' 'nowhere' --ear-key locked.pem --ear-passphrase-file nowhere
judge --ear-passphrase-file passphrase
check 'a passphrase of no key' told 2 'needs --ear-key'

# A key in a token, which no file has.
printf '%s\n' "directories.tokendir = $work/tokens" 'objectstore.backend = file' >softhsm2.conf
mkdir tokens
export SOFTHSM2_CONF="$work/softhsm2.conf"
softhsm2-util --init-token --free --label here --so-pin 12345678 --pin 8765 >log
softhsm2-util --import P-256.pem --token here --label verifier --id a1 --pin 8765 >log
softhsm2-util --import P-384.pem --token here --label another --id a2 --pin 8765 >log
printf 8765 >pin
judge --ear out.ear --ear-key 'pkcs11:token=here;object=verifier?pin-value=8765'
check 'a key in a token signs' says '$s."ear.status" == "warning"'
judge --ear out.ear --ear-key "pkcs11:token=here;object=verifier?pin-source=file:$work/pin"
check 'with its PIN in a file' says '$s."ear.status" == "warning"'
judge --ear out.ear --ear-key 'pkcs11:token=here;object=verifier' --ear-passphrase-file pin
check 'or in a file beside the URI' says '$s."ear.status" == "warning"'
refused 'a key in a token, of another curve' 'cannot sign by ES256' --ear-key 'pkcs11:token=here;object=another?pin-value=8765'
refused 'a token without its PIN' 'the token wants a PIN, and the PKCS#11 URI brings none' --ear-key 'pkcs11:token=here;object=verifier'
refused 'a key that is not in the token' 'no private key is found at the PKCS#11 URI' --ear-key 'pkcs11:token=here;object=none?pin-value=8765'
judge --ear out.ear
check 'a result that nobody signs' told 2 '\-\-ear needs --ear-key'
judge --ear-key P-256.pem
check 'a key without a result' told 2 '\-\-ear-key needs --ear'
judge --ear out.ear --ear-key P-256.pem --ear-profile other
check 'another profile' told 2 '\-\-ear-profile'
judge --ear /dev/null/x --ear-key P-256.pem
check 'a file that cannot be' told 1 '/dev/null/x'
judge --cmw-form cbor
check 'a form of nothing' told 2 '\-\-cmw-form needs --cmw'
printf '["application/vnd.assay.evidence+json", "e3="]' >bad.cmw
evidence=bad.cmw judge
check 'a wrapper that is broken is unreadable' told 3 'bad.cmw: the CMW: the value of .* is not base64url'
printf '\202\141a\101b' >bad.cmw
evidence=bad.cmw judge
check 'and so is one without evidence' told 3 'bad.cmw: the CMW has no message of type application/vnd.assay.evidence'
echo "1..$check_number"
exit "$check_failed"
