#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-seal: making 1, 16, 256 and 4096 pages read-only, and looking whether they are: as a
# pmalloc pool, which changes all entries and flushes once, against a page at a time with a
# flush each, done with the same code. 4K pages, where a block of the linear map has most of
# them, two processors; the median of the runs in one guest. ratio = single over batch, for
# 256 pages.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-seal.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=${BENCH_OUT:-build/bench}/seal

qemu/run-guest --flavour 4k --memory 1G --smp 2 --region cma:0x60000000:64M:0:1M \
	--file build/kmod/4k/assay.ko --file build/kmod/4k/seal.ko --append "init_on_alloc=0 bench_runs=${RUNS:-9}" \
	--init tests/bench/seal-guest.sh --timeout 300 --out "$out" >"$work/guest.log" ||
	{ cat "$work/guest.log"; exit 1; }

grep -E '^# [0-9]' "$out/result.tap" | jq -R -s '
	def median: sort | if length % 2 == 1 then .[length / 2 | floor]
		else (.[length / 2 - 1] + .[length / 2]) / 2 end;
	[split("\n")[] | select(. != "") | split(" ")[1:] | map(tonumber)]
	| group_by(.[0]) | map({pages: .[0][0], runs: length, batch: (map(.[2]) | median / 1000),
		batch_flushes: (map(.[3]) | max), single: (map(.[4]) | median / 1000),
		single_flushes: (map(.[5]) | max), ratio: ((map(.[4]) | median) / (map(.[2]) | median))})' \
	>"$work/result.json"
printf '%6s %14s %8s %14s %8s %7s\n' pages 'batch (us)' flushes 'single (us)' flushes ratio
jq -r '.[] | [.pages, .batch, .batch_flushes, .single, .single_flushes, .ratio] | @tsv' "$work/result.json" |
	awk '{ printf "%6d %14.1f %8d %14.1f %8d %7.2f\n", $1, $2, $3, $4, $5, $6 }'
jq -c '(.[] | select(.pages == 256)) as $main | {name: "seal", ours: $main.batch, peer: $main.single,
	ratio: $main.ratio, unit: "us to protect 256 pages, median", runs: $main.runs,
	flushes: (map({key: (.pages | tostring), value: {ours: .batch_flushes, peer: .single_flushes}}) | from_entries),
	ratios: (map({key: (.pages | tostring), value: .ratio}) | from_entries)}' "$work/result.json"
