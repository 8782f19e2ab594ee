#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-read: reading 100,000 entries: IMA's binary_runtime_measurements against assay's
# mapped log with the same entries in the same guest. Entries a second of the best of five
# runs each, and system calls an entry. ratio = assay's entries a second over IMA's.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

out=${BENCH_OUT:-build/bench}/entries
tests/bench/boot-entries "$out"
grep -E '^# [0-9] (ima|assay) ' "$out/result.tap" | jq -R -s -c '
	[split("\n")[] | select(. != "") | split(" ") | {way: .[2], entries: (.[3] | tonumber),
		rate: ((.[3] | tonumber) / (.[4] | tonumber) * 1e9), calls: (.[5] | tonumber),
		sum: .[6]}]
	| if (map([.entries, .sum]) | unique | length) != 1 or .[0].sum == "0" then error("not the same entries") else . end
	| group_by(.way) | map({(.[0].way): (max_by(.rate) + {runs: length})}) | add
	| {name: "read", ours: (.assay.rate | round), peer: (.ima.rate | round),
	   ratio: (.assay.rate / .ima.rate), unit: "entries/s", runs: .ima.runs,
	   entries: .ima.entries, calls: {ours: .assay.calls, peer: .ima.calls},
	   calls_per_entry: {ours: (.assay.calls / .assay.entries), peer: (.ima.calls / .ima.entries)}}' >"$out/read.json"
jq -r '"IMA:   \(.peer) entries/s, \(.calls.peer) system calls\nassay: \(.ours) entries/s, \(.calls.ours) system calls (open, INFO, mmap) for all \(.entries)"' "$out/read.json"
cat "$out/read.json"
