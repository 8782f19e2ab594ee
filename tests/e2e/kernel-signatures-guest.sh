#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel's half of test_kernel_signatures: each file's built-in signature is offered to
# fs-verity, then, where IMA can appraise with _ima, each attribute to IMA. TAP.
set -u
here=/signed
# shellcheck source=tests/check.sh
. /bed/check.sh

verdict() { # WORDS: of the command that was run
	case $1 in
	taken) [ "$status" -eq 0 ] ;;
	refused) [ "$status" -ne 0 ] ;;
	*) told 1 "$1" ;;
	esac
}
add() { # CERTIFICATE: with no look at it by assay
	keyctl padd asymmetric "" %keyring:.fs-verity <"$1"
}

mkdir -p /mnt
mount -t ext4 /dev/vda /mnt || exit 1
for certificate in "$here"/*.der; do
	case $certificate in
	*/stranger.der) ;;
	*/ed25519.der | */ml-dsa.der)
		run add "$certificate"
		check "a certificate of a kind of key that the kernel has not, $certificate" told 1 'Package not installed'
		;;
	*) add "$certificate" >/dev/null ;;
	esac
done
echo 1 >/proc/sys/fs/verity/require_signatures
while read -r name certificate words; do
	set -- "/mnt/$name"
	[ ! -e "/mnt/$name.sig" ] || set -- "$@" --signature="/mnt/$name.sig"
	[ "$name" != of-sha512 ] || set -- "$@" --hash-alg=sha512
	run fsverity enable "$@"
	check "fs-verity: $name is $words" verdict "$words"
done <$here/kinds
run assay keyring load --cert $here/ml-dsa.der
check 'what it would need is told' told 1 'ML-DSA'
echo 0 >/proc/sys/fs/verity/require_signatures

# Debian's kernel has _ima, which takes what its owner puts there; .ima takes nothing here.
if keyctl describe %:.ima >/dev/null 2>&1; then
	echo "1..$check_number"
	exit "$check_failed"
fi
set --
for key in rsa2048 rsa4096 p256 p384 tpm-p256 tpm-rsa2048; do
	set -- "$@" --cert "$here/$key.der"
done
works 'the certificates are loaded for IMA' assay keyring load --keyring _ima "$@"
while read -r name certificate words; do
	chown 4242 "/mnt/$name"
	[ ! -e "$here/ima/$name" ] ||
		setfattr -n security.ima -v "0s$(base64 -w0 <"$here/ima/$name")" "/mnt/$name"
	[ "$name" = ima-without-verity ] || fsverity enable "/mnt/$name" || echo "# $name: no verity"
done <$here/ima-kinds
mount -t securityfs none /sys/kernel/security 2>/dev/null
works 'a policy that wants signatures of version 3 is taken' sh -c '
	echo "appraise func=FILE_CHECK mask=MAY_READ fowner=4242 digest_type=verity appraise_type=sigv3" \
		>/sys/kernel/security/ima/policy'
while read -r name certificate words; do
	run cat "/mnt/$name"
	check "IMA: $name is $words" verdict "$words"
done <$here/ima-kinds
echo "1..$check_number"
exit "$check_failed"
