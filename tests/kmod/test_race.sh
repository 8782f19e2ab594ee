#!/bin/sh
# SPDX-License-Identifier: MIT
# Several callers and a reader at once, on two processors.
# guest: --region auto --tpm new --smp 2
# flavours: 64k 7.3
/bed/bin/insmod /bed/assay.ko || exit 1
/bed/bin/race
status=$?
rmmod assay || exit 1
exit $status
