#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine without a TPM: the module loads, says so, starts an unanchored log, unloads.
# guest: --region auto
# flavours: 64k 7.3
# shellcheck source=tests/check.sh
. /bed/check.sh

echo 1..5
log=/sys/class/misc/assay/log

check 'the module loads' insmod /bed/assay.ko
check 'it says that there is no TPM' kernel_says 'cannot anchor.*no TPM'
check 'the log has started, unanchored' [ "$(cat $log/records) $(cat $log/anchors)" = '1 0' ]
check 'the last error is ENODEV' [ "$(cat $log/last_error)" = -19 ]
check 'the module unloads' rmmod assay
