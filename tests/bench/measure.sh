#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-measure: what measuring 2000 small files with fs-verity costs, on top of
# opening and reading them: IMA, one record and one TPM extend a file
# (digest_type=verity), against assay, one call for all. Each way's time is the least of
# five runs in one guest, as all that disturbs a run adds to it; ours and peer are what is
# added to the plain way's. What assay adds is less than reading varies by, so it is
# counted as no less than the call itself took. ratio = IMA's over assay's.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-measure.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=${BENCH_OUT:-build/bench}/measure
count=${COUNT:-2000} runs=${RUNS:-5}

# 2 to 8 KiB a file, all different.
# shellcheck disable=SC2046 # numbers, as words
for run in plain $(seq "$runs"); do
	mkdir -p "$work/root/bench/$run"
	awk -v count="$count" -v run="$run" -v dir="$work/root/bench/$run" 'BEGIN {
		for (i = 0; i < count; i++) {
			file = dir "/" i
			for (line = 0; line < 64 + i % 192; line++)
				printf "%8s %08d %08d .....\n", run, i, line > file
			close(file)
		}
	}'
done
mkdir -p "$work/root/dev" "$work/root/proc" "$work/root/sys" "$work/root/tmp" "$work/root/run" \
	"$work/root/out"
install -m 755 build/guest/measure tests/bench/measure-guest.sh "$work/root/bench/"
cp build/kmod/64k/assay.ko "$work/root/bench/"
mke2fs -q -t ext4 -b 4096 -N 16384 -O verity -E root_owner=0:0 -d "$work/root" "$work/disk.img" 256M

qemu/run-guest --flavour 64k --memory 4G --tpm new \
	--region cma:0x80000000:512M:0:8M --disk "$work/disk.img" \
	--root-disk /dev/vda --append "bench_count=$count bench_runs=$runs" --init-path /bench/measure-guest.sh --timeout 400 --out "$out"

grep -E '^# [0-9] (plain|assay|ima) ' "$out/result.tap" |
	jq -R -s --argjson count "$count" '
	[split("\n")[] | select(. != "") | split(" ") | {way: .[2], ns: (.[3] | tonumber),
		call: (.[4] | tonumber), extends: (.[5] | tonumber)}]
	| group_by(.way) | map({(.[0].way): {ns: (map(.ns) | min), call: (map(.call) | min),
		extends: (map(.extends) | max), runs: length}}) | add
	| (.ima.ns - .plain.ns) as $ima | ([.assay.ns - .plain.ns, .assay.call] | max) as $assay
	| {name: "measure", ours: ($assay / 1e6), peer: ($ima / 1e6), ratio: ($ima / $assay),
	   unit: "ms added to opening and reading \($count) files", runs: .ima.runs,
	   plain: (.plain.ns / 1e6), with_ours: (.assay.ns / 1e6), with_peer: (.ima.ns / 1e6),
	   extends: {plain: .plain.extends, ours: .assay.extends, peer: .ima.extends}}' >"$work/result.json"
jq -r '"plain:      \(.plain | round) ms, \(.extends.plain) extends\nwith IMA:   \(.with_peer | round) ms, \(.peer | round) ms added, \(.extends.peer) extends\nwith assay: \(.with_ours | round) ms, \(.ours | round) ms added, \(.extends.ours) extend"' "$work/result.json"
jq -c . "$work/result.json"
