#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory of a region that is unplugged: refused at once while a window is there, done when
# none is; then nothing can be claimed there until it is plugged again. The kernel knows
# half of the machine's memory, and the other half is plugged later.
# guest: --memory 1G --append "mem=512M movablecore=128M cma=0" --tpm new --timeout 180 --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 4k 6.1
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

base=$((0x60000000)) size=$((0x10000000)) # what is plugged
blocks=/sys/devices/system/memory
block=$((0x$(cat $blocks/block_size_bytes)))
number=$((base / block))
count=$((size / block))
half=$((8 << 20)) # the region has so much of each of the first two blocks

offline() { # BLOCK; 137 if the kernel tries for ever, which it gives up when it is killed
	timeout -s KILL 100 sh -c "echo offline >$blocks/memory$1/state"
}
online() {
	for n in $(seq "$number" $((number + count - 1))); do
		echo online_movable >"$blocks/memory$n/state" || return 1
	done
}
states() { # FRAME COUNT: in which states these pages are, each once
	awk -v from="$(printf '0x%x' "$1")" -v count="$2" '$1 == from { n = count } n-- > 0 { print $2 }' \
		/sys/kernel/debug/assay/pages | sort -u | xargs
}

echo offline >$blocks/auto_online_blocks # each is put where the test says
works 'memory is plugged' insmod /bed/hotplug.ko base=$base size=$size
works 'and online' online
works 'the module takes a region of it, beside one for the log' \
	insmod /bed/assay.ko "region=movable:$(movable_base):32M,movable:$((base + block - half)):16M"
insmod /bed/claim.ko || exit 1
check 'it has it' [ "$(region 1 kind) $(region 1 bytes_reserved)" = "movable $((2 * half))" ]
frame=$(frame 1)
half=$((half / page))
asks 'a window there' 0 claim a 1 $((frame + 5)) 3
ask fill a 7

run offline $number
check 'its memory cannot go offline' [ "$status" -ne 0 ]
check 'that is said, and not tried for ever' [ "$status" -ne 137 ]
run dmesg
check 'and why' prints 0 "cannot go offline: frame $(printf '0x%x' $((frame + 5))) of region 1 is in a window; release that first"
asks 'the window holds what it held' 0 holds a 7
works 'memory without a window can' offline $((number + 1))
run dmesg
check 'the module says what it lost' \
	prints 0 "frames $(printf '0x%x to 0x%x' $((frame + half)) $((frame + 2 * half - 1))) of region 1 went offline"
check 'its pages are shown as offline' [ "$(states $((frame + half)) $half)" = offline ]
asks 'nothing can be claimed there' 'Invalid argument' claim b 1 $((frame + half)) 3
asks 'nor across' 'Invalid argument' claim b 1 $((frame + half - 1)) 2
asks 'elsewhere it can' 0 claim b 1 $((frame + 20)) 2
works 'it comes online again' sh -c "echo online_movable >$blocks/memory$((number + 1))/state"
asks 'and can be claimed' 0 claim c 1 $((frame + half)) 3
for name in a b c; do
	ask release $name
done
works 'without windows all of it can be unplugged' rmmod hotplug
check 'it is gone' [ ! -e "$blocks/memory$number" ]
check 'and so are the pages' [ "$(states "$frame" $((2 * half)))" = offline ]
asks 'of which none can be claimed' 'Invalid argument' claim a 1 $((frame + 5)) 3
asks 'the other region has its own' 0 claim a 0 - 3
check 'the log is there' [ "$(cat /sys/class/misc/assay/log/last_error)" -eq 0 ]
rmmod claim
works 'the module unloads' rmmod assay
echo "1..$check_number"
exit $check_failed
