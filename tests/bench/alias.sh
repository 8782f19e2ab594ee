#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-alias: an append of 512 bytes to a log in memory that the kernel does not map, which is
# mapped for each record and unmapped again, against one in the linear map, whose entries are
# changed and changed back. Without a TPM, which would take most of the time; two processors;
# the median of the runs in one guest, which take turns. ratio = linear map over alias.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-alias.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=${BENCH_OUT:-build/bench}/alias

qemu/run-guest --flavour 4k --memory 1G --smp 2 --overlay tests/bench/alias.dts \
	--append "movablecore=256M bench_runs=${RUNS:-7}" --file build/kmod/4k/assay.ko --file build/guest/alias \
	--init tests/bench/alias-guest.sh --timeout 300 --out "$out" >"$work/guest.log" ||
	{ cat "$work/guest.log"; exit 1; }

sed -n 's/^# \(alias\|full\) \([0-9]*\)$/\1 \2/p' "$out/result.tap" | jq -R -s '
	def median: sort | if length % 2 == 1 then .[length / 2 | floor]
		else (.[length / 2 - 1] + .[length / 2]) / 2 end;
	[split("\n")[] | select(. != "") | split(" ") | {way: .[0], us: ((.[1] | tonumber) / 1000)}]
	| group_by(.way) | map({key: .[0].way, value: {runs: length, us: (map(.us) | median)}}) | from_entries
	| {name: "alias", ours: .alias.us, peer: .full.us, ratio: (.full.us / .alias.us),
	   unit: "us an append of 512 bytes without a TPM, median", runs: .alias.runs}' >"$work/result.json"
jq -r '"alias \(.ours) us, linear map \(.peer) us, ratio \(.ratio)"' "$work/result.json"
jq -c . "$work/result.json"
