#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest of tests/e2e/test_cut.sh: judges what the boot before has left, if it is told what
# that must be, and appends until it is cut off.
insmod /bed/assay.ko || exit 1
# shellcheck disable=SC2046 # a number, a value and perhaps another number, or nothing
exec /bed/bin/cut append $(sed -n 's/.*cut_after=\([0-9]*\),\([0-9a-f]*\),\([0-9]*\).*/\1 \2 \3/p' /proc/cmdline)
