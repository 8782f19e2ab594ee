#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine without a device tree, as servers are: region=auto finds a range in the default
# CMA area or in zone Movable, says what it took, and the log works there. On x86-64, where
# such memory cannot be protected, it is refused unless that is allowed.
# guest: $(case $flavour in amd64) echo --append movablecore=256M ;; *) echo --firmware uefi ;; esac)
# guest: $(case $flavour:$parameters in 4k:) echo --append cma=64M ;; esac)
# guest: --tpm new --smp 2 --timeout 120 --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 4k amd64
# also: 4k cma=0 movablecore=256M
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

kind=cma where='the default CMA area' allow='' protection=full
if grep -q movablecore= /proc/cmdline; then
	kind=movable where='zone Movable'
fi
if [ "$(uname -m)" = x86_64 ]; then
	allow=allow_unprotected=1 protection='none (the linear map can be changed on arm64 only.*)'
fi

says() { # SENTENCE: the kernel's log, since it was last cleared
	run dmesg
	prints 0 "$1"
}

refused() { # SENTENCE PARAMETER...
	refused_sentence=$1
	shift
	dmesg -c >/dev/null
	run insmod /bed/assay.ko "$@"
	check "'$*' is refused" [ "$status" -ne 0 ]
	check "with: $refused_sentence" says "$refused_sentence"
}

check 'there is no device tree' [ ! -e /proc/device-tree ]
check 'ACPI has the TPM' [ -e /sys/bus/acpi/devices/MSFT0101:00 ]
if [ -n "$allow" ]; then
	refused 'cannot protect memory: the linear map can be changed on arm64 only' region=auto
	refused "region=auto:512M: 524288 KiB are not to be had .*or, for a log that can be protected here, with memmap=SIZE" region=auto:512M $allow
else
	refused "region=auto:512M: 524288 KiB are not to be had .*boot with cma=SIZE or movablecore=SIZE" region=auto:512M
fi
refused 'SIZE must be a multiple of' region=auto:1000 $allow
refused 'SIZE must be a multiple of' region=auto:lots $allow
refused 'give region=auto' $allow

dmesg -c >/dev/null
works 'region=auto is taken' insmod /bed/assay.ko region=auto,auto:4M $allow
check 'it says what it took, and where' says "region=auto: found 0x[0-9a-f]* + 0x1000000 in $where"
check 'the region is that' says "region 0: $kind, $(printf '0x%x' "$(region 0 base)") + 0x1000000"
check 'sysfs says the same' [ "$(region 0 kind) $(region 0 bytes_reserved)" = "$kind 16777216" ]
check 'a second one is elsewhere' [ "$(region 1 kind) $(region 1 bytes_reserved)" = "$kind 4194304" ]
check "the log's protection is told" grep -qx "$protection" $memory/protection
check 'START is anchored' grep -qx 1 /sys/class/misc/assay/log/anchors
run /bed/bin/race
check 'four threads write to the log, and it explains the PCR' told 0
works 'assay log show reads it' assay log show
works 'the module unloads' rmmod assay
works 'and loads again' insmod /bed/assay.ko region=auto $allow
rmmod assay
echo "1..$check_number"
exit $check_failed
