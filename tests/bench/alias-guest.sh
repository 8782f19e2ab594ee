#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-alias: the log in memory that the kernel does not map, and in its
# linear map, in turns. Prints lines
#	# PROTECTION NANOSECONDS
runs=$(sed -n 's/.*bench_runs=\([0-9]*\).*/\1/p' /proc/cmdline)
echo 1..1
movable=$(awk '/^Node/ { movable = $4 == "Movable" }
	movable && $1 == "start_pfn:" { printf "%.0f\n", $2 * 4096; exit }' /proc/zoneinfo)
for _ in $(seq "$runs"); do
	for region in "nomap:0x50130000:2M" "movable:$movable:16M"; do
		insmod /bed/assay.ko retry=0 "region=$region" window=0:1M ahead=1M || { echo "not ok 1 - $region"; exit 1; }
		ns=$(/bed/alias) || { echo "not ok 1 - $region"; exit 1; }
		echo "# $(cat /sys/class/misc/assay/memory/protection) $ns"
		rmmod assay
	done
done
echo 'ok 1 - all appends were made'
