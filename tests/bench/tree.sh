#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-tree: fs-verity digests of a Debian's files as they are, large and small: COUNT regular files
# of ROOT, taken at equal distances of its sorted list and copied to a directory of their own; `assay
# digest`, against one process of `fsverity digest`, both given all of them. warm: all in page cache;
# the ways take turns, and each way's time is the least of its runs, as all that disturbs a run adds to
# it. cold: nothing of them cached, which needs root to see to; COLD=0 leaves it out. cpu are the
# processors' seconds of all runs, a run. ours and peer are warm files a second. limit: the seconds of one
# processor that the kernel takes to hand over all of the files, and that the best way of hashing takes for
# their bytes; and what ratio would be if each processor did nothing else. cold.limit is the files a second
# that 32 processes of cat read together.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-tree.XXXXXX")
trap 'rm -rf "$work"' EXIT
assay=$PWD/build/host/assay
rounds=${ROUNDS:-5} cold_rounds=${COLD_ROUNDS:-2} count=${COUNT:-30000} root=${ROOT:-/usr} cold=${COLD:-1}
drop=/proc/sys/vm/drop_caches

gcc -std=c11 -O2 -Wall -o "$work/roofline" tests/bench/host/roofline.c
mkdir "$work/tree"
# Names that assay writes with an escape are not compared.
find "$root" -xdev -type f -readable ! -path '*
*' ! -path '*\\*' | sort >"$work/all"
awk -v count="$count" 'NR == FNR { all = NR; next }
	int(FNR * count / all) > int((FNR - 1) * count / all)' "$work/all" "$work/all" >"$work/list"
[ "$(wc -l <"$work/list")" -eq "$count" ] || {
	echo "bench-tree: $root has less than $count files: name another one with ROOT=, or less with COUNT=" >&2
	exit 1
}
# A process's arguments may be a quarter of its stack.
ulimit -s 65536
xargs -d '\n' cp --parents -t "$work/tree" -- <"$work/list"
cd "$work/tree"
find . -type f | sort >"$work/names"
IFS='
'
set -f
# shellcheck disable=SC2046 # a line a file
set -- $(cat "$work/names")
unset IFS
[ $# -eq "$count" ]
bytes=$(find . -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.0f", sum }')
sync

# They agree; and all is in page cache after this.
fsverity digest "$@" >"$work/peer"
"$assay" digest "$@" >"$work/ours"
cmp "$work/ours" "$work/peer"

# timed WAY COMMAND...: a line "WAY seconds cpu-seconds"
timed() {
	timed_way=$1
	shift
	# shellcheck disable=SC2016 # for the shell that is started
	/usr/bin/time -f '%U %S' -o "$work/cpu" sh -c 'from=$(date +%s%N); "$@" >/dev/null; to=$(date +%s%N); echo $((to - from)) >&3' \
		sh "$@" 3>"$work/wall"
	awk -v way="$timed_way" 'NR == 1 { wall = $1 / 1e9 } NR == 2 { printf "%s %.6f %.2f\n", way, wall, $1 + $2 }' \
		"$work/wall" "$work/cpu" >>"$work/runs"
}
for _ in $(seq "$rounds"); do
	timed peer fsverity digest "$@"
	timed ours "$assay" digest "$@"
	"$assay" digest --engines --json >>"$work/engines"
	"$work/roofline" --read "$@" >>"$work/roofline.json"
done
if [ "$cold" = 1 ] && [ -w $drop ] && { echo 3 >$drop; } 2>/dev/null; then
	for _ in $(seq "$cold_rounds"); do
		echo 3 >$drop
		timed peer_cold fsverity digest "$@"
		echo 3 >$drop
		timed ours_cold "$assay" digest "$@"
		echo 3 >$drop
		timed cat_cold xargs -d '\n' -P 32 -n 100 -a "$work/names" cat --
	done
else
	echo 'cold: not measured (dropping what is cached is not allowed, or not asked for)'
fi

jq -R -s -c --argjson rounds "$rounds" --argjson count "$count" --argjson bytes "$bytes" --argjson cores "$(nproc)" \
	--slurpfile engines "$work/engines" --slurpfile roofline "$work/roofline.json" '
	def places(n): . * pow(10; n) | round / pow(10; n);
	(split("\n") | map(select(. != "") | split(" ") | {way: .[0], seconds: (.[1] | tonumber), cpu: (.[2] | tonumber)})
	| group_by(.way) | map({(.[0].way): {seconds: (map(.seconds) | min), cpu: (map(.cpu) | add / length)}}) | add) as $w
	| ($bytes / ($engines | map(.engines[] | select(.hash == "sha256") | .bytes_per_second) | max)) as $hash
	| ($roofline | map(.read) | min) as $read
	| {name: "tree", ours: ($count / $w.ours.seconds | round), peer: ($count / $w.peer.seconds | round),
	   ratio: ($w.peer.seconds / $w.ours.seconds | places(2)), unit: "files/s of a Debian in page cache",
	   runs: $rounds, files: $count, bytes: $bytes, cores: $cores,
	   cpu: {ours: ($w.ours.cpu | places(3)), peer: ($w.peer.cpu | places(3))},
	   limit: {read: ($read | places(3)), hash: ($hash | places(3)), ratio: ($w.peer.cpu * $cores / ($read + $hash) | places(2))},
	   cold: (if $w.ours_cold then {ours: ($count / $w.ours_cold.seconds | round), peer: ($count / $w.peer_cold.seconds | round),
		ratio: ($w.peer_cold.seconds / $w.ours_cold.seconds | places(2)),
		limit: ($count / $w.cat_cold.seconds | round), mb_per_second: ($bytes / 1e6 / $w.ours_cold.seconds | round),
		cpu: {ours: ($w.ours_cold.cpu | places(3)), peer: ($w.peer_cold.cpu | places(3))}} else null end)}' "$work/runs" >"$work/result"
jq -r '"\(.files) files, \(.bytes / 1e6 | round) MB, cached: \(.ours) files/s on \(.cores) cores with \(.cpu.ours) s of CPU; fsverity: \(.peer) with \(.cpu.peer) s: \(.ratio) times; \(.limit.ratio) if nothing was done but reading (\(.limit.read) s) and hashing (\(.limit.hash) s)" +
	if .cold then "\nnot cached: \(.cold.ours) files/s, \(.cold.mb_per_second) MB/s, \(.cold.cpu.ours) s of CPU; fsverity: \(.cold.peer), \(.cold.cpu.peer) s: \(.cold.ratio) times; read by 32 cat: \(.cold.limit) files/s" else "" end' "$work/result"
cat "$work/result"
