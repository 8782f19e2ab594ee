#!/bin/sh
# SPDX-License-Identifier: MIT
# IMA appraises by fs-verity's digest: the sample of policy/enforce, which is what is made from the
# manifest, refuses what has no signature in security.ima. Two guests: Debian's kernel, whose signers are in
# _ima, and one with .ima, which takes whom an authority built into the kernel vouches for, also with ML-DSA.
# shellcheck disable=SC2016
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
top=$PWD
assay=$PWD/build/host/assay
newer=$PWD/build/newer-openssl
sample=$PWD/policy/enforce/ima-verity.policy
authority=$PWD/tests/data/built_in/7.3
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-ima.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
CHECK_OUT=$work
. tests/check.sh
cd "$work"

printf '%s\n' keyUsage=critical,digitalSignature basicConstraints=critical,CA:FALSE subjectKeyIdentifier=hash \
	authorityKeyIdentifier=keyid >extensions
printf '%s\n' keyUsage=critical,keyCertSign basicConstraints=critical,CA:TRUE subjectKeyIdentifier=hash \
	authorityKeyIdentifier=keyid >as-authority
issued() { # NAME ISSUER EXTENSIONS OPENSSL KEY-OPTION...: a key, and its certificate by that issuer
	issued_name=$1 issuer=$2 issued_as=$3 openssl=$4
	shift 4
	"$openssl" req -newkey "$@" -nodes -subj "/CN=$issued_name" -keyout "$issued_name.key" -out request.pem 2>/dev/null
	"$openssl" x509 -req -in request.pem -CA "$issuer.crt" -CAkey "$issuer.key" -days 30 -extfile "$issued_as" \
		-CAcreateserial -CAserial serial -out "$issued_name.crt" 2>/dev/null
}
p256='ec -pkeyopt ec_paramgen_curve:P-256'
# shellcheck disable=SC2086 # words
{
	issued signer "$authority" extensions openssl $p256
	issued between "$authority" as-authority openssl $p256
	issued second between extensions openssl $p256
	issued ml-dsa "$authority" extensions "$newer/openssl" ml-dsa-65
	openssl req -x509 -newkey $p256 -nodes -subj /CN=stranger -days 30 -keyout stranger.key -out stranger.crt 2>/dev/null
}
for name in signer between second ml-dsa stranger; do
	mv $name.crt $name.pem
	"$newer/openssl" x509 -in $name.pem -outform DER -out $name.der
done
mkdir -p tree/signed tree/other tree/unsigned tree/second tree/ml-dsa
cp "$top/build/guest/kmod/mapped" tree/signed/program
cp "$top/build/guest/kmod/insmod" tree/signed/insmod
cp "$top/build/sysroot/bin/busybox" tree/signed/sh
printf '#!/mnt/signed/sh\necho it ran\n' >tree/signed/script
for name in other second ml-dsa; do
	cp tree/signed/program tree/$name/program
	echo $name >>tree/$name/program
done
cp tree/signed/program tree/signed/script tree/unsigned/
cp "$top/build/kernel/4k/modules/overlay.ko" tree/unsigned/4k.ko
cp "$top/build/kmod/7.3/hold.ko" tree/unsigned/7.3.ko
chmod 755 tree/*/*
"$assay" sign --key signer.key --cert signer.pem --root tree --manifest manifest --signatures both signed >&2
"$assay" sign --key stranger.key --cert stranger.pem --root tree --manifest stranger --signatures both other >&2
"$assay" sign --key second.key --cert second.pem --root tree --manifest second --signatures both second >&2
"$newer/run" "$assay" sign --key ml-dsa.key --cert ml-dsa.pem --root tree --manifest ml-dsa --signatures ima ml-dsa >&2
tail -n 1 ml-dsa | jq -r .ima >attribute
"$assay" sign --key signer.key --cert signer.pem --root tree --manifest built-in --signatures pkcs7 signed >&2

make_policy() { # MANIFEST [OPTION]...
	make_manifest=$1
	shift
	run "$assay" policy make --from "$make_manifest" --cert signer.pem --for ima "$@"
}
rules() {
	grep -v '^#' "$1"
}
make_policy manifest
rules "$sample" >wanted
rules stdout >made
check 'what is made from the manifest is the sample' cmp wanted made
make_policy manifest --file-system 01234567-89ab-cdef-0123-456789abcdef --measure
check 'for one file system, and measured' prints 0 \
	'^appraise func=BPRM_CHECK fsuuid=01234567-89ab-cdef-0123-456789abcdef digest_type=verity appraise_type=sigv3$' \
	'^measure func=BPRM_CHECK fsuuid=01234567-89ab-cdef-0123-456789abcdef digest_type=verity template=ima-sigv2$'
make_policy built-in
check 'files without a signature for IMA are told' told 1 '4 of 4 files have no IMA signature, first /signed/insmod'
make_policy stranger
check 'and a manifest that somebody else signed' told 1 "another certificate's key"
make_policy manifest --op EXECUTE
check "what is for IPE's policies is not passed over" told 2 'are for --for ipe'
run "$assay" policy make --from manifest --cert signer.pem --for verify
cp stdout verify.json
run "$assay" policy lint verify.json
check 'one for verify names them, and takes no older one' eval 'grep -q signer stdout && jq -e ".manifest.min_created" verify.json >/dev/null'
echo "1..$check_number"

guest() { # FLAVOUR KEYRING MODULE-STATUS
	truncate -s 32M "$work/disk.$1"
	/sbin/mke2fs -q -F -t ext4 -b 4096 -m 0 -O verity -E root_owner=0:0 -d "$work/tree" "$work/disk.$1"
	printf 'flavour=%s keyring=%s module=%s\n' "$@" >"$work/settings"
	flavour=$1
	set -- --disk "$work/disk.$1" --file "$sample=/given/policy"
	for file in settings signer.pem second.pem stranger.pem between.pem ml-dsa.der attribute manifest manifest.p7s stranger \
		stranger.p7s second second.p7s; do
		set -- "$@" --file "$work/$file=/given/$file"
	done
	qemu/run-guest --flavour "$flavour" --init tests/e2e/enforce-ima-guest.sh --out "build/guests/enforce-ima-$flavour" \
		--timeout 240 --file tests/check.sh=/bed/check.sh --file build/arm64/assay=/usr/bin/assay \
		--file build/guest/kmod/mapped=/bed/bin/mapped --program bin/keyctl --program usr/bin/setfattr "$@"
}
cd "$top"
# What a module's status is: it is there already; and it is loaded.
guest 4k _ima 17 || check_failed=1
guest 7.3 .ima 0 || check_failed=1
exit "$check_failed"
