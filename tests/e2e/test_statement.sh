#!/bin/sh
# SPDX-License-Identifier: MIT
# In-toto statements: the provenance of what was signed, and the summary of a verdict. openssl
# verifies their envelopes, over DSSE's encoding that is computed here anew.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
verify=$PWD/build/host/assay-verify
data=$PWD/tests/data/evidence
work=$(mktemp -d "${TMPDIR:-/tmp}/statement.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

# enveloped FILE CERT [N]: is its Nth signature (0) good by openssl, named by the key's id? The
# statement goes to the file payload.
enveloped() {
	jq -r .payload "$1" | base64 -d >payload
	[ "$(jq -r .payloadType "$1")" = application/vnd.in-toto+json ] || return 1
	{
		printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(wc -c <payload)"
		cat payload
	} >encoded
	jq -r ".signatures[${3:-0}].sig" "$1" | base64 -d >sig
	openssl x509 -in "$2" -noout -pubkey >public
	id=$(openssl x509 -in "$2" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :' | tr A-F a-f)
	[ "$(jq -r ".signatures[${3:-0}].keyid" "$1")" = "$id" ] || return 1
	openssl dgst "-${hash:-sha256}" -verify public -signature sig encoded >/dev/null
}

says() { # FILTER: true of the statement
	jq -e "$1" payload >/dev/null
}

certificate() { # NAME OPTION...
	name=$1
	shift
	openssl req -x509 "$@" -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.crt" -days 10 \
		-addext keyUsage=digitalSignature 2>/dev/null
}

sha256_of() {
	sha256sum "$1" | cut -d' ' -f1
}

mkdir tree
echo one >tree/one
echo two >tree/two
certificate ec -newkey ec -pkeyopt ec_paramgen_curve:P-256
certificate rsa -newkey rsa:2048
certificate p384 -newkey ec -pkeyopt ec_paramgen_curve:P-384

# ---------------------------------------------------------------- provenance
sign() { # KEY OPTION...
	sign_key=$1
	shift
	run "$assay" sign --key "$sign_key.key" --cert "$sign_key.crt" --root tree --manifest out.m "$@"
}
sign ec --provenance p.json --builder-id https://ci.example/build --product image --exclude two
check 'provenance is written' told 0
check 'openssl verifies its envelope' enveloped p.json ec.crt
check 'it is of the manifest and its signature' says \
	"._type == \"https://in-toto.io/Statement/v1\" and .subject == [
	{name: \"out.m\", digest: {sha256: \"$(sha256_of out.m)\"}},
	{name: \"out.m.p7s\", digest: {sha256: \"$(sha256_of out.m.p7s)\"}}]"
check 'by the schema of SLSA' says '.predicateType == "https://slsa.dev/provenance/v1" and
	(.predicate | keys) == ["buildDefinition", "runDetails"] and
	(.predicate.buildDefinition | (.buildType | startswith("urn:oid:2.25.")) and
		(.externalParameters | type) == "object" and .internalParameters.files == 1) and
	.predicate.runDetails.builder.id == "https://ci.example/build"'
check 'with the options, and the times' says '.predicate | .buildDefinition.externalParameters.product == "image" and
	.buildDefinition.externalParameters.exclude == ["two"] and .buildDefinition.externalParameters.signatures == "both" and
	(.runDetails.metadata | .startedOn <= .finishedOn and (.startedOn | fromdateiso8601) > 0)'
check "and the manifest's id" says ".predicate.runDetails.metadata.invocationId == \"$(head -n 1 out.m | jq -r .id)\""
jq -c '.payload |= (@base64d | sub("image"; "other") | @base64)' p.json >changed.json
check 'what was changed is not verified' eval '! enveloped changed.json ec.crt 2>/dev/null'
sign rsa --provenance p.json --builder-id urn:x:y
check 'an RSA key signs it' eval 'told 0 && enveloped p.json rsa.crt'
sign p384 --provenance p.json --builder-id urn:x:y
check 'and P-384, with SHA-384' eval 'told 0 && hash=sha384 && enveloped p.json p384.crt; hash='
sign ec --also-key rsa.key --also-cert rsa.crt --provenance p.json --builder-id urn:x:y
check 'two signers both sign it' eval 'told 0 && enveloped p.json ec.crt && enveloped p.json rsa.crt 1'
sign ec --delegate --delegate-cert delegate.crt --provenance p.json --builder-id urn:x:y
check 'a delegate signs it' eval 'told 0 && enveloped p.json delegate.crt && says ".predicate.buildDefinition.externalParameters.delegate"'
sign ec --provenance p.json
check 'nobody vouches for it: refused' told 2 'builder-id'
sign ec --provenance p.json --builder-id 'no uri'
check 'by something that is no URI: refused' told 2 'must be a URI'
sign ec --provenance p.json --builder-id :x
check 'nor without a scheme' told 2 'must be a URI'

# ---------------------------------------------------------------- summaries
nonce=$(xxd -p "$data/nonce" | tr -d '\n')
judge() { # NONCE OPTION...
	judge_nonce=$1
	shift
	run "$verify" verify "$data/evidence.json" --nonce "$judge_nonce" --ak "$data/ak.pub" \
		--manifest "$data/manifest.jsonl" --cert "$data/cert.pem" --waive boot-known \
		--vsa v.json --vsa-key ec.key --vsa-cert ec.crt --verifier-id https://ci.example/verifier "$@"
}
judge "$nonce"
good=$status
check 'a verdict is summed up' test -s v.json
check 'openssl verifies its envelope' enveloped v.json ec.crt
check 'it is of the evidence, by the schema of SLSA' says "._type == \"https://in-toto.io/Statement/v1\" and
	.predicateType == \"https://slsa.dev/verification_summary/v1\" and
	.subject[0].digest == {sha256: \"$(sha256_of "$data/evidence.json")\"} and
	(.predicate | (.verifier.id == \"https://ci.example/verifier\") and
		(.resourceUri | startswith(\"ni:///sha-256;\")) and (.policy.uri | startswith(\"urn:oid:2.25.\")) and
		.inputAttestations[0].digest.sha256 == \"$(sha256_of "$data/manifest.jsonl")\" and .slsaVersion == \"1.0\" and
		(.timeVerified | fromdateiso8601) > 0)"
passed() {
	if [ "$good" -eq 0 ]; then
		says '.predicate | .verificationResult == "PASSED" and .verifiedLevels == ["ASSAY_TRUSTED_BOOT_NOT_JUDGED"]'
	else
		says '.predicate | .verificationResult == "FAILED" and .verifiedLevels == ["FAILED"]'
	fi
}
check 'and says what the verdict says' passed
judge 00112233445566778899aabbccddeeff
check 'one that is not trusted is FAILED' eval 'told 1 && enveloped v.json ec.crt &&
	says ".predicate | .verificationResult == \"FAILED\" and .verifiedLevels == [\"FAILED\"]"'
jq -n '{assay: 1, type: "policy"}' >policy.json
judge "$nonce" --policy policy.json --resource-uri https://fleet.example/device/7
check 'a policy is named by its digest, what it is of by its URI' eval 'enveloped v.json ec.crt &&
	says ".predicate | .policy.digest.sha256 == \"$(sha256_of policy.json)\" and
		.policy.uri == \"ni:///sha-256;$(sha256_of policy.json | tr a-f A-F | basenc -d --base16 | basenc --base64url | tr -d =)\" and
		.resourceUri == \"https://fleet.example/device/7\""'
rm v.json
run "$verify" verify "$data/evidence.json" --nonce "$nonce" --ak "$data/ak.pub" --manifest "$data/manifest.jsonl" \
	--cert "$data/cert.pem" --vsa v.json --vsa-key rsa.key --vsa-cert ec.crt --verifier-id urn:x:y
check 'a key that is not the certificate'"'"'s is refused before the verdict' eval 'told 1 "of another key" && [ ! -e v.json ]'
run "$verify" verify "$data/evidence.json" --nonce "$nonce" --ak "$data/ak.pub" --manifest "$data/manifest.jsonl" \
	--cert "$data/cert.pem" --vsa v.json
check 'a summary that nobody signs is refused' told 2 'vsa-key'
echo 1..$check_number
exit $check_failed
