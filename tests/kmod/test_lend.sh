#!/bin/sh
# SPDX-License-Identifier: MIT
# Idle pages of the region are lent: other data fills them, and when the module is loaded
# then, its window is claimed all the same and that data is moved, unharmed.
# guest: --region cma:0x48000000:64M:0x730000:1M --tpm new --memory 512M
# flavours: 4k 16k
echo 1..6
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
head -c 4194304 /dev/urandom >/tmp/block
cma=$(memory CmaTotal)
block=0
# Until the CMA areas are all but full, or everything else is.
while [ "$(memory CmaFree)" -gt 2048 ] && [ "$(memory MemAvailable)" -gt 49152 ]; do
	block=$((block + 1))
	content $block >/tmp/fill/$block || break
done
echo "# $block blocks of 4 MiB; CmaFree $(memory CmaFree) of $cma KiB, MemFree $(memory MemFree)"
verdict 'movable pages have filled the region' [ "$(memory CmaFree)" -lt $((cma / 8)) ]
verdict 'the module claims its window' insmod /bed/assay.ko
for counter in claims claim_retries claim_failures last_claim_us; do
	echo "# $counter $(cat /sys/class/misc/assay/memory/$counter)"
done
verdict 'the log is protected' grep -qx full /sys/class/misc/assay/memory/protection
verdict 'START is anchored' grep -qx 1 /sys/class/misc/assay/log/anchors
verdict 'the data that was there is unharmed' unharmed
verdict 'the module unloads' rmmod assay
