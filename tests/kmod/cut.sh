#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest of tests/e2e/test_cut.sh: appends until it is cut off.
insmod /bed/assay.ko || exit 1
exec /bed/bin/cut append
