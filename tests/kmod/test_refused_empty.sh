#!/bin/sh
# SPDX-License-Identifier: MIT
# A window of no bytes.
# guest: --region cma:0x80000000:512M:0x100000:0 --file tests/kmod/refused.sh=/bed/refused.sh
# flavours: 64k
. /bed/refused.sh
refused 'Invalid argument' \
	'has size 0; give the log at least 131072 bytes'
