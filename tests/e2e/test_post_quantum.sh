#!/bin/sh
# SPDX-License-Identifier: MIT
# Manifests with two signers, and keys of ML-DSA: both signatures have to be good, none can be taken
# away, and what is signed is what OpenSSL's own program verifies. ML-DSA needs OpenSSL 3.5: the
# same programs run with that of the next Debian, and with the machine's, which says what it lacks.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
verify=$PWD/build/host/assay-verify
newer=$PWD/build/newer-openssl
units=$PWD/build/unit/test_ml_dsa
data=$PWD/tests/data/evidence
work=$(mktemp -d "${TMPDIR:-/tmp}/post-quantum.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

certificate() { # NAME OPTION...
	name=$1
	shift
	"$newer/openssl" req -x509 "$@" -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.crt" \
		-days 10 -addext keyUsage=digitalSignature 2>/dev/null
}

# runs HOW COMMAND...: with the newer OpenSSL (35), or the machine's
runs() {
	runs_how=$1
	shift
	[ "$runs_how" != 35 ] || set -- "$newer/run" "$@"
	run "$@"
}

both() { # HOW MANIFEST SECOND: does assay check accept it by both certificates?
	runs "$1" "$assay" check --manifest "$2" --root tree --cert ec.crt --cert "$3.crt" --quiet
}

first_size() { # FILE: the bytes of the first DER structure in it
	openssl asn1parse -inform DER -in "$1" |
		sed -n '1s/.*hl= *\([0-9]*\) *l= *\([0-9]*\).*/\1 + \2/p' | xargs expr
}

second() { # FILE: the second structure
	tail -c "+$(($(first_size "$1") + 1))" "$1"
}

content() { # MANIFEST: what its signature covers
	printf 'assay-manifest-1\001\000\040\000'
	"$assay" digest "$1" | sed 's/^sha256:\([0-9a-f]*\).*/\1/' | tr a-f A-F | tr -d '\n' | basenc -d --base16
}

# The signature is the last thing in a structure without attributes.
pure_verified() { # FILE CERT CONTENT: by openssl
	size=$(openssl asn1parse -inform DER -in "$1" | grep 'OCTET STRING' | tail -n 1 |
		sed 's/.*l= *\([0-9]*\) prim.*/\1/')
	tail -c "$size" "$1" >raw
	"$newer/openssl" x509 -in "$2" -noout -pubkey >public
	"$newer/openssl" pkeyutl -verify -pubin -inkey public -rawin -in "$3" -sigfile raw >/dev/null
}

mkdir -p tree/bin
seq 500 >tree/bin/five
echo one >tree/one
certificate ec -newkey ec -pkeyopt ec_paramgen_curve:P-256
certificate rsa -newkey rsa:2048
certificate other -newkey ec -pkeyopt ec_paramgen_curve:P-256
for n in 44 65 87; do
	certificate "pq$n" -newkey "ml-dsa-$n"
done
certificate pq65b -newkey ml-dsa-65

# ---------------------------------------------------------------- keys of ML-DSA by themselves
run env CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS=detect_leaks=1 "$newer/run" "$units"
check 'the tests of ML-DSA keys hold with the newer OpenSSL' told 0
check 'and none of them is skipped' sh -c 'grep -q "^ok 2" "$1" && ! grep -qi skip "$1"' sh "$work/stdout"

# ---------------------------------------------------------------- two signers
run "$assay" sign --key ec.key --cert ec.crt --also-key rsa.key --also-cert rsa.crt --root tree --manifest m
check 'two keys sign a manifest' told 0
both here m rsa
check 'and both are accepted' told 0
run "$assay" check --manifest m --root tree --cert ec.crt --quiet
check 'one certificate is not enough' told 1 'second key as well'
run "$assay" check --manifest m --root tree --cert rsa.crt --quiet
check 'whichever it is' told 1
cp m stripped
head -c "$(first_size m.p7s)" m.p7s >stripped.p7s
both here stripped rsa
check 'the second signature cannot be taken away' told 1 'has not two signatures'
second m.p7s >two
cp m only
cp two only.p7s
both here only rsa
check 'nor the first' told 1 'has not two signatures'
cp m swapped
cat two stripped.p7s >swapped.p7s
both here swapped rsa
check 'nor are they the other way round' told 1 'second signature of swapped'
cp m twice
cat stripped.p7s stripped.p7s >twice.p7s
both here twice rsa
check 'nor is one of them there twice' told 1 'second signature of twice'
sed '1s/,"also":{[^}]*}//' m >bare
cp stripped.p7s bare.p7s
both here bare rsa
check 'nor does the header forget it' told 1
run "$assay" sign --key ec.key --cert ec.crt --also-key ec.key --also-cert ec.crt --root tree --manifest x
check 'one key is not two' told 1 'second key is the first'
run "$assay" sign --key ec.key --cert ec.crt --also-key other.key --also-cert rsa.crt --root tree --manifest x
check "a certificate of another key is refused" told 1 'of another key'
run "$assay" sign --key ec.key --cert ec.crt --also-key rsa.key --root tree --manifest x
check 'and a key without one' told 2 'needs --also-cert'
run "$assay" sign --key ec.key --cert ec.crt --also-key rsa.key --also-cert rsa.crt --root tree \
	--manifest again --incremental m
check 'a manifest of two signers can be built upon' prints 0 '2 had not changed\|signed 2 files'
run "$assay" sign --key ec.key --cert ec.crt --also-key rsa.key --also-cert rsa.crt --root tree \
	--manifest delegated --delegate
runs here "$assay" check --manifest delegated --root tree --ca ec.crt --cert rsa.crt --quiet
check 'a delegate is the first signer' told 0
run "$assay" enable --manifest m --cert ec.crt --root tree --dry-run
check 'assay enable wants both' told 1 'second key as well'
run "$assay" enable --manifest m --cert ec.crt --also-cert rsa.crt --root tree --dry-run
check 'and takes both' eval '! grep -q "second" stderr'

# ---------------------------------------------------------------- policies
policy() { # SIGNERS CERT...: a policy that wants so many signers
	policy_signers=$1
	shift
	jq -n --argjson n "$policy_signers" '{assay: 1, type: "policy", manifest: {signers: $n},
		certificates: $ARGS.positional}' --args "$@" >policy.json
}
nonce=$(xxd -p "$data/nonce" | tr -d '\n')
judge() { # MANIFEST: what its check says of it, of evidence that has nothing to do with it
	"$newer/run" "$verify" verify "$data/evidence.json" --nonce "$nonce" --ak "$data/ak.pub" \
		--policy policy.json --manifest "$1" --json >verdict 2>/dev/null || :
	jq -r '.checks[] | select(.name == "manifest-signature") | (.result | tostring) + " " + .detail' verdict
}
policy 2 ec.crt rsa.crt
run "$assay" sign --key ec.key --cert ec.crt --root tree --manifest single
check 'a policy that wants two signers takes no manifest of one' \
	eval 'judge single | grep -q "the policy wants two"'
check 'and takes one of two' eval 'judge m | grep -q "2 files, in 1 signed manifest"'
policy 1 ec.crt
check 'one that wants one does not take one of two by the half' eval 'judge m | grep -q "second key as well"'

# ---------------------------------------------------------------- ML-DSA
for n in 44 65 87; do
	runs 35 "$assay" sign --key ec.key --cert ec.crt --also-key "pq$n.key" --also-cert "pq$n.crt" \
		--root tree --manifest "m$n"
	check "ML-DSA-$n signs besides ECDSA" told 0
	both 35 "m$n" "pq$n"
	check 'both are accepted' told 0
	second "m$n.p7s" >two
	content "m$n" >bytes
	check "openssl's program verifies the second" pure_verified two "pq$n.crt" bytes
done
both 35 m65 pq65b
check "another's ML-DSA certificate is refused" told 1 'second key as well'
# A bit of the second signature.
cp m65 flipped
{
	head -c -10 m65.p7s
	printf 'xxxxxxxxxx'
} >flipped.p7s
both 35 flipped pq65
check 'a changed second signature is refused' told 1 'second signature of flipped'
policy 2 ec.crt pq65.crt
check 'a verifier wants both' eval 'judge m65 | grep -q "2 files, in 1 signed manifest"'
both here m65 pq65
check "an OpenSSL that does not know it says so, and what to do" told 3 'ML-DSA-65, which OpenSSL knows from 3.5 on'
run "$assay" check --manifest m65 --root tree --cert ec.crt --quiet
check 'and does not take the manifest by the other signature alone' told 1 'second key as well'
run "$assay" sign --key pq65.key --cert pq65.crt --root tree --manifest x
check 'nor signs with it' told 1 'OpenSSL knows from 3.5 on'
runs 35 "$assay" sign --key pq65.key --cert pq65.crt --root tree --manifest x
check 'built-in signatures by ML-DSA are not made unasked, and what to do is told' \
	told 1 'kernels before 7.0' 'signatures pkcs7 or both' also-key
runs 35 "$assay" sign --key pq65.key --cert pq65.crt --root tree --manifest built-in --signatures pkcs7
check 'where they are asked for, they are' told 0
runs 35 "$assay" check --manifest built-in --root tree --cert pq65.crt --quiet
check 'and accepted' told 0
runs 35 "$assay" check --manifest built-in --root tree --cert pq65b.crt --quiet
check "but not another's" told 1
tail -n 1 built-in | jq -r .pkcs7 | base64 -d >built-in.sig
{
	printf 'FSVerity\001\000\040\000'
	tail -n 1 built-in | jq -r .digest | sed 's/^sha256://' | tr a-f A-F | tr -d '\n' | basenc -d --base16
} >bytes
check "openssl's program verifies one as the kernel does" pure_verified built-in.sig pq65.crt bytes
runs 35 "$assay" sign --key pq65.key --cert pq65.crt --root tree --manifest pq --signatures ima
check 'IMA signatures by it are made' told 0
runs 35 "$assay" check --manifest pq --root tree --cert pq65.crt --quiet
check 'and accepted, and the manifest by it alone' told 0
tail -n 1 pq | jq -r .ima | base64 -d >value
{
	printf '\006\004'
	tail -n 1 pq | jq -r .digest | sed 's/^sha256://' | tr a-f A-F | tr -d '\n' | basenc -d --base16
} >bytes
ima_good() { # struct ima_file_id itself is signed, as kernels from 7.2 on verify it
	tail -c +10 value >raw
	"$newer/openssl" x509 -in pq65.crt -noout -pubkey >public
	"$newer/openssl" pkeyutl -verify -pubin -inkey public -rawin -in bytes -sigfile raw >/dev/null
}
check "openssl's program verifies it as the kernel does" ima_good
runs 35 "$assay" check --manifest pq --root tree --cert pq65b.crt --quiet
check "but not another's" told 1
runs 35 "$assay" key lint pq65.crt
check 'assay key lint says which kernels take it' prints 1 'kernels before 7.0 know no ML-DSA'
echo 1..$check_number
exit $check_failed
