#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-group-commit: 8 threads measure one file each in a loop, with a TPM that takes 5 ms
# for an extend (held back between QEMU and swtpm): files per second when calls that come
# together share a record and an extend, against one extend a call (group=1). The median of
# five runs in one guest. ratio = with group commit over without. And with group commit and the PCR
# read back after each record (verify=each), or never, against the default, a second.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-group-commit.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=${BENCH_OUT:-build/bench}/group-commit

mke2fs -q -t ext4 -b 4096 -O verity "$work/disk.img" 16M >/dev/null
qemu/run-guest --flavour 64k --smp 2 --region auto --tpm new --tpm-proxy --disk "$work/disk.img" \
	--file build/kmod/64k/assay.ko --file build/guest/measure --file build/guest/group-commit \
	--append "bench_calls=${CALLS:-60} bench_runs=${RUNS:-5}" --init tests/bench/group-commit-guest.sh --timeout 300 --out "$out" >"$work/guest.log" ||
	{ cat "$work/guest.log"; exit 1; }

grep -E '^# [0-9]' "$out/result.tap" | jq -R -s '
	def median: sort | if length % 2 == 1 then .[length / 2 | floor]
		else (.[length / 2 - 1] + .[length / 2]) / 2 end;
	[split("\n")[] | select(. != "") | split(" ") | {way: .[2], rate: ((.[4] | tonumber) * 1e9 / (.[3] | tonumber)),
		share: ((.[4] | tonumber) / (.[5] | tonumber))}]
	| group_by(.way) | map({(.[0].way): {rate: (map(.rate) | median), share: (map(.share) | median), runs: length}}) | add
	| {name: "group-commit", ours: .group.rate, peer: .alone.rate, ratio: (.group.rate / .alone.rate),
	   unit: "files a second, 8 threads, 5 ms an extend, median", runs: .group.runs,
	   files_a_record: {ours: .group.share, peer: .alone.share},
	   verify: {each: .each.rate, second: .group.rate, never: .never.rate}}' >"$work/result.json"
jq -r '"with group commit: \(.ours | round) files a second, \(.files_a_record.ours * 10 | round / 10) a record\none extend a call: \(.peer | round) files a second\nratio: \(.ratio * 10 | round / 10)\nthe PCR read back after each record: \(.verify.each | round), never: \(.verify.never | round) files a second"' "$work/result.json"
jq -c . "$work/result.json"
