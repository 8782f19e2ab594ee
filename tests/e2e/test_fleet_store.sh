#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/unit/test_fleet_store.c once more, on a PostgreSQL.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
. tests/postgres.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-fleet-store.XXXXXX")
trap 'postgres_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
postgres_start "$work/postgres" >&2 || { echo 'Bail out! PostgreSQL does not start'; exit 1; }
FLEET_DATABASE=$postgres_url ASAN_OPTIONS=detect_leaks=1 CMOCKA_MESSAGE_OUTPUT=TAP build/unit/test_fleet_store
