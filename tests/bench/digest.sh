#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-digest: fs-verity digests of files in page cache, `assay digest` against `fsverity
# digest`: one file of 1 GiB, on all processors and with one thread, and 10000 files of
# 16 KiB. The ways take turns, and each way's time is the least of its runs, as all that
# disturbs a run adds to it; cpu_* are the processors' seconds of all runs, a run. ours and
# peer are the large file's. limit is what one thread hashes from its own cache, by the best
# way and by the best with two lanes; share is what one thread gets of it with the file.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-digest.XXXXXX")
trap 'rm -rf "$work"' EXIT
assay=$PWD/build/host/assay
rounds=${ROUNDS:-7}
small_count=10000
# The small files are digested so many times in a run.
small_times=3

head -c 1G /dev/urandom >"$work/large"
mkdir "$work/small"
head -c $((small_count * 16384)) "$work/large" | split -b 16384 -a 5 -d - "$work/small/f"
cd "$work/small"
set -- f*
sync

# ours_large and so on: the ways, with the names of the small files, as the shell takes a while,
# too, to find them.
ours_large() { "$assay" digest ../large; }
one_large() { "$assay" digest --jobs 1 ../large; }
peer_large() { fsverity digest ../large; }
ours_small() { "$assay" digest "$@"; }
one_small() { "$assay" digest --jobs 1 "$@"; }
peer_small() { fsverity digest "$@"; }

# They agree; and all is in page cache after this.
for size in large small; do
	"peer_$size" "$@" >"$work/peer"
	for way in ours one; do
		"${way}_$size" "$@" >"$work/ours"
		cmp "$work/ours" "$work/peer"
	done
done

timed() { # WAY TIMES FILE...: a line "WAY seconds cpu-seconds" for one of them
	timed_way=$1
	timed_count=$2
	shift 2
	times >"$work/before"
	from=$(date +%s%N)
	for _ in $(seq "$timed_count"); do
		"$timed_way" "$@" >/dev/null
	done
	to=$(date +%s%N)
	times >"$work/after"
	# Of the second lines, which are of the commands: "0m1.230000s 0m0.450000s", user and system.
	echo "$timed_way $from $to $timed_count" | cat - "$work/before" "$work/after" |
		awk 'function seconds() { split($0, t, "[ms ]+"); return 60 * (t[1] + t[3]) + t[2] + t[4] }
			NR == 1 { way = $1; wall = ($3 - $2) / 1e9; count = $4 }
			NR == 3 { cpu = -seconds() }
			NR == 5 { cpu += seconds() }
			END { printf "%s %.6f %.6f\n", way, wall / count, cpu / count }' >>"$work/runs"
}

for _ in $(seq "$rounds"); do
	for size in large small; do
		times=1
		[ "$size" = large ] || times=$small_times
		for way in peer ours one; do
			timed "${way}_$size" "$times" "$@"
		done
	done
	"$assay" digest --engines --json >>"$work/engines"
done

jq -R -s 'split("\n") | map(select(. != "") | split(" ") |
	{way: .[0], seconds: (.[1] | tonumber), cpu: (.[2] | tonumber)}) | group_by(.way) |
	map({(.[0].way): {seconds: (map(.seconds) | min), cpu: (map(.cpu) | add / length)}}) | add' \
	"$work/runs" >"$work/ways"
jq -n -c --slurpfile way "$work/ways" --slurpfile engines "$work/engines" \
	--argjson rounds "$rounds" --argjson count "$small_count" --argjson cores "$(nproc)" '
	def places(n): . * pow(10; n) | round / pow(10; n);
	def rate: 1.073741824 / .seconds;
	$way[0] as $w
	| ($engines | map(.engines[]) | map(select(.hash == "sha256"))) as $all
	| ($all | max_by(.bytes_per_second)) as $best
	| ($all | map(select(.lanes <= 2)) | max_by(.bytes_per_second)) as $two
	| {name: "digest", ours: ($w.ours_large | rate | places(2)), peer: ($w.peer_large | rate | places(2)),
	   ratio: ($w.peer_large.seconds / $w.ours_large.seconds | places(2)),
	   unit: "GB/s of a file of 1 GiB in page cache", runs: $rounds, cores: $cores,
	   one_thread: ($w.one_large | rate | places(2)),
	   ratio_one_thread: ($w.peer_large.seconds / $w.one_large.seconds | places(2)),
	   small_files: ($count / $w.ours_small.seconds | round),
	   small_files_peer: ($count / $w.peer_small.seconds | round),
	   ratio_small: ($w.peer_small.seconds / $w.ours_small.seconds | places(2)),
	   ratio_small_one_thread: ($w.peer_small.seconds / $w.one_small.seconds | places(2)),
	   cpu_large: {ours: ($w.ours_large.cpu | places(3)), peer: ($w.peer_large.cpu | places(3))},
	   cpu_small: {ours: ($w.ours_small.cpu | places(3)), peer: ($w.peer_small.cpu | places(3))},
	   engine: $best.name, limit: ($best.bytes_per_second / 1e9 | places(2)),
	   limit_two_lanes: ($two.bytes_per_second / 1e9 | places(2)),
	   share: (($w.one_large | rate) * 1e9 / $best.bytes_per_second | places(2)),
	   share_two_lanes: (($w.one_large | rate) * 1e9 / $two.bytes_per_second | places(2))}' >"$work/result"
jq -r '"1 GiB:             \(.ours) GB/s on \(.cores) cores, \(.one_thread) with one thread; fsverity: \(.peer)\n10000 of 16 KiB:   \(.small_files) files/s; fsverity: \(.small_files_peer)\none thread limit:  \(.limit) GB/s with \(.engine), \(.limit_two_lanes) with two lanes"' "$work/result"
cat "$work/result"
