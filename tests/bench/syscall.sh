#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-syscall: what an entry costs when 1, 8, 64 and 512 are measured with one system
# call, through ioctl (one record and extend a call) and through io_uring (a command an
# entry, so many commands a call), with the kernel's page tables kept apart from programs'
# (kpti=1, as against Meltdown) and not; the best of RUNS boots each (KPTI: one of them alone). The number of kernel
# entries is counted. ratio = time an entry with one a call over that with 512, kpti=1.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-syscall.XXXXXX")
trap 'rm -rf "$work"' EXIT
runs=${RUNS:-3}

for _ in $(seq "$runs"); do
	for kpti in ${KPTI:-0 1}; do
		out=${BENCH_OUT:-build/bench}/syscall-$kpti
		rm -f "$work/disk.img"
		mke2fs -q -t ext4 -b 4096 -O verity "$work/disk.img" 16M >/dev/null
		qemu/run-guest --flavour 64k --memory 2G --region cma:0x80000000:512M:0:8M --tpm new \
			--disk "$work/disk.img" --append "kpti=$kpti" --file build/kmod/64k/assay.ko \
			--file build/guest/measure --file build/guest/syscall \
			--init tests/bench/syscall-guest.sh --timeout 200 --out "$out" >"$work/guest.log" ||
			{ cat "$work/guest.log"; exit 1; }
		sed -n "s/^# \([a-z]* [0-9]* .*\)/$kpti \1/p" "$out/result.tap" >>"$work/lines"
		grep -q "^# kpti $kpti\$" "$out/result.tap" ||
			{ echo "syscall.sh: the guest's kernel did not do as kpti=$kpti says" >&2; exit 1; }
	done
done

jq -R -s --argjson runs "$runs" '
	[split("\n")[] | select(. != "") | split(" ") | {kpti: .[0], way: .[1], size: (.[2] | tonumber),
		us: ((.[3] | tonumber) / 1000), entries: ((.[4] | tonumber) / (.[5] | tonumber))}]
	| group_by([.way, .size, .kpti]) | map({key: "\(.[0].way)-\(.[0].size)-\(.[0].kpti)",
		value: {us: (map(.us) | min), kernel_entries: (map(.entries) | max)}}) | from_entries
	| {name: "syscall", ours: ."ioctl-512-1".us, peer: ."ioctl-1-1".us,
	   ratio: (."ioctl-1-1".us / ."ioctl-512-1".us), unit: "us an entry, 512 a call against 1, kpti=1",
	   runs: $runs, all: .}' "$work/lines" >"$work/result.json"
printf '%-10s %8s %14s %14s %20s\n' way 'a call' 'us, kpti=0' 'us, kpti=1' 'kernel entries/file'
for way in info-1 ioctl-1 ioctl-8 ioctl-64 ioctl-512 uring-1 uring-8 uring-64 uring-512; do
	jq -r --arg way "$way" '[.all[$way + "-0"].us, .all[$way + "-1"].us, .all[$way + "-1"].kernel_entries] | @tsv' \
		"$work/result.json" | awk -v way="${way%-*}" -v size="${way#*-}" \
		'{ printf "%-10s %8d %14.2f %14.2f %20.4f\n", way, size, $1, $2, $3 }'
done
echo 'Under emulation: the time shows no cost of the hardware'"'"'s TLB, which is what kpti=1 costs most; the kernel entries are exact.'
jq -c . "$work/result.json"
