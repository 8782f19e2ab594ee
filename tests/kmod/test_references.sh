#!/bin/sh
# SPDX-License-Identifier: MIT
# Others take references to pages that are not theirs, and drop them when they notice: the page
# cache's lookup, the fast walk of page tables, a virtual machine that maps a page. A window is
# given back in spite of them, without a warning; the page is the kernel's when they let go.
# guest: --region auto --tpm new --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k 4k 6.1
# soak: debug
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

works 'the module loads' insmod /bed/assay.ko
insmod /bed/claim.ko || exit 1
place=$(($(frame 0) + 5))
log=$(region 0 bytes_claimed)

asks 'a window' 0 claim a 0 $place 8
asks 'of which somebody uses a page for a moment' 0 refer a 3 5
asks 'it is released' 0 release a
run dmesg
check 'without a word' [ "$(grep -c 'still used by others' /run/stdout)" -eq 0 ]
asks 'and claimed again' 0 claim a 0 $place 8

asks 'somebody uses one of its pages and keeps it' 0 refer a 3 0
asks 'and another' 0 refer a 4 0
asks 'it is released all the same' 0 release a
run dmesg
check 'the kernel is told which' \
	prints 0 "2 of the 8 pages at frame $(printf '0x%x' $place) that are given back are still used by others"
check 'it counts as given back' [ "$(region 0 bytes_claimed)" -eq "$log" ]
asks 'the others of its pages can be claimed' 0 claim b 0 $place 3
asks 'these cannot' 'Device or resource busy' claim c 0 $((place + 3)) 2
asks 'when they are let go of' 0 drop
asks 'they can' 0 claim c 0 $((place + 3)) 2
rmmod claim
works 'the module unloads' rmmod assay
echo "1..$check_number"
exit $check_failed
