#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-measure: what measuring 2000 small files with fs-verity costs, on top of
# opening and reading them: IMA, one record and one TPM extend a file
# (digest_type=verity), against assay, one call for all. Time is the added time, the
# median of three runs in one guest; ratio = IMA's over assay's. What assay adds is less
# than plain reading varies by, so it is counted as no less than the call itself took.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-measure.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=build/bench/measure
count=2000

# 2 to 8 KiB a file, all different.
for run in 1 2 3; do
	mkdir -p "$work/root/bench/$run"
	awk -v count="$count" -v run="$run" -v dir="$work/root/bench/$run" 'BEGIN {
		for (i = 0; i < count; i++) {
			file = dir "/" i
			for (line = 0; line < 64 + i % 192; line++)
				printf "%08d %08d %08d .....\n", run, i, line > file
			close(file)
		}
	}'
done
mkdir -p "$work/root/dev" "$work/root/proc" "$work/root/sys" "$work/root/tmp" "$work/root/run" \
	"$work/root/out"
install -m 755 build/guest/measure tests/bench/measure-guest.sh "$work/root/bench/"
cp build/kmod/64k/assay.ko "$work/root/bench/"
uuid=$(cat /proc/sys/kernel/random/uuid)
echo "$uuid" >"$work/root/bench/uuid"
mke2fs -q -t ext4 -U "$uuid" -b 4096 -N 16384 -O verity -E root_owner=0:0 -d "$work/root" "$work/disk.img" 256M

qemu/run-guest --flavour 64k --memory 4G --tpm new \
	--region cma:0x80000000:512M:0:8M --disk "$work/disk.img" \
	--root-disk /dev/vda --init-path /bench/measure-guest.sh --timeout 300 --out "$out"

grep -E '^# [0-9] (plain|assay|ima) ' "$out/result.tap" |
	jq -R -s --argjson count "$count" '
	def median: sort | .[length / 2 | floor];
	[split("\n")[] | select(. != "") | split(" ") | {run: .[1], way: .[2], ns: (.[3] | tonumber),
		call: (.[4] | tonumber), extends: (.[5] | tonumber)}] as $all
	| [$all | group_by(.run)[] | group_by(.way) | map({(.[0].way): {ns: (map(.ns) | add / length),
		call: (map(.call) | add / length), extends: (map(.extends) | max)}}) | add] as $runs
	| ($runs | map(.ima.ns - .plain.ns) | median) as $ima
	| ($runs | map([.assay.ns - .plain.ns, .assay.call] | max) | median) as $assay
	| {name: "measure", ours: ($assay / 1e6), peer: ($ima / 1e6), ratio: ($ima / $assay),
	   unit: "ms added to opening and reading \($count) files", runs: ($runs | length),
	   plain: ($runs | map(.plain.ns) | median / 1e6), with_ours: ($runs | map(.assay.ns) | median / 1e6),
	   with_peer: ($runs | map(.ima.ns) | median / 1e6),
	   extends: {plain: ($runs | map(.plain.extends) | max), ours: ($runs | map(.assay.extends) | max),
		     peer: ($runs | map(.ima.extends) | max)}}' >"$work/result.json"
jq -r '"plain:      \(.plain | round) ms, \(.extends.plain) extends\nwith IMA:   \(.with_peer | round) ms, \(.peer | round) ms added, \(.extends.peer) extends\nwith assay: \(.with_ours | round) ms, \(.ours | round) ms added, \(.extends.ours) extend"' "$work/result.json"
jq -c . "$work/result.json"
