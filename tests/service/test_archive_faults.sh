#!/bin/sh
# SPDX-License-Identifier: MIT
# What can go wrong with an archive: each is told in the state, with what to do; nothing is cut off
# the log that is not archived; and once it is mended, assayd goes on, and nothing is lost.
# guest: --region auto --tpm new --banks sha256 --timeout 120
# guest: --file tests/service/archive.sh=/bed/archive.sh
# guest: --disk "$(tests/service/archive-disk "$directory/disk")"
# guest: --expect '(I/O error|Buffer I/O|EXT4-fs error|EXT4-fs .vd|JBD2: |Aborting journal|Remounting filesystem)'
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/archive.sh
. /bed/archive.sh

disk=/run/disk
archive_root=$disk/archive
archive_dir=$archive_root/$(cat /proc/sys/kernel/random/boot_id)
mkdir -p $disk
mount /dev/vda $disk || exit 1

newest_file() {
	for file in "$archive_dir"/*.cel.zst; do :; done
	basename "$file"
}
# Problem KEY says WORDS.
says() {
	problem "$1" && state_has "$2"
}
# The service goes on: all is archived, nothing is wrong, and the log is whole.
mended() {
	check "$1: it goes on" service_waits 300 archived
	check "$1: there is no problem any more" service_waits 50 no_problem "${2:-write}"
	check "$1: the archive is whole" archive_is_whole
	check "$1: archive and ring are one log" is_one_log
}

archive_configure "directory=$archive_root" trim-at=40
check "it starts" service_start
append 20 300
check "it archives" service_waits 100 archived

head -c 100M /dev/zero >$disk/fill 2>/dev/null
sync
dd if=/dev/zero of=$disk/fill2 bs=1k 2>/dev/null
sync
dd if=/dev/zero of=$disk/fill3 bs=1k 2>/dev/null
append 60 300
check "a full disk is told" service_waits 100 says write 'No space left on device: free space there'
rm -f $disk/fill*
mended "a full disk"

mount -o remount,ro $disk || exit 1
append 20 300
check "a disk that is read-only is told" service_waits 100 says write 'Read-only file system: mount it for writing'
mount -o remount,rw $disk || exit 1
mended "a read-only disk"

rm -r "$archive_root"
append 20 300
mended "a removed directory"

service_stop
chown -R 0:0 "$archive_root"
check "it starts where the directory is somebody else's" service_start
check "a directory of another user is told" service_waits 50 state_has "the directory must be the service's user's"
chown -R assay:assay "$archive_root"
append 20 300
mended "a directory given back" open

touch "$archive_dir/notes"
mv "$archive_dir/000002.cel.zst" /run/
service_stop
check "it starts where a file is missing" service_start
check "a missing file is told" service_waits 50 says files '000002.cel.zst is missing: put it back from a copy'
append 20 300
check "it archives all the same" service_waits 100 archived
mv /run/000002.cel.zst "$archive_dir/"
service_stop
check "it starts where a foreign file is" service_start
check "a foreign file is told" service_waits 50 says files 'notes is no file of the archive'
rm "$archive_dir/notes"
service_stop

newest=$(newest_file)
printf X | dd of="$archive_dir/$newest" bs=1 seek=300 conv=notrunc 2>/dev/null
check "it starts where the newest file is damaged" service_start
check "a damaged file is told" service_waits 100 says damaged 'was damaged, and is now named'
append 5 300
check "what it held is archived again" service_waits 100 archived
check "and the archive is whole" archive_is_whole
check "and it is one log with the ring" is_one_log
service_stop
rm "$archive_dir/$newest.damaged"

newest=$(newest_file)
cp -p "$archive_dir/$newest" /run/newest
printf '\002' | dd of="$archive_dir/$newest" bs=1 seek=19 conv=notrunc 2>/dev/null
check "it starts where the newest file is of the future" service_start
check "a file of the future is told" service_waits 50 says open 'use a newer assay'
cp -p /run/newest "$archive_dir/$newest"
mended "a file of the future" open

date -s 2030-01-01 >/dev/null
append 5 300
service_waits 100 archived
date -s 2029-01-01 >/dev/null
append 5 300
check "a clock that was set back is told" service_waits 100 problem clock
check "it archives all the same by then" service_waits 100 archived
date -s 2030-01-02 >/dev/null
append 5 300
mended "a clock set right" clock

# The disk is gone, as it is when its controller fails.
driver=/sys/bus/virtio/drivers/virtio_blk
device=$(basename "$(readlink -f /sys/block/vda/device)")
echo "$device" >$driver/unbind
append 20 300
check "a failed disk is told" service_waits 100 problem write
grep -o '"text": .*' /run/assay/state.json | sed 's/^/# /'
umount -l $disk
echo "$device" >$driver/bind
name=$(basename "/sys/bus/virtio/devices/$device/block/"*)
service_waits 50 test -e "/dev/$name"
mount "/dev/$name" $disk || exit 1
mended "a failed disk"

# The TPM is gone, and comes back.
tpm=$(basename /sys/bus/platform/devices/*.tpm_tis)
echo "$tpm" >/sys/bus/platform/drivers/tpm_tis/unbind
/bed/bin/append 1 300 >/dev/null 2>&1
check "a TPM that is gone is told" service_waits 300 says anchor "Once it is back, 'assay log anchor' anchors them"
echo "$tpm" >/sys/bus/platform/drivers/tpm_tis/bind
check "what was not anchored is, once it is back" assay log anchor
mended "a TPM that is back" anchor

# Retention: what no verifier has seen stays, unless it is told otherwise.
archive_configure "directory=$archive_root" trim-at=5 keep-size=8K
kill -HUP "$service_pid"
check "more than keep-size is told" service_waits 100 says keep 'no verifier has seen what would go'
check "nothing is removed" archive_is_whole
archive_configure "directory=$archive_root" trim-at=5 keep-size=8K keep-unacknowledged=no
kill -HUP "$service_pid"
check "the oldest are removed where that is wanted" service_waits 100 no_problem keep
check "the first file is gone" [ ! -e "$archive_dir/000001.cel.zst" ]
size=$(cat "$archive_dir"/*.zst | wc -c)
check "the rest is not larger than it may be" [ "$size" -le 8192 ]
check "what is left is whole" archive_is_whole
run assay log show --archive "$archive_dir"
check "and goes on in the ring" told 0
check "it ends" service_stop
echo "1..$check_number"
