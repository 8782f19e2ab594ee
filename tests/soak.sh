#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/soak.sh: the long form of tests/kmod/test_windows.sh, with what it measured.
# SOAK_ROUNDS rounds (default 10000). Started by `make soak`.
set -eu
cd "$(dirname "$0")/.."

export windows_rounds="${SOAK_ROUNDS:-10000}" windows_timeout=7200 TEST_JOBS=1
name=kmod/test_windows@64k status=0
tests/run.sh "$name" || status=1
grep -h '^#' "build/test/$name/tap" || :
rm -f "build/test/$name/disk" "build/test/$name/disk-journal"
exit $status
