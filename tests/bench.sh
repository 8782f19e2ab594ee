#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/bench.sh NAME: runs the benchmark tests/bench/NAME.sh, shows what it says, and
# keeps its last line in build/bench/NAME.json if that is a result: one JSON object
# with name, ours, peer, ratio, unit and runs. Started by `make bench-NAME`. With BENCH_OUT all of
# it is below that directory.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/tests/programs:$PATH

name=${1:?usage: tests/bench.sh NAME}
directory=${BENCH_OUT:-build/bench}
out=$directory/$name.json
mkdir -p "$directory"
rm -f "$out"
from=$(date +%s)
status=0
{ "tests/bench/$name.sh" || echo $? >"$directory/$name.status"; } | tee "$directory/$name.log"
if [ -e "$directory/$name.status" ]; then
	status=$(cat "$directory/$name.status")
	rm "$directory/$name.status"
	echo "tests/bench.sh: $name failed (status $status)" >&2
	exit 1
fi
tail -n 1 "$directory/$name.log" >"$out.new"
jq -e '.name and (.ours | numbers) and (.peer | numbers) and (.ratio | numbers) and .unit and .runs' \
	"$out.new" >/dev/null 2>&1 || {
	echo "tests/bench.sh: the last line of $name is not a result: $(cat "$out.new")" >&2
	exit 1
}
jq -c --argjson seconds $(($(date +%s) - from)) '. + {took_seconds: $seconds}' "$out.new" >"$out"
rm "$out.new"
