#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay enable` with blocks that the kernel or the file system does not take, and of files that
# have others, in guests with pages of 64 KiB and of 4 KiB.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-blocks.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
CHECK_OUT=$work
. tests/check.sh

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-keyout "$work/key" -out "$work/crt" -days 10 2>/dev/null
mkdir "$work/tree"
: >"$work/tree/empty"
echo hello >"$work/tree/small"
seq 1 100000 >"$work/tree/large"
for size in 1024 4096 65536; do
	run build/host/assay sign --key "$work/key" --cert "$work/crt" --root "$work/tree" \
		--manifest "$work/m$size" --block-size $size
	check "signed in blocks of $size bytes" told 0
done
for flavour in 64k 4k; do
	status=0
	for size in 4096 1024; do
		truncate -s 32M "$work/$size.img"
		/sbin/mke2fs -q -F -t ext4 -b $size -m 0 -E root_owner=0:0 -O verity -d "$work/tree" \
			"$work/$size.img"
	done
	set --
	for size in 1024 4096 65536; do
		set -- "$@" --file "$work/m$size=/signed/m$size" \
			--file "$work/m$size.p7s=/signed/m$size.p7s"
	done
	qemu/run-guest --flavour $flavour --init tests/e2e/enable-blocks-guest.sh \
		--out "build/guests/enable-blocks-$flavour" --file tests/check.sh=/bed/check.sh \
		--file build/arm64/assay=/usr/bin/assay --program usr/bin/fsverity \
		--file "$work/crt=/signed/crt" "$@" --disk "$work/4096.img" --disk "$work/1024.img" \
		>"$work/guest.tap" 2>"$work/guest.err" || status=$?
	sed 's/^/# /' "$work/guest.tap"
	[ "$status" -eq 0 ] || sed 's/^/# /' "$work/guest.err"
	check "blocks on a kernel with pages of $flavour" test "$status" -eq 0
	rm "$work/4096.img" "$work/1024.img"
done
echo "1..$check_number"
[ "$check_failed" -eq 0 ]
