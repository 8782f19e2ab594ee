#!/bin/sh
# SPDX-License-Identifier: MIT
# A log in a static region behind caches that a reset loses: what a guest stores to it and writes
# back is traced, and what memory may hold at each moment is judged (tests/e2e/orders.c). `make
# soak` goes round the ring twice (orders_rounds=12).
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

. tests/e2e/watched.sh

watched=0x8000
address() { # FUNCTION
	sed -n "s/^# $1 \(0x[0-9a-f]*\)$/\1/p" "$out/result.tap"
}

start_guest cut-trace 32K tests/kmod/cut_trace.sh --timeout 3600 \
	--append "nowatchdog trace_rounds=${orders_rounds:-2}" \
	--file build/kmod/4k/scribble.ko=/bed/scribble.ko
works 'the guest has a log' guest_began 300
works 'what it writes is traced' build/watch-writes --trace "$memory/trace" \
	"$(address arch_wb_cache_pmem)" "$(address tpm_pcr_extend)" "$out/result.tap" \
	"$memory/gdb" "$linear" "$memory/ram" "$place" "$((watched))"
sed 's/^/# /' "$memory/stdout"
guest_ends 'the guest has done it all'
works 'whatever a reset leaves is right, and each write-back is needed' build/orders "$memory/trace"
sed 's/^/# /' "$memory/stdout"
echo "1..$check_number"
exit "$check_failed"
