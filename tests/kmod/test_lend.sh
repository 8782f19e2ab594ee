#!/bin/sh
# SPDX-License-Identifier: MIT
# Idle pages of the region are lent: other data fills them, and when the module is loaded
# then, pages of its window are claimed all the same and that data is moved, unharmed.
# guest: --region cma:0x50000000:64M:0x3730000:1M --tpm new --timeout 240 --memory 320M --append cma=0
# flavours: 7.3 16k
# soak: debug
echo 1..7
number=0
verdict() { # DESCRIPTION COMMAND...
	number=$((number + 1))
	description=$1
	shift
	if "$@"; then
		echo "ok $number - $description"
	else
		echo "not ok $number - $description"
	fi
}
memory() { # FIELD of /proc/meminfo, in KiB
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}
page=$(sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p;T;q' /proc/self/smaps)
frame=$((0x53730000 / 1024 / page)) frames=$((1024 / page))
lent() { # how many of the window's pages hold data of tmpfs: LRU and SWAPBACKED
	dd if=/proc/kpageflags bs=8 skip=$frame count="$frames" 2>/dev/null | od -An -v -t x1 -w8 |
		while read -r low high _; do
			[ $((0x$low & 0x20)) -eq 0 ] || [ $((0x$high & 0x40)) -eq 0 ] || echo
		done | wc -l
}
content() { # NUMBER: what block NUMBER holds
	echo "$1"
	cat /tmp/block
}
unharmed() {
	for file in /tmp/fill/*; do
		content "${file##*/}" | cmp -s - "$file" || return 1
	done
}

mkdir /tmp/fill
mount -t tmpfs -o size=100% none /tmp/fill
echo 8192 >/proc/sys/vm/min_free_kbytes # as for a machine of this size without huge pages
head -c 4194304 /dev/urandom >/tmp/block
block=0
while [ "$(lent)" -lt "$frames" ] && [ "$(memory MemAvailable)" -gt 32768 ]; do
	block=$((block + 1))
	content $block >/tmp/fill/$block || break
done
# Pages are moved to somewhere: the oldest blocks, which are elsewhere, make room.
rm /tmp/fill/[1-6]
lent=$(lent)
echo "# $block blocks of 4 MiB; CmaFree $(memory CmaFree) of $(memory CmaTotal) KiB"
echo "# of the window's $frames pages $lent hold data of others"
verdict "others use the region's idle pages" [ $((2 * lent)) -gt "$frames" ]
verdict 'the module claims pages of its window' insmod /bed/assay.ko
frames=$(grep -c ' log ' /sys/kernel/debug/assay/pages) # of it, what the log begins with
for counter in claims claim_retries claim_failures last_claim_us; do
	echo "# $counter $(cat /sys/class/misc/assay/memory/$counter)"
done
verdict 'nothing of others is left in what it claimed' [ "$frames" -gt 1 -a "$(lent)" -eq 0 ]
verdict 'the log is protected' grep -qx full /sys/class/misc/assay/memory/protection
verdict 'START is anchored' grep -qx 1 /sys/class/misc/assay/log/anchors
verdict 'the data that was there is unharmed' unharmed
verdict 'the module unloads' rmmod assay
