#!/bin/sh
# SPDX-License-Identifier: MIT
# Files of btrfs, which keeps fs-verity's Merkle tree in items of its own, are measured as those of
# ext4 are, with the fsverity program as witness; and where a block is not what the digest
# says, --read finds it.
# guest: --region auto --tpm new --banks sha256 --program usr/bin/fsverity
# guest: --disk "$(tests/kmod/btrfs-disk "$directory/btrfs.img")"
# flavours: 7.3
# shellcheck source=tests/check.sh
. /bed/check.sh
mkdir -p /disk
mount -t btrfs -o nodatasum /dev/vda /disk && insmod /bed/assay.ko || exit 1

cp /bed/busybox /disk/program
yes 'each line of this file' | head -c 65536 >/disk/spoilt
for file in program spoilt; do
	works "$file gets fs-verity" fsverity enable /disk/$file
done
digest=$(fsverity measure /disk/program | cut -d ' ' -f 1)
run assay measure --read /disk/program
check 'the digest is the one that fsverity tells' prints 0 "^$digest /disk/program\$"
run assay log show
check 'and the log has it' prints 0 "  $digest  /disk/program\$"
run assay log show --json
check 'with the UUID of the file system' prints 0 "$(blkid /dev/vda | sed 's/.*UUID="\([^"]*\)".*/\1/')"

# Signed and enabled by the commands, as on ext4.
mkdir /disk/tree
cp /bed/busybox /disk/tree/program
assay key create --out /run/key.pem --cert /run/cert.pem >/dev/null || exit 1
works 'files are signed' assay sign --key /run/key.pem --cert /run/cert.pem --root /disk/tree --manifest /run/m --signatures pkcs7
works 'the kernel has the certificate' assay keyring load --cert /run/cert.pem
run assay enable --manifest /run/m --cert /run/cert.pem --root /disk/tree
check 'and enabled, with their signatures' prints 0 '^verity is on for 1 of 1 files'
check 'with the digest that was signed' grep -q "\"digest\":\"$(fsverity measure /disk/tree/program | cut -d ' ' -f 1)\"" /run/m

# The data of the second file, on the disk itself.
umount /disk
offset=$(dd if=/dev/vda bs=1M count=48 2>/dev/null | strings -t d -n 20 |
	sed -n 's/ *\([0-9]*\) each line of this file$/\1/p' | sed -n 1000p)
[ -n "$offset" ] || exit 1
printf E | dd of=/dev/vda bs=1 seek="$offset" conv=notrunc 2>/dev/null
mount -t btrfs /dev/vda /disk || exit 1
run assay measure /disk/spoilt
check 'a block that was changed has no part in the digest' prints 0 '^1 of 1 files measured'
run assay measure --read /disk/spoilt
check '--read finds it' told 1 '/disk/spoilt: Input/output error'
run assay measure --read /disk/program
check 'and another file is sound' prints 0 "^$digest /disk/program\$"
umount /disk
works 'the module unloads' rmmod assay
echo "1..$check_number"
