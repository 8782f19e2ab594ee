#!/bin/sh
# SPDX-License-Identifier: MIT
# Processors on which the kernel keeps the linear map in blocks, whatever rodata= says: the
# module refuses, and says why and what to do; where the kernel has the helper of patches/, it
# splits the blocks, and a window below the pageblock works.
# guest: --cpu max,midr=0xc00fac30,pauth-impdef=on --region cma:0x60000000:64M:0x730000:1M
# guest: --append cma=0 --tpm new --timeout 180
# guest: --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 7.3
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

tables=/sys/kernel/debug/kernel_page_tables
# The entries of the linear map, up to the line that names the next part of kernel memory.
linear() {
	sed -n '/Linear Mapping start/,/Linear Mapping end/p' $tables
}
count_of() { # PATTERN: how many lines of the linear map have it
	linear | grep -c "$1"
}

run dmesg
check 'the processors have BBM level 3' prints 0 'CPU features: detected: BBM Level 3'
check 'the linear map is made of blocks' [ "$(count_of ' BLK ')" -gt 0 ]

before=$(cma_free)
run insmod /bed/assay.ko split_blocks=n
check 'without the helper the module does not load' told 95 'Operation not supported'
run dmesg
check 'and says why, and what to do' prints 0 \
	'as the kernel keeps it on these processors.*use a no-map region'
check 'no page is taken' eventually cma_has "$before"
works 'told to go on, it loads' insmod /bed/assay.ko split_blocks=n allow_unprotected=1
check 'and says that nothing is protected' grep -q '^none (.*no-map' $memory/protection
rmmod assay

works 'with the helper the module loads' insmod /bed/assay.ko
check 'the log is protected' grep -qx full $memory/protection
check 'START is anchored' grep -qx 1 /sys/class/misc/assay/log/anchors
insmod /bed/scribble.ko
log=$(($(frame 0) + 0x730000 / page))
claimed=$(($(cat $memory/bytes_claimed) / page))
check 'a write to the log faults' [ "$(scribble $log) $(scribble $((log + claimed - 1)))" = '-14 -14' ]
check 'a write beside it does not' [ "$(scribble $((log - 1))) $(scribble $((log + claimed)))" = '0 0' ]
works 'nobody can write it' /bed/bin/protect
works 'assay log show reads it' assay log show
pools_work
works 'the module unloads' rmmod assay
check 'then a write does not fault' [ "$(scribble $log)" = 0 ]

rmmod scribble
echo "1..$check_number"
