#!/bin/sh
# SPDX-License-Identifier: MIT
# No references to the log's pages, and no reader that is waited for; see pin.c.
# guest: --region auto --tpm new --smp 2 --disk $(truncate -s 1M $directory/disk && echo $directory/disk)
# flavours: 7.3
insmod /bed/hold.ko || exit 1
exec /bed/bin/pin /dev/vda
