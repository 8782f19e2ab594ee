#!/bin/sh
# SPDX-License-Identifier: MIT
# The device's half of test_delegate: a kernel with only the certificate of the key that
# certified the delegates. /5 is not the file that was signed. TAP.
set -u
here=/signed
# shellcheck source=tests/check.sh
. /bed/check.sh

on() { # ALGORITHM PATH...: verity is on with the digest that the file has
	on_algorithm=$1
	shift
	for file; do
		[ "$(fsverity measure "/mnt$file" 2>/dev/null)" = \
			"$(fsverity digest --hash-alg="$on_algorithm" "/mnt$file")" ] || return 1
	done
}

mkdir -p /mnt
mount -t ext4 /dev/vda /mnt || exit 1
echo 1..13
echo 1 >/proc/sys/fs/verity/require_signatures
run assay enable --unsigned --manifest $here/m --root /mnt
check 'without the certificate nothing is enabled' told 1 'not in the kernel' '5 of 5 files failed'
keyctl padd asymmetric signer %keyring:.fs-verity <$here/tpm.der >/dev/null
run fsverity enable /mnt/3 --signature=$here/3.sig
check "a delegate of a key that is not in the keyring is refused" told 1 'Required key not available'
run fsverity enable /mnt/4 --signature=$here/2.sig
check "another file's signature is refused" told 1 'Key was rejected'
run assay enable --unsigned --manifest $here/m --root /mnt --dry-run
check 'a dry run finds what has changed' told 1 '/5 is not the file that was signed' '1 of 5 files failed'
check 'and changes nothing' eval '! fsverity measure /mnt/1 >/dev/null 2>&1'
run assay enable --unsigned --manifest $here/m --root /mnt --jobs 3
check 'what was signed is enabled, in parallel, and what was changed is refused' \
	told 1 '/5 is not the file that was signed: it has the fs-verity digest' '1 of 5 files failed'
check 'with the digests that fsverity computes' on sha256 /1 /4 /empty /bin/busybox
run assay enable --manifest $here/all --cert $here/tpm.der --root /mnt
check "the manifest's own signature is good, too" told 1 '/2[0-9]*: No such file' '295 of 302 files failed'
check 'and more files are on' on sha256 /2 /3 /6
umount /mnt
mount -t ext4 /dev/vda /mnt
works 'a file can be read after a remount' sh -c 'cat /mnt/bin/busybox >/dev/null'
umount /mnt
mount -t ext4 /dev/vdb /mnt
run assay enable --manifest $here/sha512 --cert $here/tpm.der --root /mnt --json
check 'SHA-512 works as well' eval 'prints 0 "\"enabled\": 2," && on sha512 /empty /bin/busybox'
# Signed in two steps: the delegate's certificate is in the manifest's signature alone.
keyctl padd asymmetric steps %keyring:.fs-verity <$here/steps.der >/dev/null
run assay enable --manifest $here/steps --cert $here/steps.der --root /mnt --json
check 'what a delegate signed in two steps is enabled' \
	eval 'prints 0 "\"enabled\": 1," && on sha256 /steps'
fsverity dump_metadata signature /mnt/steps >/run/steps.p7s
run assay check --ca $here/steps.der --signature /run/steps.p7s --require pkcs7 /mnt/steps
check 'and the signature that the kernel took has its certificate' told 0
