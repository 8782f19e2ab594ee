#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay digest` as people call it: each way of hashing, of this machine and of arm64 (under
# emulation), against fsverity; trees and descriptors; memory; what is left behind.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

# Of this many bytes: around blocks, lanes, levels and pieces.
sizes='0 1 4095 4096 4097 65536 69633 524287 524288 524289 1048576 1048577 3000000'
head -c 3000000 /dev/urandom >data
for size in $sizes; do
	head -c "$size" data >"f$size"
done

arm64() {
	qemu-aarch64 -L "$top/build/sysroot" "$top/build/arm64/assay" "$@"
}

agrees() { # PROGRAM OPTION...: with fsverity, on all files
	"$@" digest --engine "$engine" --hash "$hash" --salt 00ff f* >ours 2>&1 && cmp ours "theirs.$hash"
}

for hash in sha256 sha512; do
	fsverity digest --hash-alg="$hash" --salt=00ff f* >"theirs.$hash"
done
for program in "$assay" arm64; do
	if [ "$program" = arm64 ] && ! { command -v qemu-aarch64 >/dev/null && [ -e "$top/build/arm64/assay" ]; }; then
		skip 'the ways of arm64 agree with fsverity' 'no qemu-aarch64, or not built'
		continue
	fi
	"$program" digest --engines >engines
	check "there are ways on ${program##*/}: $(awk '{ printf "%s (%s) ", $1, $2 }' engines)" \
		[ "$(wc -l <engines)" -ge 2 ]
	while read -r engine hash _; do
		hash=${hash%,}
		check "${program##*/}: $engine agrees with fsverity for $hash" agrees "$program"
	done <engines
done

run "$assay" digest --engine no-such-way data
check 'a way that is not there is refused' told 2 "no way 'no-such-way'"
run "$assay" digest --engines --json
check 'ways are told as JSON' eval 'prints 0 bytes_per_second && jq -e ".engines | length > 0 and all(.bytes_per_second > 0)" stdout >/dev/null'

outputs_agree() { # OPTION...
	"$assay" digest --out-merkle-tree tree --out-descriptor descriptor "$@" >ours &&
		fsverity digest --out-merkle-tree=their-tree --out-descriptor=their-descriptor "$@" >theirs &&
		cmp ours theirs && cmp tree their-tree && cmp descriptor their-descriptor
}

for size in 0 4096 4097 3000000; do
	for block in 1024 4096; do
		check "tree and descriptor of $size bytes in blocks of $block are fsverity's" \
			outputs_agree --block-size="$block" "f$size"
	done
done

mkdir out
run "$assay" digest --out-merkle-tree out/tree --out-descriptor out/descriptor f0 f1
check 'a tree of two files is refused' eval 'told 2 "one file only" && [ -z "$(ls -A out)" ]'
run "$assay" digest --out-merkle-tree out/tree --out-descriptor out/descriptor gone
check 'without the file there is no tree' eval 'told 1 "cannot open gone" && [ -z "$(ls -A out)" ]'
run "$assay" digest --out-merkle-tree none/tree data
check 'a tree that cannot be written is told' told 1 'none/tree'

for jobs in 0 65 x -1 ''; do
	run "$assay" digest --jobs "$jobs" data
	check "--jobs '$jobs' is refused" told 2 'from 1 to 64'
done
same_with_jobs() {
	for jobs in 1 2 7 64; do
		"$assay" digest --salt 00ff --jobs "$jobs" f* | cmp - theirs.sha256 || return 1
	done
}
check 'the number of jobs changes nothing' same_with_jobs

# Address space, most of which threads reserve only; the file is much larger.
truncate -s 1G sparse
bounded() {
	(ulimit -v 400000 && "$assay" digest --jobs 2 sparse) >ours && fsverity digest sparse | cmp - ours
}
check 'a file larger than the memory allowed is digested' bounded

# Each is larger than what one thread does, and open until all of it is done.
mkdir large
for i in $(seq 200); do
	truncate -s 2M "large/$i"
done
few() {
	# shellcheck disable=SC3045 # dash has it
	(ulimit -n 64 && "$assay" digest --jobs 8 large/* | sort -u | wc -l) >count
}
run few
check 'a few descriptors are enough' eval 'told 0 && [ ! -s stderr ] && [ "$(cat count)" -eq 200 ]'

# In order, with the reason, and the others done.
mkdir directory
run "$assay" digest f1 gone directory f4096
check 'files without a digest are named, the others done' eval \
	'told 1 "cannot open gone" "directory is a directory" && [ "$(wc -l <stdout)" -eq 2 ]'
echo "1..$check_number"
exit "$check_failed"
