#!/bin/sh
# SPDX-License-Identifier: MIT
# A region that is not made of whole pageblocks: the kernel hands it back as RAM.
# guest: --memory 2G --region cma:0x90100000:1M --file tests/kmod/refused.sh=/bed/refused.sh
# flavours: 64k 7.3 16k
. /bed/refused.sh
refused 'Invalid argument' \
	'("incorrect alignment of CMA region") and handed it back as ordinary RAM'
