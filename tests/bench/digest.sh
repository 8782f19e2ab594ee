#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-digest: fs-verity digests of files in page cache, `assay digest` against `fsverity
# digest`: one file of 1 GiB, on all processors and with one thread, and 10000 files of
# 16 KiB. The ways take turns, and each way's time is the least of its runs, as all that
# disturbs a run adds to it; cpu_* are the processors' seconds of all runs, a run. ours and
# peer are the large file's. With them the limits: what one thread hashes from its own cache, by
# the best way ("limit") and by the best with two lanes; what it copies from page cache ("copy"),
# maps and looks at; hashing after the faster of these ("together"), and the share of it that one
# thread gets with the large file; and what the kernel's calls take of a small file, by system calls
# and by io_uring (host/roofline.c). ratio_small_limit is what ratio_small would be if each
# processor did nothing but those calls and hash the data. LARGE (MiB), COUNT and ROUNDS make it
# shorter.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-digest.XXXXXX")
trap 'rm -rf "$work"' EXIT
assay=$PWD/build/host/assay
rounds=${ROUNDS:-7}
large=${LARGE:-1024}
small_count=${COUNT:-10000}
# The small files are digested so many times in a run.
small_times=3

gcc -std=c11 -O2 -Wall -o "$work/roofline" tests/bench/host/roofline.c
head -c "${large}M" /dev/urandom >"$work/large"
mkdir "$work/small"
head -c $((small_count * 16384)) /dev/urandom | split -b 16384 -a 5 -d - "$work/small/f"
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
	"$work/roofline" ../large "$@" >>"$work/roofline.json"
done

jq -R -s 'split("\n") | map(select(. != "") | split(" ") |
	{way: .[0], seconds: (.[1] | tonumber), cpu: (.[2] | tonumber)}) | group_by(.way) |
	map({(.[0].way): {seconds: (map(.seconds) | min), cpu: (map(.cpu) | add / length)}}) | add' \
	"$work/runs" >"$work/ways"
jq -n -c --slurpfile way "$work/ways" --slurpfile engines "$work/engines" \
	--slurpfile kernel "$work/roofline.json" --argjson large "$large" \
	--argjson rounds "$rounds" --argjson count "$small_count" --argjson cores "$(nproc)" '
	def places(n): . * pow(10; n) | round / pow(10; n);
	def rate: $large * 1048576 / 1e9 / .seconds;
	def fastest(f): $kernel | map(f) | max / 1e9;
	def least(f): $kernel | map(f | numbers) | min;
	$way[0] as $w
	| ($engines | map(.engines[]) | map(select(.hash == "sha256"))) as $all
	| ($all | max_by(.bytes_per_second)) as $best
	| ($all | map(select(.lanes <= 2)) | max_by(.bytes_per_second)) as $two
	| (1 / (1e9 / $best.bytes_per_second + 1 / ([fastest(.copy), fastest(.map)] | max))) as $together
	| least(.open_ask_read_ask_close) as $calls
	| {name: "digest", ours: ($w.ours_large | rate | places(2)), peer: ($w.peer_large | rate | places(2)),
	   ratio: ($w.peer_large.seconds / $w.ours_large.seconds | places(2)),
	   unit: "GB/s of a file of \($large) MiB in page cache", runs: $rounds, cores: $cores,
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
	   copy: (fastest(.copy) | places(2)), map: (fastest(.map) | places(2)),
	   together: ($together | places(2)), share_together: (($w.one_large | rate) / $together | places(2)),
	   small_us: {ours: ($w.one_small.cpu / $count * 1e6 | places(1)), peer: ($w.peer_small.cpu / $count * 1e6 | places(1)),
	      open_close: (least(.open_close) | places(2)), stat: (least(.ask) | places(2)), calls: ($calls | places(2)),
	      calls_without_stat: (least(.open_read_close) | places(2)), uring_without_stat: (least(.uring) | if . then places(2) else null end),
	      hash: (16384 / $best.bytes_per_second * 1e6 | places(2))},
	   ratio_small_limit: ($w.peer_small.cpu / $count * 1e6 / ($calls + 16384 / $best.bytes_per_second * 1e6) * $cores | places(2)),
	   share: (($w.one_large | rate) * 1e9 / $best.bytes_per_second | places(2)),
	   share_two_lanes: (($w.one_large | rate) * 1e9 / $two.bytes_per_second | places(2))}' >"$work/result"
jq -r '"large file:        \(.ours) GB/s on \(.cores) cores, \(.one_thread) with one thread; fsverity: \(.peer)
small files:       \(.small_files)/s; fsverity: \(.small_files_peer)
one thread:        hashes \(.limit) GB/s with \(.engine), \(.limit_two_lanes) with two lanes, copies \(.copy), maps and looks at \(.map), hashes after the faster of these \(.together)
a small file, us:  \(.small_us.ours) of processor time; fsverity: \(.small_us.peer); system calls \(.small_us.calls), hashing \(.small_us.hash)
its system calls:  open and close \(.small_us.open_close), size and time twice \(2 * .small_us.stat * 100 | round / 100), without these \(.small_us.calls_without_stat), by io_uring \(.small_us.uring_without_stat)"' "$work/result"
cat "$work/result"
