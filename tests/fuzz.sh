#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/fuzz.sh [PATTERN]: runs each fuzz target whose name has PATTERN in it a million times
# (RUNS=), two at a time, from the seeds in tests/data/NAME and what earlier runs found, which is
# kept in build/fuzz-corpus/NAME. An input that breaks a target is left in build/fuzz-found.
# Started by `make fuzz F=PATTERN`, which has built them.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."

runs=${RUNS:-1000000}
found=build/fuzz-found

# one NAME: runs it, and says in one line what came of it
one() {
	corpus=build/fuzz-corpus/$1 log=build/fuzz-corpus/$1.log
	mkdir -p "$corpus" "$found"
	set -- "$1" "$corpus"
	[ ! -d "tests/data/$1" ] || set -- "$@" "tests/data/$1"
	name=$1
	shift
	from=$(date +%s)
	if "build/fuzz/$name" -runs="$runs" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$found/$name-" "$@" >"$log" 2>&1; then
		printf 'ok    %-20s %8d runs, %4d s, %5d inputs kept\n' "$name" \
			"$(sed -n 's/^stat::number_of_executed_units: //p' "$log")" \
			"$(($(date +%s) - from))" "$(find "$corpus" -type f | wc -l)"
	else
		printf 'FAIL  %-20s the end of %s:\n' "$name" "$log"
		tail -n 30 "$log" | sed 's/^/        /'
		exit 1
	fi
}

if [ "${1:-}" = --one ]; then
	one "$2"
	exit 0
fi

pattern=${1:-}
for target in tests/fuzz/fuzz_*.c; do
	name=$(basename "$target" .c)
	# shellcheck disable=SC2254 # it is meant as a pattern
	case $name in
	*$pattern*) echo "$name" ;;
	esac
done | xargs -r -n 1 -P "${TEST_JOBS:-2}" "$0" --one
