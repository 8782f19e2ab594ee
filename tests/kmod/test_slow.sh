#!/bin/sh
# SPDX-License-Identifier: MIT
# No reader, however slow, is waited for; see slow.c. Here chance has to meet the
# moment; test_pin.sh holds a reader up at the worst one. The kernel tells of readers that it kills
# for want of memory with a call trace.
# guest: --region auto --tpm new --smp 2 --timeout 120 --expect '[Cc]all trace'
# flavours: 4k
mkdir -p /tmp
exec /bed/bin/slow
