#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-memory: kernel memory an entry, of 100,000: what IMA's list adds to the kernel's
# unreclaimable slab, against what the same entries are in assay's log and add to that slab.
# ratio = IMA's bytes over assay's.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

out=${BENCH_OUT:-build/bench}/entries
tests/bench/boot-entries "$out"
grep -E '^# memory ' "$out/result.tap" | jq -R -s -c '
	[split("\n")[] | select(. != "") | split(" ") | {(.[2]): {bytes: (.[3] | tonumber),
		entries: (.[4] | tonumber)}}] | add
	| (.assay.bytes / .assay.entries) as $assay | (.ima.bytes / .ima.entries) as $ima
	| {name: "memory", ours: $assay, peer: $ima, ratio: ($ima / $assay),
	   unit: "bytes of kernel memory an entry", runs: 1, entries: .ima.entries}' >"$out/memory.json"
jq -r '"IMA:   \(.peer | round) bytes an entry\nassay: \(.ours | round) bytes an entry, of \(.entries)"' "$out/memory.json"
cat "$out/memory.json"
