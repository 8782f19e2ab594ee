#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-syscall. Prints "# " and the lines of syscall.c.
echo '1..1'
failed() { # WHAT
	echo "not ok 1 - $1"
	exit 1
}
mkdir -p /mnt
mount -t ext4 /dev/vda /mnt || failed mount
mkdir -p /mnt/files
echo file >/mnt/files/0
/bed/measure enable /mnt/files 1 >/dev/null || failed 'fs-verity'
insmod /bed/assay.ko || failed insmod
/bed/syscall /mnt/files/0 >/run/lines || { cat /run/lines; failed syscall; }
sed 's/^/# /' /run/lines
# Whether the kernel's tables are kept apart from the program's, as asked.
kpti=0
dmesg | grep -q 'detected: Kernel page table isolation' && kpti=1
echo "# kpti $kpti"
rmmod assay || failed rmmod
echo 'ok 1 - measured'
