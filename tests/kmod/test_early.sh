#!/bin/sh
# SPDX-License-Identifier: MIT
# Loading fails while somebody waits for /dev/assay; see early.c. (6.1 goes on where
# a link of the driver cannot be made.)
# guest: --region auto --tpm new --smp 2
# flavours: 64k
# soak: debug
insmod /bed/spoil.ko || exit 1
exec /bed/bin/early
