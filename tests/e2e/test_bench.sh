#!/bin/sh
# SPDX-License-Identifier: MIT
# Each benchmark in its short form: it runs to its end, and its last line is a result. The figures are
# not judged. (bench-fleet in short is e2e/test_fleet_load.)
# limit: 2400
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
touch "$work/started"
export BENCH_STARTED="$work/started" TMPDIR="$work" BENCH_OUT="$work/out" PREBUILT=1 BENCH_TIMEOUT=600

number=0 failed=0
check() { # NAME COMMAND...
	number=$((number + 1)) name=$1
	shift
	if "$@" >"$work/said" 2>&1; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		failed=1
		tail -n 40 "$work/said" | sed 's/^/# /'
	fi
}
# shellcheck disable=SC2317 # called by check
runs_to_its_end() { # NAME VARIABLE=VALUE...
	short_name=$1
	shift
	env "$@" tests/bench.sh "$short_name" &&
		jq -e --arg name "$short_name" '.name == $name and ([.ours, .peer, .ratio] | all(type == "number"))' \
			"$BENCH_OUT/$short_name.json"
}

# What makes each short.
cat >"$work/forms" <<'END'
alias RUNS=1
arm64-sha BLOCKS=64
boot COUNT=20 RUNS=1
check COUNT=100 RUNS=1
claim RUNS=1 WAITS=1 FLAVOUR=4k MEMORY=768M REGION=cma:0x60000000:64M:0x3f00000:1M
digest ROUNDS=1 LARGE=4 COUNT=50
group-commit CALLS=3 RUNS=1
library FILES=50 RUNS=2
measure COUNT=20 RUNS=1
memory COUNT=300
quote ROUNDS=1 RUNS=1 ENTRIES=50
read COUNT=300
seal RUNS=1
sign COUNT=100 RUNS=1 STEPS=20
syscall RUNS=1 KPTI=1
tree ROUNDS=1 COUNT=100 COLD=0 ROOT=/usr/include
verify ROUNDS=1 ENTRIES=1000
windows SHORT=1
END
for script in tests/bench/*.sh; do
	script=$(basename "$script" .sh)
	case $script in
	*-guest) ;;
	fleet) echo fleet ;;
	*) echo "$script" ;;
	esac
done >"$work/all"
{
	cut -d ' ' -f 1 "$work/forms"
	echo fleet
} | sort >"$work/known"
check 'each benchmark has a short form' cmp "$work/all" "$work/known"
while read -r bench form; do
	# shellcheck disable=SC2086 # several variables
	check "bench-$bench" runs_to_its_end "$bench" $form
done <"$work/forms"
echo "1..$number"
exit "$failed"
