#!/bin/sh
# SPDX-License-Identifier: MIT
# A linear map made of blocks: the module refuses, and says what to boot with; told to go
# on all the same it does, and says everywhere that the log is not protected.
# guest: --region auto --tpm new --append rodata=$([ $flavour = 7.3 ] && echo noalias || echo on)
# guest: --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k 7.3
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

# What makes it of pages was called "full" before 6.18.
case $(uname -r) in
7.*) word=on ;;
*) word=full ;;
esac
before=$(cma_free)
error=$(insmod /bed/assay.ko 2>&1)
check 'the module does not load' [ ! -e /sys/module/assay ]
check 'insmod says: not supported' [ "${error##*: }" = 'Operation not supported' ]
check 'the kernel log says what to do' kernel_says "boot with rodata=$word"
insmod /bed/assay.ko allow_unprotected=1
check 'the refusals have taken no page: all but the window is free' \
	eventually cma_has $((before - 1024))
check 'with allow_unprotected it loads, and says none' \
	grep -q "^none (.*boot with rodata=$word)" /sys/class/misc/assay/memory/protection
insmod /bed/scribble.ko
log_page=$(sed -n '/ log /s/ .*//p' /sys/kernel/debug/assay/pages | sed -n 2p)
check 'a write to the log does not fault' [ "$(scribble "$log_page")" = 0 ]
pools_work
check 'it unloads' rmmod assay
insmod /bed/assay.ko allow_unprotected=1
check 'unloading has given all pages back' eventually cma_has $((before - 1024))
echo "1..$check_number"
exit $check_failed
