#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest that appends to a log in a static region is killed at any moment, several times over the
# same memory: whatever was anchored is in what is left of it, and replays to the value that the
# TPM had; and so it is in what the next boot offers as the log of the boot before. Every fourth
# time a bit of that memory is changed first: then it must be named as damaged there. `make soak`
# does it cut_rounds=200 times; cut_seed=SEED repeats the same moments.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

rounds=${cut_rounds:-10}
seed=${cut_seed:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
memory=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$memory"' EXIT
trap 'exit 143' INT TERM HUP
CHECK_OUT=$memory
. tests/check.sh

base=0x50130000 window=0x20000
ram=0x40000000 # where the machine's memory begins
out=build/guests/cut

# Lines of results after which the guest is cut off, and milliseconds: many times soon, now and
# then late. The first lines are the judgement on the boot before.
moments() {
	awk -v seed="$seed" -v rounds="$rounds" 'BEGIN {
		srand(seed)
		while (rounds-- > 0)
			printf "%d:%d\n", 6 + int(rand() * (rand() < 0.2 ? 60 : 10)), int(rand() * 50)
	}'
}

judged() { # the guest's own lines: all three, and nothing but good
	[ "$(grep -c '^ok' "$out/result.tap")" -eq 3 ] && ! grep '^not ok\|^Bail' "$out/result.tap"
}

echo "# seed $seed"
moments >"$memory/moments"
recnum='' value='' damaged='' round=0
while read -r moment; do
	run qemu/run-guest --flavour 64k --region "static:$base:0x300000:$window:1M" --tpm new \
		--memory-file "$memory/ram" --init tests/kmod/cut.sh --out "$out" --cut "$moment" \
		--append "${recnum:+cut_after=$recnum,$value,$damaged}" \
		--file build/kmod/64k/assay.ko=/bed/assay.ko --file build/guest/kmod/cut=/bed/bin/cut
	check "the guest is cut off at $moment" told 0
	if [ "$damaged" ]; then
		check "the boot before's log is named as damaged at offset $damaged" judged
	elif [ "$recnum" ]; then
		check "the boot before's log has all up to record $recnum" judged
	fi
	last=$(grep -ax '# anchored [0-9]* [0-9a-f]\{64\}' "$out/result.tap" | tail -n 1)
	last=${last#\# anchored }
	recnum=${last% *} value=${last#* }
	run qemu-aarch64 build/guest/kmod/cut judge "$memory/ram" \
		$((base + window - ram)) "${recnum:-none}" "${value:-none}"
	check "its memory has all up to record ${recnum:-none}" told 0
	grep '^#' "$memory/stdout" || :
	round=$((round + 1)) damaged=''
	if [ $((round % 4)) -eq 0 ] && [ "$recnum" ]; then
		damaged=$(qemu-aarch64 build/guest/kmod/cut flip "$memory/ram" $((base + window - ram)) $((seed + round)))
		check 'a bit of it is changed' [ -n "$damaged" ]
	fi
done <"$memory/moments"
echo "1..$check_number"
exit "$check_failed"
