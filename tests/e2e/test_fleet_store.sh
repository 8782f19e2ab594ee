#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/unit/test_fleet_store.c, test_fleet_silence.c and test_fleet_history.c once more, on a PostgreSQL.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
. tests/postgres.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-fleet-store.XXXXXX")
trap 'postgres_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
postgres_start "$work/postgres" fsync=off >&2 || { echo 'Bail out! PostgreSQL does not start'; exit 1; }
export FLEET_DATABASE="$postgres_url" ASAN_OPTIONS=detect_leaks=1 CMOCKA_MESSAGE_OUTPUT=TAP
failed=0
# The last has schemas of its own.
for program in test_fleet_store test_fleet_silence test_fleet_history; do
	build/unit/$program || failed=1
done
exit "$failed"
