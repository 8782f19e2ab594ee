#!/bin/sh
# SPDX-License-Identifier: MIT
# The boot id in the log is the kernel's: not what is mounted over the file for whoever loads the
# module, and also where /proc is not mounted.
# guest: --region auto --tpm new
# flavours: 64k 6.1
# shellcheck source=tests/check.sh
. /bed/check.sh
file=/proc/sys/kernel/random/boot_id

logged() { # the boot id of START
	assay log show --json | sed -n 's/.*"boot_id":"\([^"]*\)".*/\1/p' | head -n 1
}

echo 1..4
id=$(cat $file)
echo 00000000-1111-4222-8333-444444444444 >/tmp/forged
mount -o bind /tmp/forged $file
check 'another file is mounted over the boot id' [ "$(cat $file)" != "$id" ]
insmod /bed/assay.ko
umount $file
check 'START has the boot id all the same' [ "$(logged)" = "$id" ]
rmmod assay
umount -l /proc
status=0
insmod /bed/assay.ko || status=$?
mount -t proc proc /proc
check 'the module loads without /proc' [ "$status" -eq 0 ]
check 'START has the boot id' [ "$(logged)" = "$id" ]
