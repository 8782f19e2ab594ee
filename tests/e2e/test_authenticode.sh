#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay digest --authenticode`: of kernels as Debian builds them, before and after they are
# signed, against pesign and the signatures that sbsign makes.
# shellcheck disable=SC2016
set -eu
cd "$(dirname "$0")/../.."
assay=$PWD/build/host/assay
kernel=$PWD/build/kernel/4k/Image
data=$PWD/tests/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

theirs=$(pesign -h -i "$kernel" | sed 's/^.* //')
run "$assay" digest --authenticode "$kernel"
check "a kernel's digest is that of pesign" prints 0 "^sha256:$theirs $kernel$"

openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=signer -keyout key.pem -out cert.pem -days 10 2>/dev/null
sbsign --key key.pem --cert cert.pem --output signed "$kernel" 2>/dev/null
run "$assay" digest --authenticode signed
check 'signing changes nothing' prints 0 "^sha256:$theirs signed$"
works 'sbsign takes it for an image that it signed' sbverify --cert cert.pem signed
sbattach --detach signature signed 2>/dev/null
in_signature() { # the digest of SpcIndirectDataContent
	openssl asn1parse -inform der -in signature |
		grep -qi "OCTET STRING *\[HEX DUMP\]:$theirs$"
}
check 'it is what sbsign signs' in_signature
cp signed changed
printf 'x' | dd of=changed bs=1 seek=2000000 conv=notrunc 2>/dev/null
run "$assay" digest --authenticode changed
check 'another byte is another digest' eval 'prints 0 "^sha256:" && ! grep -q "$theirs" stdout'

for hash in sha384 sha512; do
	run "$assay" digest --authenticode --hash "$hash" signed "$kernel"
	check "$hash is the same of both" eval \
		'prints 0 "^$hash:" && [ "$(cut -d " " -f 1 stdout | sort -u | wc -l)" -eq 1 ]'
done
run "$assay" digest --authenticode "$data/fuzz_pe/plus" "$data/fuzz_pe/ORIGIN" "$data/fuzz_pe/tail" --json
check 'what is no image is named, the others done' eval 'told 1 "ORIGIN: not a PE image" &&
	jq -e ".type == \"digest-authenticode\" and ([.files[] | has(\"digest\")] == [true, false, true])" stdout >/dev/null'
gzip -c "$data/fuzz_pe/plus" >packed
run "$assay" digest --authenticode packed gone
check 'what is packed, or not there, is told' told 1 'packed: not a PE image but one packed by gzip' 'gone'
run "$assay" digest --authenticode --block-size 4096 signed
check 'options of fs-verity do not go with it' told 2 'exclude each other'
run "$assay" digest --hash sha384 signed
check 'fs-verity has no sha384' told 2 'sha256 and sha512 only'
echo "1..$check_number"
exit "$check_failed"
