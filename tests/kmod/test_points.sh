#!/bin/sh
# SPDX-License-Identifier: MIT
# Scheduling points, on a kernel that has no others; see points.c. Time is instructions here.
# guest: --region static:0x50130000:0x4000000:0x20000:48M --tpm new --instructions
# flavours: 64k
exec /bed/bin/points
