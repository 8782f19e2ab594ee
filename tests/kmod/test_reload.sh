#!/bin/sh
# SPDX-License-Identifier: MIT
# Loading and unloading a hundred times: each time all of the window is claimed, anchored
# and given back writable; no page of the region, and no other memory, is lost.
# guest: --region auto --tpm new --timeout 120
# flavours: 64k 7.3 16k 6.1
rounds=100
settle=10 # rounds after which the kernel's own caches do not grow any more

# shellcheck source=tests/check.sh
. /bed/check.sh
echo 1..8
free() { # FIELD of /proc/meminfo, in KiB
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}
settled() { # what is free when nothing is in flight any more
	echo 3 >/proc/sys/vm/drop_caches
	sleep 0.2
	free "$1"
}
round() {
	insmod /bed/assay.ko || return 1
	read -r anchors </sys/class/misc/assay/log/anchors
	read -r protection </sys/class/misc/assay/memory/protection
	rmmod assay || return 1
	[ "$anchors $protection" = '1 full' ]
}
scribble() { # ADDRESS; sets result
	echo "$1" >/sys/module/scribble/parameters/address
	read -r result </sys/module/scribble/parameters/result
}

both() { # sets results of the window's first and last page
	scribble "$window"
	results=$result
	scribble "$last"
	results="$results $result"
}

insmod /bed/scribble.ko
insmod /bed/assay.ko
window=$(sed -n '/ log /{s/ .*//p;q}' /sys/kernel/debug/assay/pages)
last=$(sed -n '/ log /s/ .*//p' /sys/kernel/debug/assay/pages | tail -n 1)
page=$(($(cat /sys/class/misc/assay/memory/bytes_claimed) / (last - window + 1)))
window=$((window * page)) last=$((last * page))
both
check 'a write to the log faults' [ "$results" = '-14 -14' ]
rmmod assay
both
check 'after unloading it does not' [ "$results" = '0 0' ]

failed=0
for _ in $(seq $settle); do
	round || failed=$((failed + 1))
done
cma_before=$(settled CmaFree) free_before=$(settled MemFree)
for _ in $(seq $rounds); do
	round || failed=$((failed + 1))
done
check "$((settle + rounds)) rounds of loading and unloading" [ "$failed" -eq 0 ]
# Half a page a round would be seen; a few pages come and go with caches, which use
# the region's idle pages as well.
lost=$((rounds * page / 2048))
not_lost() { # FIELD BEFORE
	[ $(($2 - $(settled "$1"))) -lt $lost ]
}
check 'no page of the region is lost' eventually not_lost CmaFree "$cma_before"
check 'no memory is lost' eventually not_lost MemFree "$free_before"
echo "# MemFree $free_before then $(settled MemFree) KiB, CmaFree $cma_before then $(settled CmaFree) KiB"
writable=0 address=$window
while [ "$address" -le "$last" ]; do
	scribble "$address"
	[ "$result" = 0 ] && writable=$((writable + page))
	address=$((address + page))
done
check 'every page of the window is writable' [ "$writable" -eq $((last - window + page)) ]
check 'the module still loads' insmod /bed/assay.ko
check 'and unloads' rmmod assay
