#!/bin/sh
# SPDX-License-Identifier: MIT
# The log with a TPM that has all banks: what it says of itself, what it refuses, who
# can write it, what it says of files, and what happens when it is full.
# guest: --region auto --tpm new --banks sha1,sha256,sha384,sha512
# flavours: 64k 4k 7.3 16k 6.1 debug amd64
# guest: --disk "$(tests/kmod/verity-disk "$directory/verity.img")"
set -e
/bed/bin/insmod /bed/assay.ko
insmod /bed/scribble.ko
status=0
programs='log abi measure protect full'
# Making the thousands of files that measure wants takes kernels that check themselves minutes.
if [ -e /proc/config.gz ] && zcat /proc/config.gz | grep -q '^CONFIG_K[AC]SAN=y'; then
	programs='log abi protect full'
fi
for program in $programs; do
	echo "# $program"
	"/bed/bin/$program" || status=1
done
rmmod scribble
# Booting the debug kernel and looking for its leaks takes longer than what test_trim.sh does.
if [ -e /sys/kernel/debug/kmemleak ]; then
	rmmod assay
	/bed/bin/insmod /bed/assay.ko
	echo "# trim"
	/bed/bin/trim || status=1
fi
rmmod assay
exit $status
