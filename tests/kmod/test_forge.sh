#!/bin/sh
# SPDX-License-Identifier: MIT
# Headers in a static region that nothing in the log speaks for, or whose numbers overflow.
# guest: --region static:0x50130000:0x300000:0x20000:1M --tpm new --append cma=0 --timeout 240
# flavours: 64k
insmod /bed/scribble.ko || exit 1
exec /bed/bin/forge
