#!/bin/sh
# SPDX-License-Identifier: MIT
# kexec while four threads append: the next kernel finds all that they were told of; see busy.c.
# guest: --region static:0x50130000:0x300000:0x20000:1M --tpm new --append cma=0 --smp 2 --timeout 120
# guest: --disk $(truncate -s 1M $directory/disk && echo $directory/disk)
# guest: --file build/kernel/7.3/Image=/bed/Image
# flavours: 7.3
if ! grep -q second_kernel /proc/cmdline; then
	insmod /bed/assay.ko || exit 1
	cd / || exit 1
	find . -xdev ! -path './proc/*' ! -path './sys/*' ! -path './dev/*' ! -path './out/*' ! -path ./bed/Image |
		cpio -o -H newc >/out/initrd 2>/dev/null || exit 1
	/bed/bin/busy write /dev/vda &
	writer=$!
	while [ "$(cat /sys/class/misc/assay/log/records)" -lt 100 ]; do
		kill -0 $writer || exit 1
		sleep 0.1
	done
	exec /bed/bin/kexec /bed/Image /out/initrd "$(cat /proc/cmdline) second_kernel"
fi
/bed/bin/insmod /bed/assay.ko || exit 1
status=0
/bed/bin/busy check /dev/vda || status=1
rmmod assay || exit 1
exit $status
