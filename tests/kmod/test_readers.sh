#!/bin/sh
# SPDX-License-Identifier: MIT
# Reading the log by read(), poll(), lseek() and the mapping: bytes, errors, waiting, waking.
# guest: --region auto --tpm new --smp 2
# flavours: 64k 7.3 amd64
# soak: debug
set -e
/bed/bin/insmod /bed/assay.ko
status=0
/bed/bin/readers || status=1
rmmod assay
exit $status
