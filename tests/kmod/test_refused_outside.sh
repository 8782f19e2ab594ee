#!/bin/sh
# SPDX-License-Identifier: MIT
# A window that begins inside the region and ends outside.
# guest: --region cma:0x80000000:512M:0x1ff80000:1M --file tests/kmod/refused.sh=/bed/refused.sh
# flavours: 64k
. /bed/refused.sh
refused 'Invalid argument' \
	'assay,window 0x1ff80000 + 0x100000 lies outside the region'
