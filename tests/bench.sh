#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/bench.sh NAME: runs the benchmark tests/bench/NAME.sh, shows what it says, and
# keeps its last line in build/bench/NAME.json if that is a result: one JSON object
# with name, ours, peer, ratio, unit and runs. Started by `make bench-NAME`.
set -eu
cd "$(dirname "$0")/.."

name=${1:?usage: tests/bench.sh NAME}
out=build/bench/$name.json
mkdir -p build/bench
rm -f "$out"
status=0
{ "tests/bench/$name.sh" || echo $? >"build/bench/$name.status"; } | tee "build/bench/$name.log"
if [ -e "build/bench/$name.status" ]; then
	status=$(cat "build/bench/$name.status")
	rm "build/bench/$name.status"
	echo "tests/bench.sh: $name failed (status $status)" >&2
	exit 1
fi
tail -n 1 "build/bench/$name.log" >"$out.new"
jq -e '.name and (.ours | numbers) and (.peer | numbers) and (.ratio | numbers) and .unit and .runs' \
	"$out.new" >/dev/null 2>&1 || {
	echo "tests/bench.sh: the last line of $name is not a result: $(cat "$out.new")" >&2
	exit 1
}
mv "$out.new" "$out"
