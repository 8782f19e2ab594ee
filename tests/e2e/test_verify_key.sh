#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay verify --ak` with a key in each form that people keep public keys in, and with files that
# are none.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
verifier=${ASSAY_VERIFY:-$PWD/build/host/assay-verify}
data=$PWD/tests/data/evidence
keys=$PWD/tests/data/ak
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"
nonce=$(xxd -p "$data/nonce")

judge() { # KEY [OPTION]...
	judged=$1
	shift
	run "$verifier" verify "$data/evidence.json" --nonce "$nonce" --ak "$judged" --waive boot-known --waive assay-log-chain \
		--manifest "$data/manifest.jsonl" --cert "$data/cert.pem" "$@"
}

trusted() {
	[ "$status" -eq 0 ] && head -n 1 stdout | grep -q '^trusted'
}

judge "$data/ak.pub"
check 'TPM2B_PUBLIC' trusted
tail -c +3 "$data/ak.pub" >ak.tpmt
judge ak.tpmt
check 'TPMT_PUBLIC' trusted

# The same key of P-256 without anything beside it: x and y, each with its size before it.
part() { # BYTES-FROM-THE-END: a coordinate
	tail -c "$1" "$data/ak.pub" | head -c 32
}
{ printf '3059301306072a8648ce3d020106082a8648ce3d03010703420004' && part 66 | xxd -p -c 0 && part 32 | xxd -p -c 0; } |
	xxd -r -p >ak.der
openssl pkey -pubin -inform DER -in ak.der -out ak.pem
url() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }
printf '{"kty":"EC","crv":"P-256","x":"%s","y":"%s"}' "$(part 66 | url)" "$(part 32 | url)" >ak.jwk

# Recognised, and what it signed is; no more is proved by it, unless whoever gives it vouches for it.
only_the_key() {
	[ "$status" -eq 1 ] && jq -e '[.checks[] | {(.name): .result}] | add |
		.["ak-expected"] == "pass" and .["quote-signature"] == "pass" and .["quote-nonce"] == "pass" and
		.["ak-attributes"] == "fail" and .["pcr-digest"] == "not-checked" and
		.["files-known"] == "not-checked"' stdout >verdict
}
for form in pem der jwk; do
	judge ak.$form --json
	check "$form: recognised, and not more" only_the_key
	judge ak.$form --ak-vouched
	check "$form: somebody vouches for it" trusted
done
judge ak.pem
check 'what is unknown is told' grep -q 'ak-attributes: the key was given without its attributes' stdout
not_this_key() {
	[ "$status" -eq 1 ] && grep -q '^FAIL  *ak-expected: the evidence is of the key with digest' stdout
}
for other in keylime-ak.pem rfc7517-ec.jwk rfc7517-rsa.jwk; do
	judge "$keys/$other" --ak-vouched
	check "$other is another key" not_this_key
done

refused() { # TITLE WORDS KEY: exit status 1 and no verdict
	title=$1 words=$2
	judge "$3"
	check "$title" told 1 "$words"
}
refused 'a certificate' 'cert.pem: .*is a certificate: .openssl x509' "$data/cert.pem"
refused 'evidence' 'evidence.json: .*assay.s "evidence" file' "$data/evidence.json"
refused 'a manifest' 'manifest.jsonl: ' "$data/manifest.jsonl"
refused "a key's name" "a key's name, which" "$data/ak.qname"
printf 'no key\n' >no.key
refused 'text' 'no.key: .*neither PEM nor JSON' no.key
: >empty
refused 'an empty file' 'empty: .*an empty file' empty
refused 'a file that is not there' 'cannot open missing' missing
echo "1..$check_number"
exit "$check_failed"
