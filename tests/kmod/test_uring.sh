#!/bin/sh
# SPDX-License-Identifier: MIT
# MEASURE and APPEND through io_uring.
# guest: --region auto --tpm new --tpm-proxy --smp 2
# flavours: 64k 7.3 6.1 debug amd64
exec /bed/bin/uring
