#!/bin/sh
# SPDX-License-Identifier: MIT
# MEASURE and APPEND through io_uring.
# guest: --region auto --tpm new --tpm-proxy --smp 2
# flavours: 64k 7.3 6.1 debug amd64
status=0
# Booting the debug kernel and looking for its leaks takes longer than what test_readers.sh does.
if [ -e /sys/kernel/debug/kmemleak ]; then
	echo "# readers"
	/bed/bin/insmod /bed/assay.ko || exit 1
	/bed/bin/readers || status=1
	rmmod assay || exit 1
	echo "# uring"
fi
/bed/bin/uring || status=1
exit $status
