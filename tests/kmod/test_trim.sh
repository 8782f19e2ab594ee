#!/bin/sh
# SPDX-License-Identifier: MIT
# Cutting the log and sealing its pages.
# guest: --region auto --tpm new --banks sha1,sha256
# flavours: 64k 7.3 amd64 amd64-6.1
# soak: debug
set -e
/bed/bin/insmod /bed/assay.ko
status=0
/bed/bin/trim || status=1
assay log show >/out/log.txt || { echo "# assay log show: $?"; status=1; }
rmmod assay
exit $status
