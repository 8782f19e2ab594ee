#!/bin/sh
# SPDX-License-Identifier: MIT
# A log in a static region behind caches that a reset loses: what a guest stores to it and writes
# back is traced, and what memory may hold at each moment is judged (tests/e2e/orders.c). `make
# soak` goes round the ring twice (orders_rounds=12).
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

memory=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
guest_pid=
cleanup() {
	[ -z "$guest_pid" ] || kill "$guest_pid" 2>/dev/null || :
	rm -rf "$memory"
}
trap cleanup EXIT
trap 'exit 143' INT TERM HUP
CHECK_OUT=$memory
. tests/check.sh

base=0x50130000 window=0x20000 watched=0x8000
ram=0x40000000 # where the machine's memory begins
out=build/guests/cut-trace
place=$((base + window - ram))

guest() { # in a process of its own
	truncate -s 1G "$memory/ram"
	exec qemu/run-guest --flavour 4k --region "static:$base:0x300000:$window:32K" --tpm new \
		--memory 1G --memory-file "$memory/ram" --gdb "$memory/gdb" --timeout 3600 \
		--init tests/kmod/cut_trace.sh --out "$out" --append "nowatchdog trace_rounds=${orders_rounds:-2}" \
		--file build/kmod/4k/assay.ko=/bed/assay.ko \
		--file build/kmod/4k/scribble.ko=/bed/scribble.ko \
		--file build/guest/kmod/cut=/bed/bin/cut
}

rm -f "$out/result.tap"
guest >"$memory/guest.log" 2>&1 &
guest_pid=$!
began() { # within five minutes; then there are some seconds to begin to watch
	tries=0
	until grep -aqs '^# anchored' "$out/result.tap"; do
		tries=$((tries + 1))
		if [ "$tries" -ge 3000 ] || ! kill -0 "$guest_pid"; then
			return 1
		fi
		sleep 0.1
	done
}
address() { # FUNCTION
	sed -n "s/^# $1 \(0x[0-9a-f]*\)$/\1/p" "$out/result.tap"
}
works 'the guest has a log' began
# The linear map of a kernel with 48 bits of addresses, which nothing moves: there is no seed.
works 'what it writes is traced' build/watch-writes --trace "$memory/trace" \
	"$(address arch_wb_cache_pmem)" "$(address tpm_pcr_extend)" "$out/result.tap" \
	"$memory/gdb" "$(printf '0xffff0000%08x' "$place")" "$memory/ram" "$place" "$((watched))"
sed 's/^/# /' "$memory/stdout"
[ "$check_failed" -eq 0 ] || kill "$guest_pid" 2>/dev/null || :
status=0
wait "$guest_pid" || status=$?
guest_pid=
cp "$memory/guest.log" "$memory/stderr"
check 'the guest has done it all' [ "$status" -eq 0 ]
works 'whatever a reset leaves is right, and each write-back is needed' build/orders "$memory/trace"
sed 's/^/# /' "$memory/stdout"
echo "1..$check_number"
exit "$check_failed"
