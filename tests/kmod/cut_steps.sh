#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest of tests/e2e/test_cut_steps.sh: a log, and some calls of each kind.
insmod /bed/assay.ko || exit 1
exec /bed/bin/cut steps
