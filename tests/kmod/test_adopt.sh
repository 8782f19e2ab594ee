#!/bin/sh
# SPDX-License-Identifier: MIT
# What becomes of a log that a static region has kept.
# guest: --region static:0x50130000:0x300000:0x20000:1M --tpm new --append cma=0 --timeout 120
# flavours: 64k 7.3
# soak: debug
insmod /bed/scribble.ko || exit 1
/bed/bin/adopt
status=$?
rmmod scribble || exit 1
exit $status
