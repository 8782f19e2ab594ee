#!/bin/sh
# SPDX-License-Identifier: MIT
# The log in a static region that is no multiple of a pageblock: it works as in any other,
# goes on where it was left, and nothing of the region is lent.
# guest: --region static:0x50130000:0x180000:0x20000:1M --tpm new --append cma=0
# guest: --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k 7.3 16k
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

works 'the module loads' insmod /bed/assay.ko
check 'its kind is static' [ "$(cat $memory/kind) $(region 0 kind)" = 'static static' ]
check 'idle memory is held' [ "$(region 0 lending) $(cat $memory/bytes_lent)" = 'none (held) 0' ]
check 'the log is protected' grep -qx full $memory/protection
check 'START is anchored' grep -qx 1 /sys/class/misc/assay/log/anchors
check 'the other pages are held' grep -q "^$(printf '0x%x' "$(frame 0)") held" /sys/kernel/debug/assay/pages
insmod /bed/scribble.ko
log=$(($(frame 0) + 0x20000 / page))
# One of them is the last page of the window.
claimed=$(($(cat $memory/bytes_claimed) / page - 1))
check 'a write to the log faults' [ "$(scribble $log) $(scribble $((log + claimed - 1)))" = '-14 -14' ]
check 'a write beside it does not' [ "$(scribble $((log - 1))) $(scribble $((log + claimed)))" = '0 0' ]
works 'the module unloads' rmmod assay
check 'then a write does not fault' [ "$(scribble $log)" = 0 ]

# The log that was left there goes on, as after kexec.
insmod /bed/assay.ko
insmod /bed/claim.ko
ask claim rest 0 $((log + (1 << 20) / page)) 4
check 'the rest can be claimed' [ "$result" = 0 ]
check 'the log goes on: START, KEXEC' [ "$(cat /sys/class/misc/assay/log/records)" = 2 ]
works 'assay log show reads it' assay log show
rmmod claim
works 'each record is by the key that the one before commits to' /bed/bin/chain log
secret=$((log + (1 << 20) / page - 1))
check 'the last page of the window is for the seed' \
	grep -q "^$(printf '0x%x' $secret) secret " /sys/kernel/debug/assay/pages
check 'a write to it faults' [ "$(scribble $secret)" = -14 ]
works 'the module unloads again' rmmod assay

# Somebody has changed the seed, or the log is another's: it is not this module's any more.
echo 0x6e6f206b65792068 >/sys/module/scribble/parameters/value
check 'the seed is changed' [ "$(scribble $secret)" = 0 ]
dmesg -c >/dev/null
works 'the module loads' insmod /bed/assay.ko
check 'the log does not go on' [ "$(cat /sys/class/misc/assay/log/records)" = 1 ]
check 'which the kernel log says' kernel_says 'the seed of its keys is not there'
works 'what was there is kept' assay log show --previous
works 'the new log has other keys' /bed/bin/chain log
rmmod scribble
rmmod assay
echo "1..$check_number"
