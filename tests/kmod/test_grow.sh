#!/bin/sh
# SPDX-License-Identifier: MIT
# The log grows chunk by chunk up to its window's limit, and what readers see of that.
# guest: --region auto --tpm new
# flavours: 64k 7.3
# soak: debug
set -e
/bed/bin/insmod /bed/assay.ko
status=0
/bed/bin/grow || status=1
rmmod assay
exit $status
