#!/bin/sh
# SPDX-License-Identifier: MIT
# Where the pages of a log in unmapped memory cannot be mapped for a record, nothing is written, and the next
# one is; on the kernel that checks itself, which says nothing to the mappings that come and go.
# guest: --region nomap:0x50130000:0x180000:0x20000:256K --tpm new --timeout 120
# flavours: debug
insmod /bed/scribble.ko || exit 1
exec /bed/bin/faults map
