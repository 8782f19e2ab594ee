#!/bin/sh
# SPDX-License-Identifier: MIT
# `make demo-fleet` ends well, with what it is to show.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
echo 1..2
# With guests: test_fleet_guests.
said=$(GUESTS=0 INTERVAL=300 tests/e2e/demo-fleet.sh </dev/null)
status=$?
echo "$said" | sed 's/^/# /'
[ "$status" -eq 0 ] || printf 'not '
echo 'ok 1 - the demonstration ends well'
echo "$said" | grep -q 'of 201 devices one is not trusted, and why: ima-files-known: /usr/bin/evil' || printf 'not '
echo 'ok 2 - the one that was tampered with is found among 201'
