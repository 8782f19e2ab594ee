#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-measure: what measuring 2000 small files with fs-verity costs, on top of
# opening and reading them: IMA, one record and one TPM extend a file
# (digest_type=verity), against assay, one call for all. Time is the added time, the
# median of three runs in one guest; ratio = IMA's over assay's.
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
mke2fs -q -t ext4 -b 4096 -N 16384 -O verity -E root_owner=0:0 -d "$work/root" "$work/disk.img" 256M

qemu/run-guest --flavour 64k --memory 4G --tpm new --region auto --disk "$work/disk.img" \
	--root-disk /dev/vda --init-path /bench/measure-guest.sh --timeout 300 --out "$out"

sed -n 's/^# \([0-9]\) \([a-z]*\) \([0-9]*\) \([0-9]*\)$/\1 \2 \3 \4/p' "$out/result.tap" |
	jq -R -s --argjson count "$count" '
	def median: sort | .[length / 2 | floor];
	def ms: . / 1e6 | round / 1;
	[split("\n")[] | select(. != "") | split(" ") |
		{run: .[0], way: .[1], ns: (.[2] | tonumber), extends: (.[3] | tonumber)}] as $all
	| [$all | group_by(.run)[] | map({(.way): .}) | add] as $runs
	| ($runs | map(.ima.ns - .plain.ns) | median) as $ima
	| ($runs | map(.assay.ns - .plain.ns) | median) as $assay
	| {name: "measure", ours: ($assay / 1e6), peer: ($ima / 1e6), ratio: ($ima / $assay),
	   unit: "ms added to opening and reading \($count) files", runs: ($runs | length),
	   plain: ($runs | map(.plain.ns) | median / 1e6),
	   extends: {plain: ($runs | map(.plain.extends) | max), ours: ($runs | map(.assay.extends) | max),
		     peer: ($runs | map(.ima.extends) | max)}}' >"$work/result.json"
jq -r '"plain: \(.plain | round) ms, no extend\nIMA:   \(.peer | round) ms more, \(.extends.peer) extends\nassay: \(.ours | round) ms more, \(.extends.ours) extend"' "$work/result.json"
jq -c . "$work/result.json"
