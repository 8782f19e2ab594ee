#!/bin/sh
# SPDX-License-Identifier: MIT
# A log that is exchanged between being looked at and being protected; see swap.c.
# guest: --region static:0x50130000:0x300000:0x20000:1M --tpm new --append cma=0 --smp 2
# flavours: 64k
insmod /bed/scribble.ko || exit 1
insmod /bed/hold.ko || exit 1
exec /bed/bin/swap
