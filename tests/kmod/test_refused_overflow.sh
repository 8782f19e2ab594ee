#!/bin/sh
# SPDX-License-Identifier: MIT
# A window whose end does not fit in 64 bits.
# guest: --region cma:0x80000000:512M:-0x100000:0x200000 --file tests/kmod/refused.sh=/bed/refused.sh
# flavours: 64k
. /bed/refused.sh
refused 'Invalid argument' \
	'assay,window 0xfffffffffff00000 + 0x200000 lies outside the region'
