#!/bin/sh
# SPDX-License-Identifier: MIT
# A kernel that has an authority built in (the bed's 7.3, tests/data/built_in) and knows ML-DSA: dm-verity
# volumes whose root hash is signed, and IPE, which lets run what is on these and what has a built-in
# signature of fs-verity, also one by ML-DSA. One guest; what is made here.
# shellcheck disable=SC2016
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
top=$PWD
assay=$PWD/build/host/assay
newer=$PWD/build/newer-openssl
authority=$PWD/tests/data/built_in/7.3
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-dm-verity.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
CHECK_OUT=$work
. tests/check.sh
qemu/vdo build/vdo >/dev/null
cd "$work"

# ---------------------------------------------------------------- who signs
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=signer of the device' -keyout signer.key \
	-out request.pem 2>/dev/null
printf '%s\n' keyUsage=critical,digitalSignature basicConstraints=critical,CA:FALSE subjectKeyIdentifier=hash \
	authorityKeyIdentifier=keyid >extensions
openssl x509 -req -in request.pem -CA "$authority.crt" -CAkey "$authority.key" -set_serial 7 -days 30 \
	-extfile extensions -out signer.pem 2>/dev/null
for name in owner stranger; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -days 30 \
		-keyout $name.key -out $name.pem 2>/dev/null
done
for name in ml-dsa-44 ml-dsa-65 ml-dsa-87 other; do
	kind=$name
	[ "$kind" != other ] || kind=ml-dsa-65
	"$newer/openssl" req -x509 -newkey $kind -nodes -subj "/CN=$name" -days 30 -keyout $name.key -out $name.pem \
		-addext keyUsage=digitalSignature 2>/dev/null
	"$newer/openssl" x509 -in $name.pem -outform DER -out $name.der
done

# ---------------------------------------------------------------- files with fs-verity
mkdir plain image
cp "$top/build/guest/kmod/mapped" plain/unsigned
for name in ml-dsa-44 ml-dsa-65 ml-dsa-87 other; do
	{
		cat plain/unsigned
		echo $name
	} >plain/$name
	run "$newer/run" "$assay" sign --key $name.key --cert $name.pem --root plain --detached --signatures pkcs7 $name
	check "$name: a built-in signature is made where it is asked for" told 0
	run "$newer/run" "$assay" check --cert $name.pem plain/$name
	check "$name: it is one by that certificate" told 0
done
run "$newer/run" "$assay" check --cert other.pem plain/ml-dsa-65
check "and by no other's" told 1
cp plain/ml-dsa-65 plain/changed
echo >>plain/changed
cp plain/ml-dsa-65.sig plain/changed.sig
chmod 755 plain/*
truncate -s 16M plain.disk
/sbin/mke2fs -q -F -t ext4 -b 4096 -m 0 -O verity -E root_owner=0:0 -d plain plain.disk

# ---------------------------------------------------------------- a volume
blocks=4096
cp "$top/build/guest/kmod/mapped" image/program
yes 'this is altered on the disk' | head -c 65536 >image/altered
truncate -s $((blocks * 4096)) volume
/sbin/mke2fs -q -F -t ext4 -b 4096 -m 0 -O ^has_journal -E root_owner=0:0 -d image volume
altered=$(grep -obUam1 'this is altered on the disk' volume | cut -d: -f1)
# shellcheck disable=SC2094 # it writes behind the data
/usr/sbin/veritysetup format --hash-offset=$((blocks * 4096)) --data-blocks=$blocks volume volume >made
root=$(sed -n 's/^Root hash:[[:space:]]*//p' made)
salt=$(sed -n 's/^Salt:[[:space:]]*//p' made)
# Behind the data is its superblock, a block, and then the tree.
echo "0 $((blocks * 8)) verity 1 /dev/vdb /dev/vdb 4096 4096 $blocks $((blocks + 1)) sha256 $root $salt" >table
sign_root() { # NAME HASH OPTION...: as veritysetup(8) has it
	sign_name=$1
	printf %s "$2" >root-hash
	shift 2
	openssl smime -sign -binary -in root-hash -signer "$sign_name.pem" -inkey "$sign_name.key" -noattr -nosmimecap \
		-outform DER "$@"
}
sign_root signer "$root" -out signed
sign_root signer "$(echo "$root" | tr 0-9a-f 1-9a-f0)" -out of-another
sign_root owner "$root" -nocerts -out by-owner
sign_root stranger "$root" -out by-stranger

# ---------------------------------------------------------------- the policy
works "the sample is signed by whom the built-in authority vouches for" "$assay" policy sign \
	"$top/policy/enforce/ipe-programs.policy" --key signer.key --cert signer.pem --out policy.p7b
"$assay" policy sign "$top/policy/enforce/ipe-programs.policy" --key stranger.key --cert stranger.pem --out stranger.p7b
run "$assay" policy lint "$top/policy/enforce/ipe-programs.policy" --kernel-config "$top/build/kernel/7.3/build/.config"
check 'this kernel honours all of it' eval 'grep -q "dm-verity volume whose root hash is signed" stdout && ! grep "^warning: This kernel" stdout'
echo "1..$check_number"

set --
for file in ./*.der table signed of-another by-owner by-stranger owner.pem ml-dsa-65.pem policy.p7b stranger.p7b; do
	set -- "$@" --file "$work/$file=/given/$(basename "$file")"
done
cd "$top"
qemu/run-guest --flavour 7.3 --init tests/e2e/enforce-dm-verity-guest.sh --out build/guests/enforce-dm-verity --timeout 120 \
	--append "dm_verity.keyring_unsealed=1 altered=$altered" --disk "$work/plain.disk" --disk "$work/volume" \
	--file tests/check.sh=/bed/check.sh --file build/arm64/assay=/usr/bin/assay --file build/vdo/=/bed/vdo \
	--program bin/keyctl "$@" || exit 1
exit "$check_failed"
