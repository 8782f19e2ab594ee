#!/bin/sh
# SPDX-License-Identifier: MIT
# A region that is not lent to the kernel.
# guest: --memory 2G --region static:0x90000000:2M --file tests/kmod/refused.sh=/bed/refused.sh
# flavours: 64k
. /bed/refused.sh
refused 'Invalid argument' \
	'is not lent to the kernel; it must be compatible "shared-dma-pool"'
