#!/bin/sh
# SPDX-License-Identifier: MIT
# The sample module: its configuration cannot be changed but through the one file that is meant to,
# and what is not a configuration is refused.
# guest: --region auto --tpm new --timeout 60
# flavours: 4k 7.3 6.1
# shellcheck source=tests/check.sh
. /bed/check.sh
echo 1..14
sample=/sys/kernel/protected_config
insmod /bed/assay.ko stock=1
insmod /bed/scribble.ko
check 'it loads' insmod /bed/protected_config.ko allow=eth0,can0 limit=7
check 'names and limit are those given' [ "$(cat $sample/allow) $(cat $sample/limit)" = 'eth0 can0 7' ]
frame=$(sed -n '/ pool-/{s/ .*//p;q}' /sys/kernel/debug/assay/pages)
page=$(($(sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p;T;q' /proc/self/smaps) * 1024))
echo $((frame * page)) >/sys/module/scribble/parameters/address
check 'a stray write to it faults' [ "$(cat /sys/module/scribble/parameters/result)" = -14 ]
check 'the limit can be changed' sh -c "echo 0x10 >$sample/limit"
check 'it is' [ "$(cat $sample/limit)" = 16 ]
check 'not to nonsense' sh -c "! echo many 2>/dev/null >$sample/limit"
check 'nor to more than fits' sh -c "! echo 4294967296 2>/dev/null >$sample/limit"
check 'it is as before' [ "$(cat $sample/allow) $(cat $sample/limit)" = 'eth0 can0 16' ]
echo $((frame * page)) >/sys/module/scribble/parameters/address
check 'a stray write to it still faults' [ "$(cat /sys/module/scribble/parameters/result)" = -14 ]
check 'it is removed' rmmod protected_config
check 'an empty name is refused' sh -c '! insmod /bed/protected_config.ko allow=a,,b 2>/dev/null'
many=$(seq 65 | tr '\n' ,)
check 'and more than 64' sh -c "! insmod /bed/protected_config.ko allow=${many%,} 2>/dev/null"
check 'no names are no error' sh -c "insmod /bed/protected_config.ko && [ \"\$(cat $sample/allow)\" = '' ]"
check 'all is removed' sh -c 'rmmod protected_config && rmmod assay'
