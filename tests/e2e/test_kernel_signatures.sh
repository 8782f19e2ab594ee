#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel as the judge of each kind of key and signature: what assay makes is taken, as
# built-in signature of fs-verity and by IMA's appraisal; what must be refused is, with the error
# that says why. `assay check` has to come to the same verdict about each.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
newer=$PWD/build/newer-openssl
. tests/swtpm.sh
tpm_work assay-kinds
CHECK_OUT=$work
. tests/check.sh

# ---------------------------------------------------------------- keys
certificate() { # NAME GENPKEY-WORD...
	certificate_name=$1
	shift
	openssl req -x509 -newkey "$@" -nodes -subj "/O=test/CN=$certificate_name" \
		-keyout "$work/$certificate_name.key" -out "$work/$certificate_name.crt" -days 10 2>/dev/null
}
certificate rsa2048 rsa:2048
certificate rsa4096 rsa:4096
certificate p256 ec -pkeyopt ec_paramgen_curve:P-256
certificate p384 ec -pkeyopt ec_paramgen_curve:P-384
certificate p521 ec -pkeyopt ec_paramgen_curve:P-521
certificate p192 ec -pkeyopt ec_paramgen_curve:prime192v1
certificate rsa1024 rsa:1024
certificate rsa2560 rsa:2560
certificate no-skid rsa:2048 -addext subjectKeyIdentifier=none
certificate for-nothing rsa:2048 -addext keyUsage=keyEncipherment
certificate sha1-signed rsa:2048 -sha1
certificate ed25519 ed25519
certificate stranger ec -pkeyopt ec_paramgen_curve:P-256
"$newer/openssl" req -x509 -newkey ml-dsa-65 -nodes -subj /O=test/CN=ml-dsa -days 10 -addext keyUsage=digitalSignature \
	-keyout "$work/ml-dsa.key" -out "$work/ml-dsa.crt" 2>/dev/null
mkdir "$work/state"
tpm_start "$work/state" >&2
tcti=swtpm:path=$work/state.sock
for kind in p256 p384 rsa2048; do
	"$assay" key create --tcti "$tcti" --algorithm $kind --out "$work/tpm-$kind.key" \
		--cert "$work/tpm-$kind.crt" >&2
done
for certificate in "$work"/*.crt; do
	"$newer/openssl" x509 -in "$certificate" -outform DER -out "${certificate%.crt}.der"
done

# ---------------------------------------------------------------- signatures
# A line "NAME CERTIFICATE WORDS" for each: the kernel's answer has these words; "taken": it takes it.
mkdir "$work/tree" "$work/ima"
kind() { # NAME CERTIFICATE WORDS: a file for it; its signature is to become tree/NAME.sig
	echo "the file of $1" >"$work/tree/$1"
	echo "$1 $2 $3" >>"$work/kinds"
}
digest() { # NAME: what fs-verity has signed
	fsverity digest --compact --for-builtin-sig "$work/tree/$1" | tr a-f A-F | basenc -d --base16
}
for key in rsa2048 rsa4096 p256 p384 p521 tpm-p256 tpm-p384 tpm-rsa2048; do
	kind by-$key $key taken
	"$assay" sign --tcti "$tcti" --key "$work/$key.key" --cert "$work/$key.crt" --root "$work/tree" \
		--detached by-$key >&2
done
for key in p256 tpm-rsa2048; do
	kind by-delegate-of-$key $key taken
	"$assay" sign --delegate --tcti "$tcti" --key "$work/$key.key" --cert "$work/$key.crt" \
		--root "$work/tree" --detached by-delegate-of-$key >&2
done
kind of-sha512 p256 taken
fsverity sign --hash-alg=sha512 "$work/tree/of-sha512" "$work/tree/of-sha512.sig" \
	--key="$work/p256.key" --cert="$work/p256.crt" >&2

cms() { # NAME KEY OPTION...: by openssl instead
	cms_name=$1 cms_key=$2
	shift 2
	digest "$cms_name" >"$work/digest"
	openssl cms -sign -binary -in "$work/digest" -signer "$work/$cms_key.crt" \
		-inkey "$work/$cms_key.key" -out "$work/tree/$cms_name.sig" "$@" 2>"$work/openssl.err"
}
kind certificate-embedded rsa2048 taken
cms certificate-embedded rsa2048 -outform DER -md sha256 -noattr
kind named-by-skid rsa2048 taken
cms named-by-skid rsa2048 -outform DER -md sha256 -nocerts -noattr -keyid
kind with-attributes rsa2048 taken
cms with-attributes rsa2048 -outform DER -md sha256 -nocerts -nosmimecap
kind with-smime-capabilities rsa2048 refused
cms with-smime-capabilities rsa2048 -outform DER -md sha256 -nocerts
kind pss rsa2048 'Package not installed'
cms pss rsa2048 -outform DER -md sha256 -nocerts -noattr -keyopt rsa_padding_mode:pss
kind content-embedded rsa2048 'Bad message'
cms content-embedded rsa2048 -outform DER -md sha256 -nocerts -noattr -nodetach
kind in-pem rsa2048 'Bad message'
cms in-pem rsa2048 -outform PEM -md sha256 -nocerts -noattr
kind garbage rsa2048 'Bad message'
head -c 300 /dev/urandom >"$work/tree/garbage.sig"
kind cut-short p256 'Bad message'
cp "$work/tree/by-p256.sig" "$work/tree/cut-short.sig"
truncate -s -1 "$work/tree/cut-short.sig"
kind raw-digest rsa2048 'Key was rejected'
fsverity digest --compact "$work/tree/raw-digest" | tr a-f A-F | basenc -d --base16 >"$work/digest"
openssl cms -sign -binary -in "$work/digest" -signer "$work/rsa2048.crt" -inkey "$work/rsa2048.key" \
	-outform DER -md sha256 -nocerts -noattr -out "$work/tree/raw-digest.sig"
kind of-another-file p256 'Key was rejected'
cp "$work/tree/by-p256.sig" "$work/tree/of-another-file.sig"
kind by-a-stranger p256 'Required key not available'
"$assay" sign --key "$work/stranger.key" --cert "$work/stranger.crt" --root "$work/tree" \
	--detached by-a-stranger >&2
kind not-signed p256 'Operation not permitted'
# What the kernel takes: what of it `assay check` refuses, it calls stricter.
by_fsverity() { # NAME KEY
	fsverity sign "$work/tree/$1" "$work/tree/$1.sig" --key="$work/$2.key" --cert="$work/$2.crt" >&2
}
for key in p192 rsa1024 for-nothing sha1-signed; do
	kind stricter-$key $key taken
	by_fsverity stricter-$key $key
done
kind stricter-sha1 rsa2048 taken
cms stricter-sha1 rsa2048 -outform DER -md sha1 -nocerts -noattr
kind stricter-bytes-behind p256 taken
by_fsverity stricter-bytes-behind p256
echo >>"$work/tree/stricter-bytes-behind.sig"
kind no-subject-key-id no-skid taken
by_fsverity no-subject-key-id no-skid
# It has no such key, as it refuses the certificate.
kind by-rsa2560 rsa2560 refused
by_fsverity by-rsa2560 rsa2560
# Only kernels from 7.0 on know it (test_enforce_dm_verity).
kind by-ml-dsa ml-dsa 'Package not installed'
"$newer/run" "$assay" sign --key "$work/ml-dsa.key" --cert "$work/ml-dsa.crt" --root "$work/tree" --signatures pkcs7 \
	--detached by-ml-dsa >&2

# Of one form what OpenSSL reads of another.
printf '[ca]\ndefault_ca=it\n[it]\ndatabase=%s\ndefault_md=sha256\ndefault_crl_days=9\n' "$work/index" >"$work/ca.conf"
: >"$work/index"
openssl ca -gencrl -config "$work/ca.conf" -keyfile "$work/rsa2048.key" -cert "$work/rsa2048.crt" 2>/dev/null |
	openssl crl -outform DER -out "$work/crl"
variant() { # NAME WORDS OPTION...
	variant_name=$1
	kind "$1" rsa2048 "$2"
	shift 2
	cms "$variant_name" rsa2048 -outform DER -md sha256 -nocerts "$@"
	/usr/bin/python3 tests/e2e/cms-variant.py "$variant_name" "$work/tree/$variant_name.sig" "$work/crl"
}
for name in open-lengths two-byte-length empty-certificates attribute-behind; do
	variant $name taken -noattr
done
for name in version-9 signer-version-3 in-pieces empty-revocations revocations three-byte-length long-tag; do
	variant $name refused -noattr
done
variant key-id-in-pieces refused -noattr -keyid
# It hashes their bytes, and OpenSSL what DER has.
variant open-attributes refused -nosmimecap
variant long-attributes refused -nosmimecap

# IMA's: NAME CERTIFICATE WORDS, the attribute in ima/NAME; read by the kernel with a policy
# that wants a signature of version 3.
ima() { # NAME CERTIFICATE WORDS
	echo "the file of $1" >"$work/tree/$1"
	echo "$1 $2 $3" >>"$work/ima-kinds"
}
attribute() { # NAME MANIFEST: what the manifest has for it
	jq -r --arg path "/$1" 'select(.path == $path).ima' "$2" | base64 -d >"$work/ima/$1"
}
for key in rsa2048 rsa4096 p256 p384 tpm-p256 tpm-rsa2048; do
	ima ima-by-$key $key taken
	"$assay" sign --tcti "$tcti" --key "$work/$key.key" --cert "$work/$key.crt" --signatures ima \
		--root "$work/tree" --manifest "$work/m" ima-by-$key >&2
	attribute ima-by-$key "$work/m"
done
ima ima-of-another-file p256 'Permission denied'
cp "$work/ima/ima-by-p256" "$work/ima/ima-of-another-file"
ima ima-by-a-stranger p256 'Permission denied'
"$assay" sign --key "$work/stranger.key" --cert "$work/stranger.crt" --signatures ima \
	--root "$work/tree" --manifest "$work/m" ima-by-a-stranger >&2
attribute ima-by-a-stranger "$work/m"
ima ima-version-2 p256 'Permission denied'
cp "$work/tree/ima-version-2" "$work/copy"
evmctl ima_sign --hashalgo sha256 --key "$work/p256.key" --sigfile "$work/copy" >&2
cp "$work/copy.sig" "$work/ima/ima-version-2"
ima ima-cut-short p256 'Permission denied'
head -c -1 "$work/ima/ima-by-p256" >"$work/ima/ima-cut-short"
ima ima-none p256 'Permission denied'
ima ima-without-verity p256 'Permission denied'
"$assay" sign --key "$work/p256.key" --cert "$work/p256.crt" --signatures ima \
	--root "$work/tree" --manifest "$work/m" ima-without-verity >&2
attribute ima-without-verity "$work/m"

# ---------------------------------------------------------------- what check says
# The same files, as they are here: good where the kernel is to take them.
agrees() { # NAME CERTIFICATE good|bad
	run "$assay" check --cert "$work/$2.crt" "$work/tree/$1"
	if [ "$3" = good ]; then
		[ "$status" -eq 0 ]
	else
		[ "$status" -ne 0 ]
	fi
}
stricter() { # NAME CERTIFICATE
	run "$assay" check --cert "$work/$2.crt" "$work/tree/$1"
	told 1 'this is stricter than the kernel, which takes it'
}
delegated() {
	run "$assay" check --ca "$work/$2.crt" "$work/tree/$1"
	[ "$status" -eq 0 ]
}
while read -r name certificate words; do
	wanted=bad
	[ "$words" != taken ] || wanted=good
	case $name in
	by-delegate-*) check "assay check: $name is good" delegated "$name" "$certificate" ;;
	stricter-*) check "assay check: $name is called stricter" stricter "$name" "$certificate" ;;
	of-sha512) ;; # the hash is said by a manifest only
	*) check "assay check: $name is $wanted" agrees "$name" "$certificate" $wanted ;;
	esac
done <"$work/kinds"
# That it is not the kernel's kind of key is told, too, and nothing is signed with it.
run "$assay" check --cert "$work/rsa2560.crt" "$work/tree/by-rsa2560"
check 'assay check: a size of key that the kernel refuses is told so' \
	told 1 'the kernel does not take this built-in signature: .*RSA 2560'
run "$assay" sign --key "$work/rsa2560.key" --cert "$work/rsa2560.crt" --root "$work/tree" \
	--manifest "$work/m2"
check 'assay sign: nor is it signed with' told 1 'RSA 2560'
# No CMS of Ed25519 can be made by OpenSSL 3.0, so only the key itself is judged.
run "$assay" sign --key "$work/ed25519.key" --cert "$work/ed25519.crt" --root "$work/tree" \
	--manifest "$work/m2"
check 'assay sign: a key of Ed25519 is refused' told 1 'ed25519'
echo "1..$check_number"

# ---------------------------------------------------------------- what the kernel says
guest() { # FLAVOUR
	truncate -s 32M "$work/disk.$1"
	/sbin/mke2fs -q -F -t ext4 -b 4096 -m 0 -O verity -E root_owner=0:0 -d "$work/tree" "$work/disk.$1"
	set -- "$1" --disk "$work/disk.$1"
	for file in "$work"/*.der "$work"/kinds "$work"/ima-kinds; do
		set -- "$@" --file "$file=/signed/$(basename "$file")"
	done
	for file in "$work"/ima/*; do
		set -- "$@" --file "$file=/signed/ima/$(basename "$file")"
	done
	flavour=$1
	shift
	qemu/run-guest --flavour "$flavour" --init tests/e2e/kernel-signatures-guest.sh \
		--out "build/guests/kernel-signatures-$flavour" --file tests/check.sh=/bed/check.sh \
		--file build/arm64/assay=/usr/bin/assay --program usr/bin/fsverity --program bin/keyctl \
		--program usr/bin/setfattr "$@"
}
status=0
guest 64k || status=1
guest 4k || status=1
[ "$status" -eq 0 ] && exit "$check_failed"
exit 1
