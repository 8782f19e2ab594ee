#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay measure`, `assay log show` and `assay status` on a running module, with the
# fsverity program and the counters as witnesses.
# guest: --region auto --tpm new --banks sha256 --program usr/bin/fsverity
# guest: --disk "$(tests/kmod/verity-disk "$directory/verity.img")"
# flavours: 64k 4k
# shellcheck source=tests/check.sh
. /bed/check.sh

counter() {
	cat "/sys/class/misc/assay/$1"
}

mkdir -p /disk
mount -t ext4 /dev/vda /disk && insmod /bed/assay.ko || exit 1

mkdir -p /disk/many /disk/in/usr
i=0
while [ $i -lt 300 ]; do
	echo "file $i" >/disk/many/$i
	i=$((i + 1))
done
cp /bed/busybox /disk/in/usr/signed
fsverity enable /disk/in/usr/signed || exit 1
digest=$(fsverity measure /disk/in/usr/signed | cut -d' ' -f1)
echo plain >/disk/plain
mkfifo /disk/fifo

echo "1..26"
run assay status
check "status tells of the region, the window and the log" prints 0 '^anchored    1 record in PCR 14, banks sha256$'
check "and that the PCR was read" prints 0 '^verified    1 record when the PCR was last read$'
run assay log show
check "a fresh log has START, anchored" prints 0 '^1 record, all anchored in the TPM$'

run assay measure /disk/in/usr/signed
check "the digest is the one that fsverity tells" prints 0 "^$digest /disk/in/usr/signed\$"
run assay log show
check "and the log has it" prints 0 "  $digest  /disk/in/usr/signed\$"

mkdir -p /run/overlay
if mount -t overlay -o lowerdir=/disk/in/usr:/disk/many overlay /run/overlay 2>/dev/null; then
	run assay measure /run/overlay/signed
	check "on overlayfs it has none" told 1 '/run/overlay/signed: No data available'
	umount /run/overlay
else
	skip "on overlayfs it has none" 'this kernel has no overlayfs'
fi

run assay measure --root /disk/in /usr/signed ../usr/signed
check "--root: paths are within it" prints 0 '^2 of 2 files measured'
ln -s /disk/plain /disk/in/out
run assay measure --root /disk/in out
check "--root: no link leads out of it" told 1 'out: No such file or directory (not recorded)'

run assay measure /disk/plain
check "a file without fs-verity is named, with what to do" told 1 "/disk/plain: No data available; .*assay enable"
run assay log show
check "and is in the log" prints 0 'FAILED: No data available  /disk/plain$'
run assay measure /disk/fifo /disk /disk/nothing /disk/in/usr/signed
check "what is no regular file is named and not opened" told 1 '/disk/fifo: .*(not recorded)'
check "what is not there is named" grep -q '/disk/nothing: No such file or directory (not recorded)' /run/stderr
check "and the rest is measured" prints 1 '^1 of 4 files measured, in 1 record'

before=$(counter log/anchors)
(
	ulimit -n 64
	run assay measure --json /disk/many/*
)
check "300 files are one record and one extend, whatever the limit of open files was" \
	[ $(($(counter log/anchors) - before)) -eq 1 ]
check "the JSON counts them" grep -q '"measured_count": 0, "failed_count": 300, "record_count": 1}$' /run/stdout

run assay measure --read /disk/in/usr/signed
check "--read of a sound file" prints 0 "^$digest "

run sh -c 'assay log export --format cel-tlv >/run/raw && assay log show /run/raw'
check "what export writes can be read back" prints 0 "^$(counter log/records) records\$"
run assay log show --json
check "the JSON says that all is anchored" prints 0 "\"tail\": \($(counter log/bytes)\), \"anchored_offset\": \1, \"pcr_state\": \"right\"}\$"
check "every digest matches" [ "$(grep -c '"digests_match":true' /run/stdout)" -eq "$(counter log/records)" ]

run assay status --json
check "status --json has the window's pages: a header, parts" prints 0 '"state": *"header", *"count": *1}' '"state": *"\(part\|sealed\)"'
claimed=$(tr '{' '\n' </run/stdout | sed -n 's/.*"state": *"\(header\|part\|sealed\|empty\|open\)", *"count": *\([0-9]*\).*/\2/p' |
	awk '{ n += $1 } END { print n }')
page=$(sed -n 's/.*"page_size": *\([0-9]*\).*/\1/p' /run/stdout)
check "and they add up to what is claimed" [ $((claimed * page)) -eq "$(counter memory/bytes_claimed)" ]
run assay status --map
check "--map draws them" prints 0 'H header  *1 page'

# Until no record fits, however small.
for size in 60000 4000 100 1; do
	! /bed/bin/append 100000 $size || exit 1
done
run assay measure /disk/in/usr/signed
check "a full log is told" told 1 'the log is full. Nothing was recorded; see assay status for its size'
works "it can be cut" assay log trim --keep 10 --no-archive
works "and takes records then" assay measure /disk/in/usr/signed

umount /disk
rmmod assay
run assay status
check "without the module it says so" told 1 'no /dev/assay: load the module'
