#!/bin/sh
# SPDX-License-Identifier: MIT
# Ten nearly equal trees that were signed, enabled, measured and archived on a dm-vdo volume: what of
# fs-verity is stored once and what ten times, and what becomes of enabling when the volume has no
# more physical space.
# guest: --region auto --tpm new --banks sha256 --memory 1G --timeout 400
# guest: --program usr/bin/fsverity --program usr/bin/openssl --file build/vdo/=/bed/vdo
# guest: --file tests/service/archive.sh=/bed/archive.sh --disk "$(tests/service/vdo-disk "$directory/disk")"
# guest: --expect '(I/O error|Buffer I/O|EXT4-fs|JBD2: |fs-verity \(dm-|device-mapper: vdo)'
# flavours: 4k
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
service_program=/usr/bin/assayd-plain
# shellcheck source=tests/service/archive.sh
. /bed/archive.sh

trees=10
disk=/run/disk
archive_root=$disk/archive
archive_dir=$archive_root/$(cat /proc/sys/kernel/random/boot_id)

vdo() { # PROGRAM ARGUMENT...: busybox has some of that name
	vdo_program=$1
	shift
	"/bed/vdo/$vdo_program" "$@"
}

# 4 KiB blocks of the volume that are in use, physical ones with what it keeps for itself.
used() {
	sync
	vdo dmsetup status v | cut -d' ' -f 9
}

free() {
	vdo dmsetup status v | awk '{ print $10 - $9 }'
}

# The physical space is that of a linear device, which can grow: in MiB
store() {
	echo "0 $(($1 * 2048)) linear /dev/vda 0"
}
table() {
	echo "0 1048576 vdo V4 /dev/mapper/store $(($1 * 256)) 4096 32768 16380"
}

online() {
	vdo dmsetup status v | grep -q ' online '
}

sign() { # TREE OPTION...
	sign_tree=$1
	shift
	assay sign --key /run/key.pem --cert /run/cert.pem --root "$disk/$sign_tree" --manifest "/run/$sign_tree.m" \
		--signatures pkcs7 "$@" >/dev/null
}

turn_on() { # TREE
	assay enable --manifest "/run/$1.m" --cert /run/cert.pem --root "$disk/$1" --jobs 1
}

as_signed() { # TREE: all its files have the manifest's digest
	tail -n +2 "/run/$1.m" | sed 's/.*"path":"\([^"]*\)".*"digest":"\([^"]*\)".*/\2 \1/' >/run/lines
	while read -r digest path; do
		[ "$(fsverity measure "$disk/$1$path")" = "$digest $disk/$1$path" ] || return 1
		cat "$disk/$1$path" >/dev/null || return 1
	done </run/lines
}

# ---------------------------------------------------------------- the volume
while read -r module; do
	insmod "/bed/vdo/$module" || exit 1
done </bed/vdo/modules.list
vdo dmsetup create store --noudevsync --table "$(store 2840)" && vdo dmsetup mknodes || exit 1
# The smallest index that there is, and the smallest slabs.
vdo vdoformat --uds-memory-size=0.25 --slab-bits=13 --logical-size=512M /dev/mapper/store >/dev/null || exit 1
vdo dmsetup create v --noudevsync --table "$(table 2840)" && vdo dmsetup mknodes || exit 1
for _ in $(seq 60); do
	online && break
	sleep 1
done
check 'the index of the volume is there' online
# Its blocks are zeros already, which dm-vdo does not store; discarding them takes long.
vdo mke2fs -q -t ext4 -b 4096 -O verity -J size=4 -E nodiscard,lazy_itable_init=0 /dev/mapper/v || exit 1
mkdir -p $disk
# What is counted is what a sync wrote, not what the journal writes every five seconds.
mount -t ext4 -o commit=3000 /dev/mapper/v $disk || exit 1

printf '[req]\ndistinguished_name=name\n[name]\n' >/run/openssl.cnf
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer -config /run/openssl.cnf \
	-addext subjectKeyIdentifier=hash -addext keyUsage=digitalSignature \
	-keyout /run/key.pem -out /run/cert.pem -days 3000 || exit 1
assay keyring load --cert /run/cert.pem >/dev/null || exit 1

# ---------------------------------------------------------------- ten trees
# Files whose Merkle trees have blocks: one each up to 512 KiB.
files=8
mkdir $disk/t0
for file in $(seq $files); do
	dd if=/dev/urandom of="$disk/t0/$file" bs=4k count=24 2>/dev/null
done
one=$(used)
for tree in $(seq $((trees - 1))); do
	cp -r $disk/t0 "$disk/t$tree"
	echo "the host's name is $tree" >"$disk/t$tree/hostname"
done
data=$(($(used) - one))
echo "# nine more trees of $((files * 24)) blocks of data took $data blocks"
check 'the data of equal files is stored once' [ "$data" -lt $((files * 24)) ]

# The same signatures in five trees, others in the other five: a manifest of its own each.
before=$(used)
sign t0 && turn_on t0 >/dev/null
first=$(($(used) - before))
before=$(used)
for tree in 1 2 3 4; do
	cp /run/t0.m "/run/t$tree.m"
	cp /run/t0.m.p7s "/run/t$tree.m.p7s"
	turn_on "t$tree" >/dev/null || exit 1
done
same=$(($(used) - before))
before=$(used)
for tree in 5 6 7 8 9; do
	sign "t$tree" && turn_on "t$tree" >/dev/null || exit 1
done
others=$(($(used) - before))
echo "# enabling took $first blocks for the first tree, $same for four with the same signatures, $others for five with their own"
for tree in 0 4 9; do
	check "tree $tree is as it was signed" as_signed t$tree
done
# A file has a block of its Merkle tree, which is equal in all trees, and one with descriptor and
# signature, which is so where the signature is.
check 'Merkle trees and equal signatures are stored once' [ "$same" -lt $((4 * files)) ]
check 'each signature of its own takes a block' [ "$others" -ge $((5 * files)) ]
check 'and Merkle trees take none there either' [ "$others" -lt $((5 * files * 2)) ]

# ---------------------------------------------------------------- measured, archived
run assay measure $disk/t0/* $disk/t9/*
check 'files on the volume are measured' prints 0 "^$((2 * files + 1)) of $((2 * files + 1)) files measured"
mkdir -p $archive_root && chown 990:990 $archive_root
archive_configure "directory=$archive_root"
check 'assayd starts' service_start
append 20 300
check 'it archives the log on the volume' service_waits 600 archived
check 'the archive is whole' archive_is_whole
service_stop

# ---------------------------------------------------------------- no more physical space
mkdir $disk/full
dd if=/dev/urandom of=$disk/full/big bs=1M count=12 2>/dev/null
echo small >$disk/full/a
sign full || exit 1
# All but some blocks: each block of that is another one.
while sync && [ "$(free)" -gt 20 ]; do
	dd if=/dev/urandom bs=4k count=$((($(free) - 18 + 1) / 2)) 2>/dev/null >>$disk/fill
done
echo "# $(free) blocks are free"
run turn_on full
check 'enabling fails, with the file and why' told 1 'cannot enable verity for /big: .*dm-vdo'
check 'what was enabled before is as it was' as_signed t9
check 'the file that failed has no fs-verity' sh -c "! fsverity measure $disk/full/big >/dev/null 2>&1"

# The way out: space, and a look at the file system, whose journal may have failed as well; while it is
# mounted it cannot be frozen then, which growing asks for.
umount $disk
vdo dmsetup reload store --table "$(store 3200)" && vdo dmsetup resume store --noudevsync
vdo dmsetup reload v --table "$(table 3200)" && vdo dmsetup resume v --noudevsync
check 'the volume has grown' [ "$(free)" -gt 4096 ]
vdo e2fsck -fy /dev/mapper/v >/run/fsck 2>&1
check 'the file system can be mended' [ $? -le 1 ]
mount -t ext4 /dev/mapper/v $disk || exit 1
run turn_on full
check 'the same command goes on' told 0
check 'and all is as it was signed' as_signed full
for tree in $(seq 0 $((trees - 1))); do
	as_signed "t$tree" || check "tree $tree is as it was signed" false
done
check 'the archive is whole' archive_is_whole
umount $disk
works 'the volume can be taken away' vdo dmsetup remove v --noudevsync
echo "1..$check_number"
