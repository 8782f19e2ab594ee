#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest is cut off at any moment while assayd archives and cuts the log: the archive on its disk
# is whole to its last file, and has every record that the log did not have any more, so that
# archive and ring joined without a gap. One guest stands for many: it is stopped at random
# moments, and what its disk holds then is what it would hold if it had been killed. At the end it
# is killed, and the next boot goes on with the disk. `make soak` does it cut_rounds=200 times;
# cut_seed=SEED repeats the same pauses.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

rounds=${cut_rounds:-20}
seed=${cut_seed:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
guest='' head=0
trap '[ -z "$guest" ] || kill "$guest" 2>/dev/null || :; rm -rf "$work"' EXIT
trap 'exit 143' INT TERM HUP
CHECK_OUT=$work
. tests/check.sh
assay=$PWD/build/host/assay
out=build/guests/archive-cut

tests/service/archive-disk "$work/disk" 64M >/dev/null
# cut_guest OUT OPTION...
cut_guest() {
	cut_out=$1
	shift
	qemu/run-guest --flavour 64k --region auto --tpm new --disk "$work/disk" \
		--init tests/e2e/archive-cut-guest.sh --out "$cut_out" \
		--file build/kmod/64k/assay.ko=/bed/assay.ko --file build/guest/kmod/append=/bed/bin/append \
		--file tests/check.sh=/bed/check.sh --file tests/service/service.sh=/bed/service.sh \
		--file tests/service/archive.sh=/bed/archive.sh --file build/arm64/assay=/usr/bin/assay \
		--file build/arm64/assayd=/usr/bin/assayd \
		--expect '(EXT4-fs .vda.: recovery complete|JBD2: )' "$@"
}
# The QEMU that has the disk.
find_qemu() {
	for process in /proc/[0-9]*; do
		case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline") in
		qemu-system*"file=$work/disk"*) echo "${process#/proc/}" ;;
		esac
	done
}
told_records() {
	if [ -e "$out/result.tap" ]; then
		grep -ac '^# [0-9]* [0-9]*$' "$out/result.tap" || :
	else
		echo 0
	fi
}
# The last head that the guest has told: what is below it is in the archive or nowhere.
told_head() {
	sed -n 's/^# [0-9]* \([0-9]*\)$/\1/p' "$out/result.tap" | tail -n 1
}
# What the disk holds at this moment, as if QEMU had been killed.
keep_disk() {
	kill -STOP "$qemu"
	head=$(told_head)
	head=${head:-0}
	cp --sparse=always "$work/disk" "$work/cut"
	kill -CONT "$qemu"
}
# The journal is replayed, as the next mount does it, and the archive read.
read_disk() {
	e2fsck -fy "$work/cut" >"$work/fsck" 2>&1 || [ $? -eq 1 ] || { cat "$work/fsck"; return 1; }
	rm -rf "$work/files"
	mkdir "$work/files"
	debugfs -R "rdump /archive $work/files" "$work/cut" >/dev/null 2>&1
	"$assay" log verify-archive --json "$work"/files/archive/*-* >"$work/verified" || {
		cat "$work/verified"
		return 1
	}
}
# All that the log did not have any more is there.
joins() {
	jq -e --argjson head "$head" '.whole and (.streams[] | select(.stream == "log") |
		.first == 0 and .end >= $head)' "$work/verified" >/dev/null || {
		echo "head $head"
		cat "$work/verified"
		return 1
	}
}

echo "# seed $seed"
rm -rf "$out"
cut_guest "$out" --cut 1000000000:0 --timeout $((120 + 3 * rounds)) >"$work/guest" 2>&1 &
guest=$!
left=600
while [ "$(told_records)" -lt 5 ] && [ "$left" -gt 0 ] && kill -0 "$guest" 2>/dev/null; do
	sleep 0.2
	left=$((left - 1))
done
qemu=$(find_qemu)
check 'the guest archives' [ -n "$qemu" ]
awk -v seed="$seed" -v rounds="$rounds" 'BEGIN {
	srand(seed)
	while (rounds-- > 0)
		printf "%.3f\n", 0.05 + rand() * 0.6
}' >"$work/pauses"
round=0
while [ -n "$qemu" ] && read -r pause; do
	round=$((round + 1))
	sleep "$pause"
	keep_disk
	check "cut $round: the archive is whole" read_disk
	check "cut $round: archive and log join at record $head" joins
done <"$work/pauses"
echo "# at the end: record $(told_records), head $head; $(jq -c '.streams[0], .trims_compared' "$work/verified" | tr '\n' ' ')"
left=600
while [ -n "$qemu" ] && [ "$head" -le 20 ] && [ "$left" -gt 0 ]; do # a busy machine takes longer
	sleep 0.2
	head=$(told_head)
	head=${head:-0}
	left=$((left - 1))
done
check 'the log was cut many times meanwhile' [ "$head" -gt 20 ]
[ -z "$qemu" ] || kill -9 "$qemu"
wait "$guest" || :
guest=''

run cut_guest "$out-after" --append cut_after --timeout 120
check 'the next boot goes on with the disk of the guest that was killed' told 0
grep '^not ok\|^# ' "$out-after/result.tap" | head -n 20
echo "1..$check_number"
exit "$check_failed"
