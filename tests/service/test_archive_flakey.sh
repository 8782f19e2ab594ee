#!/bin/sh
# SPDX-License-Identifier: MIT
# A disk on which writes fail for a while, and then reads (dm-flakey): assayd tells it, cuts nothing off the
# log that is not archived, and goes on once the disk does.
# guest: --region auto --tpm new --banks sha256 --timeout 120 --file build/vdo/=/bed/vdo
# guest: --file tests/service/archive.sh=/bed/archive.sh
# guest: --disk "$(qemu/vdo build/vdo >/dev/null && tests/service/archive-disk "$directory/disk")"
# guest: --expect '(I/O error|Buffer I/O|EXT4-fs|JBD2: |Aborting journal|Remounting filesystem)'
# flavours: 7.3
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/archive.sh
. /bed/archive.sh

disk=/run/disk
archive_root=$disk/archive
archive_dir=$archive_root/$(cat /proc/sys/kernel/random/boot_id)
sectors=$(cat /sys/block/vda/size)

dm() {
	/bed/vdo/dmsetup "$@"
}
# flakey SECONDS-UP SECONDS-DOWN FEATURE...: what the disk does from now on; an hour is for ever
flakey() {
	flakey_times="$1 $2"
	shift 2
	echo "0 $sectors flakey /dev/vda 0 $flakey_times $# $*" >/run/table
	dm suspend --nolockfs --noflush flakey 2>/dev/null
	dm load flakey /run/table && dm resume --noudevsync flakey
}
mount_again() {
	umount $disk 2>/dev/null || umount -l $disk
	mount -t ext4 /dev/dm-0 $disk
}
mended() {
	check "$1: it goes on" service_waits 300 archived
	check "$1: there is no problem any more" service_waits 50 no_problem write
	check "$1: the archive is whole" archive_is_whole
	check "$1: archive and ring are one log" is_one_log
}

nothing_set_aside() {
	! ls "$archive_dir"/*.damaged 2>/dev/null
}

mkdir -p $disk
dm create flakey --noudevsync --table "0 $sectors flakey /dev/vda 0 3600 0" || exit 1
mount -t ext4 /dev/dm-0 $disk || exit 1
archive_configure "directory=$archive_root" trim-at=40
check "it starts" service_start
append 20 300
check "it archives" service_waits 100 archived

flakey 0 3600 error_writes
append 60 300
check "writes that fail are told" service_waits 200 problem write
grep -o '"text": .*' /run/assay/state.json | sed 's/^/# /'
flakey 3600 0
mount_again || exit 1
mended "writes that failed"

service_stop
flakey 0 3600 error_reads
echo 3 >/proc/sys/vm/drop_caches
run assay log verify-archive "$archive_dir"
check "an archive that cannot be read is told" prints 1 'unreadable .*Input/output error'
check "it starts with it" service_start
append 20 300
check "that the archive cannot be read is told" service_waits 100 state_has 'Input/output error'
grep -o '"text": .*' /run/assay/state.json | sed 's/^/# /'
flakey 3600 0
echo 3 >/proc/sys/vm/drop_caches
check "reads that failed: it goes on" service_waits 300 archived
check "reads that failed: there is no problem any more" service_waits 300 state_has '"problems": \[\]'
check "reads that failed: the archive is whole" archive_is_whole
check "reads that failed: nothing was taken for damaged" nothing_set_aside
check "reads that failed: archive and ring are one log" is_one_log
check "it ends" service_stop
echo "1..$check_number"
