#!/bin/sh
# SPDX-License-Identifier: MIT
# A device tree without our node.
# guest: --region none --file tests/kmod/refused.sh=/bed/refused.sh
# flavours: 64k
. /bed/refused.sh
refused 'No such device' \
	'the device tree has no enabled node compatible "assay,log"'
