#!/bin/sh
# SPDX-License-Identifier: MIT
# The device's half of test_enable: the kernel's own answers to `assay enable`. TAP.
# Disks: a and b are ext4 with verity and the tree that was signed, but for /changed;
# c is the same without verity; d is b with too little room.
set -u
here=/signed
# shellcheck source=tests/check.sh
. /bed/check.sh

off() { # PATH...: verity is not on
	for file; do
		! fsverity measure "/mnt$file" >/dev/null 2>&1 || return 1
	done
}

as_signed() { # COUNT: so many files have verity with the digest, and the xattr, of the manifest
	as_signed_count=0
	tail -n +2 $here/m >/run/lines
	while IFS= read -r line; do
		path=$(echo "$line" | sed 's/.*"path":"\([^"]*\)".*/\1/')
		digest=$(echo "$line" | sed 's/.*"digest":"\([^"]*\)".*/\1/')
		ima=$(echo "$line" | sed 's/.*"ima":"\([^"]*\)".*/\1/')
		[ "$(fsverity measure "/mnt$path" 2>/dev/null)" = "$digest /mnt$path" ] || continue
		[ "$(getfattr --only-values -n security.ima "/mnt$path" 2>/dev/null | base64 -w0)" = "$ima" ] || continue
		as_signed_count=$((as_signed_count + 1))
	done </run/lines
	[ "$as_signed_count" -eq "$1" ]
}

turn_on() {
	run assay enable --manifest $here/m --root /mnt "$@"
}

mkdir -p /mnt
mount -t ext4 /dev/vda /mnt || exit 1

echo 1..24
turn_on
check 'who signed the manifest must be said' told 2 '--cert CERT.pem is needed' '--unsigned'
turn_on --unsigned --cert $here/signer.der
check 'or that it does not matter, but not both' told 2 'exclude each other'
turn_on --unsigned
check 'without the certificate in the keyring no file is enabled' \
	told 1 'cannot enable verity for /bin/busybox: .*keyring; load it with' '8 of 8 files failed'
keyctl padd asymmetric signer %keyring:.fs-verity <$here/signer.der >/dev/null
echo 1 >/proc/sys/fs/verity/require_signatures

cp $here/m /run/broken
cp $here/m.p7s /run/broken.p7s
sed -i '6s/"size":/"size":-/' /run/broken
run assay enable --manifest /run/broken --root /mnt --unsigned
check 'a broken line is named' told 1 '/run/broken line 6: "size" is negative'
check 'and no file before it was touched' off /bin/busybox /busy /changed
cp $here/m /run/broken
sed -i 's/"size":6,/"size":7,/' /run/broken
run assay enable --manifest /run/broken --root /mnt --cert $here/signer.der
check "a manifest that is not its signature's is refused with --cert" \
	told 1 'the signature of /run/broken'
check 'and no file was touched' off /bin/busybox /busy /changed
turn_on --cert $here/other.der
check 'a manifest of another signer is refused with --cert' told 1 "another certificate's key"

other=$(sed -n '/"path":"\/bin\/busybox"/s/.*"pkcs7":"\([^"]*\)".*/\1/p' $here/m)
sed -n '1p; /"path":"\/busy"/s#"pkcs7":"[^"]*"#"pkcs7":"'"$other"'"#p' $here/m >/run/other
run assay enable --manifest /run/other --root /mnt --unsigned
check "another file's signature is refused" \
	told 1 "/busy: the kernel rejects the signature: it is not of this file's digest" '1 of 1 files failed'
check 'and the file is left as it was' off /busy

exec 9>>/mnt/busy
turn_on --cert $here/signer.der
exec 9>&-
check 'a file open for writing, a changed one, one of another size, a missing one and a link are named' \
	told 1 '/busy: a process has the file open for writing' \
	'/changed is not the file that was signed: it has the fs-verity digest' '/longer is not the file that was signed: it has 7 bytes' \
	'cannot open /missing: No such file' 'cannot open /plain: .*symbolic link' '5 of 8 files failed'
check 'and the others have their digest, signature and xattr' as_signed 3
# Shorter than assay tries again.
(
	exec 9>>/mnt/busy
	sleep 0.4
) &
turn_on --unsigned --json --jobs 2
check 'a second time, what was on stays, and what is busy for a moment comes' \
	eval 'told 1 "4 of 8 files failed" && prints 1 "\"enabled\": 1," "\"already\": 3," && as_signed 4'
check 'a signed file cannot be written to' eval '! (echo x >>/mnt/busy) 2>/dev/null'

umount /mnt
mount -t ext4 -o ro /dev/vda /mnt
sed -e '/"path":"\/changed"/d' -e '/"path":"\/longer"/d' -e '/"path":"\/missing"/d' \
	-e '/"path":"\/plain"/d' $here/m >/run/good
run assay enable --manifest /run/good --root /mnt --unsigned
check 'what is on is fine on a read-only file system, too' \
	prints 0 'for 4 of 4 files (4 were on already)'
umount /mnt

mount -t ext4 -o ro /dev/vdb /mnt
turn_on --unsigned
check 'a read-only file system is named' told 1 '/bin/busybox: the file system is mounted read-only'
umount /mnt
mount -t ext4 /dev/vdb /mnt
fsverity enable /mnt/busy --block-size=1024 2>/run/stderr
check 'the kernel wants a signature for every file' off /mnt/busy
echo 0 >/proc/sys/fs/verity/require_signatures
fsverity enable /mnt/changed
turn_on --unsigned
check 'a file that has verity with another digest is told' \
	told 1 '/changed is not the file that was signed: the kernel has the fs-verity digest sha256:'
umount /mnt
mount -t ext4 /dev/vde /mnt
sed 's/"pkcs7":"[^"]*",//' $here/m >/run/plain
run assay enable --manifest /run/plain --root /mnt --unsigned
check 'a changed file is not enabled where the kernel wants no signature either' \
	eval 'told 1 "/changed is not the file that was signed: it has" && off /changed'
check 'and the others are' eval '! off /busy && ! off /bin/busybox'
umount /mnt

mount -t ext4 /dev/vdc /mnt
turn_on --unsigned
check 'a file system without verity is told' told 1 'mke2fs -O verity'
umount /mnt
mount -t ramfs none /mnt
cp -r $here/bin /mnt/
turn_on --unsigned
check 'a kind of file system without verity is told' told 1 'use ext4, f2fs or btrfs'
umount /mnt

mount -t ext4 /dev/vdd /mnt
dd if=/dev/zero of=/mnt/fill bs=4096 2>/dev/null
turn_on --unsigned
check 'a full file system is told' told 1 '/bin/busybox: no space for its Merkle tree'
check 'and its file is left as it was' off /bin/busybox
umount /mnt
