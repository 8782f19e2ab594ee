#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-windows; bench=WHAT on the kernel's command line says which:
#	areas	what the kernel made of the device tree's areas
#		# areas COUNT KIB MISALIGNED NO_SLOT
#	ours	region 0 has the log, the others one window (of the log's size) each 1 MiB
#		of their number, "1 8 64" for cma, then for static; then memory is filled
#		# region ID KIND RESERVED_KIB WINDOWS CLAIMED_KIB IDLE_PAGES USED_PAGES
#	dead	memory is filled, and what stays free of it all the same
#		# dead TOTAL_KIB FREE_KIB CMA_KIB CMA_FREE_KIB
# shellcheck source=tests/kmod/load.sh
. /bed/load.sh
regions=/sys/class/misc/assay/regions
page=$(sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p;T;q' /proc/self/smaps)
# Hundredths of memory for data of others; else as below.
anon=$(sed -n 's/.*bench_anon=\([0-9]*\).*/\1/p' /proc/cmdline)
file=$(sed -n 's/.*bench_file=\([0-9]*\).*/\1/p' /proc/cmdline)
bench=$(sed -n 's/.* bench=\([a-z]*\).*/\1/p' /proc/cmdline)

fail() {
	echo "not ok 1 - $1"
	exit 1
}

said() { # WORDS: how often the kernel's log has them
	dmesg | grep -c "$1"
}

# The pages that the kernel uses for data of others, not free or claimed ones: LRU (bit 5), or
# a later page of a larger block of it (bit 16).
used() { # FRAME COUNT
	dd if=/proc/kpageflags bs=8 skip=$(($1)) count="$2" 2>/dev/null | od -An -v -t x1 -w8 |
		awk 'index("2367abef", substr($1, 1, 1)) || index("13579bdf", substr($3, 2)) { n++ }
			END { print n + 0 }'
}

echo 1..1
case $bench in
areas)
	echo "# areas $(said 'created CMA memory pool') $(memory CmaTotal)" \
		"$(said 'incorrect alignment of CMA region') $(said 'Not enough slots for CMA')"
	;;
ours)
	# The log's window is one of those that are counted: all of it is claimed at once.
	for module in 'assay.ko stock=0 ahead=1M' windows.ko; do
		# shellcheck disable=SC2086 # with its parameters
		insmod /bed/$module || fail "$module"
	done
	id=0
	for _ in cma static; do
		for count in 1 8 64; do
			[ $id -ne 0 ] || { id=1; continue; }
			# The descriptors stay open: what is claimed goes back when they are closed.
			eval "exec 1$id<>/dev/windows"
			eval "echo 'hold $id $((1024 / page)) $count' >&1$id && cat <&1$id" >/tmp/held
			grep -q "held $count error 0" /tmp/held || fail "region $id: $(cat /tmp/held)"
			id=$((id + 1))
		done
	done
	load_start /dev/vda "${anon:-60}" "${file:-50}" || fail 'memory is filled'
	echo "# $(load_percent_free) % of memory free, CmaFree $(memory CmaFree) of $(memory CmaTotal) KiB"
	for id in 0 1 2 3 4 5; do
		size=$(($(cat $regions/$id/bytes_reserved) / 1024))
		claimed=$(($(cat $regions/$id/bytes_claimed) / 1024))
		base=$(cat $regions/$id/base)
		echo "# region $id $(cat $regions/$id/kind) $size $(cat $regions/$id/windows) $claimed" \
			"$(((size - claimed) / page)) $(used $((base / 1024 / page)) $((size / page)))"
	done
	load_stop || fail 'the data of others is harmed'
	;;
dead)
	load_start /dev/vda 40 80 || fail 'memory is filled'
	echo "# dead $(memory MemTotal) $(memory MemFree) $(memory CmaTotal) $(memory CmaFree)"
	load_stop || fail 'the data of others is harmed'
	;;
*) fail "nothing is called '$bench'" ;;
esac
echo "ok 1 - $bench"
