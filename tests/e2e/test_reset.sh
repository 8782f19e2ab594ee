#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine that is reset: its memory is kept, its PCRs begin anew. The log of the boot before
# is offered beside a fresh one, byte for byte; and of two boots before nothing is.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

memory=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$memory"' EXIT
trap 'exit 143' INT TERM HUP
CHECK_OUT=$memory
# shellcheck source=tests/check.sh
. tests/check.sh

boot() { # NUMBER
	run qemu/run-guest --flavour 64k --region static:0x50130000:0x300000:0x20000:1M --tpm new \
		--memory-file "$memory/ram" --init tests/kmod/reset.sh --out "build/guests/reset-$1" \
		--file build/kmod/64k/assay.ko=/bed/assay.ko \
		--file build/guest/kmod/readers=/bed/bin/readers --file build/arm64/assay=/usr/bin/assay
	check "boot $1 writes a log" told 0
}

boot 1
check 'in empty memory there is no previous log' [ ! -e build/guests/reset-1/files/previous ]
boot 2
check 'after the reset the log of boot 1 is there' cmp build/guests/reset-1/files/log \
	build/guests/reset-2/files/previous
boot 3
check 'after the next that of boot 2 is' cmp build/guests/reset-2/files/log \
	build/guests/reset-3/files/previous
echo "1..$check_number"
exit "$check_failed"
