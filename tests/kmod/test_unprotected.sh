#!/bin/sh
# SPDX-License-Identifier: MIT
# A linear map made of blocks: the module refuses, and says what to boot with; told to go
# on all the same it does, and says everywhere that the log is not protected.
# guest: --region auto --tpm new --append rodata=$([ $flavour = 7.3 ] && echo noalias || echo on)
# flavours: 64k 7.3
# shellcheck source=tests/check.sh
. /bed/check.sh

echo 1..9
# What makes it of pages was called "full" before 6.18.
case $(uname -r) in
7.*) word=on ;;
*) word=full ;;
esac
before=$(cma_free)
error=$(insmod /bed/assay.ko 2>&1)
check 'the module does not load' [ ! -e /sys/module/assay ]
check 'insmod says: not supported' [ "${error##*: }" = 'Operation not supported' ]
check 'the kernel log says what to do' sh -c "dmesg | grep -q 'boot with rodata=$word'"
insmod /bed/assay.ko allow_unprotected=1
check 'the refusals have taken no page: all but the window is free' \
	eventually cma_has $((before - 1024))
check 'with allow_unprotected it loads, and says none' \
	grep -q "^none (.*boot with rodata=$word)" /sys/class/misc/assay/memory/protection
insmod /bed/scribble.ko
frame=$(sed -n '/ log /s/ .*//p' /sys/kernel/debug/assay/pages | sed -n 2p)
page=$(($(sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p;T;q' /proc/self/smaps) * 1024))
echo "$((frame * page))" >/sys/module/scribble/parameters/address
check 'a write to the log does not fault' [ "$(cat /sys/module/scribble/parameters/result)" = 0 ]
insmod /bed/pools.ko
failed=0
for mode in 0 1 2 3 4; do
	echo "$mode 3" >/sys/kernel/debug/pools/cycle || failed=$((failed + 1))
done
check "pools work, in each mode" [ $failed -eq 0 ]
rmmod pools
check 'it unloads' rmmod assay
insmod /bed/assay.ko allow_unprotected=1
check 'unloading has given all pages back' eventually cma_has $((before - 1024))
