#!/bin/sh
# SPDX-License-Identifier: MIT
# A window that is aligned for 4K pages, but not for 64K ones.
# guest: --region cma:0x80000000:512M:0x1000:1M --file tests/kmod/refused.sh=/bed/refused.sh
# flavours: 64k
. /bed/refused.sh
refused 'Invalid argument' \
	'assay,window 0x1000 + 0x100000 is not page aligned'
