#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay verify --ak-roots`: evidence of a key that nobody enrolled, with a certificate of an
# authority that is trusted, and every certificate that is no ground to believe it.
# shellcheck disable=SC2016,SC2086
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
verify=$PWD/build/host/assay-verify
data=$PWD/tests/data/evidence
clouds=$PWD/tests/data/ak_certificates
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-ak-certificate.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work" || exit 1
nonce=$(xxd -p "$data/nonce")

# The key that the evidence was made with, certified as the TCG has it for an IAK.
part() { # BYTES-FROM-THE-END: a coordinate
	tail -c "$1" "$data/ak.pub" | head -c 32
}
{ printf '3059301306072a8648ce3d020106082a8648ce3d03010703420004' && part 66 | xxd -p -c 0 && part 32 | xxd -p -c 0; } |
	xxd -r -p | openssl pkey -pubin -inform DER -out ak.pem
cat >ext.conf <<'END'
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[iak]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = 2.23.133.8.3
certificatePolicies = 2.23.133.11.1.1, 2.23.133.11.1.3
subjectAltName = critical, otherName:1.3.6.1.5.5.7.8.4;SEQ:module, dirName:maker
[web]
extendedKeyUsage = serverAuth
[cloud]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
[module]
type = OID:2.23.133.1.2
serial = FORMAT:ASCII,OCT:00001014:2f6d51db
[maker]
a.2.23.133.2.1 = id:00001014
[ca]
default_ca = it
[it]
database = index
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
[any]
commonName = optional
END
key() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
}
{
	for name in root other mid leaf; do key $name; done
	for name in root other; do
		openssl req -x509 -new -key $name.key -subj "/CN=$name" -days 30 -out $name.pem \
			-addext keyUsage=critical,keyCertSign,cRLSign
	done
	openssl req -new -key mid.key -subj '/CN=maker of computers' -out mid.csr
	openssl x509 -req -in mid.csr -CA root.pem -CAkey root.key -days 20 -extfile ext.conf -extensions authority -out mid.pem
	openssl req -new -key leaf.key -subj '/CN=a computer' -out leaf.csr
} >log 2>&1 || { cat log >&2; exit 1; }
certify() { # OUT EXTENSIONS KEY
	openssl x509 -req -in leaf.csr -force_pubkey "$3" -CA mid.pem -CAkey mid.key -days 10 -extfile ext.conf \
		-extensions "$2" -out "$1" >log 2>&1 || { cat log >&2; exit 1; }
}
certify iak.pem iak ak.pem
certify web.pem web ak.pem
certify cloud.pem cloud ak.pem
openssl pkey -in leaf.key -pubout -out leaf.pub
certify another.pem iak leaf.pub
cat iak.pem mid.pem >whole.pem
openssl x509 -in iak.pem -outform DER >iak.der

judge() { # OPTION...
	run "$verify" verify "${evidence:-$data/evidence.json}" --nonce "$nonce" --waive boot-known --waive assay-log-chain \
		--manifest "$data/manifest.jsonl" --cert "$data/cert.pem" "$@"
}
trusted() {
	[ "$status" -eq 0 ] && head -n 1 stdout | grep -q '^trusted'
}
fails() { # CHECK WORDS
	[ "$status" -eq 1 ] && grep -q "^FAIL  *$1: .*$2" stdout
}

judge --ak-roots root.pem --ak-cert whole.pem
check 'its chain in the file' trusted
judge --ak-roots root.pem --ak-cert iak.der --ak-intermediates mid.pem
check 'its chain elsewhere, in DER' trusted
mkdir roots revoked
cp other.pem roots/a.crt && cp root.pem roots/b.pem && echo 'not one' >roots/README
judge --ak-roots roots --ak-cert whole.pem --verbose
check 'a directory of roots' trusted
check 'what it says is told' grep -q 'ak-certificate.*CN=a computer, over 3 certificates to the root; its issuer says that the key is restricted; revocation was not looked at' stdout
judge --ak-roots root.pem --ak-cert whole.pem --ak "$data/ak.pub"
check 'beside the enrolled key' trusted
jq --arg cert "$({ cat iak.der; openssl x509 -in mid.pem -outform DER; } | base64 -w 0)" '. + {ak_certificate: $cert}' "$data/evidence.json" >own.json
evidence=own.json judge --ak-roots root.pem
check 'the certificate that the evidence has' trusted
evidence=own.json judge --ak-roots other.pem
check 'is believed for its issuer only' fails ak-certificate 'leads to no trusted root'

judge --ak-roots root.pem
check 'no certificate' fails ak-certificate 'neither the evidence nor the verifier'
judge --ak-roots other.pem --ak-cert whole.pem
check 'by a stranger' fails ak-certificate 'leads to no trusted root'
judge --ak-roots root.pem --ak-cert iak.pem
check 'a certificate missing between' fails ak-certificate 'unable to get local issuer certificate'
judge --ak-roots root.pem --ak-cert another.pem --ak-intermediates mid.pem
check 'of another key' fails ak-expected 'the evidence is of the key with digest'
judge --ak-roots root.pem --ak-cert another.pem --ak-intermediates mid.pem --ak "$data/ak.pub"
check 'of another key than the enrolled one' fails ak-certificate 'enrolled is'
judge --ak-roots root.pem --ak-cert web.pem --ak-intermediates mid.pem
check 'for another purpose' fails ak-certificate 'is for another purpose'
judge --ak-roots root.pem --ak-cert cloud.pem --ak-intermediates mid.pem
check 'that does not say restricted' fails ak-attributes 'whether it is restricted'
judge --ak-roots root.pem --ak-cert cloud.pem --ak-intermediates mid.pem --ak-vouched
check 'that, where somebody vouches for it' trusted
judge --ak-roots root.pem --ak-cert mid.pem
check "an authority's" fails ak-certificate "is an authority's"
judge --ak-roots "$clouds/gce-root.pem" --ak-cert "$clouds/gce-ak.pem" --ak-intermediates "$clouds/gce-intermediate.pem" --ak-vouched --json
only_another_key() {
	jq -e '[.checks[] | {(.name): .result}] | add | .["ak-certificate"] == "pass" and .["ak-expected"] == "fail"' stdout >/dev/null
}
check "a cloud's real certificate is good, and of another key" only_another_key

# ---------------------------------------------------------------- a record by a certificate

enrol() { # MACHINE OPTION...
	enrol_machine=$1
	shift
	run "$verify" enroll certificate "${ak:-$data/ak.pub}" --records records --machine-id "$enrol_machine" "$@"
}
enrol m1 --ak-roots root.pem --ak-cert whole.pem --json
check 'a device is enrolled by a certificate' told 0
check 'its record names the certificate' jq -e --arg digest "$(sha256sum <iak.der | cut -d' ' -f1)" \
	'.ak_certificate_sha256 == $digest and (has("ek_key_sha256") | not)' records/devices/m1.json
judge --device records/devices/m1.json
check 'its evidence is judged by the record' trusted
judge --device records/devices/m1.json
check 'and once only' fails quote-counters 'this quote is that one'
enrol m1 --ak-roots root.pem --ak-cert whole.pem
check 'it is enrolled already' told 1 'm1 is enrolled already'
enrol m1 --ak-roots root.pem --ak-cert whole.pem --replace
check 'and can be again' told 0
enrol m2 --ak-roots root.pem --ak-cert whole.pem
check 'the same key as another machine' told 1 'is enrolled as the machine m1'
enrol m3 --ak-roots other.pem --ak-cert whole.pem
check 'enrolled by a stranger' told 1 'leads to no trusted root'
enrol m3 --ak-roots root.pem --ak-cert another.pem --ak-intermediates mid.pem
check 'enrolled by the certificate of another key' told 1 'of another key than the one that is given'
enrol m3 --ak-roots root.pem --ak-cert cloud.pem --ak-intermediates mid.pem
check 'enrolled by one that does not say restricted' told 1 'vouch for it'
ak=ak.pem enrol m3 --ak-roots root.pem --ak-cert whole.pem
check 'a key without a name' told 1 'has no name in this form'
check 'none of these has a record' test "$(ls records/devices)" = m1.json
jq '.ek_key_sha256 = ("00" * 32)' records/devices/m1.json >both.json
judge --device both.json
check 'a record of both kinds' told 1 'stands for a device without an endorsement key'

dated() { # OUT START END
	: >index
	openssl ca -batch -config ext.conf -in leaf.csr -cert mid.pem -keyfile mid.key -startdate "$2" -enddate "$3" \
		-extensions iak -out "$1" -notext >log 2>&1 || { cat log >&2; exit 1; }
}
dated expired.pem 20200101000000Z 20210101000000Z
judge --ak-roots root.pem --ak-cert expired.pem --ak-intermediates mid.pem
check 'expired' fails ak-certificate 'certificate has expired'
list() { # OUT [CERT]
	: >index
	[ -z "${2:-}" ] || openssl ca -config ext.conf -cert mid.pem -keyfile mid.key -revoke "$2"
	openssl ca -config ext.conf -cert mid.pem -keyfile mid.key -gencrl -crldays 9 -out "$1"
}
{ list none.crl && list revoked/a.crl iak.pem; } >log 2>&1 || { cat log >&2; exit 1; }
judge --ak-roots root.pem --ak-cert whole.pem --ak-crl none.crl --verbose
check 'a revocation list without it' trusted
check 'of what no list tells that is told' grep -q 'of 2 of 3 certificates no revocation list tells' stdout
judge --ak-roots root.pem --ak-cert whole.pem --ak-crl revoked
check 'a directory of lists, one with it' fails ak-certificate 'is revoked'
openssl ca -config ext.conf -cert mid.pem -keyfile mid.key -gencrl -crl_lastupdate 20200101000000Z \
	-crl_nextupdate 20200201000000Z -out old.crl >log 2>&1
judge --ak-roots root.pem --ak-cert whole.pem --ak-crl old.crl
check 'a list that is no longer of today' told 1 'old.crl: the revocation list of CN=maker of computers expired at'
judge --ak-roots revoked --ak-cert whole.pem
check 'lists are no roots' told 1 'a.crl: .*"X509 CRL" is no certificate'
mkdir empty
judge --ak-roots empty --ak-cert whole.pem
check 'an empty directory' told 1 'the directory empty has no file whose name ends in'
judge --ak-roots root.pem --ak-cert ak.pem
check 'no certificate but a key' told 1 '"PUBLIC KEY" is no certificate'
judge --ak-cert whole.pem --ak "$data/ak.pub"
check 'a certificate that nobody judges' told 2 '\-\-ak-cert needs --ak-roots'
judge
check 'no key at all' told 2 'missing option: --device, --ak or --ak-roots'

# ---------------------------------------------------------------- the policy says who certifies

policy() { # AK: the member "ak"
	jq -n --argjson ak "$1" --arg manifest "$data/manifest.jsonl" --arg cert "$data/cert.pem" '{assay: 1, type: "policy",
		manifests: [$manifest], certificates: [$cert], ak: $ak, waive: {"boot-known": "a", "assay-log-chain": "b"}}' >policy.json
}
by_policy() { # OPTION...
	run "$verify" verify own.json --nonce "$nonce" --policy policy.json "$@"
}
policy '{"roots": ["root.pem"]}'
by_policy
check 'without another word: the policy names a root' trusted
run "$verify" verify "$data/evidence.json" --nonce "$nonce" --policy policy.json --ak "$data/ak.pub"
check 'then the enrolled key alone is not enough' fails ak-certificate 'neither the evidence nor the verifier'
run "$verify" policy lint policy.json
check 'it is told' grep -q 'must be certified by an authority of 1 file or text' stdout
check 'and that revocation is not looked at' grep -q '^note: A certificate that its authority revoked' stdout
policy '{"roots": ["roots"], "intermediates": ["mid.pem"], "crls": ["none.crl"]}'
by_policy --ak-cert iak.der
check 'directories, what stands between, and lists' trusted
policy '{"roots": ["other.pem"]}'
by_policy
check "another's root" fails ak-certificate 'leads to no trusted root'
by_policy --ak-roots root.pem
check 'the options add to it' trusted
policy_named() { # SUFFIX: the result names the policy, and so much behind it
	jq -r '.payload' out.json >claims && grep -qx "sha256:$(sha256sum policy.json | cut -d ' ' -f 1)$1" claims
}
by_result() { # OPTION...
	rm -f out.ear
	by_policy --ear out.ear --ear-key ear.key "$@"
	cut -d . -f 2 out.ear | tr -- '-_' '+/' | sed 's/$/==/' | base64 -d 2>/dev/null |
		jq '{payload: .submods.assay["ear.appraisal-policy-id"]}' >out.json
}
key ear
by_result --ak-roots root.pem
check 'which the result says' policy_named +options
policy '{"roots": ["root.pem"]}'
by_result
check 'and not where they do not' policy_named ''
policy "$(jq -n --rawfile pem root.pem '{roots: [{pem: $pem}]}')"
by_policy --ak-crl revoked
check 'a root in the policy, a list beside it' fails ak-certificate 'is revoked'
policy "$(jq -n --rawfile crl revoked/a.crl '{roots: ["root.pem"], crls: [{pem: $crl}]}')"
by_policy
check 'a list in the policy' fails ak-certificate 'is revoked'
policy '{"roots": ["root.pem"], "crls": ["old.crl"]}'
by_policy
check 'a list that is no longer of today' fails ak-certificate 'a revocation list that expired'
policy '{"roots": ["root.pem"], "intermediates": ["mid.pem"]}'
by_policy --ak-cert cloud.pem
check 'a certificate that does not say restricted' fails ak-attributes 'whether it is restricted'
policy '{"roots": ["root.pem"], "intermediates": ["mid.pem"], "vouched": true}'
by_policy --ak-cert cloud.pem
check 'where the policy vouches for it' trusted
run "$verify" policy lint policy.json
check 'which is warned of' grep -q '^warning: Keys of certificates that do not say so' stdout
policy '{"roots": ["missing.pem"]}'
by_policy
check 'a file that is not there' told 1 'missing.pem'
policy '{"roots": ["none.crl"]}'
by_policy
check 'a list as a root' told 1 'none.crl: .*"X509 CRL" is no certificate'
jq 'del(.ak)' policy.json >plain.json
run "$verify" verify own.json --nonce "$nonce" --policy plain.json
check 'nobody says whose evidence it is' told 1 "or by the policy's \"ak\""
run "$verify" verify own.json --nonce "$nonce" --policy plain.json --ak-crl none.crl
check 'a list, and no root' told 1 '\-\-ak-crl is given, and neither'
learn() { # OPTION...
	run "$verify" policy learn own.json --waive-boot --manifest "$data/manifest.jsonl" --cert "$data/cert.pem" "$@"
	cp stdout learned.json
}
learn --ak-roots root.pem --ak-crl none.crl
check 'a policy is learned that asks for it' jq -e '.ak == {roots: ["root.pem"], crls: ["none.crl"]}' learned.json
run "$verify" verify own.json --nonce "$nonce" --policy learned.json --waive assay-log-chain
check 'and trusts what it was learned from' trusted
learn --ak-roots other.pem
check 'what would not be trusted is told' grep -q 'since ak-certificate did not pass: .*leads to no trusted root' stderr
echo "1..$check_number"
exit "$check_failed"
