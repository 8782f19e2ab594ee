#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest of tests/e2e/test_orders.sh: a log, and all that is written to it.
insmod /bed/scribble.ko || exit 1
insmod /bed/assay.ko || exit 1
exec /bed/bin/cut trace "$(sed -n 's/.*trace_rounds=\([0-9]*\).*/\1/p' /proc/cmdline)"
