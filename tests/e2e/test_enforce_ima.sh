#!/bin/sh
# SPDX-License-Identifier: MIT
# IMA of Debian's kernel appraises by fs-verity's digest: the sample of policy/enforce, which is what
# is made from the manifest, refuses what has no signature in security.ima. One guest.
# shellcheck disable=SC2016
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
top=$PWD
assay=$PWD/build/host/assay
sample=$PWD/policy/enforce/ima-verity.policy
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-ima.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
CHECK_OUT=$work
. tests/check.sh
cd "$work"

for name in signer stranger; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -days 30 \
		-keyout $name.key -out $name.pem 2>/dev/null
done
mkdir -p tree/signed tree/other tree/unsigned
cp "$top/build/guest/kmod/mapped" tree/signed/program
cp "$top/build/guest/kmod/insmod" tree/signed/insmod
cp "$top/build/sysroot/bin/busybox" tree/signed/sh
printf '#!/mnt/signed/sh\necho it ran\n' >tree/signed/script
cp tree/signed/program tree/other/program
cp tree/signed/program tree/signed/script tree/unsigned/
cp "$top/build/kernel/4k/modules/overlay.ko" tree/unsigned/
chmod 755 tree/*/*
"$assay" sign --key signer.key --cert signer.pem --root tree --manifest manifest --signatures both signed >&2
"$assay" sign --key stranger.key --cert stranger.pem --root tree --manifest stranger --signatures both other >&2
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

truncate -s 32M disk
/sbin/mke2fs -q -F -t ext4 -b 4096 -m 0 -O verity -E root_owner=0:0 -d tree disk
cd "$top"
qemu/run-guest --flavour 4k --init tests/e2e/enforce-ima-guest.sh --out build/guests/enforce-ima --timeout 240 \
	--disk "$work/disk" --file tests/check.sh=/bed/check.sh --file build/arm64/assay=/usr/bin/assay \
	--file build/guest/kmod/mapped=/bed/bin/mapped --file "$sample=/given/policy" --file "$work/signer.pem=/given/signer.pem" \
	--file "$work/stranger.pem=/given/stranger.pem" --file "$work/manifest=/given/manifest" \
	--file "$work/manifest.p7s=/given/manifest.p7s" --file "$work/stranger=/given/stranger" \
	--file "$work/stranger.p7s=/given/stranger.p7s" --program bin/keyctl || exit 1
exit "$check_failed"
