#!/bin/sh
# SPDX-License-Identifier: MIT
# A window with a page for the header and none for records.
# guest: --region cma:0x80000000:512M:0x100000:64K --file tests/kmod/refused.sh=/bed/refused.sh
# flavours: 64k
. /bed/refused.sh
refused 'Invalid argument' \
	'has no room for a log; give it at least 131072'
