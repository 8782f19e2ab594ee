#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay enable` against the kernel, good and bad, in a guest; prints the guest's TAP.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

certificate() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$work/$1.key" -out "$work/$1.crt" -days 10 2>/dev/null
	openssl x509 -in "$work/$1.crt" -outform DER -out "$work/$1.der"
}

disk() { # NAME SIZE OPTION...: an ext4 with the tree
	disk_name=$1 disk_size=$2
	shift 2
	truncate -s "$disk_size" "$work/$disk_name.img"
	/sbin/mke2fs -q -F -t ext4 -b 4096 -m 0 -E root_owner=0:0 "$@" -d "$work/tree" "$work/$disk_name.img"
}

certificate signer
certificate other
mkdir -p "$work/tree/bin"
cp build/sysroot/bin/busybox "$work/tree/bin/"
: >"$work/tree/empty"
for name in busy changed longer missing other plain; do
	echo hello >"$work/tree/$name"
done
build/host/assay sign --key "$work/signer.key" --cert "$work/signer.crt" --root "$work/tree" \
	--manifest "$work/m" >&2
echo jello >"$work/tree/changed"
echo hello2 >"$work/tree/longer"
rm "$work/tree/missing" "$work/tree/plain"
ln -s other "$work/tree/plain"
disk a 32M -O verity
disk b 32M -O verity
disk c 32M
disk d 4M -O verity
disk e 32M -O verity

qemu/run-guest --flavour 64k --init tests/e2e/enable-guest.sh --out build/guests/enable \
	--file tests/check.sh=/bed/check.sh --file build/arm64/assay=/usr/bin/assay \
	--program usr/bin/fsverity --program bin/keyctl --program usr/bin/getfattr \
	--file "$work/m=/signed/m" --file "$work/m.p7s=/signed/m.p7s" \
	--file "$work/signer.der=/signed/signer.der" --file "$work/other.der=/signed/other.der" \
	--file build/sysroot/bin/busybox=/signed/bin/busybox \
	--disk "$work/a.img" --disk "$work/b.img" --disk "$work/c.img" --disk "$work/d.img" \
	--disk "$work/e.img"
