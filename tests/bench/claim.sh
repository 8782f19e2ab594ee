#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-claim: how long it takes to get physically contiguous buffers of 1, 16 and 256
# pages, and how many a second can be got and given back: assay's windows, at exact
# addresses, against dma_alloc_pages() of a device that has the same CMA area; with idle
# memory and with memory full of data of others. dma_alloc_pages() clears what it gives;
# so do the windows that it is compared with (clear), and claim is without. 64K pages; in
# one guest, batches of the ways take turns. Times are instructions of the guest, one a
# nanosecond, so that they do not depend on what else the host does. ours, peer: the median of
# the batches' medians for 16 pages (1 MiB) with memory full. A ratio is the peer's over ours in
# one run; ratio is the median of the runs' ratios.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-claim.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=${BENCH_OUT:-build/bench}/claim

flavour=${FLAVOUR:-64k}
qemu/run-guest --flavour "$flavour" --memory "${MEMORY:-4G}" --smp 2 --instructions --append "bench_runs=${RUNS:-6} bench_waits=${WAITS:-100}" --region "${REGION:-cma:0x80000000:512M:0x1ff00000:1M}" \
	--disk "$(tests/kmod/load-disk "$work/disk" ^has_journal)" --file tests/kmod/load.sh=/bed/load.sh \
	--file build/guest/kmod/load=/bed/bin/load --file "build/kmod/$flavour/assay.ko" \
	--file "build/kmod/$flavour/windows.ko" --init tests/bench/claim-guest.sh --timeout "${BENCH_TIMEOUT:-900}" \
	--out "$out" >"$work/guest.log" || { cat "$work/guest.log"; exit 1; }
grep '% of memory free' "$work/guest.log"

grep -E '^# (idle|filled) [0-9]' "$out/result.tap" | jq -R -s '
	def median: sort | if length % 2 == 1 then .[length / 2 | floor]
		else (.[length / 2 - 1] + .[length / 2]) / 2 end;
	[split("\n")[] | select(. != "") | split(" ") | {state: .[1], run: .[2], way: .[3], pages: (.[4] | tonumber),
		n: (.[5:] | map(tonumber))}]
	| . as $batches
	| {ratios: (group_by([.state, .pages]) | map({key: "\(.[0].state) \(.[0].pages)", value: (group_by(.run)
		| map((map(select(.way == "dma"))[0].n[3]) / (map(select(.way == "clear"))[0].n[3])) | sort)})
		| from_entries)}
	+ ($batches | group_by([.state, .pages, .way])
	| map({key: "\(.[0].state) \(.[0].pages) \(.[0].way)", value: {runs: length,
		median: (map(.n[3]) | median / 1e6), p99: (map(.n[4]) | max / 1e6), max: (map(.n[5]) | max / 1e6),
		failed: (map(.n[1]) | add), outside: (map(.n[2]) | add),
		free: (map(.n[8]) | median / 1024),
		per_second: ((map(.n[0]) | add) / ((map(.n[6] + .n[7]) | add) / 1e9))}})
	| from_entries)' >"$work/result.json"

printf '%-7s %5s  %-6s %12s %12s %14s %7s %12s\n' memory pages way 'median (ms)' 'longest (ms)' \
	'a second' 'failed' 'free (MiB)'
jq -r 'del(.ratios) | to_entries[] | (.key | split(" ")) + [.value.median, .value.max, .value.per_second,
	.value.failed + .value.outside, .value.free] | @tsv' "$work/result.json" |
	sort -k1,1r -k2,2n -k3,3 | awk '{ printf "%-7s %5d  %-6s %12.2f %12.2f %14.1f %7d %12d\n", $1, $2, $3, $4, $5, $6, $7, $8 }'
jq -r '.ratios | to_entries[] | "\(.key) pages: dma_alloc_pages() takes \(.value | map(. * 100 | round / 100) | join(", ")) times as long as a window"' \
	"$work/result.json"
jq -c 'def median: sort | if length % 2 == 1 then .[length / 2 | floor]
		else (.[length / 2 - 1] + .[length / 2]) / 2 end;
	. as $all | $all["filled 16 clear"] as $ours | $all["filled 16 dma"] as $peer |
	{name: "claim", ours: $ours.median, peer: $peer.median, ratio: ($all.ratios["filled 16"] | median),
	 unit: "ms for 1 MiB with memory full, median", runs: $ours.runs,
	 ours_per_second: $ours.per_second, peer_per_second: $peer.per_second,
	 ratios: ($all.ratios | map_values(median))}' "$work/result.json"
