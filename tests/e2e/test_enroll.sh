#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay enroll` as a user calls it, with files between device and verifier and in one call,
# against swtpm and certificates of swtpm's maker and of makers of our own: every way to come
# by an identity that is not one's own is refused (rows I1 to I6 of the verifier's list).
# shellcheck disable=SC2016,SC2086
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
assay=$PWD/build/host/assay
verify=$PWD/build/host/assay-verify
make_tpm=$PWD/qemu/make-tpm

work=$(mktemp -d "${TMPDIR:-/tmp}/assay-enroll.XXXXXX")
. tests/swtpm.sh
other_pid=
cleanup() {
	tpm_stop
	[ -z "$other_pid" ] || kill "$other_pid" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
CHECK_OUT=$work
. tests/check.sh
cd "$work" || exit 1

# Two machines. A TPM with other banks is another one, with a maker of its own.
if ! { "$make_tpm" "$work/tpm" && "$make_tpm" "$work/other" sha1,sha256; } >&2; then
	echo 'Bail out! no TPM could be made'
	exit 1
fi
unset TPM2TOOLS_TCTI TSS2_LOG
tpm_start "$work/other" >&2 || exit 1
other_pid=$swtpm_pid
tpm_start "$work/tpm" >&2 || exit 1
other=swtpm:path=$work/other.sock
export ASSAY_TCTI="swtpm:path=$work/tpm.sock"
export TPM2TOOLS_TCTI="$ASSAY_TCTI"

refused() { # TITLE WORDS COMMAND...: exit status 1, one line that says so, and nothing on stdout
	title=$1 words=$2
	shift 2
	run "$@"
	check "$title" only_told "$words"
}

only_told() {
	told 1 "$1" && [ ! -s stdout ] && [ "$(wc -l <stderr)" -eq 1 ]
}

misused() { # TITLE WORDS COMMAND...
	title=$1 words=$2
	shift 2
	run "$@"
	check "$title" told 2 "$words"
}

maker='--roots tpm/ek-root.pem --intermediates tpm/ek-issuer.pem'
makers="$maker --roots other/ek-root.pem --intermediates other/ek-issuer.pem"

request() { # OUT OPTION...
	request_out=$1
	shift
	"$assay" enroll request --ak ak.pem --machine-id "${machine:-m1}" --out "$request_out" "$@"
}

# challenge REQUEST OUT OPTION...: in $records
challenge() {
	challenge_in=$1 challenge_out=$2
	shift 2
	"$verify" enroll challenge "$challenge_in" --records "$records" --out "$challenge_out" ${trust-$maker} "$@"
}

answer() { # CHALLENGE OUT OPTION...
	answer_in=$1 answer_out=$2
	shift 2
	"$assay" enroll answer "$answer_in" --ak ak.pem --out "$answer_out" "$@"
}

accept() { # ANSWER OPTION...
	accept_in=$1
	shift
	"$verify" enroll accept "$accept_in" --records "$records" "$@"
}

# ---------------------------------------------------------------- the way it goes

works 'the verifier'"'"'s program loads no TPM stack' sh -c '
	! readelf -d "$1" | grep NEEDED | grep -i "tss2\|keyutils"' sh "$verify"
"$assay" key create --restricted --out ak.pem >/dev/null || exit 1
"$assay" key create --restricted --out ak2.pem >/dev/null || exit 1
"$assay" key create --restricted --algorithm rsa2048 --persistent handle:0x81000030 --out ak-rsa.pem >/dev/null || exit 1
records=records
works 'a request' request request.json
works 'a challenge' challenge request.json challenge.json
works 'an answer' answer challenge.json answer.json
works 'is private' test "$(stat -c %a answer.json)" = 600
works 'and accepted' accept answer.json --json
works 'the record is where that says' test "$(jq -r .record stdout)" = records/devices/m1.json
works 'it holds the key' sh -c 'jq -e ".type == \"device\" and .machine_id == \"m1\" and
	(.ak_name | length == 68) and (.enrolled | startswith(\"20\"))" records/devices/m1.json'
works 'and the digest of the certificate in the TPM' sh -c 'tpm2_nvread 0x1c00002 -o ek.der &&
	test "$(jq -r .ek_certificate_sha256 records/devices/m1.json)" = "$(sha256sum ek.der | cut -d" " -f1)"'
works 'nobody else can read the open challenges' test "$(stat -c %a records/pending records)" = "700
700"
works 'none is open any more' test -z "$(ls records/pending)"

records=here
for kind in rsa2048-low p384; do
	works "all in one call, with the endorsement key $kind" "$assay" enroll --ak ak.pem --ek $kind \
		--machine-id "m-$kind" --records here $maker
done
works 'a key that stays in the TPM, RSA' "$assay" enroll --ak handle:0x81000030 --replace \
	--machine-id m-p384 --ek p384 --records here $maker

# A quote of the enrolled device, judged by the record.
nonce=$(openssl rand -hex 32)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout signer.key -out signer.pem \
	-subj /CN=signer -days 2 2>/dev/null
echo data >file
mkdir tree && mv file tree/
"$assay" sign --key signer.key --cert signer.pem --root tree --manifest manifest.jsonl >log 2>&1 || { cat log >&2; exit 1; }
quote_judged() { # AK RECORD: the named checks pass
	"$assay" quote --nonce "$nonce" --ak "$1" --pcrs 10,14 --no-assay-log --no-ima-log --out evidence.json &&
		{ "$verify" verify evidence.json --nonce "$nonce" --device "$2" --manifest manifest.jsonl \
			--cert signer.pem --json >verdict.json || [ $? -eq 1 ]; } &&
		jq -e -s '[.[0].checks[] | select(.name | IN("ak-expected", "ak-attributes", "ak-algorithm",
			"quote-signature", "quote-nonce", "quote-signer", "pcr-digest"))] |
			length == 7 and all(.result == "pass")' verdict.json
}
works 'its quote is judged by the record' quote_judged ak.pem records/devices/m1.json
works 'that of the RSA key, too' quote_judged handle:0x81000030 here/devices/m-p384.json
stranger() {
	quote_judged ak2.pem records/devices/m1.json && return 1
	jq -e -s '.[0].checks[] | select(.name == "ak-expected") | .result == "fail"' verdict.json
}
works 'a quote of another key of this TPM is not' stranger

# ---------------------------------------------------------------- I1: the AK is not the one activated

records=i1
# The TPM has ak.pem loaded; the verifier was told of ak2.pem.
"$assay" enroll request --ak ak2.pem --machine-id m1 --out r.json >/dev/null
challenge r.json c.json >/dev/null
refused 'I1 the key in the TPM is not the one that the challenge names' 'refuses the credential' answer c.json a.json
request r.json >/dev/null
jq --slurpfile two records/devices/m1.json '.ak_public = "AFgAIwALAAUEcgAAABAAGAALAAMAEAAgcmB8FKmUvAFiS80ba/WQQB5x/K5ZN1LTFyWf/SewQYEAINpynK4U0GhUtG3NtqSOAhpoHF9fv8Z2UfH8Kfe1WsZ3"' r.json >forged.json
challenge forged.json c.json >/dev/null
refused 'I1 nor a key of somewhere else, put into the request' 'refuses the credential' answer c.json a.json
challenge r.json c.json >/dev/null
answer c.json a.json >/dev/null
jq '.secret = ("00" * 32)' a.json >wrong.json
refused 'I1 an answer without the secret' "answer's secret is not the one" accept wrong.json
jq ".id = \"$(openssl rand -hex 16)\"" a.json >wrong.json
refused 'I1 an answer to no challenge' 'no challenge that this answers is open' accept wrong.json
challenge r.json c2.json >/dev/null
jq --slurpfile c c2.json '.id = $c[0].id' a.json >wrong.json
refused 'I1 the secret of another challenge' "answer's secret is not the one" accept wrong.json
works 'none of them is enrolled' test -z "$(ls i1/devices)"
refused 'nor the right one of the challenge before' 'a newer one for the same endorsement key' accept a.json
answer c2.json a2.json >/dev/null
works 'the right one of the newest is, still' accept a2.json
"$assay" key create --out sign.pem >/dev/null
refused 'a key that is not for attestation' 'no attestation key' \
	"$assay" enroll request --ak sign.pem --machine-id m1 --out no.json
# The same, asked of the verifier: attributes restricted (bit 16) cleared.
unrestricted=$(jq -r .ak_public r.json | base64 -d | xxd -p -c 0 | sed 's/^\(....\)\(........\)00050472/\1\200040472/' | xxd -r -p | base64 -w 0)
jq --arg ak "$unrestricted" '.ak_public = $ak' r.json >loose.json
refused 'nor one that says so itself' 'is not restricted' challenge loose.json c.json

# ---------------------------------------------------------------- I2: the certificate

records=i2
trust='--roots tpm/ek-root.pem'
refused 'I2 a certificate missing between it and the root' 'leads to no trusted root: unable to get' challenge r.json c.json
trust='--roots other/ek-root.pem --intermediates tpm/ek-issuer.pem --intermediates tpm/ek-root.pem'
refused 'I2 a root that is only among those between' 'leads to no trusted root' challenge r.json c.json
trust='--roots tpm/ek-issuer.pem'
works 'I2 an issuing certificate can be trusted by itself' challenge r.json c.json
trust=

# A maker of our own certifies the TPM's own key, in every wrong way.
tpm2_createek -G rsa -c ek.ctx -u ek.pem -f pem >/dev/null && tpm2_flushcontext -t
tpm2_createek -G ecc -c ek.ctx -u ek-ecc.pem -f pem >/dev/null && tpm2_flushcontext -t
cat >ca.conf <<'END'
[ca]
default_ca = it
[it]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = none
email_in_dn = no
rand_serial = yes
unique_subject = no
[any]
commonName = optional
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[good]
basicConstraints = critical, CA:FALSE
keyUsage = critical, keyEncipherment
extendedKeyUsage = 2.23.133.8.1
subjectAltName = critical, dirName:tpm
[good_ecc]
basicConstraints = critical, CA:FALSE
keyUsage = critical, keyAgreement
extendedKeyUsage = 2.23.133.8.1
[bare]
extendedKeyUsage = serverAuth, 2.23.133.8.1
[no_usage]
basicConstraints = critical, CA:FALSE
keyUsage = critical, keyEncipherment
[wrong_usage]
extendedKeyUsage = serverAuth, 2.23.133.8.3
[signs]
keyUsage = critical, digitalSignature
extendedKeyUsage = 2.23.133.8.1
[authority]
basicConstraints = critical, CA:TRUE
extendedKeyUsage = 2.23.133.8.1
keyUsage = keyEncipherment, keyCertSign
[host_name]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = 2.23.133.8.1
subjectAltName = critical, DNS:example.org
[module]
extendedKeyUsage = 2.23.133.8.1
subjectAltName = critical, dirName:tpm, otherName:1.3.6.1.5.5.7.8.4;UTF8:serial
[critical]
extendedKeyUsage = 2.23.133.8.1
1.3.6.1.4.1.55555.1 = critical, ASN1:NULL
[tpm]
a.2.23.133.2.1 = id:00001014
a.2.23.133.2.2 = model
a.2.23.133.2.3 = id:00010001
END
: >index
for name in root stranger; do
	openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.pem -subj "/CN=$name" \
		-days 3650 -config ca.conf -extensions root 2>log || cat log
done
openssl req -new -newkey rsa:2048 -nodes -keyout unused.key -out leaf.csr -subj /CN=tpm -config ca.conf 2>log

# certify OUT EXTENSIONS KEY OPTION...: a certificate of that key, by "root" if not said otherwise
certify() {
	certify_out=$1 certify_extensions=$2 certify_key=$3
	shift 3
	openssl x509 -req -in leaf.csr -force_pubkey "$certify_key" -CA root.pem -CAkey root.key -out "$certify_out" \
		-extfile ca.conf -extensions "$certify_extensions" -days 365 "$@" 2>log || { cat log; return 1; }
}
supplied() { # CERT RECORDS: request and challenge with that certificate
	"$assay" enroll request --ak ak.pem --machine-id m1 --ek "${3:-rsa2048-low}" --ek-cert "$1" --out s.json >log 2>&1 || { cat log >&2; return 2; }
	"$verify" enroll challenge s.json --records "$2" --roots root.pem --out c.json
}
row() { # NAME EXTENSIONS WORDS OPTION...
	row_name=$1 row_extensions=$2 row_words=$3
	shift 3
	certify leaf.pem "$row_extensions" ek.pem "$@" >&2
	if [ -n "$row_words" ]; then
		refused "I2 $row_name" "$row_words" supplied leaf.pem i2
	else
		works "I2 $row_name" supplied leaf.pem i2
	fi
}
row 'a good certificate is taken' good ''
row 'one with the usages of other things beside it' bare ''
row 'one that names the module' module ''
row 'no extended key usage' no_usage 'extended key usage is not 2.23.133.8.1'
row 'an extended key usage that is another' wrong_usage 'extended key usage is not 2.23.133.8.1'
row 'a key usage that does not fit' signs 'does not allow keyEncipherment'
row "an authority's" authority "is an authority's"
row 'a critical name that no TPM has' host_name 'critical subject alternative name'
row 'a critical extension that is not known' critical 'unhandled critical extension'
row 'signed with SHA-1' good 'CA signature digest algorithm too weak\|md too weak\|too weak' -sha1
row 'signed by a stranger' good 'leads to no trusted root' -CA stranger.pem -CAkey stranger.key
validity() { # OUT START END
	openssl ca -batch -config ca.conf -in leaf.csr -cert root.pem -keyfile root.key -startdate "$2" -enddate "$3" \
		-extensions good -out "$1" -notext 2>log || { cat log; return 1; }
}
# openssl ca cannot be given another key: the dates are refused before the key is looked at.
validity leaf.pem 20200101000000Z 20210101000000Z >&2
refused 'I2 expired' 'certificate has expired' supplied leaf.pem i2
validity leaf.pem 20990101000000Z 20990201000000Z >&2
refused 'I2 not valid yet' 'not yet valid' supplied leaf.pem i2
certify leaf.pem good_ecc ek-ecc.pem >&2
works 'I2 of an ECC key' supplied leaf.pem i2 p256-low
certify leaf.pem good ek-ecc.pem >&2
refused 'I2 of an ECC key that does not allow keyAgreement' 'does not allow keyAgreement' supplied leaf.pem i2 p256-low
jq '.ek_certificate = "AAAA"' r.json >broken.json
trust='--roots root.pem'
refused 'I2 bytes that are no certificate' 'holds no X.509 certificate' challenge broken.json c.json
refused 'roots that are none' 'holds no certificate' "$verify" enroll challenge r.json --records i2 \
	--roots /dev/null --out c.json
sed 's/^MII/MIX/' root.pem >broken.pem
cat root.pem broken.pem >mixed.pem
refused 'nor roots of which one is broken' 'certificate 2 in it cannot be read' "$verify" enroll challenge r.json \
	--records i2 --roots mixed.pem --out c.json
works 'none of them is enrolled' test -z "$(ls i2/devices)"

# ---------------------------------------------------------------- I3: the certificate is of another key

openssl pkey -in unused.key -pubout -out unused.pub
certify leaf.pem good unused.pub >&2
refused 'I3 a good certificate, of a key that is not this one' 'of another key than the one' supplied leaf.pem i2
certify leaf.pem good ek.pem >&2
refused "I3 the certificate of the TPM's other key" 'of another key than the one' supplied leaf.pem i2 rsa2048

# ---------------------------------------------------------------- I4: two identities

records=records trust=$makers
ASSAY_TCTI=$other "$assay" key create --restricted --out other-ak.pem >/dev/null
other_request() { # OUT MACHINE
	ASSAY_TCTI=$other "$assay" enroll request --ak other-ak.pem --machine-id "$2" --out "$1"
}
other_request o.json m1 >/dev/null
refused 'I4 the same machine id, another TPM' 'enrolled with another endorsement key' challenge o.json c.json
refused 'I4 with --replace, too' 'enrolled with another endorsement key' challenge o.json c.json --replace
machine=m2 request r2.json >/dev/null
refused 'I4 the same TPM, another machine id' 'enrolled as the machine m1' challenge r2.json c.json
jq --arg ek "$(jq -r .ek_public r2.json | base64 -d | xxd -p -c 0 | sed 's/^\(.\{24\}\)../\1ff/' | xxd -r -p | base64 -w 0)" \
	'.ek_public = $ek' r2.json >named.json
refused 'I4 nor under another name of its endorsement key' 'enrolled as the machine m1' challenge named.json c.json
request r.json >/dev/null
refused 'I4 the same device again' 'is enrolled already.*--replace' challenge r.json c.json
works 'I4 with --replace it may have another key' sh -c '
	"$1" enroll request --ak ak2.pem --machine-id m1 --out r.json &&
	"$2" enroll challenge r.json --records records '"$maker"' --replace --out c.json &&
	"$1" enroll answer c.json --ak ak2.pem --out a.json &&
	"$2" enroll accept a.json --records records --replace' sh "$assay" "$verify"
works 'I4 and has it' sh -c 'test "$(jq -r .ak_public r.json)" = "$(jq -r .ak_public records/devices/m1.json)"'
works 'another machine with another TPM' sh -c '
	"$1" enroll --tcti '"$other"' --ak other-ak.pem --machine-id m3 --records records '"$makers"'' sh "$assay"
rm records/devices/m1.json
works 'I4 once its record is removed, a machine can have another TPM' sh -c '
	rm records/devices/m3.json &&
	"$1" enroll --tcti '"$other"' --ak other-ak.pem --machine-id m1 --records records '"$makers"'' sh "$assay"
works 'I4 and the TPM that it had another machine' sh -c '
	"$1" enroll --ak ak.pem --machine-id m9 --records records '"$makers"'' sh "$assay"

# ---------------------------------------------------------------- I5: two at once

# Eight rounds: two TPMs, one machine id, both with a good answer; and one TPM for two machines.
race() { # RECORDS ANSWER ANSWER WORDS: exactly one is accepted, and the other told why not
	"$verify" enroll accept "$2" --records "$1" >one 2>&1 &
	race_one=$!
	"$verify" enroll accept "$3" --records "$1" >two 2>&1 &
	race_two=$!
	race_won=0
	wait "$race_one" && race_won=$((race_won + 1))
	wait "$race_two" && race_won=$((race_won + 1))
	[ "$race_won" -eq 1 ] && [ "$(find "$1/devices" -name '*.json' | wc -l)" -eq 1 ] &&
		[ "$(cat one two | grep -c "$4")" -eq 1 ]
}
rounds() { # WORDS SECOND-REQUEST ANSWERING...
	rounds_words=$1
	shift
	for round in 1 2 3 4 5 6 7 8; do
		records=race$round
		rm -rf "$records"
		request r.json && challenge r.json c.json && answer c.json a1.json || return 1
		"$@" || return 1
		race "$records" a1.json a2.json "$rounds_words" || return 1
	done
}
another_tpm() {
	other_request o.json m1 && challenge o.json c.json &&
		ASSAY_TCTI=$other "$assay" enroll answer c.json --ak other-ak.pem --out a2.json
}
another_machine() {
	machine=m2 request r2.json && challenge r2.json c.json && answer c.json a2.json
}
works 'I5 two TPMs race for one machine id: one wins, each time' rounds \
	'enrolled with another endorsement key' another_tpm
works 'I5 two machine ids race for one TPM: one wins, each time' rounds \
	'a newer one for the same endorsement key' another_machine
works 'I5 and no more than one challenge for a TPM is open' sh -c '
	for i in 1 2 3; do
		"$1" enroll challenge r.json --records flood --roots tpm/ek-root.pem \
			--intermediates tpm/ek-issuer.pem --out c.json || exit 1
	done
	test "$(ls flood/pending | wc -l)" -eq 2 && test "$(ls flood/pending/*.json | wc -l)" -eq 1' sh "$verify"
at_once() { # four challenges for one TPM at the same time: one of them can be answered
	rm -rf flood
	at_once_pids=
	for n in 1 2 3 4; do
		"$verify" enroll challenge r.json --records flood $maker --out c$n.json &
		at_once_pids="$at_once_pids $!"
	done
	# The TPMs run in the background, too: nobody waits for these.
	wait $at_once_pids
	[ "$(find flood/pending -name '*.json' | wc -l)" -eq 1 ] || return 1
	at_once_won=0
	for n in 1 2 3 4; do
		answer c$n.json a$n.json || return 1
		"$verify" enroll accept a$n.json --records flood 2>>lost && at_once_won=$((at_once_won + 1))
	done
	[ "$at_once_won" -eq 1 ] && [ "$(grep -c 'a newer one for the same endorsement key' lost)" -eq 3 ]
}
works 'I5 whichever of many at once comes last is the one' at_once

# ---------------------------------------------------------------- I6: played again

records=i6
request r.json >/dev/null
challenge r.json c.json >/dev/null
answer c.json a.json >/dev/null
works 'an answer is accepted' accept a.json
refused 'I6 but once' 'no challenge that this answers is open' accept a.json --replace
works 'I6 a challenge can be opened again, too' answer c.json again.json
refused 'I6 but not answered' 'no challenge that this answers is open' accept again.json --replace
challenge r.json c2.json --replace >/dev/null
jq --slurpfile old c.json '.credential = $old[0].credential | .encrypted_secret = $old[0].encrypted_secret' c2.json >mixed.json
works "I6 an old credential under a new challenge's id is opened" answer mixed.json a2.json
refused 'I6 but its secret is not the one' "answer's secret is not the one" accept a2.json --replace
jq --slurpfile old c.json '.credential = $old[0].credential' c2.json >mixed.json
refused 'I6 half of one credential and half of another' 'refuses the credential' answer mixed.json a2.json
refused 'I6 a credential for one TPM, at another' 'refuses the credential' \
	"$assay" enroll answer c2.json --tcti "$other" --ak other-ak.pem --out a2.json
pending=$(echo i6/pending/*.json)
sed -i 's/"expires": "20../"expires": "2000/' "$pending"
answer c2.json a2.json >/dev/null
refused 'an answer that comes too late' 'was to be answered until' accept a2.json --replace
other_request o.json m7 >/dev/null
challenge o.json c3.json >/dev/null
works 'what expired is dropped when the next challenge is made' test ! -e "$pending"

# ---------------------------------------------------------------- revocation, chains, padding

records=i7 trust=
openssl req -x509 -newkey rsa:2048 -nodes -keyout mid.key -out mid.csr.pem -subj /CN=mid -config ca.conf -extensions root 2>log
openssl x509 -in mid.csr.pem -x509toreq -signkey mid.key -out mid.csr 2>log
printf '%s\n' 'basicConstraints = critical, CA:TRUE' 'keyUsage = critical, keyCertSign, cRLSign' >mid.ext
openssl x509 -req -in mid.csr -CA root.pem -CAkey root.key -out mid.pem -extfile mid.ext -days 365 2>log || cat log >&2
certify leaf.pem good ek.pem -CA mid.pem -CAkey mid.key >&2
list() { # NAME CERT: an authority's list, with the certificates of the file "index"
	openssl ca -config ca.conf -cert mid.pem -keyfile mid.key -gencrl -crldays "${2:-9}" -out "$1" 2>log || cat log >&2
}
: >index
list none.crl
openssl ca -config ca.conf -cert mid.pem -keyfile mid.key -revoke leaf.pem 2>log || cat log >&2
list revoked.crl
: >index
from_leaf() { # OUT OPTION...: a challenge for a request with leaf.pem and what stands behind it
	from_leaf_out=$1
	shift
	"$assay" enroll request --ak ak.pem --machine-id m1 --ek rsa2048-low --ek-cert chain.pem --out s.json >/dev/null &&
		"$verify" enroll challenge s.json --records i7 --roots root.pem -o "$from_leaf_out" "$@"
}
cp leaf.pem chain.pem
refused 'a certificate whose chain nobody has' 'leads to no trusted root' from_leaf c.json
works 'the verifier has it' from_leaf c.json --intermediates mid.pem
cat leaf.pem mid.pem >chain.pem
works 'the device brings it' from_leaf c.json
works 'a revocation list without it' from_leaf c.json --crl none.crl
from_leaf c.json --crl none.crl >/dev/null 2>note
works 'tells of how many certificates it cannot tell' grep -q 'of 2 certificates of 3 no revocation list' note
refused 'one with it' 'is revoked' from_leaf c.json --crl revoked.crl
refused 'one of two' 'is revoked' from_leaf c.json --crl none.crl --crl revoked.crl
refused 'what is no list' 'is no revocation list' from_leaf c.json --crl mid.pem
openssl ca -config ca.conf -cert mid.pem -keyfile mid.key -gencrl -crl_lastupdate 20200101000000Z \
	-crl_nextupdate 20200201000000Z -out old.crl 2>log || cat log >&2
refused 'a list that is no longer of today' 'old.crl: the revocation list of CN=mid expired at' from_leaf c.json --crl old.crl
{ openssl x509 -in leaf.pem -outform DER; head -c 600 /dev/zero | tr '\0' '\377'; } >chain.pem
works 'a certificate with padding behind it, as tpm2_nvread writes it' from_leaf c.json --intermediates mid.pem
# In the NV index of the TPM, too, with the chain where the profile has it.
for part in leaf:0x1c0000a mid:0x1c00100; do
	{ openssl x509 -in "${part%:*}.pem" -outform DER; head -c 300 /dev/zero | tr '\0' '\377'; } >nv.der
	tpm2_nvdefine -C p -s "$(stat -c %s nv.der)" -a 'ppwrite|ppread|ownerread|authread|no_da|platformcreate' "${part#*:}" >/dev/null &&
		tpm2_nvwrite -C p -i nv.der "${part#*:}" || exit 1
done
certify nv-leaf.pem good_ecc ek-ecc.pem -CA mid.pem -CAkey mid.key >&2
tpm2_nvundefine -C p 0x1c0000a
{ openssl x509 -in nv-leaf.pem -outform DER; head -c 300 /dev/zero | tr '\0' '\377'; } >nv.der
tpm2_nvdefine -C p -s "$(stat -c %s nv.der)" -a 'ppwrite|ppread|ownerread|authread|no_da|platformcreate' 0x1c0000a >/dev/null &&
	tpm2_nvwrite -C p -i nv.der 0x1c0000a || exit 1
works 'certificate and chain of the NV memory' "$assay" enroll --ak ak.pem --machine-id nv --records i7 --roots root.pem
works 'the digest is of the certificate alone' sh -c '
	test "$(jq -r .ek_certificate_sha256 i7/devices/nv.json)" = "$(openssl x509 -in nv-leaf.pem -outform DER | sha256sum | cut -d" " -f1)"'
# A certificate of the attestation key, by the same authority, as assay-key(1) shows it: nobody needs to enrol it.
certified() {
	"$assay" key export --key ak.pem --out ak.spki &&
		printf '%s\n' 'basicConstraints = critical, CA:FALSE' 'extendedKeyUsage = 2.23.133.8.3' >ak.ext &&
		openssl x509 -new -subj '/CN=a device' -force_pubkey ak.spki -CA mid.pem -CAkey mid.key -extfile ak.ext -days 9 \
			-out ak-leaf.pem 2>log && cat ak-leaf.pem mid.pem >ak-chain.pem &&
		"$assay" quote --nonce "$nonce" --ak ak.pem --ak-cert ak-chain.pem --pcrs 10,14 --no-assay-log --no-ima-log \
			--out certified.json &&
		{ "$verify" verify certified.json --nonce "$nonce" --ak-roots root.pem --ak-crl none.crl \
			--manifest manifest.jsonl --cert signer.pem --json >verdict.json || [ $? -eq 1 ]; } &&
		jq -e -s '[.[0].checks[] | select(.name | IN("ak-certificate", "ak-expected", "ak-attributes", "ak-algorithm",
			"quote-signature", "quote-nonce", "quote-signer", "pcr-digest"))] |
			length == 8 and all(.result == "pass")' verdict.json
}
works 'a quote of a key that is certified and not enrolled' certified
printf 'no certificate' >nv.der
tpm2_nvundefine -C p 0x1c0000a && tpm2_nvdefine -C p -s 14 -a 'ppwrite|ppread|ownerread|authread|no_da|platformcreate' 0x1c0000a >/dev/null &&
	tpm2_nvwrite -C p -i nv.der 0x1c0000a || exit 1
works 'an index with something else does not end the search' "$assay" enroll --ak ak.pem --machine-id nv2 --records i7 $maker
tpm2_nvundefine -C p 0x1c0000a && tpm2_nvundefine -C p 0x1c00100

# ---------------------------------------------------------------- endorsement keys that are known

records=i10 trust='--ek-hashes known'
digest_of() {
	openssl pkey -pubin -in "$1" -outform DER | sha256sum
}
digest_of ek-ecc.pem >others
{ echo '# our machines'; cat others; digest_of ek.pem | tr 'a-f' 'A-F'; } >known
"$assay" enroll request --ak ak.pem --machine-id known --ek rsa2048-low --no-ek-cert --out k.json >/dev/null
works 'a request without a certificate' sh -c 'jq -e "has(\"ek_certificate\") | not" k.json'
works 'of an endorsement key that is known' challenge k.json c.json
works 'its TPM answers' answer c.json a.json --ek rsa2048-low
works 'and is enrolled' accept a.json
works 'by its key alone' sh -c 'jq -e "has(\"ek_certificate_sha256\") | not" i10/devices/known.json'
works 'its quote is judged by the record' quote_judged ak.pem i10/devices/known.json
trust='--ek-hashes others'
refused 'one that is in no list' 'has no certificate, and its digest [0-9a-f]* is in no list' challenge k.json c.json
trust=$maker
refused 'nor where only makers are believed' 'has no certificate' challenge k.json c.json
request r.json --ek rsa2048-low >/dev/null
trust='--ek-hashes others'
refused 'a certificate where only keys are believed' 'no roots were named' challenge r.json c.json
trust="--ek-hashes others $maker"
machine=both request r.json --ek p384 >/dev/null
works 'either will do' challenge r.json c.json
printf '%s\n' 'abc  ek.pem' >bad
trust='--ek-hashes bad'
refused 'a list of something else' 'bad: line 1 does not begin with a SHA-256' challenge k.json c.json
trust='--ek-hashes /dev/null'
refused 'an empty list' 'holds no endorsement key' challenge k.json c.json

# ---------------------------------------------------------------- passwords and parents

tpm2_createprimary -C o -G ecc -p parent -c srk.ctx >/dev/null && tpm2_flushcontext -t &&
	tpm2_evictcontrol -C o -c srk.ctx 0x81000040 >/dev/null || exit 1
"$assay" key create --restricted --out owned.pem >/dev/null || exit 1
tpm2_changeauth -c o owned && tpm2_changeauth -c e endorsed || exit 1
printf 'owned\n' >owner.txt
printf 'endorsed\n' >endorsement.txt
passwords='--owner-password-file owner.txt --endorsement-password-file endorsement.txt'
refused 'the owner hierarchy has a password' 'storage primary' "$assay" enroll request --ak owned.pem --machine-id p --out x
refused 'the endorsement hierarchy has one, too' 'the endorsement key' "$assay" enroll --ak owned.pem \
	--machine-id p --records i8 $maker --owner-password-file owner.txt
works 'with both it is enrolled' "$assay" enroll --ak owned.pem --machine-id p --records i8 $maker $passwords
works 'and quotes' "$assay" quote --nonce "$nonce" --ak owned.pem --pcrs 10 --no-assay-log --no-ima-log --no-uefi-log \
	--out evidence.json --owner-password-file owner.txt
# A key below a persistent one that has a password, in a file that says "the owner's primary".
printf 'parent\n' >parent.txt
tpm2_create -C 0x81000040 -P parent -G ecc:ecdsa:null -g sha256 -u below.pub -r below.priv \
	-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign|noda' >/dev/null && tpm2_flushcontext -t || exit 1
printf '%s\n' asn1=SEQUENCE:key '[key]' type=OID:2.23.133.10.1.3 empty=EXPLICIT:0,BOOLEAN:TRUE parent=INTEGER:0x40000001 \
	"pub=FORMAT:HEX,OCTETSTRING:$(xxd -p -c 0 below.pub)" "priv=FORMAT:HEX,OCTETSTRING:$(xxd -p -c 0 below.priv)" >below.conf
openssl asn1parse -genconf below.conf -out below.der -noout &&
	{ echo '-----BEGIN TSS2 PRIVATE KEY-----'; base64 -w 64 below.der; echo '-----END TSS2 PRIVATE KEY-----'; } >below.pem
refused 'a key below another parent' 'not a key of the TPM' "$assay" enroll --ak below.pem --machine-id b --records i9 $maker $passwords
refused 'whose password is asked for' 'cannot load below.pem' "$assay" enroll --ak below.pem --machine-id b --records i9 $maker \
	$passwords --parent 0x81000040
works 'a parent can be named' "$assay" enroll --ak below.pem --machine-id b --records i9 $maker $passwords \
	--parent handle:0x81000040 --parent-password-file parent.txt
works 'and for a quote' "$assay" quote --nonce "$nonce" --ak below.pem --pcrs 10 --no-assay-log --no-ima-log --no-uefi-log \
	--out evidence.json --parent 0x81000040 --parent-password-file parent.txt
refused 'a key that is in the TPM has its parent there' 'leave out --parent' "$assay" enroll --ak handle:0x81000030 --machine-id b \
	--records i9 $maker $passwords --parent 0x81000040
tpm2_changeauth -c o -p owned && tpm2_changeauth -c e -p endorsed || exit 1

# ---------------------------------------------------------------- how it is called

is_json_error() { # STATUS
	[ "$status" -eq "$1" ] && jq -e --argjson status "$1" \
		'.type == "error" and .status == $status and (.error | length > 10)' stdout >/dev/null
}
told_in_json() { # TITLE STATUS COMMAND...: the call fails with that status, and prints an object that says so
	title=$1 told_status=$2
	shift 2
	run "$@" --json
	check "$title" is_json_error "$told_status"
}
told_in_json 'a refusal in JSON' 1 "$verify" enroll accept a.json --records i6
told_in_json 'wrong usage in JSON' 2 "$verify" enroll challenge --records i6
told_in_json 'a request that fails, in JSON' 1 "$assay" enroll request --ak missing.pem --out x
told_in_json 'an answer that fails, in JSON' 1 "$assay" enroll answer missing.json --ak ak.pem --out x
told_in_json 'all in one that fails, in JSON' 1 "$assay" enroll --ak missing.pem --records i6 $maker
told_in_json 'a quote that fails, in JSON' 1 "$assay" quote --ak missing.pem --nonce "$nonce" --pcrs 1 \
	--no-assay-log --no-ima-log -o x

misused 'no AK' '\-\-ak KEY is needed' "$assay" enroll request --out x
misused 'no such endorsement key' '\-\-ek: must be p256-low' "$assay" enroll request --ak ak.pem --ek sm2 --out x
misused 'a certificate of which key?' '\-\-ek-cert needs --ek' "$assay" enroll request --ak ak.pem --ek-cert leaf.pem --out x
misused 'a machine id with a slash' '\-\-machine-id: must be' "$assay" enroll request --ak ak.pem --machine-id ../x --out x
misused 'a machine id that is hidden' '\-\-machine-id: must be' "$assay" enroll request --ak ak.pem --machine-id .x --out x
misused 'no roots' '\-\-roots' "$verify" enroll challenge r.json --records i6 --out x
misused 'no records' '\-\-records DIR is needed' "$verify" enroll accept a.json
misused 'no request' 'missing argument: REQUEST' "$verify" enroll challenge --records i6 --roots root.pem --out x
misused 'no abbreviation' "unknown option '--rec'" "$verify" enroll accept a.json --rec i6
misused 'an option given twice' '--records is given twice' "$verify" enroll accept a.json --records i6 --records i7
misused 'two requests' "unexpected argument 'b.json'" "$verify" enroll accept a.json b.json --records i6
misused 'a parent that is none' '--parent: must be a persistent handle' "$assay" enroll request --ak ak.pem --out x --parent 0x80000001
misused 'days that are none' '\-\-days must be' "$verify" enroll challenge r.json --records i6 --roots root.pem --out x --days 0
misused 'no verb' 'challenge, accept or certificate' "$verify" enroll
misused 'a verb that is not there' "there is no 'enroll sign'" "$assay" enroll sign
misused 'device and key at once' 'device and --ak exclude each other' "$verify" verify evidence.json --nonce "$nonce" \
	--device records/devices/m1.json --ak ak.pub --manifest manifest.jsonl --cert signer.pem
jq '.ak_name = ("000b" + ("00" * 32))' records/devices/m1.json >record.json
refused 'a record whose key has another name' 'ak_name.* is not the name of' "$verify" verify evidence.json \
	--nonce "$nonce" --device record.json --manifest manifest.jsonl --cert signer.pem
refused 'no TPM' 'no TPM answers' "$assay" enroll request --tcti swtpm:path=/no/socket --ak ak.pem --machine-id m --out x
refused 'a record directory that cannot be' 'cannot make the directory' "$verify" enroll accept a.json --records /dev/null/x
works 'none of them left a file' test ! -e x
works 'help is there' sh -c 'for verb in "" request challenge answer accept certificate; do
	"$1" enroll $verb --help | grep -q "^Usage: assay enroll" || exit 1; done
	for verb in "" challenge accept certificate; do
		"$2" enroll $verb --help | grep -q "^Usage: assay-verify enroll" || exit 1; done' sh "$assay" "$verify"
works 'no slot and no session of the TPM is left taken' \
	test -z "$(tpm2_getcap handles-transient)$(tpm2_getcap handles-loaded-session)"
echo "1..$check_number"
exit "$check_failed"
