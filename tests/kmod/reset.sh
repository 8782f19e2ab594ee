#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest of tests/e2e/test_reset.sh: keeps what it finds of the boot before, and writes a log.
insmod /bed/assay.ko || exit 1
assay log export --previous --format cel-tlv -o /out/previous 2>/out/previous.error || rm -f /out/previous
/bed/bin/readers || exit 1
assay log export --format cel-tlv -o /out/log || exit 1
